// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/blevesearch/bleve/v2/document"
	"github.com/blevesearch/bleve/v2/numeric"
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
	if m.timestamp != "" && w.timestamps != 1 {
		return nil, w.failed(fault.Illegal("documents must contain a single-valued timestamp field '%s' of date type", m.timestamp))
	}
	if len(w.added) == 0 {
		return nil, nil
	}
	body, err := wire.Marshal(map[string]any{"properties": w.added})
	if err != nil {
		return nil, err
	}
	return m.merge(body, growth)
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
	for _, f := range m.constants {
		w.note(f.Path)
		w.term(f.Path, *f.Constant)
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
	noted   map[string]bool
	// take is given each value instead of the document, if it is not nil.
	take   func(*Field, parsed)
	texts  map[string]uint64 // how many values a text field has so far
	hidden int               // how many nested objects, whose fields are not the document's, are around
	// added is the properties tree of new fields, pending and fresh are its leaves and objects by path.
	added   map[string]any
	pending map[string]*Field
	fresh   map[string]*object
	// timestamps counts the values of a data stream's timestamp.
	timestamps int
}

// plant puts a definition at a path of a properties tree.
func plant(tree map[string]any, path string, def any) {
	name, rest, deeper := strings.Cut(path, ".")
	if !deeper {
		tree[name] = def
		return
	}
	o, ok := tree[name].(map[string]any)
	if !ok {
		o = map[string]any{}
		tree[name] = o
	}
	inner, ok := o["properties"].(map[string]any)
	if !ok {
		inner = map[string]any{}
		o["properties"] = inner
	}
	plant(inner, rest, def)
}

func (w *walker) walk(source []byte) error {
	w.p = wire.NewParser(source)
	switch t, err := w.p.Next(); {
	case err != nil:
		return w.failed(err)
	case t != wire.StartObject:
		return w.failed(fault.New(400, "not_x_content_exception",
			"Compressor detection can only be called on some xcontent bytes or compressed xcontent bytes"))
	}
	if err := w.object(w.mapping.root, "", w.mapping.root.dynamic); err != nil {
		return w.failed(err)
	}
	if t, err := w.p.Next(); err != nil || t != wire.None {
		return w.failed(err)
	}
	return nil
}

// failed is the error of a source that cannot be taken in, for a cause outside of its values.
func (w *walker) failed(cause error) error {
	if cause != nil && (isMapperError(cause) || fault.Of(cause).Status >= 500 || unsupportedFeature(cause)) {
		return cause
	}
	e := mapperParsing("failed to parse")
	if cause != nil {
		e.CausedBy = fault.Of(cause)
	}
	return e
}

func isMapperError(err error) bool {
	return fault.Is(err, "mapper_parsing_exception") || fault.Is(err, "strict_dynamic_mapping_exception")
}

// unsupportedFeature keeps the plain words of a refusal that is this engine's own.
func unsupportedFeature(err error) bool {
	return strings.HasSuffix(fault.Of(err).Reason, "is not supported by the embedded engine")
}

// object walks an object; o is nil if it is not mapped.
func (w *walker) object(o *object, path string, dynamic Dynamic) error {
	if o != nil && o.nested && !o.inParent && !o.inRoot {
		w.hidden++
		defer func() { w.hidden-- }()
		if w.doc != nil && w.take == nil {
			w.note(nestedName(path))
		}
	}
	return w.p.Object(func(name string) error {
		if name == docCount && path == "" {
			return w.docCount()
		}
		if !strings.Contains(name, ".") && strings.TrimSpace(name) != "" {
			return w.value(o, path, name, dynamic)
		}
		names, err := splitName(name)
		if err != nil {
			return err
		}
		at, into, mode := o, path, dynamic
		for _, part := range names[:len(names)-1] {
			at, into, mode = w.step(at, into, part, mode)
			if at != nil && !at.enabled {
				return w.p.Skip()
			}
		}
		return w.value(at, into, names[len(names)-1], mode)
	})
}

// docCount is the metadata field that says how many documents one stands for.
const docCount = "_doc_count"

