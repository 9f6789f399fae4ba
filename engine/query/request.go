// SPDX-License-Identifier: Apache-2.0

package query

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// The limits of a request (OpenSearch's defaults).
const (
	DefaultSize      = 10
	MaxResultWindow  = 10_000 // index.max_result_window
	trackedByDefault = 10_000 // track_total_hits
)

// Request is a search request.
type Request struct {
	Query      Query // nil means all
	PostFilter Query
	From, Size int
	Sort       []Sort
	// After are the sort values of the hit before the page; nil means from the first.
	After []json.RawMessage
	// Source says what of the source a hit shows.
	Source Source
	// TrackTotal is up to how many hits the total is exact; -1 leaves the total out.
	TrackTotal     int64
	Version, SeqNo bool
	MinScore       *float64
	TerminateAfter int
	// TrackScores fills in scores although the page is sorted by something else.
	TrackScores bool
	// Pipeline is the search pipeline that the body names or holds; nil if it does neither.
	Pipeline json.RawMessage
	// Stored are the stored fields that are wanted; nil for the source. "_none_" alone leaves out the id too.
	Stored []string
	// Ext is what the body says to processors of search pipelines; nil if nothing.
	Ext json.RawMessage
	// DocValues are the fields whose doc values a hit shows.
	DocValues []DocValue
	// Slice is the part of a scroll that is wanted; nil for all of it.
	Slice *Slice

	scrolled    bool
	sourceAsked bool // although stored fields are wanted
}

// Source selects parts of a document's source.
type Source struct {
	Off                bool
	Includes, Excludes []string
}

// Sort is one sort key.
type Sort struct {
	Field        string
	Desc         bool
	MissingFirst bool
	// Missing is a value to stand in; nil for first or last.
	Missing *string
	// UnmappedType makes a field that an index lacks count as missing.
	UnmappedType string
	// Mode is "min" or "max": which of several values counts; "" is min ascending, max descending.
	Mode string
	// Format is a date format for the sort values; "" means epoch milliseconds.
	Format string
}

// NewRequest is a request with OpenSearch's defaults.
func NewRequest() *Request { return &Request{Size: DefaultSize, TrackTotal: trackedByDefault} }

// ParseRequest reads a search body into r.
func (r *Request) ParseRequest(body []byte) error {
	p := wire.NewParser(body)
	if _, err := p.Next(); err != nil {
		return err
	}
	if p.Token() != wire.StartObject {
		line, col := p.Position()
		return fault.Parsing(line, col, "Expected [START_OBJECT] but found [%s]", p.Token())
	}
	return p.Object(func(name string) error { return r.member(p, name) })
}

// member reads what is searched for and which hits are wanted.
func (r *Request) member(p *wire.Parser, name string) (err error) {
	switch name {
	case "query":
		r.Query, err = parse(&parser{Parser: p}, 0)
	case "post_filter":
		r.PostFilter, err = parse(&parser{Parser: p}, 0)
	case "from":
		r.From, err = notNegative(p, name)
	case "size":
		r.Size, err = notNegative(p, name)
	case "sort":
		r.Sort, err = parseSort(p)
	case "search_after":
		r.After = []json.RawMessage{}
		err = p.Array(func() error {
			raw, err := p.Raw()
			r.After = append(r.After, raw)
			return err
		})
	case "min_score":
		var f float64
		f, err = p.Double()
		r.MinScore = &f
	case "terminate_after":
		r.TerminateAfter, err = p.Int()
	case "track_total_hits":
		r.TrackTotal, err = parseTrack(p)
	case "slice":
		r.Slice, err = parseSlice(p)
	case "search_pipeline":
		r.Pipeline, err = p.Raw()
	case "ext":
		r.Ext, err = p.Raw()
	case "timeout", "stats", "batched_reduce_size", "indices_boost", "profile", "explain":
		err = neutral(p, name)
	case "aggs", "aggregations", "highlight", "suggest", "collapse", "rescore", "script_fields", "fields", "knn", "pit", "derived":
		err = refuseUnlessEmpty(p, name)
	default:
		err = r.shownMember(p, name)
	}
	return err
}

