// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"
	"encoding/json"

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

// pipelines are the ids of the pipelines that a write goes through; "" for none.
func (s *Server) pipelines(w *write) (first, final string, err error) {
	now := s.Clock.Now()
	name, err := wire.ResolveDateMath(w.name, now)
	if err != nil {
		return "", "", err
	}
	settings, err := s.Catalog.State().WriteSettings(name, now)
	if err != nil {
		return "", "", err
	}
	first, final = settings["index.default_pipeline"], settings["index.final_pipeline"]
	if w.pipeline != "" {
		first = w.pipeline
	}
	return noneless(first), noneless(final), nil
}

func noneless(id string) string {
	if id == ingest.None {
		return ""
	}
	return id
}

// process runs the pipelines of a write, which may change all of it. ran says that there were any, keep that the document
// is to be written.
func (s *Server) process(ctx context.Context, w *write) (ran, keep bool, err error) {
	first, final, err := s.pipelines(w)
	if err != nil || first == "" && final == "" {
		return false, true, err
	}
	d, err := s.ingestDocument(w)
	if err != nil {
		return true, false, err
	}
	if first != "" {
		if keep, err := s.ingest.Process(ctx, first, d); err != nil || !keep {
			return true, false, err
		}
		if moved := d.Index(); moved != w.name {
			if _, final, err = s.pipelines(&write{name: moved}); err != nil {
				return true, false, err
			}
		}
	}
	if final != "" {
		target := d.Index()
		if keep, err := s.ingest.Process(ctx, final, d); err != nil || !keep {
			return true, false, err
		}
		if d.Index() != target {
			return true, false, fault.IllegalState("FINAL pipeline [%s] can't change the target index", final)
		}
	}
	return true, true, w.take(d)
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
		version, kind = json.Number(itoa(w.op.Version)), "external"
	case w.op.VersionType == shard.ExternalGTE:
		version, kind = json.Number(itoa(w.op.Version)), "external_gte"
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
	w.op.Source, err = wire.Marshal(d.Source())
	return err
}

// objectBody reads a source as a pipeline needs it.
func objectBody(body []byte) (*ingest.Object, error) {
	if !isObject(body) {
		return nil, fault.New(400, "not_x_content_exception", "Compressor detection can only be called on some xcontent bytes or compressed xcontent bytes")
	}
	o, err := ingest.ParseObject(body)
	if err != nil {
		e := fault.Parse("Failed to parse content to map")
		e.CausedBy = fault.Of(err)
		return nil, e
	}
	return o, nil
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
	_, keep, err := s.process(ctx, &w)
	switch {
	case err != nil || !keep:
		return nil, err
	case w.name != index || op.ID != before:
		return nil, fault.Unsupported("an update whose pipeline gives the document another index or id")
	}
	return op.Source, nil
}

// processUpsert runs the pipelines of a bulk update on the document that it makes where there is none.
func (s *Server) processUpsert(ctx context.Context, b *bulkItem) (ran, keep bool, err error) {
	upsert := &b.update.upsert
	if *upsert == nil {
		if !b.update.docAsUpsert {
			return false, true, nil
		}
		upsert = &b.update.doc
	}
	op := shard.Operation{ID: b.op.ID, Routing: b.op.Routing, Source: *upsert}
	w := write{name: b.name, op: &op, pipeline: b.pipeline}
	ran, keep, err = s.process(ctx, &w)
	switch {
	case err != nil || !ran || !keep:
		return ran, keep, err
	case w.name != b.name || op.ID != b.op.ID:
		return ran, false, fault.Unsupported("an update whose pipeline gives the document another index or id")
	}
	*upsert = op.Source
	return ran, keep, nil
}

// processBulk runs the pipelines of bulk items and reports whether there were any.
func (s *Server) processBulk(ctx context.Context, items []bulkItem) (ran bool) {
	for i := range items {
		b := &items[i]
		var did, keep bool
		switch {
		case b.err != nil || b.action == "delete":
			continue
		case b.action == "update":
			did, keep, b.err = s.processUpsert(ctx, b)
		default:
			w := write{name: b.name, op: &b.op, auto: b.auto, pipeline: b.pipeline}
			did, keep, b.err = s.process(ctx, &w)
			b.name = w.name
		}
		ran = ran || did
		b.dropped = b.err == nil && !keep
	}
	return ran
}