// docCount checks the metadata field, which is not mapped.
func (w *walker) docCount() error {
	line, col := w.p.Position()
	if w.p.Token() != wire.Number {
		bad := w.bad(&Field{Path: docCount, Type: docCount}, "")
		bad.CausedBy = fault.Parsing(line, col, "Failed to parse object: expecting token of type [VALUE_NUMBER] but found [%s]", w.p.Token())
		return bad
	}
	n, err := w.p.Long()
	if err == nil && n <= 0 {
		text, _ := w.p.Text()
		bad := w.bad(&Field{Path: docCount, Type: docCount}, text)
		bad.CausedBy = fault.Illegal("Field [_doc_count] must be a positive integer. Value [%d] is not allowed.", n)
		return bad
	}
	return err
}

// splitName splits a name at its dots.
func splitName(name string) ([]string, error) {
	if name == "" {
		return nil, fault.Illegal("field name cannot be an empty string")
	}
	names := strings.Split(name, ".")
	for _, part := range names {
		if strings.TrimSpace(part) != "" {
			continue
		}
		if strings.TrimSpace(name) == "" {
			return nil, fault.Illegal("object field cannot contain only whitespace: ['%s']", name)
		}
		return nil, fault.Illegal("object field starting or ending with a [.] makes object resolution ambiguous: [%s]", name)
	}
	return names, nil
}

// step goes one object down.
func (w *walker) step(o *object, path, name string, dynamic Dynamic) (*object, string, Dynamic) {
	path = join(path, name)
	child := w.fresh[path]
	if o != nil && o.objects[name] != nil {
		child = o.objects[name]
	}
	if child != nil && child.dynamic != "" {
		dynamic = child.dynamic
	}
	return child, path, dynamic
}

// value walks one member.
func (w *walker) value(o *object, parent, name string, dynamic Dynamic) error {
	path := join(parent, name)
	f, child := w.pending[path], w.fresh[path]
	if o != nil && o.fields[name] != nil {
		f = o.fields[name]
	}
	if o != nil && o.objects[name] != nil {
		child = o.objects[name]
	}
	switch {
	case child != nil && !child.enabled:
		return w.p.Skip()
	case f != nil && f.Type == "flat_object":
		return w.flat(f, f.Path)
	case f != nil && f.IsVector():
		return w.vector(f)
	}
	switch w.p.Token() {
	case wire.Null:
		return w.null(o, f, child, parent, name)
	case wire.StartArray:
		return w.p.Array(func() error { return w.value(o, parent, name, dynamic) })
	case wire.StartObject:
		if f != nil {
			return w.objectForField(f)
		}
		return w.subobject(child, parent, name, dynamic)
	}
	text, err := w.p.Text()
	if err != nil {
		return err
	}
	if child != nil {
		return mapperParsing("object mapping for [%s] tried to parse field [%s] as object, but found a concrete value", path, name)
	}
	if f == nil {
		if f, err = w.newField(path, parent, name, dynamic, text); f == nil {
			return err
		}
	}
	return w.leaf(f, text, w.p.Token())
}

// null takes a null, which is no value unless the field says what stands for it.
func (w *walker) null(o *object, f *Field, child *object, parent, name string) error {
	switch {
	case f != nil && f.NullValue != nil:
		return w.leaf(f, *f.NullValue, wire.String)
	case f == nil && child == nil && o != nil && (o.dynamic == DynamicStrict || o.dynamic == DynamicStrictTemplates):
		return strict(o.dynamic, parent, name)
	}
	return nil
}

// objectForField is an object where a leaf is mapped.
func (w *walker) objectForField(f *Field) error {
	line, col := w.p.Position()
	raw, err := w.p.Raw()
	if err != nil || f.IgnoreMalformed || f.Type == "binary" {
		return err
	}
	e := w.bad(f, javaMap(raw))
	e.CausedBy = fault.IllegalState("Can't get text on a START_OBJECT at %d:%d", line, col)
	return e
}

// javaMap is JSON as the server's language prints a value.
func javaMap(raw json.RawMessage) string {
	return strings.NewReplacer(`":`, "=", `"`, "", `,`, ", ").Replace(string(raw))
}

// subobject walks an object; child is nil if it is not mapped.
func (w *walker) subobject(child *object, parent, name string, dynamic Dynamic) error {
	path := join(parent, name)
	if child == nil {
		var f *Field
		var err error
		if child, f, err = w.newObject(path, parent, name, dynamic); err != nil {
			return err
		}
		switch {
		case f != nil && f.Type == "flat_object":
			return w.flat(f, path)
		case f != nil:
			return w.objectForField(f)
		case child == nil || !child.enabled:
			return w.p.Skip()
		}
	}
	if child.dynamic != "" {
		dynamic = child.dynamic
	}
	return w.object(child, path, dynamic)
}

