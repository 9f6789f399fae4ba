// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"encoding/json"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/blevesearch/bleve/v2/document"
	index "github.com/blevesearch/bleve_index_api"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// MaxTerm is the longest term that is indexed, in bytes (Lucene's limit).
const MaxTerm = 32766

// Check looks whether a document fits the mapping, and returns the mapping it would grow to; nil if it does not grow it.
// A value that does not fit is 400 mapper_parsing_exception, a new field under a strict mapping
// strict_dynamic_mapping_exception.
func (m *Mapping) Check(id string, source []byte) (grown *Mapping, err error) {
	w := &walker{mapping: m, id: id}
	if err := w.walk(source); err != nil {
		return nil, err
	}
	if len(w.added) == 0 {
		return nil, nil
	}
	grown = m
	for _, a := range w.added {
		body, err := wire.Marshal(map[string]any{"properties": a})
		if err != nil {
			return nil, err
		}
		if grown, err = grown.Merge(body); err != nil {
			return nil, err
		}
	}
	return grown, nil
}

// Document makes of a document what the full-text index takes. Fields that the mapping does not know are left out.
func (m *Mapping) Document(id, routing string, seqNo int64, source []byte) (*document.Document, error) {
	w := &walker{mapping: m, id: id, doc: document.NewDocument(id)}
	if err := w.walk(source); err != nil {
		return nil, err
	}
	w.doc.AddIDField()
	w.integer(SeqNo, seqNo)
	if routing != "" {
		w.term(RoutingField, routing)
	}
	for _, name := range w.names {
		w.term(FieldNames, name)
	}
	return w.doc, nil
}

// walker goes through a source under a mapping. With a document it adds fields to it, without one it collects what
// dynamic mapping adds.
type walker struct {
	mapping *Mapping
	id      string
	doc     *document.Document
	p       *wire.Parser
	names   []string
	added   []any             // properties trees, one for each new field
	pending map[string]*Field // new fields, by path
}

func (w *walker) walk(source []byte) error {
	w.p = wire.NewParser(source)
	if err := w.p.NextExpect(wire.StartObject); err != nil {
		return w.failed(err)
	}
	if err := w.object(w.mapping.root, "", w.mapping.root.dynamic); err != nil {
		return err
	}
	if t, err := w.p.Next(); err != nil || t != wire.None {
		return w.failed(err)
	}
	return nil
}

// failed is the error of a source that is no JSON object.
func (w *walker) failed(cause error) error {
	e := mapperParsing("failed to parse")
	if cause != nil {
		e.CausedBy = fault.Of(cause)
	}
	return e
}

// object walks an object; o is nil if it is not mapped.
func (w *walker) object(o *object, path string, dynamic Dynamic) error {
	err := w.p.Object(func(name string) error {
		if strings.TrimSpace(name) == "" || strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".") || strings.Contains(name, "..") {
			e := mapperParsing("failed to parse")
			e.CausedBy = fault.Illegal("object field starting or ending with a [.] makes object resolution ambiguous: [%s]", name)
			if strings.TrimSpace(name) == "" {
				e.CausedBy = fault.Illegal("field name cannot be an empty string")
			}
			return e
		}
		at, into, mode := o, path, dynamic
		names := strings.Split(name, ".")
		for _, part := range names[:len(names)-1] {
			at, into, mode = step(at, into, part, mode)
			if at != nil && !at.enabled {
				return w.p.Skip()
			}
		}
		return w.value(at, into, names[len(names)-1], mode)
	})
	if err != nil && fault.Of(err).Type != "mapper_parsing_exception" && fault.Of(err).Type != "strict_dynamic_mapping_exception" &&
		strings.HasPrefix(fault.Of(err).Type, "json_") {
		return w.failed(err)
	}
	return err
}

// step goes one object down.
func step(o *object, path, name string, dynamic Dynamic) (*object, string, Dynamic) {
	path = join(path, name)
	if o == nil || o.objects[name] == nil {
		return nil, path, dynamic
	}
	child := o.objects[name]
	if child.dynamic != "" {
		dynamic = child.dynamic
	}
	return child, path, dynamic
}

// value walks one member.
func (w *walker) value(o *object, parent, name string, dynamic Dynamic) error {
	path := join(parent, name)
	var f *Field
	var child *object
	if o != nil {
		f, child = o.fields[name], o.objects[name]
	}
	if f == nil {
		f = w.pending[path]
	}
	switch {
	case child != nil && !child.enabled:
		return w.p.Skip()
	case f != nil && f.Type == "flat_object":
		return w.flat(f, f.Path)
	}
	switch w.p.Token() {
	case wire.Null:
		if f != nil && f.NullValue != nil {
			return w.leaf(f, *f.NullValue, wire.String)
		}
		return nil
	case wire.StartArray:
		return w.p.Array(func() error { return w.value(o, parent, name, dynamic) })
	case wire.StartObject:
		if f != nil {
			return w.objectForField(f)
		}
		return w.subobject(o, child, parent, name, dynamic)
	}
	text, err := w.p.Text()
	if err != nil {
		return err
	}
	if child != nil {
		return mapperParsing("object mapping for [%s] tried to parse field [%s] as object, but found a concrete value", child.path, name)
	}
	if f == nil {
		if f, err = w.newField(path, parent, name, dynamic, text); f == nil {
			return err
		}
	}
	return w.leaf(f, text, w.p.Token())
}

