// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/engine/documents"
	"github.com/opensteward/steward/engine/query"
	"github.com/opensteward/steward/engine/shard"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

func (s *Server) documentRoutes(rt *rest.Router) {
	rt.Handle("PUT", "/{index}/_doc/{id}", s.indexDocument)
	rt.Handle("POST", "/{index}/_doc/{id}", s.indexDocument)
	rt.Handle("POST", "/{index}/_doc", s.indexDocument)
	rt.Handle("PUT", "/{index}/_create/{id}", s.indexDocument)
	rt.Handle("POST", "/{index}/_create/{id}", s.indexDocument)
	rt.Handle("GET", "/{index}/_doc/{id}", s.getDocument)
	rt.Handle("GET", "/{index}/_source/{id}", s.getSource)
	rt.Handle("DELETE", "/{index}/_doc/{id}", s.deleteDocument)
	rt.Handle("POST", "/{index}/_update/{id}", s.updateDocument)
	rt.Handle("GET", "/_mget", s.multiGet)
	rt.Handle("POST", "/_mget", s.multiGet)
	rt.Handle("GET", "/{index}/_mget", s.multiGet)
	rt.Handle("POST", "/{index}/_mget", s.multiGet)
	for _, method := range []string{"POST", "PUT"} {
		rt.Handle(method, "/_bulk", s.bulk)
		rt.Handle(method, "/{index}/_bulk", s.bulk)
	}
}

