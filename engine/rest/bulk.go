// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/engine/documents"
	"github.com/opensteward/steward/engine/query"
	"github.com/opensteward/steward/engine/shard"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

// bulkItem is one action of a bulk request on its way.
type bulkItem struct {
	action       string // index, create, update, delete
	name         string
	auto         bool
	requireAlias bool
	pipeline     string
	dropped      bool // by a pipeline
	op           shard.Operation
	update       update
	index        *catalog.Index
	out          documents.Outcome
	err          error
}

func (s *Server) bulk(r *rest.Request) (rest.Action, error) {
	def := bulkItem{name: r.Path("index"), op: shard.Operation{Routing: r.Param("routing", "")}}
	o, err := readWriteOptions(r)
	if err != nil {
		return nil, err
	}
	def.requireAlias, def.pipeline = o.requireAlias, r.Param("pipeline", "")
	if src := sourceParams(r); r.Has("_source") || r.Has("_source_includes") || r.Has("_source_excludes") {
		def.update.source = &src
	}
	r.Ignore("batch_size")
	if !r.HasBody() {
		return nil, fault.Parse("request body is required")
	}
	if _, err := r.Body(); err != nil { // looks at the content type
		return nil, err
	}
	body, err := r.RawBody()
	if err != nil {
		return nil, err
	}
	items, err := parseBulk(body, def)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (*rest.Response, error) {
		started := time.Now()
		ingested := s.processBulk(ctx, items)
		ingest := time.Since(started).Milliseconds()
		if err := s.runBulk(ctx, items, o.refresh); err != nil {
			return nil, err
		}
		errors := false
		list := make([]wire.Object, len(items))
		for i := range items {
			list[i] = items[i].answer(o.refresh)
			errors = errors || items[i].err != nil
		}
		answer := wire.Obj("took", time.Since(started).Milliseconds())
		answer.AddIf(ingested, "ingest_took", ingest)
		return rest.OK(append(answer, wire.Obj("errors", errors, "items", list)...)), nil
	}, nil
}

// parseBulk reads the lines of a bulk request. A malformed action line fails the request; nothing is done.
func parseBulk(body []byte, def bulkItem) ([]bulkItem, error) {
	if len(body) > 0 && body[len(body)-1] != '\n' {
		return nil, fault.Illegal("The bulk request must be terminated by a newline [\\n]")
	}
	var items []bulkItem
	line := 0
	next := func() ([]byte, bool) {
		if len(body) == 0 {
			return nil, false
		}
		line++
		text, rest, _ := bytes.Cut(body, []byte("\n"))
		body = rest
		return bytes.TrimSuffix(text, []byte("\r")), true
	}
	for {
		text, ok := next()
		if !ok {
			break
		}
		if len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		item := def
		if err := item.parse(text, line); err != nil {
			return nil, err
		}
		if item.action != "delete" {
			source, ok := next()
			if !ok {
				break // an action without its document is left out, as by OpenSearch
			}
			if err := item.take(bytes.Clone(source)); err != nil {
				return nil, err
			}
		}
		items = append(items, item)
	}
	if len(items) == 0 {
		return nil, fault.Validation("no requests added")
	}
	return items, nil
}

// parse reads an action line.
func (b *bulkItem) parse(text []byte, line int) error {
	p := wire.NewParser(text)
	if err := b.parseAction(p, line); err != nil {
		return err
	}
	m := bulkMeta{seqNo: -2, version: -3}
	if err := p.Object(func(name string) error { return b.member(p, &m, name, line) }); err != nil {
		return err
	}
	switch {
	case b.action == "create" || (b.action == "index" && m.opType == "create"):
		b.op.Op = shard.OpCreate
	case b.action == "delete":
		b.op.Op = shard.OpDelete
	default:
		b.op.Op = shard.OpIndex
	}
	b.auto = b.op.ID == "" && (b.action == "index" || b.action == "create")
	if b.auto {
		b.op.ID = newID()
	}
	switch {
	case b.name == "":
		return fault.Validation("index is missing")
	case b.op.ID == "":
		return fault.Validation("id is missing")
	}
	return setCondition(&b.op, m.seqNo, m.term, m.version, m.versionType)
}

func malformed(line int, format string, args ...any) error {
	return fault.Illegal("Malformed action/metadata line [%d], "+format, append([]any{line}, args...)...)
}

// parseAction reads the beginning of an action line, up to the object of its metadata.
func (b *bulkItem) parseAction(p *wire.Parser, line int) error {
	for _, want := range []wire.Token{wire.StartObject, wire.FieldName} {
		if t, err := p.Next(); err != nil {
			return err
		} else if t != want {
			return malformed(line, "expected %s but found [%s]", want, t)
		}
	}
	b.action = p.Name()
	if !slices.Contains([]string{"index", "create", "update", "delete"}, b.action) {
		return malformed(line, "expected one of [create, delete, index, update] but found [%s]", b.action)
	}
	if t, err := p.Next(); err != nil || t != wire.StartObject {
		return malformed(line, "expected START_OBJECT or END_OBJECT but found [%s]", t)
	}
	return nil
}

// bulkMeta is what the metadata of an action says besides where it goes.
type bulkMeta struct {
	seqNo, term, version int64
	versionType, opType  string
}