// objectForField is an object where a leaf is mapped.
func (w *walker) objectForField(f *Field) error {
	if f.IgnoreMalformed || !f.Index && f.Type == "binary" {
		return w.p.Skip()
	}
	preview, err := w.p.Raw()
	if err != nil {
		return err
	}
	e := w.bad(f, javaMap(preview))
	line, col := w.p.Position()
	e.CausedBy = fault.IllegalState("Can't get text on a START_OBJECT at %d:%d", line, col)
	return e
}

// javaMap is a JSON object as the server's language prints a map.
func javaMap(raw json.RawMessage) string {
	return strings.NewReplacer(`":`, "=", `"`, "", `,`, ", ").Replace(string(raw))
}

func (w *walker) subobject(o, child *object, parent, name string, dynamic Dynamic) error {
	path := join(parent, name)
	if child != nil {
		if child.dynamic != "" {
			dynamic = child.dynamic
		}
		return w.object(child, path, dynamic)
	}
	switch dynamic {
	case DynamicStrict:
		return strict(parent, name)
	case DynamicFalse:
		return w.p.Skip()
	}
	if w.doc == nil {
		w.added = append(w.added, nest(path, map[string]any{"type": "object"}))
	}
	return w.object(nil, path, dynamic)
}

func strict(parent, name string) error {
	if parent == "" {
		parent = "_doc"
	}
	return fault.New(400, "strict_dynamic_mapping_exception", "mapping set to strict, dynamic introduction of [%s] within [%s] is not allowed", name, parent)
}

// newField maps a new leaf; nil if the mapping ignores it.
func (w *walker) newField(path, parent, name string, dynamic Dynamic, text string) (*Field, error) {
	switch {
	case dynamic == DynamicStrict:
		return nil, strict(parent, name)
	case dynamic == DynamicFalse, w.doc != nil:
		return nil, nil
	}
	def, err := w.mapping.definition(path, w.mapping.kind(w.p.Token(), text))
	if err != nil {
		return nil, err
	}
	f, err := parseField(path, def)
	if err != nil {
		return nil, err
	}
	if w.pending == nil {
		w.pending = map[string]*Field{}
	}
	w.pending[path] = f
	w.added = append(w.added, nest(path, def))
	return f, nil
}

// nest is a properties tree with one definition at a path.
func nest(path string, def any) map[string]any {
	name, rest, deeper := strings.Cut(path, ".")
	if deeper {
		def = map[string]any{"properties": nest(rest, def)}
	}
	return map[string]any{name: def}
}