// newID is a document id as the server makes them: 20 characters.
func newID() string {
	var b [15]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// writeOptions are what all writes of documents share.
type writeOptions struct {
	refresh      string
	requireAlias bool
}

func readWriteOptions(r *rest.Request) (o writeOptions, err error) {
	if o.refresh, err = r.Refresh("false"); err != nil {
		return o, err
	}
	if o.requireAlias, err = r.Bool("require_alias", false); err != nil {
		return o, err
	}
	if _, err := r.Duration("timeout", 0); err != nil {
		return o, err
	}
	if err := writeShards(r.Param("wait_for_active_shards", "1")); err != nil {
		return o, err
	}
	return o, nil
}

// writeShards refuses to wait for copies that can never be there: there is one node.
func writeShards(text string) error {
	switch text {
	case "0", "1", "":
		return nil
	}
	return fault.New(http.StatusServiceUnavailable, "unavailable_shards_exception",
		"[wait_for_active_shards: %s] cannot be met: the embedded engine keeps one copy of each shard", text)
}

// condition reads if_seq_no, if_primary_term, version and version_type into an operation.
func condition(r *rest.Request, op *shard.Operation) error {
	seqNo, err := r.Long("if_seq_no", -2)
	if err != nil {
		return err
	}
	term, err := r.Long("if_primary_term", 0)
	if err != nil {
		return err
	}
	version, err := r.Long("version", -3)
	if err != nil {
		return err
	}
	return setCondition(op, seqNo, term, version, r.Param("version_type", ""))
}

// setCondition takes unassigned values (-2, 0, -3, "") for absent ones.
func setCondition(op *shard.Operation, seqNo, term, version int64, versionType string) error {
	switch versionType {
	case "", "internal":
		if version != -3 {
			return fault.Validation("internal versioning can not be used for optimistic concurrency control. Please use `if_seq_no` and `if_primary_term` instead")
		}
	case "external", "external_gt":
		op.VersionType, op.Version = shard.External, version
	case "external_gte":
		op.VersionType, op.Version = shard.ExternalGTE, version
	default:
		return fault.Illegal("No version type match [%s]", versionType)
	}
	if op.VersionType != shard.Internal && version < 0 {
		return fault.Validation("illegal version value [" + itoa(version) + "] for version type [" + strings.ToUpper(versionType) + "]")
	}
	switch {
	case seqNo == -2 && term == 0:
		return nil
	case seqNo < 0 && seqNo != -2:
		return fault.Illegal("sequence numbers must be non negative. got [%d].", seqNo)
	case term < 0:
		return fault.Illegal("primary term must be non negative. got [%d]", term)
	case seqNo == -2:
		return fault.Validation("ifSeqNo is unassigned, but primary term is [" + itoa(term) + "]")
	case term == 0:
		return fault.Validation("ifSeqNo is set, but primary term is [0]")
	case op.VersionType != shard.Internal:
		return fault.Validation("compare and write operations can not use versioning")
	}
	op.Conditional, op.IfSeqNo, op.IfPrimaryTerm = true, seqNo, term
	return nil
}

func (s *Server) indexDocument(r *rest.Request) (rest.Action, error) {
	name := r.Path("index")
	op := shard.Operation{Op: shard.OpIndex, ID: r.Path("id"), Routing: r.Param("routing", "")}
	opType := r.Param("op_type", "")
	auto := op.ID == ""
	switch {
	case opType != "" && opType != "index" && opType != "create":
		return nil, fault.Illegal("opType must be 'create' or 'index', found: [%s]", opType)
	case strings.Contains(r.Pattern, "/_create/") || opType == "create" || (auto && opType == ""):
		op.Op = shard.OpCreate
	}
	if auto {
		op.ID = newID()
	}
	if err := condition(r, &op); err != nil {
		return nil, err
	}
	if op.Op == shard.OpCreate && op.VersionType != shard.Internal {
		return nil, fault.Validation("create operations only support internal versioning. use index instead")
	}
	o, err := readWriteOptions(r)
	if err != nil {
		return nil, err
	}
	if op.Source, err = r.RequireBody(); err != nil {
		return nil, err
	}
	w := write{name: name, op: &op, auto: auto, pipeline: r.Param("pipeline", "")}
	return func(ctx context.Context) (*rest.Response, error) {
		if keep, err := s.process(ctx, &w); err != nil || !keep {
			return rest.OK(droppedAnswer(&w)), err
		}
		create := op.Op == shard.OpCreate
		index, routing, err := s.writeTarget(ctx, w.name, o.requireAlias, create, op)
		if err != nil {
			return nil, err
		}
		op.Routing = routing
		return s.writeOne(ctx, index, op, o.refresh)
	}, nil
}

// writeTarget is the index that a write goes to, which is made if it may be, and the routing that its alias gives. A
// delete makes an index only to remember the version that its caller counts.
func (s *Server) writeTarget(ctx context.Context, name string, requireAlias, create bool, op shard.Operation) (*catalog.Index, string, error) {
	var t catalog.Target
	var err error
	if op.Op == shard.OpDelete && op.VersionType == shard.Internal {
		t, err = s.Catalog.DeleteTarget(ctx, name, requireAlias)
	} else {
		t, err = s.Catalog.WriteTarget(ctx, name, requireAlias, create)
	}
	if err != nil {
		return nil, "", err
	}
	routing := op.Routing
	if routing == "" {
		routing = t.Routing
	} else if t.Routing != "" && t.Routing != routing {
		return nil, "", fault.Illegal("Alias [%s] has index routing associated with it [%s], and was provided with routing value [%s], rejecting operation", name, t.Routing, routing)
	}
	return t.Index, routing, nil
}

// writeOne writes one operation and answers as the document APIs do.
func (s *Server) writeOne(ctx context.Context, index *catalog.Index, op shard.Operation, refresh string) (*rest.Response, error) {
	outcomes, err := s.Docs.Write(ctx, index, []shard.Operation{op})
	if err != nil {
		return nil, err
	}
	out := outcomes[0]
	if out.Err != nil {
		return nil, out.Err
	}
	if err := s.refreshAfter(index, refresh, out.Shard); err != nil {
		return nil, err
	}
	res := &rest.Response{Status: writeStatus(out), Body: writeAnswer(index, out, refresh)}
	if res.Status == http.StatusCreated {
		res.Header = http.Header{"Location": {"/" + escape(index.Name) + "/_doc/" + escape(out.ID)}}
	}
	return res, nil
}

// refreshAfter makes a write visible where the request waits for that: waiting for the next refresh and making one at
// once look the same.
func (s *Server) refreshAfter(index *catalog.Index, refresh string, shards ...int) error {
	if refresh == "false" {
		return nil
	}
	return s.Docs.RefreshShards(index, shards)
}

func writeStatus(out documents.Outcome) int {
	switch out.Result {
	case "created":
		return http.StatusCreated
	case "not_found":
		return http.StatusNotFound
	}
	return http.StatusOK
}

// writeAnswer is the answer to one write, in bulk items too.
func writeAnswer(index *catalog.Index, out documents.Outcome, refresh string) wire.Object {
	o := wire.Obj("_index", index.Name, "_id", out.ID, "_version", out.Version, "result", out.Result)
	o.AddIf(refresh == "true" && out.Result != "noop", "forced_refresh", true)
	shards := writtenShards(index)
	if out.Result == "noop" {
		shards = wire.Obj("total", 0, "successful", 0, "failed", 0)
	}
	o.Add("_shards", shards)
	o.Add("_seq_no", out.SeqNo)
	o.Add("_primary_term", out.PrimaryTerm)
	return o
}

// writtenShards are the copies that a write is for: the one that is kept and the replicas that nothing holds.
func writtenShards(index *catalog.Index) wire.Object {
	return wire.Obj("total", 1+index.Replicas(), "successful", 1, "failed", 0)
}

func (s *Server) deleteDocument(r *rest.Request) (rest.Action, error) {
	name := r.Path("index")
	op := shard.Operation{Op: shard.OpDelete, ID: r.Path("id"), Routing: r.Param("routing", "")}
	if err := condition(r, &op); err != nil {
		return nil, err
	}
	o, err := readWriteOptions(r)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (*rest.Response, error) {
		index, routing, err := s.writeTarget(ctx, name, o.requireAlias, false, op)
		if err != nil {
			return nil, err
		}
		op.Routing = routing
		return s.writeOne(ctx, index, op, o.refresh)
	}, nil
}

// ---- reading

// readOptions are what get, source and mget share.
type readOptions struct {
	source  query.Source
	stored  bool // _source is not shown
	refresh bool
	version int64
	routing string
}

func readReadOptions(r *rest.Request) (o readOptions, err error) {
	o.source = sourceParams(r)
	if o.refresh, err = r.Bool("refresh", false); err != nil {
		return o, err
	}
	realtime, err := r.Bool("realtime", true)
	if err == nil && !realtime {
		err = fault.Unsupported("[realtime=false] of a get")
	}
	if err != nil {
		return o, err
	}
	if o.version, err = r.Long("version", -3); err != nil {
		return o, err
	}
	r.Ignore("preference", "version_type")
	o.routing = r.Param("routing", "")
	if fields := r.List("stored_fields"); fields != nil {
		if len(fields) != 1 || fields[0] != "_none_" {
			return o, fault.Unsupported("[stored_fields] of a get")
		}
		o.stored = true
	}
	return o, nil
}

// sourceParams reads _source, _source_includes and _source_excludes.
func sourceParams(r *rest.Request) query.Source {
	var src query.Source
	switch v := r.Param("_source", "true"); v {
	case "true", "":
	case "false":
		src.Off = true
	default:
		src.Includes = strings.Split(v, ",")
	}
	src.Includes = append(src.Includes, r.List("_source_includes")...)
	src.Excludes = r.List("_source_excludes")
	return src
}

func (s *Server) getDocument(r *rest.Request) (rest.Action, error) {
	name, id := r.Path("index"), r.Path("id")
	o, err := readReadOptions(r)
	if err != nil {
		return nil, err
	}
	return func(context.Context) (*rest.Response, error) {
		index, doc, ok, err := s.read(name, id, o)
		if err != nil {
			return nil, err
		}
		if !ok {
			return &rest.Response{Status: http.StatusNotFound, Body: wire.Obj("_index", index.Name, "_id", id, "found", false)}, nil
		}
		body, err := found(index, doc, o)
		return rest.OK(body), err
	}, nil
}

// read reads a document through an index or an alias of one index.
func (s *Server) read(name, id string, o readOptions) (*catalog.Index, shard.Document, bool, error) {
	index, routing, err := s.readTarget(name, o.routing)
	if err != nil {
		return nil, shard.Document{}, false, err
	}
	if o.refresh {
		if err := s.Docs.Refresh(index); err != nil {
			return nil, shard.Document{}, false, err
		}
	}
	if routing == "" && index.Mapping.RoutingRequired() {
		return nil, shard.Document{}, false, fault.New(400, "routing_missing_exception", "routing is required for [%s]/[%s]", index.Name, id).
			With("index_uuid", index.UUID).With("index", index.Name)
	}
	doc, ok, number, err := s.Docs.Get(index, id, routing)
	if err == nil && ok && o.version >= 0 && o.version != doc.Version {
		err = fault.Conflict(index.Name, index.UUID, number, "[%s]: version conflict, current version [%d] is different than the one provided [%d]", id, doc.Version, o.version)
	}
	return index, doc, ok, err
}

// readTarget is the one index behind a name, and the routing that its alias gives for searches.
func (s *Server) readTarget(name, routing string) (*catalog.Index, string, error) {
	t, err := s.Catalog.State().ReadTarget(name, s.Clock.Now())
	if err != nil {
		return nil, "", err
	}
	if routing == "" {
		routing = t.Routing
	}
	return t.Index, routing, nil
}

// found is the answer for a document that is there.
func found(index *catalog.Index, doc shard.Document, o readOptions) (wire.Object, error) {
	body := wire.Obj("_index", index.Name, "_id", doc.ID, "_version", doc.Version, "_seq_no", doc.SeqNo, "_primary_term", doc.PrimaryTerm)
	body.AddIf(doc.Routing != "", "_routing", doc.Routing)
	body.Add("found", true)
	if o.source.Off || o.stored {
		return body, nil
	}
	source, err := o.source.Filter(doc.Source)
	body.Add("_source", source)
	return body, err
}

func (s *Server) getSource(r *rest.Request) (rest.Action, error) {
	name, id := r.Path("index"), r.Path("id")
	o, err := readReadOptions(r)
	if err != nil {
		return nil, err
	}
	return func(context.Context) (*rest.Response, error) {
		_, doc, ok, err := s.read(name, id, o)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, fault.New(http.StatusNotFound, "resource_not_found_exception", "Document not found [%s]/[%s]", name, id)
		}
		source, err := o.source.Filter(doc.Source)
		return rest.OK(source), err
	}, nil
}

