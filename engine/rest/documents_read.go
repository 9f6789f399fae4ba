// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/engine/query"
	"github.com/opensteward/steward/engine/shard"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

// readOptions are what get, source and mget share.
type readOptions struct {
	source query.Source
	// stored are the stored fields that are wanted; with any, even "", the source is shown only if it is asked for.
	stored  []string
	refresh bool
	version int64
	routing string
}

func readReadOptions(r *rest.Request) (o readOptions, err error) {
	o.source = sourceParams(r)
	o.refresh = r.Bool("refresh", false)
	if !r.Bool("realtime", true) {
		return o, fault.Unsupported("[realtime=false] of a get")
	}
	o.version = r.Long("version", -3)
	r.Ignore("preference", "version_type")
	o.routing = r.Param("routing", "")
	if r.Has("stored_fields") {
		o.stored = strings.Split(r.Param("stored_fields", ""), ",")
		o.source.Off = !r.Has("_source") && !slices.Contains(o.stored, "_source")
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
	if slices.ContainsFunc(o.stored, index.Mapping.Stored) {
		return nil, fault.Unsupported("[stored_fields] of a field that is stored")
	}
	if o.source.Off {
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
	var list []wanted
	err := wire.ReadObject(body, func(p *wire.Parser, name string) error {
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
			messages = append(messages, "index is missing for doc "+strconv.Itoa(i))
		}
		if w.id == "" {
			messages = append(messages, "id is missing for doc "+strconv.Itoa(i))
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
