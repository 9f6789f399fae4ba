// SPDX-License-Identifier: Apache-2.0

package opensearch

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// Version is the sequence number and primary term that a conditional write needs. The zero value means no condition.
type Version struct {
	SeqNo       int64 `json:"_seq_no"`
	PrimaryTerm int64 `json:"_primary_term"`
}

// Document is a stored document.
type Document struct {
	Index   string          `json:"_index"`
	ID      string          `json:"_id"`
	Routing string          `json:"_routing,omitempty"`
	Found   bool            `json:"found"`
	Number  int64           `json:"_version"`
	Source  json.RawMessage `json:"_source"`
	Sort    []any           `json:"sort,omitempty"`
	Version
}

// Get reads one document, in real time. A document that is not there has Found false; a missing index is the
// index_not_found_exception.
func (c *Client) Get(ctx context.Context, index, id, routing string) (Document, error) {
	q := url.Values{}
	if routing != "" {
		q.Set("routing", routing)
	}
	status, header, body, err := c.Send(ctx, Call{Method: http.MethodGet, Path: Path(index, "_doc", id), Query: q})
	if err != nil {
		return Document{}, err
	}
	var doc Document
	if status == http.StatusOK || status == http.StatusNotFound {
		if json.Unmarshal(body, &doc) == nil && doc.Index != "" {
			return doc, nil
		}
	}
	return Document{}, answerFault(status, header, body)
}

// maxDocuments is how many documents one request reads or writes: what is far from the limit of a body.
const maxDocuments = 1000

// Key names a document for MultiGet.
type Key struct{ ID, Routing string }

// MultiGet reads documents of one index in real time, in the order of keys, a thousand a request. A missing index makes all of them not
// found.
func (c *Client) MultiGet(ctx context.Context, index string, keys []Key) ([]Document, error) {
	var out []Document
	for chunk := range slices.Chunk(keys, maxDocuments) {
		docs, err := c.multiGet(ctx, index, chunk)
		if err != nil {
			return nil, err
		}
		out = append(out, docs...)
	}
	return out, nil
}

func (c *Client) multiGet(ctx context.Context, index string, keys []Key) ([]Document, error) {
	docs := make([]wire.Object, len(keys))
	for i, k := range keys {
		docs[i] = wire.Obj("_id", k.ID)
		docs[i].AddIf(k.Routing != "", "routing", k.Routing)
	}
	var answer struct {
		Docs []struct {
			Document
			Error json.RawMessage `json:"error"`
		} `json:"docs"`
	}
	call := Call{Method: http.MethodPost, Path: Path(index, "_mget"), Body: wire.Obj("docs", docs)}
	if err := c.Do(ctx, call, &answer); err != nil {
		if fault.Is(err, "index_not_found_exception") {
			return absent(index, keys), nil
		}
		return nil, err
	}
	out := make([]Document, len(answer.Docs))
	for i, d := range answer.Docs {
		if e := parseFailure(d.Error); e != nil && e.Type != "index_not_found_exception" {
			e.Status = statusOf(e.Type)
			return nil, e
		}
		out[i] = d.Document
	}
	return out, nil
}

func absent(index string, keys []Key) []Document {
	docs := make([]Document, len(keys))
	for i, k := range keys {
		docs[i] = Document{Index: index, ID: k.ID, Routing: k.Routing}
	}
	return docs
}

// Op is what a write does.
type Op string

// The operations of a write.
const (
	OpIndex  Op = "index"
	OpCreate Op = "create" // 409 if the document exists
	OpUpdate Op = "update" // Source is merged into the document
	OpDelete Op = "delete"
)

// Write is one write of a document.
type Write struct {
	Op      Op
	Index   string
	ID      string // "" lets the cluster choose (OpIndex only)
	Routing string
	If      Version // sent unless zero
	Source  any
	// RequireAlias makes an item of Bulk fail where Index is no alias, instead of creating an index of that name.
	RequireAlias bool
}

// Written is the result of one write.
type Written struct {
	ID     string
	Number int64
	Result string // created, updated, deleted, noop, not_found
	Version
	// Raw is the cluster's answer, whole.
	Raw json.RawMessage
	// Err is set in the results of Bulk for an item that failed.
	Err error
}

// Write writes one document. refresh is "", "true", "false" or "wait_for". Deleting a document that is not there is no
// error: Result is not_found.
func (c *Client) Write(ctx context.Context, w Write, refresh string) (Written, error) {
	status, header, body, err := c.Send(ctx, w.call(refresh))
	if err != nil {
		return Written{}, err
	}
	done := written(body)
	if status/100 == 2 && done.Result != "" || status == http.StatusNotFound && done.Result == "not_found" {
		return done, nil
	}
	return Written{}, answerFault(status, header, body)
}