// wanted is one document of a multi-get.
type wanted struct {
	index, id string
	options   readOptions
}

func (s *Server) multiGet(r *rest.Request) (rest.Action, error) {
	def := r.Path("index")
	o, err := readReadOptions(r)
	if err != nil {
		return nil, err
	}
	body, err := r.RequireBody()
	if err != nil {
		return nil, err
	}
	list, err := parseMultiGet(body, def, o)
	if err != nil {
		return nil, err
	}
	return func(context.Context) (*rest.Response, error) {
		docs := make([]wire.Object, len(list))
		for i, w := range list {
			if docs[i], err = s.getOne(w); err != nil {
				return nil, err
			}
		}
		return rest.OK(wire.Obj("docs", docs)), nil
	}, nil
}

// getOne reads one document; a failure stands in its place.
func (s *Server) getOne(w wanted) (wire.Object, error) {
	index, doc, ok, err := s.read(w.index, w.id, w.options)
	if err != nil {
		_, _, envelope := fault.Body(err)
		var whole struct{ Error json.RawMessage }
		if err := json.Unmarshal(envelope, &whole); err != nil {
			return nil, err
		}
		return wire.Obj("_index", w.index, "_id", w.id, "error", whole.Error), nil
	}
	if !ok {
		return wire.Obj("_index", index.Name, "_id", w.id, "found", false), nil
	}
	return found(index, doc, w.options)
}

