// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"
	"slices"
	"strings"

	"github.com/opensteward/steward/engine/query"
	"github.com/opensteward/steward/engine/rest/tasks"
	"github.com/opensteward/steward/engine/shard"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

// reindex copies what a query finds to another index.
type reindex struct {
	byQuery
	source query.Source
	dest   destination
}

// destination is where copies go.
type destination struct {
	index, pipeline string
	create          bool
	versions        shard.VersionType
	// routing is "keep", "discard" or "=" with the routing that all copies get.
	routing      string
	requireAlias bool
}

func (s *Server) reindex(r *rest.Request) (rest.Action, error) {
	if r.Has("pipeline") {
		return nil, fault.Illegal("_reindex doesn't support [pipeline] as a query parameter. Specify it in the [dest] object instead.")
	}
	body, err := r.RequireBody()
	if err != nil {
		return nil, err
	}
	job := &reindex{dest: destination{routing: "keep"}}
	job.options, job.creates, job.updates = searchOptions, true, true
	job.batch, job.limit = defaultBatch, -1
	if err := job.parse(body); err != nil {
		return nil, err
	}
	job.dest.requireAlias = r.Bool("require_alias", job.dest.requireAlias)
	wait, err := byQueryParams(r, &job.byQuery)
	if err != nil {
		return nil, err
	}
	if err := job.check(); err != nil {
		return nil, err
	}
	job.item = job.copy
	return func(ctx context.Context) (*rest.Response, error) {
		if err := s.checkDestination(job); err != nil {
			return nil, err
		}
		return s.perform(ctx, r, tasks.Work{
			Action: "indices:data/write/reindex", Description: "reindex from [" + strings.Join(job.expressions, ", ") + "] to [" + job.dest.index + "]",
			Status: job.state, Rethrottle: job.setRate,
		}, func(ctx context.Context) (*rest.Response, error) { return s.runByQuery(ctx, &job.byQuery) }, wait)
	}, nil
}

// copy is the write of one copy.
func (job *reindex) copy(_ string, d shard.Document) (bulkItem, error) {
	source, err := job.source.Filter(d.Source)
	if err != nil {
		return bulkItem{}, err
	}
	b := bulkItem{action: "index", name: job.dest.index, requireAlias: job.dest.requireAlias, pipeline: job.dest.pipeline}
	b.op = shard.Operation{Op: shard.OpIndex, ID: d.ID, Source: source, VersionType: job.dest.versions}
	if job.dest.versions != shard.Internal {
		b.op.Version = d.Version
	}
	if job.dest.create {
		b.action, b.op.Op = "create", shard.OpCreate
	}
	switch routing, given := strings.CutPrefix(job.dest.routing, "="); {
	case given:
		b.op.Routing = routing
	case routing == "keep":
		b.op.Routing = d.Routing
	}
	return b, nil
}

// check refuses what OpenSearch refuses before it looks at the indices.
func (job *reindex) check() error {
	var wrong []string
	if len(job.expressions) == 0 {
		wrong = append(wrong, "use _all if you really want to copy from all existing indexes")
	}
	if job.source.Off {
		wrong = append(wrong, "_source:false is not supported in this context")
	}
	if job.dest.index == "" {
		wrong = append(wrong, "index must be specified")
	}
	if r := job.dest.routing; r != "keep" && r != "discard" && !strings.HasPrefix(r, "=") {
		wrong = append(wrong, "routing must be unset, [keep], [discard] or [=<some new value>]")
	}
	if len(wrong) > 0 {
		return fault.Validation(wrong...)
	}
	return job.checkBatch()
}

// checkDestination refuses to copy an index to itself, and an alias that has to be there and is not.
func (s *Server) checkDestination(job *reindex) error {
	now, state := s.Clock.Now(), s.Catalog.State()
	name, err := wire.ResolveDateMath(job.dest.index, now)
	if err != nil {
		return err
	}
	if job.dest.requireAlias && state.AliasIndices(name) == nil {
		return fault.New(404, "index_not_found_exception", "no such index [%s] and [require_alias] request flag is [true] and [%s] is not an alias", name, name).
			With("index", name).With("index_uuid", "_na_")
	}
	sources, err := state.ResolveSearch(job.expressions, job.options, now)
	if err != nil {
		return err
	}
	for _, source := range sources {
		if source.Index.Name == name || slices.Contains(state.AliasIndices(name), source.Index) {
			return fault.Validation("reindex cannot write into an index its reading from [" + source.Index.Name + "]")
		}
	}
	return nil
}

func (job *reindex) parse(body []byte) error {
	return wire.ReadObject(body, func(p *wire.Parser, name string) error {
		switch name {
		case "source":
			return p.FailedField("reindex", name, job.parseSource(p))
		case "dest":
			return p.FailedField("reindex", name, job.parseDestination(p))
		case "max_docs", "size":
			limit, err := p.Int()
			if err == nil {
				err = job.setLimit(limit)
			}
			return p.FailedField("reindex", name, err)
		case "conflicts":
			text, err := p.Text()
			if err == nil {
				err = job.setConflicts(text)
			}
			return p.FailedField("reindex", name, err)
		case "script":
			return fault.Unsupported("[script] of a reindex")
		}
		return p.UnknownField("reindex", name)
	})
}

// parseSource reads where the documents come from.
func (job *reindex) parseSource(p *wire.Parser) error {
	if err := p.Expect(wire.StartObject); err != nil {
		return err
	}
	others := wire.Object{}
	err := p.Object(func(name string) error {
		switch name {
		case "index":
			return job.parseIndices(p)
		case "remote", "slice":
			return fault.Unsupported("[" + name + "] of a reindex")
		}
		raw, err := p.Raw()
		others.Add(name, raw)
		return err
	})
	if err != nil {
		return err
	}
	search, err := job.parseSearch(others)
	if err != nil {
		return err
	}
	job.query, job.source = search.Query, search.Source
	return nil
}

func (job *reindex) parseIndices(p *wire.Parser) error {
	if p.Token() == wire.StartArray {
		names, err := p.Texts()
		job.expressions = append(job.expressions, names...)
		return err
	}
	names, err := p.Text()
	if err == nil && names != "" {
		job.expressions = strings.Split(names, ",")
	}
	return err
}

// parseDestination reads where the copies go.
func (job *reindex) parseDestination(p *wire.Parser) error {
	if err := p.Expect(wire.StartObject); err != nil {
		return err
	}
	d := &job.dest
	return p.Object(func(name string) (err error) {
		switch name {
		case "index":
			d.index, err = p.Text()
		case "routing":
			d.routing, err = p.Text()
		case "pipeline":
			d.pipeline, err = p.Text()
		case "op_type":
			var text string
			if text, err = p.Text(); err == nil && text != "index" && text != "create" {
				err = fault.Illegal("opType must be 'create' or 'index', found: [%s]", text)
			}
			d.create = text == "create"
		case "version_type":
			var text string
			if text, err = p.Text(); err == nil {
				d.versions, err = versionType(text)
			}
		default:
			return p.UnknownField("dest", name)
		}
		return p.FailedField("dest", name, err)
	})
}

func versionType(text string) (shard.VersionType, error) {
	switch text {
	case "internal":
		return shard.Internal, nil
	case "external", "external_gt":
		return shard.External, nil
	case "external_gte":
		return shard.ExternalGTE, nil
	}
	return shard.Internal, fault.Illegal("No version type match [%s]", text)
}
