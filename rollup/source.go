// SPDX-License-Identifier: Apache-2.0

package rollup

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire"
)

// readPage is how many documents one request reads.
const readPage = 5000

// source is what a job reads: concrete indices and, of each, what is asked for.
type source struct {
	client  *opensearch.Client
	indices []sourceIndex
	// millis is how long searches took.
	millis int64
}

// sourceIndex is one index of a source.
type sourceIndex struct {
	name    string
	mapping fieldMap
	// values is the docvalue_fields of a request.
	values []wire.Object
	dates  map[string]bool
	// fresh are the marks up to which searches see every document.
	fresh map[string]int64
}

// fieldMap is a level of an index's mapping.
type fieldMap struct {
	Type       string              `json:"type"`
	Properties map[string]fieldMap `json:"properties"`
	Fields     map[string]fieldMap `json:"fields"`
	// Meta is of the root.
	Meta struct {
		Rollups json.RawMessage `json:"rollups"`
	} `json:"_meta"`
}

// field is the field of this path; nil if there is none. As in the plugin an object counts as one.
func (m *fieldMap) field(path string) *fieldMap {
	for name := range strings.SplitSeq(path, ".") {
		next := m.Properties
		if next == nil {
			next = m.Fields
		}
		found, ok := next[name]
		if !ok {
			return nil
		}
		m = &found
	}
	return m
}

// isDate reports whether values are dates.
func (m *fieldMap) isDate() bool { return m != nil && (m.Type == "date" || m.Type == "date_nanos") }

// isTime reports whether values can be taken as instants: a number counts milliseconds.
func (m *fieldMap) isTime() bool {
	return m.isDate() || m != nil && slices.Contains(numberTypes, m.Type)
}

// openSource resolves a source expression. No index is no error.
func openSource(ctx context.Context, c *opensearch.Client, expression string) (*source, error) {
	names, err := c.Visible(ctx, expression)
	if err != nil && !fault.Is(err, "index_not_found_exception") {
		return nil, err
	}
	s := &source{client: c}
	for _, name := range names {
		var answer map[string]struct {
			Mappings fieldMap `json:"mappings"`
		}
		call := opensearch.Call{Method: http.MethodGet, Path: opensearch.Path(name, "_mapping")}
		if err := c.Do(ctx, call, &answer); err != nil {
			return nil, err
		}
		s.indices = append(s.indices, sourceIndex{name: name, mapping: answer[name].Mappings})
	}
	return s, nil
}

// want says which fields are to be read.
func (s *source) want(fields []string) {
	for i := range s.indices {
		idx := &s.indices[i]
		idx.values, idx.dates = []wire.Object{}, map[string]bool{}
		for _, name := range fields {
			f := idx.mapping.field(name)
			if f == nil || f.Type == "" {
				continue
			}
			o := wire.Obj("field", name)
			if f.isDate() {
				idx.dates[name] = true
				o.Add("format", "epoch_millis")
			}
			idx.values = append(idx.values, o)
		}
	}
}

// maxScans is how often documents are read again because they were rewritten meanwhile, before they are taken as they
// come.
const maxScans = 3

// scan calls fn for every document that query finds, each once: if documents were rewritten while they were read, it
// calls begin and reads them again. begin is called before the first document too.
func (s *source) scan(ctx context.Context, query any, begin func(), fn func(*document)) error {
	for try := 1; ; try++ {
		begin()
		rewritten := false
		for i := range s.indices {
			again, err := s.scanIndex(ctx, &s.indices[i], query, fn)
			if err != nil {
				return err
			}
			rewritten = rewritten || again
		}
		if !rewritten || try == maxScans {
			return nil
		}
	}
}