// shownMember reads what is shown of hits.
func (r *Request) shownMember(p *wire.Parser, name string) (err error) {
	switch name {
	case "_source":
		r.sourceAsked = true
		r.Source, err = ParseSource(p)
	case "version":
		r.Version, err = p.Bool()
	case "seq_no_primary_term":
		r.SeqNo, err = p.Bool()
	case "stored_fields":
		r.Stored, err = p.TextOrTexts()
	case "docvalue_fields":
		r.DocValues, err = parseDocValues(p)
	case "track_scores":
		r.TrackScores, err = p.Bool()
	default:
		line, col := p.Position()
		err = fault.Parsing(line, col, "Unknown key for a %s in [%s].", p.Token(), name)
	}
	return err
}

func notNegative(p *wire.Parser, name string) (int, error) {
	n, err := p.Int()
	if err == nil && n < 0 {
		err = fault.Illegal("[%s] parameter cannot be negative, found [%d]", name, n)
	}
	return n, err
}

// neutral reads members that change nothing of what is found.
func neutral(p *wire.Parser, name string) error {
	raw, err := p.Raw()
	if err == nil && (name == "profile" || name == "explain" || name == "indices_boost") && string(raw) != "false" && string(raw) != "[]" {
		err = fault.Unsupported("[" + name + "] of a search")
	}
	return err
}

func refuseUnlessEmpty(p *wire.Parser, name string) error {
	raw, err := p.Raw()
	if text := string(raw); err == nil && text != "{}" && text != "[]" && text != "null" {
		err = fault.Unsupported("[" + name + "] of a search")
	}
	return err
}

func parseTrack(p *wire.Parser) (int64, error) {
	switch text, _ := p.Text(); text { // also "true" and "false" as texts
	case "true":
		return int64(1)<<62 - 1, nil
	case "false":
		return -1, nil
	}
	n, err := p.Int()
	if err == nil && n < -1 {
		err = fault.Illegal("[track_total_hits] parameter must be positive or equals to -1, got %d", n)
	}
	return int64(n), err
}

// ParseSource reads a _source member: a boolean, a pattern, patterns, or {includes, excludes}.
func ParseSource(p *wire.Parser) (Source, error) {
	var s Source
	switch p.Token() {
	case wire.Boolean:
		on, err := p.Bool()
		s.Off = !on
		return s, err
	case wire.String, wire.StartArray:
		err := texts(&parser{Parser: p}, &s.Includes)
		return s, err
	}
	err := p.Object(func(name string) error {
		switch name {
		case "includes", "include":
			return texts(&parser{Parser: p}, &s.Includes)
		case "excludes", "exclude":
			return texts(&parser{Parser: p}, &s.Excludes)
		}
		line, col := p.Position()
		return fault.Parsing(line, col, "Unknown key for a %s in [%s].", p.Token(), name)
	})
	return s, err
}

func parseSort(p *wire.Parser) ([]Sort, error) {
	var list []Sort
	one := func() error {
		if p.Token() == wire.String {
			name, err := p.Text()
			list = append(list, NewSort(name, ""))
			return err
		}
		return p.Object(func(field string) error {
			s, err := parseSortField(p, field)
			list = append(list, s)
			return err
		})
	}
	var err error
	if p.Token() == wire.StartArray {
		err = p.Array(one)
	} else {
		err = one()
	}
	return list, err
}

// NewSort is a sort key with the field's default order: descending for _score, else ascending.
func NewSort(field, order string) Sort {
	return Sort{Field: field, Desc: order == "desc" || (order == "" && field == "_score")}
}

// ParseOrder reads asc or desc, in any case.
func ParseOrder(s string) (string, error) {
	switch strings.ToLower(s) {
	case "asc", "desc":
		return strings.ToLower(s), nil
	}
	return "", fault.Illegal("No enum constant org.opensearch.search.sort.SortOrder.%s", strings.ToUpper(s))
}

