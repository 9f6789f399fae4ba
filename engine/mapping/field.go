// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"encoding/json"
	"math"
	"slices"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// Field is one mapped leaf field.
type Field struct {
	// Path is the full name: "user.name", or "user.name.raw" for a multi-field.
	Path string
	Type string
	// Index is false for a field that cannot be searched, DocValues for one that cannot be sorted on.
	Index, DocValues bool
	// Analyzer and SearchAnalyzer are names of built-in analyzers.
	Analyzer, SearchAnalyzer string
	// Normalizer is "" or "lowercase".
	Normalizer  string
	IgnoreAbove int
	// Format is a date format.
	Format          string
	ScalingFactor   float64
	NullValue       *string
	IgnoreMalformed bool
	// AliasOf is the path an alias field stands for.
	AliasOf string
	// Multi are the multi-fields, by name.
	Multi map[string]*Field
	// params are the parameters as they are printed, besides type and fields.
	params wire.Object
}

// defaultDateFormat is OpenSearch's.
const defaultDateFormat = "strict_date_optional_time||epoch_millis"

// integers are the integer types with their least and greatest values.
var integers = map[string][2]int64{
	"long":    {math.MinInt64, math.MaxInt64},
	"integer": {math.MinInt32, math.MaxInt32},
	"short":   {math.MinInt16, math.MaxInt16},
	"byte":    {math.MinInt8, math.MaxInt8},
}

// unsupported are types of OpenSearch that are refused by name.
var unsupported = []string{
	"geo_point", "geo_shape", "xy_point", "xy_shape", "percolator", "join", "completion", "search_as_you_type",
	"token_count", "rank_feature", "rank_features", "integer_range", "float_range", "long_range", "double_range",
	"date_range", "ip_range", "knn_vector", "semantic", "star_tree", "derived", "match_only_text", "wildcard", "murmur3",
	"annotated_text", "version", "icu_collation_keyword",
}

var leafTypes = []string{
	"text", "keyword", "constant_keyword", "long", "integer", "short", "byte", "unsigned_long", "double", "float", "half_float",
	"scaled_float", "boolean", "date", "date_nanos", "ip", "binary", "alias", "flat_object",
}

// IsInteger reports whether values are whole numbers that are indexed exactly; dates are too.
func (f *Field) IsInteger() bool {
	_, ok := integers[f.Type]
	return ok || f.IsDate()
}

// IsDate reports whether values are dates.
func (f *Field) IsDate() bool { return f.Type == "date" || f.Type == "date_nanos" }

// IsFloat reports whether values are floating-point numbers.
func (f *Field) IsFloat() bool {
	switch f.Type {
	case "double", "float", "half_float", "scaled_float", "unsigned_long":
		return true
	}
	return false
}

// IsTerm reports whether each value is one term under the field's path.
func (f *Field) IsTerm() bool {
	switch f.Type {
	case "keyword", "constant_keyword", "boolean", "ip", "flat_object":
		return true
	}
	return false
}

func mapperParsing(format string, args ...any) *fault.Error {
	return fault.New(400, "mapper_parsing_exception", format, args...)
}

// parseField reads the definition of a leaf field.
func parseField(path string, def map[string]json.RawMessage) (*Field, error) {
	typ, err := stringParam(def, "type")
	if err != nil {
		return nil, err
	}
	leaf := path[strings.LastIndexByte(path, '.')+1:]
	if slices.Contains(unsupported, typ) {
		return nil, fault.Unsupported("the field type [" + typ + "]")
	}
	if !slices.Contains(leafTypes, typ) {
		return nil, mapperParsing("No handler for type [%s] declared on field [%s]", typ, leaf)
	}
	f := newField(path, typ)
	for _, name := range sortedKeys(def) {
		if name == "type" {
			continue
		}
		if err := f.param(leaf, name, def[name]); err != nil {
			return nil, err
		}
	}
	if typ == "alias" && f.AliasOf == "" {
		return nil, mapperParsing("The [path] property must be specified for field [%s].", leaf)
	}
	if typ == "scaled_float" && f.ScalingFactor <= 0 {
		return nil, mapperParsing("Field [scaling_factor] is required")
	}
	return f, nil
}