func strict(mode Dynamic, parent, name string) error {
	return fault.New(400, "strict_dynamic_mapping_exception", "mapping set to %s, dynamic introduction of [%s] within [%s] is not allowed",
		mode, name, cmp.Or(parent, "_doc"))
}

// newObject maps a new object, or what a dynamic template makes a leaf of; neither if the mapping ignores it.
func (w *walker) newObject(path, parent, name string, dynamic Dynamic) (*object, *Field, error) {
	switch {
	case dynamic == DynamicStrict:
		return nil, nil, strict(dynamic, parent, name)
	case dynamic == DynamicFalse:
		return nil, nil, nil
	case w.doc != nil:
		return newObject(path), nil, nil
	}
	def, byTemplate, err := w.mapping.definition(path, "object", "")
	if err != nil || dynamic == DynamicFalseTemplates && !byTemplate {
		return nil, nil, err
	}
	if typ := unquote(def["type"]); typ != "object" && typ != "nested" {
		f, err := w.addField(path, def)
		return nil, f, err
	}
	o, err := newObject(path).define(unquote(def["type"]) == "nested", def, growth)
	if err != nil {
		return nil, nil, err
	}
	tree := map[string]any{}
	for key, value := range def {
		var v any
		if err := json.Unmarshal(value, &v); err != nil {
			return nil, nil, err
		}
		tree[key] = v
	}
	w.addAt(path, tree)
	w.fresh[path] = o
	return o, nil, nil
}

// newField maps a new leaf; nil if the mapping ignores it.
func (w *walker) newField(path, parent, name string, dynamic Dynamic, text string) (*Field, error) {
	switch {
	case dynamic == DynamicStrict:
		return nil, strict(dynamic, parent, name)
	case dynamic == DynamicFalse, w.doc != nil:
		return nil, nil
	}
	kind, format := w.mapping.kind(w.p.Token(), text)
	def, byTemplate, err := w.mapping.definition(path, kind, format)
	switch {
	case err != nil:
		return nil, err
	case dynamic == DynamicStrictTemplates && !byTemplate:
		return nil, strict(dynamic, parent, name)
	case dynamic == DynamicFalseTemplates && !byTemplate:
		return nil, nil
	}
	return w.addField(path, def)
}

func (w *walker) addField(path string, def map[string]json.RawMessage) (*Field, error) {
	f, err := parseField(path, def)
	if err != nil {
		return nil, err
	}
	w.addAt(path, def)
	w.pending[path] = f
	return f, nil
}

// addAt notes a new definition, and the objects that its path goes through.
func (w *walker) addAt(path string, def any) {
	if w.added == nil {
		w.added, w.pending, w.fresh = map[string]any{}, map[string]*Field{}, map[string]*object{}
	}
	plant(w.added, path, def)
	for i, c := range path {
		if c == '.' && w.fresh[path[:i]] == nil && !w.mapping.HasObject(path[:i]) {
			w.fresh[path[:i]] = newObject(path[:i])
		}
	}
}

// leaf indexes one value under a field and its multi-fields.
func (w *walker) leaf(f *Field, text string, token wire.Token) error {
	if f.AliasOf != "" {
		return fault.Illegal("Cannot write to a field alias [%s].", f.Path)
	}
	if w.mapping.timestamp == f.Path && f.IsDate() {
		w.timestamps++
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
		return fault.Illegal("Document contains at least one immense term in field=\"%s\" (whose UTF8 encoding is longer than the max length %d), all of which were skipped.  Please correct the analyzer to not produce such terms.", f.Path, MaxTerm)
	}
	switch {
	case w.hidden > 0 && w.take != nil:
	case w.hidden > 0 && w.doc != nil:
		w.add(f.InNested(), v)
	case w.take != nil:
		w.take(f, v)
	case w.doc != nil:
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
	if err != nil || w.doc == nil || w.hidden > 0 {
		return err
	}
	w.note(f.Path)
	w.term(f.Path, text)
	if path != f.Path {
		w.term(path, text)
	}
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
			return parsed{}, fault.New(400, "json_parse_exception", "Current token (VALUE_NUMBER) not of boolean type")
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
		_, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			err = fault.Illegal("Illegal base64 value")
		}
		return parsed{skip: true}, err
	case f.Constant != nil:
		if text != *f.Constant {
			return parsed{}, fault.Illegal("constant keyword field [%s] must have a value of [%s]", f.Path, *f.Constant)
		}
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
	if f.IsUnsigned() {
		return parseUnsigned(text)
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		x, ferr := parseNumber(text)
		if ferr != nil {
			return 0, fault.Illegal("For input string: \"%s\"", text)
		}
		if x >= math.MaxInt64 || x <= math.MinInt64 {
			return 0, f.outOfRange(text)
		}
		n = int64(x)
	}
	if bounds := integers[f.Type]; n < bounds[0] || n > bounds[1] {
		return 0, f.outOfRange(text)
	}
	return n, nil
}