func parseMultiGet(body []byte, def string, o readOptions) ([]wanted, error) {
	p := wire.NewParser(body)
	if err := p.NextExpect(wire.StartObject); err != nil {
		return nil, err
	}
	var list []wanted
	err := p.Object(func(name string) error {
		switch name {
		case "ids":
			return p.Array(func() error {
				id, err := p.Text()
				list = append(list, wanted{def, id, o})
				return err
			})
		case "docs":
			return p.Array(func() error {
				w := wanted{index: def, options: o}
				err := p.Object(func(name string) error { return w.member(p, name) })
				list = append(list, w)
				return err
			})
		}
		line, col := p.Position()
		return fault.Parsing(line, col, "unknown key [%s] for a %s, expected [docs] or [ids]", name, p.Token())
	})
	if err != nil {
		return nil, err
	}
	var messages []string
	if len(list) == 0 {
		messages = append(messages, "no documents to get")
	}
	for i, w := range list {
		if w.index == "" {
			messages = append(messages, "index is missing for doc "+itoa(int64(i)))
		}
		if w.id == "" {
			messages = append(messages, "id is missing for doc "+itoa(int64(i)))
		}
	}
	if len(messages) > 0 {
		return nil, fault.Validation(messages...)
	}
	return list, nil
}

func (w *wanted) member(p *wire.Parser, name string) (err error) {
	switch name {
	case "_index":
		w.index, err = p.Text()
	case "_id":
		w.id, err = p.Text()
	case "routing", "_routing":
		w.options.routing, err = p.Text()
	case "version", "_version":
		w.options.version, err = p.Long()
	case "version_type", "_version_type":
		err = p.Skip()
	case "_source":
		w.options.source, err = query.ParseSource(p)
	case "stored_fields":
		err = fault.Unsupported("[stored_fields] of a get")
	default:
		err = fault.Illegal("unknown field [%s] in a document of a multi get", name)
	}
	return err
}