func newField(path, typ string) *Field {
	f := &Field{Path: path, Type: typ, Index: true, DocValues: typ != "text" && typ != "binary", IgnoreAbove: math.MaxInt32}
	switch typ {
	case "text":
		f.Analyzer = "standard"
	case "date", "date_nanos":
		f.Format = defaultDateFormat
	case "binary":
		f.Index = false
	}
	return f
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func stringParam(def map[string]json.RawMessage, name string) (string, error) {
	raw, ok := def[name]
	if !ok {
		return "", nil
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return "", mapperParsing("[%s] must be a string", name)
	}
	return s, nil
}

// inert are parameters that change nothing here but how a field is printed: what they tune (norms, scores, memory) has no
// part in the answers this engine gives.
var inert = []string{
	"store", "norms", "index_options", "boost", "meta", "eager_global_ordinals", "similarity", "term_vector",
	"fielddata", "index_prefixes", "index_phrases", "position_increment_gap", "split_queries_on_whitespace", "coerce",
	"locale", "search_quote_analyzer", "skip_list",
}

func (f *Field) param(leaf, name string, raw json.RawMessage) error {
	text := strings.Trim(string(raw), `"`)
	if string(raw) != "null" {
		f.params.Add(name, raw)
	}
	var err error
	switch name {
	case "index":
		f.Index, err = wire.ParseBool(text)
	case "doc_values":
		f.DocValues, err = wire.ParseBool(text)
	case "ignore_malformed":
		f.IgnoreMalformed, err = wire.ParseBool(text)
	case "ignore_above":
		err = json.Unmarshal(raw, &f.IgnoreAbove)
	case "analyzer", "search_analyzer":
		if !knownAnalyzer(text) {
			return mapperParsing("analyzer [%s] has not been configured in mappings", text)
		}
		if name == "analyzer" {
			f.Analyzer = text
		} else {
			f.SearchAnalyzer = text
		}
	case "normalizer":
		if text != "lowercase" {
			return mapperParsing("normalizer [%s] not found for field [%s]", text, leaf)
		}
		f.Normalizer = text
	case "format":
		f.Format = text
		err = wire.CheckDateFormat(text)
	case "scaling_factor":
		err = json.Unmarshal(raw, &f.ScalingFactor)
	case "null_value":
		if string(raw) != "null" {
			f.NullValue = &text
		}
	case "value": // of a constant_keyword
	case "path":
		f.AliasOf = text
	case "fields":
		f.params = f.params[:len(f.params)-1]
		return f.parseMulti(raw)
	case "copy_to":
		return fault.Unsupported("[copy_to] of a field")
	default:
		if slices.Contains(inert, name) {
			return nil
		}
		return mapperParsing("unknown parameter [%s] on mapper [%s] of type [%s]", name, leaf, f.Type)
	}
	if err != nil {
		e := mapperParsing("Failed to parse mapping: %s", fault.Of(err).Reason)
		e.Err = err
		return e
	}
	return nil
}

func (f *Field) parseMulti(raw json.RawMessage) error {
	var defs map[string]map[string]json.RawMessage
	if err := json.Unmarshal(raw, &defs); err != nil {
		return mapperParsing("expected map for property [fields] on field [%s]", f.Path)
	}
	f.Multi = map[string]*Field{}
	for name, def := range defs {
		sub, err := parseField(f.Path+"."+name, def)
		if err != nil {
			return err
		}
		f.Multi[name] = sub
	}
	return nil
}

// json prints the definition.
func (f *Field) json() wire.Object {
	o := append(wire.Obj("type", f.Type), f.params...)
	if len(f.Multi) > 0 {
		multi := wire.Object{}
		for _, name := range sortedKeys(f.Multi) {
			multi.Add(name, f.Multi[name].json())
		}
		o.Add("fields", multi)
	}
	return o
}

// fixed are the parameters that cannot change once a field exists.
var fixed = []string{"analyzer", "index", "doc_values", "normalizer", "format", "scaling_factor", "store", "path", "term_vector"}

// merge adds an update to a field.
func (f *Field) merge(update *Field) (*Field, error) {
	if f.Type != update.Type {
		return nil, fault.Illegal("mapper [%s] cannot be changed from type [%s] to [%s]", f.Path, f.Type, update.Type)
	}
	for _, name := range fixed {
		was, is := param(f.params, name), param(update.params, name)
		if was != is {
			return nil, fault.Illegal("Mapper for [%s] conflicts with existing mapper:\n\tCannot update parameter [%s] from [%s] to [%s]",
				f.Path, name, orDefault(was, name), orDefault(is, name))
		}
	}
	merged := *update
	merged.Multi = map[string]*Field{}
	for name, sub := range f.Multi {
		merged.Multi[name] = sub
	}
	for name, sub := range update.Multi {
		if was := merged.Multi[name]; was != nil {
			next, err := was.merge(sub)
			if err != nil {
				return nil, err
			}
			sub = next
		}
		merged.Multi[name] = sub
	}
	return &merged, nil
}

func param(o wire.Object, name string) string {
	for _, m := range o {
		if raw, ok := m.Value.(json.RawMessage); ok && m.Name == name {
			return strings.Trim(string(raw), `"`)
		}
	}
	return ""
}

func orDefault(value, name string) string {
	if value != "" {
		return value
	}
	if name == "index" || name == "doc_values" {
		return "true"
	}
	return "default"
}