// scanIndex reads one index in slices of sequence numbers, so that no request looks at more than a slice.
func (s *source) scanIndex(ctx context.Context, idx *sourceIndex, query any, fn func(*document)) (rewritten bool, err error) {
	marks, err := s.refresh(ctx, idx)
	if err != nil {
		return false, err
	}
	top := int64(-1)
	for _, n := range marks {
		top = max(top, n)
	}
	width := int64(max(1, readPage/max(1, len(marks))))
	for from := int64(-1); from < top; {
		to := min(from+width, top)
		hits, err := s.page(ctx, idx, slice(query, from, to), readPage)
		if err != nil {
			return false, err
		}
		if len(hits) == readPage { // there may be more: the last number may be of several shards' documents
			to = hits[len(hits)-1].seqNo - 1
			hits = slices.DeleteFunc(hits, func(h hit) bool { return h.seqNo > to })
			width = max(1, width/2)
		} else if len(hits) < readPage/4 {
			width = min(2*width, 1<<40)
		}
		for _, h := range hits {
			fn(&h.document)
		}
		from = to
	}
	return s.rewritten(ctx, idx, query, marks, top)
}

// refresh makes searches see every document that there is, and returns the marks of the last ones.
func (s *source) refresh(ctx context.Context, idx *sourceIndex) (marks map[string]int64, err error) {
	if marks, err = s.client.MaxSeqNo(ctx, idx.name); err != nil || maps.Equal(marks, idx.fresh) {
		return marks, err
	}
	err = s.client.Refresh(ctx, idx.name)
	if err == nil {
		idx.fresh = marks
	}
	return marks, err
}

// rewritten reports whether a document that query finds was rewritten since the marks were read.
func (s *source) rewritten(ctx context.Context, idx *sourceIndex, query any, marks map[string]int64, top int64) (bool, error) {
	now, err := s.refresh(ctx, idx)
	if err != nil || maps.Equal(now, marks) {
		return false, err
	}
	hits, err := s.page(ctx, idx, slice(query, top, int64(1)<<60), readPage)
	return slices.ContainsFunc(hits, func(h hit) bool { return h.number > 1 }), err
}

// slice is the part of a query's documents whose sequence numbers are beyond from, up to to.
func slice(query any, from, to int64) wire.Object {
	return wire.Obj("bool", wire.Obj("filter", []any{
		query, wire.Obj("range", wire.Obj("_seq_no", wire.Obj("gt", from, "lte", to))),
	}))
}

// hit is a document that was found.
type hit struct {
	document
	seqNo, number int64
}

// page reads up to size documents in the order of their sequence numbers.
func (s *source) page(ctx context.Context, idx *sourceIndex, query any, size int) ([]hit, error) {
	body := wire.Obj("size", size, "query", query, "track_total_hits", false, "sort", []any{wire.Obj("_seq_no", "asc")},
		"_source", []string{"_doc_count"})
	body.AddIf(len(idx.values) > 0, "docvalue_fields", idx.values)
	return s.search(ctx, idx.name, body, idx)
}

// begunMillis is how many milliseconds have begun since an instant: what was done shows in the statistics, however fast
// it was.
func begunMillis(since time.Time) int64 { return int64(time.Since(since)/time.Millisecond) + 1 }

func (s *source) search(ctx context.Context, name string, body wire.Object, idx *sourceIndex) ([]hit, error) {
	began := time.Now()
	res, err := s.client.Search(ctx, name, body, url.Values{"expand_wildcards": {"open"}})
	s.millis += begunMillis(began)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Hits struct {
			Hits []struct {
				Number int64                        `json:"_version"`
				Fields map[string][]json.RawMessage `json:"fields"`
				Source struct {
					Count int64 `json:"_doc_count"`
				} `json:"_source"`
				Sort []json.RawMessage `json:"sort"`
			} `json:"hits"`
		} `json:"hits"`
	}
	if err := json.Unmarshal(res.Raw, &answer); err != nil {
		return nil, fmt.Errorf("read hits: %w", err)
	}
	out := make([]hit, len(answer.Hits.Hits))
	for i, h := range answer.Hits.Hits {
		out[i] = hit{number: h.Number, document: document{count: max(1, h.Source.Count), fields: map[string][]any{}}}
		if len(h.Sort) > 0 {
			if n, ok := number(string(h.Sort[0])).(int64); ok {
				out[i].seqNo = n
			}
		}
		for field, values := range h.Fields {
			list, err := fieldValues(values, idx.dates[field])
			if err != nil {
				return nil, err
			}
			out[i].fields[field] = list
		}
	}
	return out, nil
}

