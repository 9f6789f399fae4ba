// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/engine/documents"
	"github.com/opensteward/steward/engine/query"
	"github.com/opensteward/steward/engine/shard"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

// updateFields are the members of an update's body.
var updateFields = []string{"_source", "detect_noop", "doc", "doc_as_upsert", "if_primary_term", "if_seq_no", "script", "scripted_upsert", "upsert"}

// update is the body of an update.
type update struct {
	doc, upsert json.RawMessage
	docAsUpsert bool
	detectNoop  bool
	source      *query.Source // what of the new document the answer shows
	seqNo, term int64
	retries     int
}

func parseUpdate(body []byte) (update, error) {
	u := update{detectNoop: true, seqNo: -2}
	err := wire.ReadObject(body, func(p *wire.Parser, name string) (err error) {
		switch name {
		case "doc":
			u.doc, err = p.RawObject()
		case "upsert":
			u.upsert, err = p.RawObject()
		case "doc_as_upsert":
			u.docAsUpsert, err = p.Bool()
		case "detect_noop":
			u.detectNoop, err = p.Bool()
		case "_source":
			var src query.Source
			src, err = query.ParseSource(p)
			u.source = &src
		case "if_seq_no":
			u.seqNo, err = p.Long()
		case "if_primary_term":
			u.term, err = p.Long()
		case "script", "scripted_upsert":
			err = fault.Unsupported("[" + name + "] of an update")
		default:
			err = p.UnknownField("UpdateRequest", name, updateFields...)
		}
		return err
	})
	if err == nil && u.doc == nil {
		err = fault.Validation("script or doc is missing")
	}
	return u, err
}

func (s *Server) updateDocument(r *rest.Request) (rest.Action, error) {
	name := r.Path("index")
	op := shard.Operation{ID: r.Path("id"), Routing: r.Param("routing", "")}
	if err := condition(r, &op); err != nil {
		return nil, err
	}
	if op.VersionType != shard.Internal {
		return nil, fault.Validation("version type [external] is not supported by the update API")
	}
	o, err := readWriteOptions(r)
	if err != nil {
		return nil, err
	}
	u, err := readUpdate(r)
	if err != nil {
		return nil, err
	}
	if u.seqNo != -2 {
		if err := setCondition(&op, u.seqNo, u.term, -3, ""); err != nil {
			return nil, err
		}
	}
	if u.retries > 0 && op.Conditional {
		return nil, fault.Validation("compare and write operations can not be retried")
	}
	return func(ctx context.Context) (*rest.Response, error) {
		index, routing, err := s.writeTarget(ctx, name, o.requireAlias, false, op)
		if err != nil {
			return nil, err
		}
		op.Routing = routing
		return s.updateOne(ctx, index, op, u, o.refresh)
	}, nil
}

// readUpdate reads the update of a request, from its body and parameters.
func readUpdate(r *rest.Request) (u update, err error) {
	retries := r.Int("retry_on_conflict", 0)
	src := sourceParams(r)
	body, err := r.Body()
	if err != nil {
		return u, err
	}
	if body == nil {
		return u, fault.Validation("script or doc is missing")
	}
	u, err = parseUpdate(body)
	u.retries = retries
	if r.Has("_source") || r.Has("_source_includes") || r.Has("_source_excludes") {
		u.source = &src
	}
	return u, err
}

// updateOne applies an update to a document and answers.
func (s *Server) updateOne(ctx context.Context, index *catalog.Index, op shard.Operation, u update, refresh string) (*rest.Response, error) {
	out, err := s.update(ctx, index, op, u, func(source []byte) ([]byte, error) {
		return s.processUpdated(ctx, index.Name, op, source)
	})
	if err == nil {
		err = out.Err
	}
	if err == nil {
		err = s.refreshAfter(index, refresh, out.Shard)
	}
	if err != nil {
		return nil, err
	}
	res := &rest.Response{Status: writeStatus(out), Header: created(index, out)}
	res.Body, err = updateAnswer(index, out, refresh, u)
	return res, err
}

// update applies an update to a document. then, if it is not nil, has the last word on the new source.
func (s *Server) update(ctx context.Context, index *catalog.Index, op shard.Operation, u update, then func([]byte) ([]byte, error)) (documents.Outcome, error) {
	return s.Docs.Update(ctx, index, op, u.retries, func(current *shard.Document) ([]byte, error) {
		source, err := u.apply(current)
		switch {
		case err != nil:
			return nil, err
		case source == nil && current == nil:
			return nil, fault.New(http.StatusNotFound, "document_missing_exception", "[%s]: document missing", op.ID).
				With("index", index.Name).With("shard", strconv.Itoa(documents.Route(index, op.ID))).With("index_uuid", index.UUID)
		case source == nil || then == nil:
			return source, nil
		}
		return then(source)
	})
}

// apply makes the new source of a document, nil for none: because nothing changes, or nothing is there to change.
func (u update) apply(current *shard.Document) ([]byte, error) {
	switch {
	case current == nil && u.upsert != nil:
		return u.upsert, nil
	case current == nil && u.docAsUpsert:
		return u.doc, nil
	case current == nil:
		return nil, nil
	}
	merged, changed, err := merge(current.Source, u.doc)
	if err != nil || (!changed && u.detectNoop) {
		return nil, err
	}
	return merged, nil
}

func updateAnswer(index *catalog.Index, out documents.Outcome, refresh string, u update) (wire.Object, error) {
	answer := writeAnswer(index, out, refresh)
	if u.source == nil || u.source.Off {
		return answer, nil
	}
	get, err := u.shown(out)
	answer.Add("get", get)
	return answer, err
}

// shown is the updated document as far as the answer shows it.
func (u update) shown(out documents.Outcome) (wire.Object, error) {
	source, err := u.source.Filter(out.Source)
	return wire.Obj("_seq_no", out.SeqNo, "_primary_term", out.PrimaryTerm, "found", true, "_source", source), err
}

// merge puts the members of a partial document into a source, objects member by member. Order and number texts stay.
func merge(source, part []byte) (merged []byte, changed bool, err error) {
	into, err := members(source)
	if err != nil {
		return nil, false, err
	}
	from, err := members(part)
	if err != nil {
		return nil, false, err
	}
	for _, m := range from {
		value := m.Value.(json.RawMessage)
		at := -1
		for i := range into {
			if into[i].Name == m.Name {
				at = i
			}
		}
		if at < 0 {
			into.Add(m.Name, value)
			changed = true
			continue
		}
		was := into[at].Value.(json.RawMessage)
		next, differs := value, !sameJSON(was, value)
		if isObject(was) && isObject(value) {
			inner, innerChanged, err := merge(was, value)
			if err != nil {
				return nil, false, err
			}
			next, differs = inner, innerChanged
		}
		into[at].Value = next
		changed = changed || differs
	}
	merged, err = into.MarshalJSON()
	return merged, changed, err
}

func sameJSON(a, b json.RawMessage) bool {
	var x, y bytes.Buffer
	if json.Compact(&x, a) != nil || json.Compact(&y, b) != nil {
		return false
	}
	return bytes.Equal(x.Bytes(), y.Bytes())
}
