// SPDX-License-Identifier: Apache-2.0

package query

import (
	"cmp"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/blevesearch/bleve/v2/numeric"

	"github.com/opensteward/steward/engine/mapping"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// keyKind is what kind of values a sort compares.
type keyKind int

const (
	keyMissing keyKind = iota // the index has no such field
	keyScore
	keyDoc
	keyInteger
	keyUnsigned // integers that are moved down by 2^63
	keyFloat
	keyTerm
	keyBoolean
	keyID
)

// sorter is one sort key under a mapping.
type sorter struct {
	Sort
	kind keyKind
	// docValues is the internal field the values are read from; "" for those that need none.
	docValues string
	date      bool
}

// key is one sort value of a document.
type key struct {
	missing bool
	i       int64
	f       float64
	s       string
}

func (c *scope) sorter(s Sort) (sorter, error) {
	out := sorter{Sort: s}
	switch s.Field {
	case "_score":
		out.kind = keyScore
		return out, nil
	case "_doc", "_shard_doc":
		out.kind = keyDoc
		return out, nil
	case "_id":
		out.kind = keyID
		return out, nil
	case mapping.SeqNo:
		out.kind, out.docValues = keyInteger, mapping.Exact(mapping.SeqNo)
		return out, nil
	}
	f := c.field(s.Field)
	switch {
	case f == nil && s.UnmappedType != "":
		return out, nil
	case f == nil:
		return out, c.shardFailure("No mapping found for [%s] in order to sort on", s.Field)
	case f.Type == "text":
		return out, fault.Illegal("Text fields are not optimised for operations that require per-document field data like aggregations and sorting, so these operations are disabled by default. Please use a keyword field instead. Alternatively, set fielddata=true on [%s] in order to load field data by uninverting the inverted index. Note that this can use significant memory.", s.Field)
	case !f.DocValues:
		return out, fault.Illegal("Can't load fielddata on [%s] because fielddata is unsupported on fields of type [%s]. Use doc values instead.", s.Field, f.Type)
	case f.IsUnsigned():
		out.kind, out.docValues = keyUnsigned, mapping.Exact(f.Path)
	case f.IsInteger():
		out.kind, out.docValues, out.date = keyInteger, mapping.Exact(f.Path), f.IsDate()
	case f.IsFloat():
		out.kind, out.docValues = keyFloat, mapping.Exact(f.Path)
	case f.Type == "boolean":
		out.kind, out.docValues = keyBoolean, f.Path
	default:
		out.kind, out.docValues = keyTerm, f.Path
	}
	return out, nil
}

// read makes a key of a doc value term; ok is false for terms that are none.
func (s sorter) read(term []byte) (k key, ok bool) {
	switch s.kind {
	case keyInteger, keyUnsigned:
		n, err := mapping.ExactValue(string(term))
		return key{i: n}, err == nil
	case keyFloat:
		n, err := mapping.ExactValue(string(term))
		return key{f: numeric.Int64ToFloat64(n)}, err == nil
	case keyBoolean:
		return key{i: map[string]int64{"true": 1}[string(term)]}, true
	default:
		return key{s: string(term)}, true
	}
}

// better reports whether a counts before b among several values of one document.
func (s sorter) better(a, b key) bool {
	smaller := s.Mode == "min" || (s.Mode == "" && !s.Desc)
	if smaller {
		return s.order(a, b) < 0
	}
	return s.order(a, b) > 0
}

// order compares values as such.
func (s sorter) order(a, b key) int {
	switch s.kind {
	case keyFloat, keyScore:
		return cmp.Compare(a.f, b.f)
	case keyTerm, keyID:
		return strings.Compare(a.s, b.s)
	default:
		return cmp.Compare(a.i, b.i)
	}
}

// compare orders two documents by this key.
func (s Sort) compare(kind keyKind, a, b key) int {
	switch {
	case a.missing && b.missing:
		return 0
	case a.missing != b.missing:
		if a.missing == s.MissingFirst {
			return -1
		}
		return 1
	}
	n := sorter{Sort: s, kind: kind}.order(a, b)
	if s.Desc {
		return -n
	}
	return n
}

// absent is the key of a document without a value.
func (s sorter) absent() (key, error) {
	if s.Missing == nil || s.kind == keyMissing {
		return key{missing: true}, nil
	}
	return s.parse(json.RawMessage(strconv.Quote(*s.Missing)))
}

// parse reads a value of search_after or missing.
func (s sorter) parse(raw json.RawMessage) (key, error) {
	text := string(raw)
	if text == "null" {
		return key{missing: true}, nil
	}
	if strings.HasPrefix(text, `"`) {
		if err := json.Unmarshal(raw, &text); err != nil {
			return key{}, fault.Illegal("Failed to parse search_after value for field [%s].", s.Field)
		}
	}
	switch s.kind {
	case keyFloat, keyScore:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return key{}, s.badAfter(text)
		}
		return key{f: f}, nil
	case keyUnsigned:
		n, err := (&mapping.Field{Type: "unsigned_long"}).ParseInteger(text)
		if err != nil {
			return key{}, s.badAfter(text)
		}
		return key{i: n}, nil
	case keyInteger, keyBoolean, keyDoc:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil && s.date {
			format := s.Format
			if format == "" {
				format = "strict_date_optional_time||epoch_millis"
			}
			t, dateErr := wire.ParseDateMath(text, format, time.Time{}, false, nil)
			n, err = t.UnixMilli(), dateErr
		}
		if err != nil {
			return key{}, s.badAfter(text)
		}
		// the values that stand for a missing one
		return key{i: n, missing: s.kind == keyInteger && (n == math.MaxInt64 || n == math.MinInt64)}, nil
	default:
		return key{s: text}, nil
	}
}

func (s sorter) badAfter(text string) error {
	e := fault.Illegal("Failed to parse search_after value for field [%s].", s.Field)
	e.CausedBy = fault.New(400, "number_format_exception", "For input string: \"%s\"", text)
	return e
}

// unmappedKinds are the kinds of keys of types that stand in for a field that no index has.
var unmappedKinds = map[string]keyKind{
	"long": keyInteger, "integer": keyInteger, "short": keyInteger, "byte": keyInteger, "date": keyInteger, "date_nanos": keyInteger,
	"double": keyFloat, "float": keyFloat, "half_float": keyFloat, "scaled_float": keyFloat,
}

// json is a key as a hit's "sort" shows it.
func (s Sort) json(kind keyKind, date bool, k key) any {
	if k.missing {
		last := !s.MissingFirst
		if kind == keyMissing {
			kind = unmappedKinds[s.UnmappedType]
		}
		switch {
		case kind == keyInteger && last != s.Desc:
			return int64(math.MaxInt64)
		case kind == keyInteger:
			return int64(math.MinInt64)
		case kind == keyFloat && last != s.Desc:
			return "Infinity"
		case kind == keyFloat:
			return "-Infinity"
		}
		return nil
	}
	switch kind {
	case keyUnsigned:
		return uint64(k.i) ^ 1<<63
	case keyFloat, keyScore:
		return k.f
	case keyTerm, keyID:
		return k.s
	}
	if date && s.Format != "" {
		return wire.FormatDate(time.UnixMilli(k.i).UTC(), s.Format)
	}
	return k.i
}