func fieldValues(values []json.RawMessage, dates bool) ([]any, error) {
	list := make([]any, len(values))
	for i, text := range values {
		v, err := keyValue(text)
		if err != nil {
			return nil, fmt.Errorf("read a value: %w", err)
		}
		if s, ok := v.(string); ok && dates {
			whole, _, _ := strings.Cut(s, ".") // nanoseconds have a fraction
			v = number(whole)
		}
		list[i] = v
	}
	return list, nil
}

// lookAhead is how many documents earliest looks at, in case some have several dates.
const lookAhead = 20

// earliest is the first date at or after from (nil: of all), over all indices. ok is false if there is none.
func (s *source) earliest(ctx context.Context, field string, from *int64) (first int64, ok bool, err error) {
	var query any = wire.Obj("exists", wire.Obj("field", field))
	if from != nil {
		query = between(field, from, nil)
	}
	for i := range s.indices {
		idx := &s.indices[i]
		if !idx.mapping.field(field).isTime() {
			continue
		}
		ms, found, err := s.earliestIn(ctx, idx, field, query, from)
		if err != nil {
			return 0, false, err
		}
		if found && (!ok || ms < first) {
			first, ok = ms, true
		}
	}
	return first, ok, nil
}

func (s *source) earliestIn(ctx context.Context, idx *sourceIndex, field string, query any, from *int64) (first int64, ok bool, err error) {
	if _, err := s.refresh(ctx, idx); err != nil {
		return 0, false, err
	}
	values := wire.Obj("field", field)
	dates := idx.mapping.field(field).isDate()
	values.AddIf(dates, "format", "epoch_millis")
	body := wire.Obj("size", lookAhead, "query", query, "track_total_hits", false, "_source", false,
		"sort", []any{wire.Obj(field, wire.Obj("order", "asc"))}, "docvalue_fields", []any{values})
	hits, err := s.search(ctx, idx.name, body, &sourceIndex{dates: map[string]bool{field: dates}})
	if err != nil {
		return 0, false, err
	}
	straddling := 0
	for _, h := range hits {
		for i, v := range h.fields[field] {
			ms, is := toMillis(v)
			if !is || from != nil && ms < *from {
				straddling++ // sorted by a date that does not count
				continue
			}
			if !ok || ms < first {
				first, ok = ms, true
			}
			if i == 0 {
				return first, true, nil // no later document has an earlier date
			}
			break
		}
	}
	if from != nil && straddling > 0 && len(hits) == lookAhead {
		return *from, true, nil
	}
	return first, ok, nil
}

// between is the query for dates from from (nil: any) and before to (nil: any).
func between(field string, from, to *int64) wire.Object {
	o := wire.Object{}
	o.AddIf(from != nil, "gte", from)
	o.AddIf(to != nil, "lt", to)
	o.Add("format", "epoch_millis")
	return wire.Obj("range", wire.Obj(field, o))
}

// checkpoints are the global checkpoints of all shards, by "[index][0]": every document up to there is on all copies.
func (s *source) checkpoints(ctx context.Context) (map[string]int64, error) {
	out := map[string]int64{}
	for _, idx := range s.indices {
		var answer struct {
			Indices map[string]struct {
				Shards map[string][]struct {
					Routing struct{ Primary bool }
					SeqNo   struct {
						Checkpoint int64 `json:"global_checkpoint"`
					} `json:"seq_no"`
				}
			}
		}
		call := opensearch.Call{
			Method: http.MethodGet, Path: opensearch.Path(idx.name, "_stats", "docs"),
			Query: url.Values{
				"level":       {"shards"},
				"filter_path": {"indices.*.shards.*.routing.primary,indices.*.shards.*.seq_no.global_checkpoint"},
			},
		}
		if err := s.client.Do(ctx, call, &answer); err != nil {
			return nil, err
		}
		for shard, copies := range answer.Indices[idx.name].Shards {
			for _, one := range copies {
				if one.Routing.Primary {
					out["["+idx.name+"]["+shard+"]"] = one.SeqNo.Checkpoint
				}
			}
		}
	}
	return out, nil
}
