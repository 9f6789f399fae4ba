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
	// Exact is true for a number that takes neither texts nor, of a whole number, fractions.
	Exact bool
	// AliasOf is the path an alias field stands for.
	AliasOf string
	// Multi are the multi-fields, by name.
	Multi map[string]*Field
	// Constant is the one value of a constant_keyword, nil until it is known.
	Constant *string
	// Dimension is how many numbers a vector has; DataType is what they are: "" and "float", "byte", or "binary".
	Dimension int
	DataType  string
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
	"token_count", "rank_feature", "integer_range", "float_range", "long_range", "double_range",
	"date_range", "ip_range", "semantic", "star_tree", "derived", "match_only_text", "wildcard",
}

var leafTypes = []string{
	"text", "keyword", "constant_keyword", "long", "integer", "short", "byte", "unsigned_long", "double", "float", "half_float",
	"scaled_float", "boolean", "date", "date_nanos", "ip", "binary", "alias", "flat_object", "knn_vector", "rank_features",
}

// IsInteger reports whether values are whole numbers that are indexed exactly; dates are too.
func (f *Field) IsInteger() bool {
	_, ok := integers[f.Type]
	return ok || f.IsDate() || f.IsUnsigned()
}

// IsUnsigned reports whether values go from 0 to 2^64-1. Their integers are moved down by 2^63, so that they fit.
func (f *Field) IsUnsigned() bool { return f.Type == "unsigned_long" }

// IsDate reports whether values are dates.
func (f *Field) IsDate() bool { return f.Type == "date" || f.Type == "date_nanos" }

// IsFloat reports whether values are floating-point numbers.
func (f *Field) IsFloat() bool {
	switch f.Type {
	case "double", "float", "half_float", "scaled_float":
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
	for _, name := range f.printOrder(def) {
		if err := f.param(leaf, name, def[name]); err != nil {
			return nil, err
		}
	}
	return f, f.complete(leaf, def)
}

// complete checks what a definition needs as a whole.
func (f *Field) complete(leaf string, def map[string]json.RawMessage) error {
	switch {
	case f.Type == "alias" && f.AliasOf == "":
		return mapperParsing("The [path] property must be specified for field [%s].", leaf)
	case f.Type == "constant_keyword" && f.Constant == nil:
		return mapperParsing("Field [%s] is missing required parameter [value]", leaf)
	case f.Type == "knn_vector" && f.Dimension == 0:
		return mapperParsing("Dimension value missing for vector: %s", leaf)
	case f.Type == "scaled_float" && f.ScalingFactor <= 0:
		return mapperParsing("Field [scaling_factor] is required")
	case f.SearchAnalyzer != "" && def["analyzer"] == nil:
		return mapperParsing("analyzer on field [%s] must be set when search_analyzer is set", leaf)
	}
	return nil
}

// printOrder is the order in which the parameters of a definition are printed.
func (f *Field) printOrder(def map[string]json.RawMessage) []string {
	order := strings.Fields(parameters[f.Type])
	names := slices.DeleteFunc(sortedKeys(def), func(name string) bool { return name == "type" })
	slices.SortStableFunc(names, func(a, b string) int { return slices.Index(order, a) - slices.Index(order, b) })
	return names
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
	case "knn_vector", "rank_features":
		f.Index, f.DocValues = false, false
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

// merge adds an update to a field.
func (f *Field) merge(update *Field) (*Field, error) {
	if f.Type != update.Type {
		return nil, fault.Illegal("mapper [%s] cannot be changed from type [%s] to [%s]", f.Path, f.Type, update.Type)
	}
	if bad := f.conflicts(update); len(bad) > 0 {
		return nil, fault.Illegal("Mapper for [%s] conflicts with existing mapper:\n\t%s", f.Path, strings.Join(bad, "\n\t"))
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