func parseSortField(p *wire.Parser, field string) (Sort, error) {
	s := NewSort(field, "")
	if field == "_script" || field == "_geo_distance" {
		return s, fault.Unsupported("[" + field + "] of a sort")
	}
	if p.Token() == wire.String {
		text, err := p.Text()
		if err != nil {
			return s, err
		}
		order, err := ParseOrder(text)
		return NewSort(field, order), err
	}
	err := p.Object(func(name string) error { return s.member(p, name) })
	return s, err
}

func (s *Sort) member(p *wire.Parser, name string) (err error) {
	var text string
	switch name {
	case "order":
		if text, err = p.Text(); err == nil {
			text, err = ParseOrder(text)
			s.Desc = text == "desc"
		}
	case "missing":
		text, err = p.Text()
		s.MissingFirst = text == "_first"
		if text != "_first" && text != "_last" {
			s.Missing = &text
		}
	case "unmapped_type":
		s.UnmappedType, err = p.Text()
	case "mode":
		s.Mode, err = p.Text()
		if err == nil && s.Mode != "min" && s.Mode != "max" {
			err = fault.Unsupported("[mode: " + s.Mode + "] of a sort")
		}
	case "format":
		s.Format, err = p.Text()
	case "numeric_type":
		err = p.Skip()
	case "nested", "nested_path", "nested_filter":
		err = fault.Unsupported("[" + name + "] of a sort")
	default:
		err = fault.Illegal("[field_sort] unknown field [%s]", name)
	}
	return err
}

// nothingStored reports whether hits show neither id nor source.
func (r *Request) nothingStored() bool { return len(r.Stored) == 1 && r.Stored[0] == "_none_" }

// sourceShown reports whether hits show their source.
func (r *Request) sourceShown() bool {
	return !r.Source.Off && !r.nothingStored() && (r.Stored == nil || r.sourceAsked || slices.Contains(r.Stored, "_source"))
}

// shows reports whether hits show scores.
func (r *Request) shows() bool {
	return len(r.Sort) == 0 || r.TrackScores || slices.ContainsFunc(r.Sort, func(s Sort) bool { return s.Field == "_score" })
}

// scored reports whether anybody reads scores.
func (r *Request) scored() bool { return r.shows() || r.MinScore != nil }

// check refuses what OpenSearch refuses before it searches.
func (r *Request) check() error {
	if r.After != nil && r.From > 0 {
		return fault.Validation("`from` parameter must be set to 0 when `search_after` is used")
	}
	return nil
}

// window refuses pages, and stored fields, that an index's shards do not give.
func (r *Request) window(t *Target) error {
	if slices.ContainsFunc(r.Stored, t.Mapping.Stored) {
		return fault.Unsupported("[stored_fields] of a field that is stored")
	}
	if err := r.checkSlice(); err != nil {
		return err
	}
	limit := cmp.Or(t.MaxResultWindow, MaxResultWindow)
	switch {
	case r.scrolled && r.After != nil:
		return fault.New(500, "search_exception", "`search_after` cannot be used in a scroll context.")
	case r.scrolled && r.Size > limit:
		return fault.Illegal("Batch size is too large, size must be less than or equal to: [%d] but was [%d]. Scroll batch sizes cost as much memory as result windows so they are controlled by the [index.max_result_window] index level setting.",
			limit, r.Size)
	case r.From+r.Size > limit:
		return fault.Illegal("Result window is too large, from + size must be less than or equal to: [%d] but was [%d]. See the scroll api for a more efficient way to request large data sets. This limit can be set by changing the [index.max_result_window] index level setting.",
			limit, r.From+r.Size)
	case r.After == nil:
		return nil
	case len(r.Sort) == 0:
		return fault.Illegal("Sort must contain at least one field.")
	case len(r.After) != len(r.Sort):
		return fault.Illegal("search_after has %d value(s) but sort has %d.", len(r.After), len(r.Sort))
	}
	return nil
}
