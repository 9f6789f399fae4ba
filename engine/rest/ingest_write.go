// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"
	"encoding/json"
	"strconv"

	"golang.org/x/sync/errgroup"

	"github.com/opensteward/steward/engine/ingest"
	"github.com/opensteward/steward/engine/shard"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// The versions that processors see of a write that names none, and that the answer shows of one that was dropped.
const (
	anyVersion     = "-3"
	createdVersion = "-4"
)

// write is one document on its way through its pipelines to its index.
type write struct {
	name string // of the index, as it was given
	op   *shard.Operation
	// auto says that the id was made here, which processors do not see.
	auto bool
	// pipeline is what the request names instead of the index's default; "" for nothing.
	pipeline string
}

// route is the pipelines that a write goes through; "" for none.
type route struct{ first, final string }

func (r route) empty() bool { return r.first == "" && r.final == "" }

// route finds the pipelines of a write.
func (s *Server) route(w *write) (route, error) {
	r, err := s.defaultRoute(w.name)
	return r.with(w.pipeline), err
}

// with puts the pipeline that a request names in the place of the default one.
func (r route) with(pipeline string) route {
	if pipeline != "" {
		r.first = noneless(pipeline)
	}
	return r
}

// defaultRoute is the pipelines that the settings of an index give.
func (s *Server) defaultRoute(index string) (route, error) {
	now := s.Clock.Now()
	name, err := wire.ResolveDateMath(index, now)
	if err != nil {
		return route{}, err
	}
	settings, err := s.Catalog.State().WriteSettings(name, now)
	return route{noneless(settings["index.default_pipeline"]), noneless(settings["index.final_pipeline"])}, err
}

func noneless(id string) string {
	if id == ingest.None {
		return ""
	}
	return id
}

// process runs the pipelines of a write, which may change all of it. keep says that the document is to be written.
func (s *Server) process(ctx context.Context, w *write) (keep bool, err error) {
	r, err := s.route(w)
	if err != nil || r.empty() {
		return err == nil, err
	}
	return s.follow(ctx, r, w)
}

// follow runs pipelines on a write.
func (s *Server) follow(ctx context.Context, r route, w *write) (keep bool, err error) {
	d, err := s.ingestDocument(w)
	if err != nil {
		return false, err
	}
	if r.first != "" {
		if keep, err := s.ingest.Process(ctx, r.first, d); err != nil || !keep {
			return false, err
		}
		if moved := d.Index(); moved != w.name {
			to, err := s.defaultRoute(moved)
			if err != nil {
				return false, err
			}
			r.final = to.final
		}
	}
	if r.final != "" {
		target := d.Index()
		if keep, err := s.ingest.Process(ctx, r.final, d); err != nil || !keep {
			return false, err
		}
		if d.Index() != target {
			return false, fault.IllegalState("FINAL pipeline [%s] can't change the target index", r.final)
		}
	}
	return true, w.take(d)
}

// ingestDocument is the write as processors see it.
func (s *Server) ingestDocument(w *write) (*ingest.Document, error) {
	source, err := objectBody(w.op.Source)
	if err != nil {
		return nil, err
	}
	id := w.op.ID
	if w.auto {
		id = ""
	}
	d := ingest.NewDocument(w.name, id, w.op.Routing, source, s.Clock.Now())
	version, kind := json.Number(anyVersion), "internal"
	switch {
	case w.op.VersionType == shard.External:
		version, kind = json.Number(strconv.FormatInt(w.op.Version, 10)), "external"
	case w.op.VersionType == shard.ExternalGTE:
		version, kind = json.Number(strconv.FormatInt(w.op.Version, 10)), "external_gte"
	case w.op.Op == shard.OpCreate:
		version = createdVersion
	}
	d.SetMetadata("_version", version)
	d.SetMetadata("_version_type", kind)
	return d, nil
}

// take makes the write what the pipelines left.
func (w *write) take(d *ingest.Document) (err error) {
	w.name, w.op.Routing = d.Index(), d.Routing()
	if id := d.ID(); id != "" {
		w.op.ID = id
	} else if !w.auto {
		w.op.ID = newID()
	}
	w.op.Source, err = d.Source().MarshalJSON()
	return err
}

// droppedAnswer is the answer to a write that a pipeline dropped.
func droppedAnswer(w *write) wire.Object {
	id, version := w.op.ID, anyVersion
	if w.auto {
		id, version = "auto-generated", createdVersion
	}
	return wire.Obj("_index", w.name, "_id", id, "_version", json.Number(version), "result", "noop",
		"_shards", wire.Obj("total", 0, "successful", 0, "failed", 0))
}

// processUpdated runs the pipelines of an index on what an update made of a document; nil for one that is dropped.
func (s *Server) processUpdated(ctx context.Context, index string, op shard.Operation, source []byte) ([]byte, error) {
	op.Source = source
	w := write{name: index, op: &op}
	before := op.ID
	keep, err := s.process(ctx, &w)
	if err == nil && keep {
		err = w.stays(index, before)
	}
	if err != nil || !keep {
		return nil, err
	}
	return op.Source, nil
}

// stays refuses an update whose pipeline moved the document.
func (w *write) stays(index, id string) error {
	if w.name != index || w.op.ID != id {
		return fault.Unsupported("an update whose pipeline gives the document another index or id")
	}
	return nil
}

// parallel is how many documents of a bulk request are in pipelines at once: some wait for models.
const parallel = 16

// processBulk runs the pipelines of bulk items and reports whether there were any.
func (s *Server) processBulk(ctx context.Context, items []bulkItem) (ran bool) {
	known := map[string]route{}
	var group errgroup.Group
	group.SetLimit(parallel)
	for i := range items {
		b := &items[i]
		w := b.ingested()
		if w == nil {
			continue
		}
		r, ok := known[b.name]
		if !ok {
			if r, b.err = s.defaultRoute(b.name); b.err != nil {
				continue
			}
			known[b.name] = r
		}
		if r = r.with(b.pipeline); r.empty() {
			continue
		}
		ran = true
		group.Go(func() error {
			if err := fault.Guard(s.Logger, "ingest pipelines", func() error { b.follow(ctx, s, r, w); return nil }); err != nil {
				b.err = err
			}
			return nil
		})
	}
	_ = group.Wait() // each failure is that of its item
	return ran
}

// ingested is what pipelines see of an item: a document to be written, or the one that an update makes where there is
// none; nil for nothing.
func (b *bulkItem) ingested() *write {
	switch source := b.update.upsertSource(); {
	case b.err != nil, b.action == "delete", b.action == "update" && source == nil:
		return nil
	case b.action == "update":
		return &write{name: b.name, op: &shard.Operation{ID: b.op.ID, Routing: b.op.Routing, Source: *source}}
	}
	return &write{name: b.name, op: &b.op, auto: b.auto}
}

// upsertSource is the document that the update makes where there is none; nil if it makes none.
func (u *update) upsertSource() *json.RawMessage {
	switch {
	case u.upsert != nil:
		return &u.upsert
	case u.docAsUpsert:
		return &u.doc
	}
	return nil
}

// follow sends an item through pipelines.
func (b *bulkItem) follow(ctx context.Context, s *Server, r route, w *write) {
	id := b.op.ID
	keep, err := s.follow(ctx, r, w)
	if err == nil && keep && b.action == "update" {
		if err = w.stays(b.name, id); err == nil {
			*b.update.upsertSource() = w.op.Source
		}
	}
	b.name, b.err, b.dropped = w.name, err, err == nil && !keep
}