func (f *Field) outOfRange(text string) error {
	article := "a"
	if f.Type == "integer" {
		article = "an"
	}
	return fault.Illegal("Value [%s] is out of range for %s %s", text, article, f.Type)
}

// parseUnsigned reads a number from 0 to 2^64-1, moved down by 2^63.
func parseUnsigned(text string) (int64, error) {
	u, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		x, ferr := parseNumber(text)
		if ferr != nil {
			return 0, ferr
		}
		if x < 0 || x >= 1<<64 {
			return 0, fault.Illegal("Value [%s] is out of range for an unsigned long", text)
		}
		u = uint64(x)
	}
	return Unsigned(u), nil
}

// Unsigned is how an unsigned number stands among integers: moved down by 2^63.
func Unsigned(u uint64) int64 { return int64(u ^ 1<<63) }

// Integer is an integer of the field as it is printed: a number.
func (f *Field) Integer(n int64) string {
	if f.IsUnsigned() {
		return strconv.FormatUint(uint64(n)^1<<63, 10)
	}
	return strconv.FormatInt(n, 10)
}

func parseNumber(text string) (float64, error) {
	x, err := strconv.ParseFloat(text, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) || math.IsNaN(x) {
		return 0, fault.New(400, "number_format_exception", "For input string: \"%s\"", text)
	}
	return x, nil
}

// ParseFloat reads a number within the field's type.
func (f *Field) ParseFloat(text string) (float64, error) {
	n, err := parseNumber(text)
	switch {
	case err != nil:
		return 0, err
	case math.IsInf(n, 0), (f.Type == "float" || f.Type == "half_float") && math.Abs(n) > math.MaxFloat32:
		return 0, fault.Illegal("[%s] supports only finite values, but got [%s]", f.Type, text)
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
	if !f.Index && !f.DocValues {
		return
	}
	w.note(f.Path)
	switch {
	case f.Type == "text":
		w.text(f, v.term)
	case f.IsUnsigned():
		w.term(Exact(f.Path), ExactTerm(v.integer))
	case f.IsInteger():
		w.integer(f.Path, v.integer)
	case f.IsFloat():
		w.number(f.Path, v.float, numeric.Float64ToInt64(v.float))
	default:
		w.term(f.Path, v.term)
	}
}

// note remembers that a path has a value.
func (w *walker) note(path string) {
	if w.noted[path] {
		return
	}
	if w.noted == nil {
		w.noted = map[string]bool{}
	}
	w.noted[path] = true
	w.names = append(w.names, path)
}

// text indexes analyzed text. The position in the array keeps phrases within one value.
func (w *walker) text(f *Field, text string) {
	if w.texts == nil {
		w.texts = map[string]uint64{}
	}
	at := []uint64{w.texts[f.Path]}
	w.texts[f.Path]++
	w.doc.AddField(document.NewTextFieldCustom(f.Path, at, []byte(text), searchable|index.IncludeTermVectors, analyzers()[f.Analyzer]))
}

func (w *walker) term(path, term string) {
	w.doc.AddField(document.NewTextFieldCustom(path, nil, []byte(term), sortable, analyzers()["keyword"]))
}

func (w *walker) integer(path string, n int64) { w.number(path, float64(n), n) }

// number indexes a number for ranges, and exactly for terms and sorting.
func (w *walker) number(path string, x float64, exact int64) {
	w.doc.AddField(document.NewNumericFieldWithIndexingOptions(path, nil, x, searchable))
	w.term(Exact(path), ExactTerm(exact))
}