// leaf indexes one value under a field and its multi-fields.
func (w *walker) leaf(f *Field, text string, token wire.Token) error {
	if f.AliasOf != "" {
		return mapperParsing("Cannot write to a field alias [%s].", f.Path)
	}
	if err := w.index(f, text, token); err != nil {
		return err
	}
	for _, sub := range f.Multi {
		if err := w.index(sub, text, token); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) index(f *Field, text string, token wire.Token) error {
	v, err := f.parse(text, token)
	if err != nil {
		if f.IgnoreMalformed {
			return nil
		}
		e := w.bad(f, text)
		e.CausedBy = fault.Of(err)
		return e
	}
	if v.skip {
		return nil
	}
	if f.Type == "keyword" && len(v.term) > MaxTerm {
		e := fault.Illegal("Document contains at least one immense term in field=\"%s\" (whose UTF8 encoding is longer than the max length %d), all of which were skipped.", f.Path, MaxTerm)
		return e
	}
	if w.doc != nil {
		w.add(f, v)
	}
	return nil
}

func (w *walker) bad(f *Field, preview string) *fault.Error {
	return mapperParsing("failed to parse field [%s] of type [%s] in document with id '%s'. Preview of field's value: '%s'", f.Path, f.Type, w.id, preview)
}

// flat indexes every leaf of an object as a term, and as path=value.
func (w *walker) flat(f *Field, path string) error {
	switch w.p.Token() {
	case wire.Null:
		return nil
	case wire.StartArray:
		return w.p.Array(func() error { return w.flat(f, path) })
	case wire.StartObject:
		return w.p.Object(func(name string) error { return w.flat(f, join(path, name)) })
	}
	text, err := w.p.Text()
	if err != nil || w.doc == nil {
		return err
	}
	w.note(f.Path)
	w.term(f.Path, text)
	w.term(path, text)
	return nil
}

// parsed is a value as a field takes it.
type parsed struct {
	term    string  // of terms and text
	integer int64   // of integers and dates
	float   float64 // of floating-point numbers
	skip    bool    // not indexed, and no mistake
}

// parse reads a value. The error is the cause that a mapper_parsing_exception shows.
func (f *Field) parse(text string, token wire.Token) (parsed, error) {
	switch {
	case f.Type == "boolean":
		if token == wire.Number {
			return parsed{}, fault.Illegal("Failed to parse value [%s] as only [true] or [false] are allowed.", text)
		}
		if text == "" {
			text = "false"
		}
		_, err := wire.ParseBool(text)
		return parsed{term: text}, err
	case f.IsDate():
		t, err := f.ParseDate(text)
		return parsed{integer: t.UnixMilli()}, err
	case f.IsInteger():
		n, err := f.ParseInteger(text)
		return parsed{integer: n}, err
	case f.IsFloat():
		n, err := f.ParseFloat(text)
		return parsed{float: n}, err
	case f.Type == "ip":
		term, err := IPTerm(text)
		return parsed{term: term}, err
	case f.Type == "binary":
		return parsed{skip: true}, nil
	case f.Type == "keyword":
		if len([]rune(text)) > f.IgnoreAbove {
			return parsed{skip: true}, nil
		}
		return parsed{term: f.Normalize(text)}, nil
	}
	return parsed{term: text}, nil
}

// Normalize is a keyword as it is indexed and searched.
func (f *Field) Normalize(text string) string {
	if f.Normalizer == "lowercase" {
		return strings.ToLower(text)
	}
	return text
}

// ParseDate reads a date in the field's format.
func (f *Field) ParseDate(text string) (time.Time, error) {
	t, err := wire.ParseDate(text, f.Format, time.UTC)
	if err != nil {
		return t, fault.Illegal("failed to parse date field [%s] with format [%s]", text, f.Format)
	}
	return t, nil
}

// ParseInteger reads a whole number within the field's type; a fraction is cut off.
func (f *Field) ParseInteger(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		x, ferr := strconv.ParseFloat(text, 64)
		if ferr != nil || math.IsNaN(x) || math.IsInf(x, 0) {
			return 0, fault.New(400, "number_format_exception", "For input string: \"%s\"", text)
		}
		if x >= math.MaxInt64 || x <= math.MinInt64 {
			return 0, fault.Illegal("Value [%s] is out of range for a %s", text, f.Type)
		}
		n = int64(x)
	}
	if bounds := integers[f.Type]; n < bounds[0] || n > bounds[1] {
		return 0, fault.Illegal("Value [%s] is out of range for a %s", text, f.Type)
	}
	return n, nil
}

// ParseFloat reads a number within the field's type.
func (f *Field) ParseFloat(text string) (float64, error) {
	n, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil && !strings.HasSuffix(err.Error(), "value out of range"):
		return 0, fault.New(400, "number_format_exception", "For input string: \"%s\"", text)
	case math.IsNaN(n), math.IsInf(n, 0), (f.Type == "float" || f.Type == "half_float") && math.Abs(n) > math.MaxFloat32:
		return 0, fault.Illegal("[%s] supports only finite values, but got [%s]", f.Type, text)
	case f.Type == "unsigned_long" && n < 0:
		return 0, fault.Illegal("Value [%s] is out of range for an unsigned long", text)
	}
	switch f.Type {
	case "float", "half_float":
		n = float64(float32(n))
	case "scaled_float":
		n = math.Round(n*f.ScalingFactor) / f.ScalingFactor
	}
	return n, nil
}

// IPTerm is an address as a term: sixteen bytes in hexadecimal, so that terms sort as addresses do.
func IPTerm(text string) (string, error) {
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return "", fault.Illegal("'%s' is not an IP string literal.", text)
	}
	b := addr.As16()
	const digits = "0123456789abcdef"
	out := make([]byte, 0, 32)
	for _, c := range b {
		out = append(out, digits[c>>4], digits[c&15])
	}
	return string(out), nil
}

// ---- fields of the full-text index

const (
	searchable = index.IndexField
	sortable   = index.IndexField | index.DocValues
)

func (w *walker) add(f *Field, v parsed) {
	if f.Index || f.DocValues {
		w.note(f.Path)
	}
	switch {
	case f.Type == "text":
		if f.Index {
			w.doc.AddField(document.NewTextFieldCustom(f.Path, nil, []byte(v.term), searchable|index.IncludeTermVectors, analyzers()[f.Analyzer]))
		}
	case f.IsInteger():
		if f.Index || f.DocValues {
			w.integer(f.Path, v.integer)
		}
	case f.IsFloat():
		w.doc.AddField(document.NewNumericFieldWithIndexingOptions(f.Path, nil, v.float, sortable))
	case f.Index || f.DocValues:
		w.term(f.Path, v.term)
	}
}

// note remembers that a path has a value.
func (w *walker) note(path string) {
	if !slices.Contains(w.names, path) {
		w.names = append(w.names, path)
	}
}

func (w *walker) term(path, term string) {
	w.doc.AddField(document.NewTextFieldCustom(path, nil, []byte(term), sortable, analyzers()["keyword"]))
}

func (w *walker) integer(path string, n int64) {
	w.doc.AddField(document.NewNumericFieldWithIndexingOptions(path, nil, float64(n), searchable))
	w.term(Exact(path), ExactTerm(n))
}