// member reads a member of an action's metadata.
func (b *bulkItem) member(p *wire.Parser, m *bulkMeta, name string, line int) (err error) {
	switch name {
	case "_index":
		b.name, err = p.Text()
	case "_id":
		if p.Token() != wire.Null {
			b.op.ID, err = p.Text()
		}
	case "routing", "_routing":
		b.op.Routing, err = p.Text()
	case "if_seq_no":
		m.seqNo, err = p.Long()
	case "if_primary_term":
		m.term, err = p.Long()
	case "version", "_version":
		m.version, err = p.Long()
	case "version_type", "_version_type":
		m.versionType, err = p.Text()
	case "op_type":
		m.opType, err = p.Text()
	case "retry_on_conflict", "_retry_on_conflict":
		b.update.retries, err = p.Int()
	case "require_alias":
		b.requireAlias, err = p.Bool()
	case "pipeline":
		b.pipeline, err = p.Text()
	case "_source":
		if p.Token() == wire.StartArray {
			return malformed(line, "expected a simple value for field [%s] but found [%s]", name, p.Token())
		}
		var src query.Source
		src, err = query.ParseSource(p)
		b.update.source = &src
	default:
		err = fault.Illegal("Action/metadata line [%d] contains an unknown parameter [%s]", line, name)
	}
	return err
}

// take reads the source line. A wrong update fails the whole request, a wrong document its item only.
func (b *bulkItem) take(source []byte) error {
	if b.action != "update" {
		b.op.Source = source
		return nil
	}
	u, err := parseUpdate(source)
	u.retries = b.update.retries
	if u.source == nil {
		u.source = b.update.source
	}
	b.update = u
	return err
}

// runBulk runs the items: those for the same index in one go, in their order.
func (s *Server) runBulk(ctx context.Context, items []bulkItem, refresh string) error {
	type group struct {
		index   *catalog.Index
		members []int
	}
	var groups []*group
	byUUID := map[string]*group{}
	for i := range items {
		b := &items[i]
		if b.err != nil || b.dropped {
			continue
		}
		index, routing, err := s.writeTarget(ctx, b.name, b.requireAlias, b.op.Op == shard.OpCreate, b.op)
		if err != nil {
			b.err = err
			if b.auto && !fault.Is(err, "cluster_block_exception") {
				b.op.ID = "" // ids are given once the index is known
			}
			continue
		}
		b.index, b.op.Routing = index, routing
		g := byUUID[index.UUID]
		if g == nil {
			g = &group{index: index}
			byUUID[index.UUID] = g
			groups = append(groups, g)
		}
		g.members = append(g.members, i)
	}
	for _, g := range groups {
		touched := s.runGroup(ctx, g.index, items, g.members)
		if err := s.refreshAfter(g.index, refresh, touched...); err != nil {
			return err
		}
	}
	return nil
}

// runGroup runs the items of one index. Runs of plain writes go together; an update needs what was before it.
func (s *Server) runGroup(ctx context.Context, index *catalog.Index, items []bulkItem, members []int) (touched []int) {
	seen := map[int]bool{}
	note := func(b *bulkItem) {
		if b.err == nil && !seen[b.out.Shard] {
			seen[b.out.Shard] = true
			touched = append(touched, b.out.Shard)
		}
	}
	for at := 0; at < len(members); {
		if b := &items[members[at]]; b.action == "update" {
			b.out, b.err = s.update(ctx, index, b.op, b.update, nil)
			if b.err == nil {
				b.err = b.out.Err
			}
			note(b)
			at++
			continue
		}
		end := at
		var ops []shard.Operation
		for end < len(members) && items[members[end]].action != "update" {
			ops = append(ops, items[members[end]].op)
			end++
		}
		outcomes, err := s.Docs.Write(ctx, index, ops)
		for i, m := range members[at:end] {
			b := &items[m]
			if b.err = err; err == nil {
				b.out, b.err = outcomes[i], outcomes[i].Err
			}
			note(b)
		}
		at = end
	}
	return touched
}

// answer is the item's entry in the answer.
func (b *bulkItem) answer(refresh string) wire.Object {
	if b.err != nil {
		name := b.name
		if b.index != nil {
			name = b.index.Name
		}
		e := fault.Of(b.err)
		status, _, _ := fault.Body(e)
		var id any = b.op.ID
		if b.op.ID == "" {
			id = nil
		}
		return wire.Obj(b.action, wire.Obj("_index", name, "_id", id, "status", status, "error", e))
	}
	if b.dropped {
		o := droppedAnswer(&write{name: b.name, op: &b.op, auto: b.auto})
		o.Add("status", 200)
		return wire.Obj(b.action, o)
	}
	o := writeAnswer(b.index, b.out, refresh)
	for i := range o {
		if o[i].Name == "_shards" { // those of the whole request: an update that changes nothing has them too
			o[i].Value = writtenShards(b.index)
		}
	}
	if u := b.update; b.action == "update" && u.source != nil && !u.source.Off {
		get, err := u.shown(b.out)
		if err != nil {
			b.err = err
			return b.answer(refresh)
		}
		o.Add("get", get)
	}
	o.Add("status", writeStatus(b.out))
	return wire.Obj(b.action, o)
}