func (w Write) call(refresh string) Call {
	q := url.Values{}
	if refresh != "" {
		q.Set("refresh", refresh)
	}
	if w.Routing != "" {
		q.Set("routing", w.Routing)
	}
	if w.If != (Version{}) {
		q.Set("if_seq_no", strconv.FormatInt(w.If.SeqNo, 10))
		q.Set("if_primary_term", strconv.FormatInt(w.If.PrimaryTerm, 10))
	}
	call := Call{Method: http.MethodPut, Path: Path(w.Index, "_doc", w.ID), Query: q, Body: w.Source}
	switch w.Op {
	case OpCreate:
		call.Path = Path(w.Index, "_create", w.ID)
	case OpUpdate:
		call.Method, call.Path, call.Body = http.MethodPost, Path(w.Index, "_update", w.ID), wire.Obj("doc", rawSource(w.Source))
	case OpDelete:
		call.Method, call.Body = http.MethodDelete, nil
	default:
		if w.ID == "" {
			call.Method = http.MethodPost
		}
	}
	return call
}

// rawSource lets a []byte stand inside a larger body as the JSON it is.
func rawSource(source any) any {
	if b, ok := source.([]byte); ok {
		return json.RawMessage(b)
	}
	return source
}

func written(body []byte) Written {
	var answer struct {
		ID     string `json:"_id"`
		Number int64  `json:"_version"`
		Result string `json:"result"`
		Version
	}
	_ = json.Unmarshal(body, &answer) // an answer of another shape has no result, and becomes a fault
	return Written{ID: answer.ID, Number: answer.Number, Result: answer.Result, Version: answer.Version, Raw: body}
}

// Bulk writes many documents, in the order given and a thousand a request. An item that fails has Err set. The error is
// that of the first request; where a later one fails, so have all the items that are left.
func (c *Client) Bulk(ctx context.Context, writes []Write) ([]Written, error) {
	var out []Written
	for chunk := range slices.Chunk(writes, maxDocuments) {
		part, err := c.bulk(ctx, chunk)
		switch {
		case err != nil && len(out) == 0:
			return nil, err
		case err != nil:
			for range len(writes) - len(out) {
				out = append(out, Written{Err: err})
			}
			return out, nil
		}
		out = append(out, part...)
	}
	return out, nil
}

func (c *Client) bulk(ctx context.Context, writes []Write) ([]Written, error) {
	body, err := bulkBody(writes)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Items []map[Op]json.RawMessage `json:"items"`
	}
	if err := c.Do(ctx, Call{Method: http.MethodPost, Path: "/_bulk", Body: body, NDJSON: true}, &answer); err != nil {
		return nil, err
	}
	if len(answer.Items) != len(writes) {
		return nil, fmt.Errorf("the bulk answer has %d items for %d writes", len(answer.Items), len(writes))
	}
	out := make([]Written, len(writes))
	for i, item := range answer.Items {
		for _, raw := range item {
			out[i] = written(raw)
			out[i].Err = itemFault(raw)
		}
	}
	return out, nil
}

func bulkBody(writes []Write) ([]byte, error) {
	var b bytes.Buffer
	for _, w := range writes {
		meta := wire.Obj("_index", w.Index)
		meta.AddIf(w.ID != "", "_id", w.ID)
		meta.AddIf(w.Routing != "", "routing", w.Routing)
		meta.AddIf(w.If != (Version{}), "if_seq_no", w.If.SeqNo)
		meta.AddIf(w.If != (Version{}), "if_primary_term", w.If.PrimaryTerm)
		meta.AddIf(w.RequireAlias, "require_alias", true)
		lines := []any{wire.Obj(string(w.Op), meta)}
		switch w.Op {
		case OpDelete:
		case OpUpdate:
			lines = append(lines, wire.Obj("doc", rawSource(w.Source)))
		default:
			lines = append(lines, rawSource(w.Source))
		}
		for _, line := range lines {
			text, err := wire.Marshal(line)
			if err != nil {
				return nil, err
			}
			b.Write(text)
			b.WriteByte('\n')
		}
	}
	return b.Bytes(), nil
}

// itemFault is the error of a bulk item, or nil.
func itemFault(item json.RawMessage) error {
	var part struct {
		Status int             `json:"status"`
		Error  json.RawMessage `json:"error"`
	}
	if json.Unmarshal(item, &part) != nil || part.Error == nil {
		return nil
	}
	e := parseFailure(part.Error)
	if e == nil {
		e = &fault.Error{Type: "exception", Reason: string(part.Error)}
	}
	e.Status = part.Status
	return e
}

// statusOf is the status of an error that stands in an item without one.
func statusOf(typ string) int {
	switch typ {
	case "illegal_argument_exception":
		return http.StatusBadRequest
	case "security_exception":
		return http.StatusForbidden
	default:
		return http.StatusInternalServerError
	}
}
