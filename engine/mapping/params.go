// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// numberParameters are those of all number types.
const numberParameters = "index doc_values skip_list store ignore_malformed coerce null_value boost meta"

// parameters are what a field of a type may set, in the order in which OpenSearch prints them.
var parameters = map[string]string{
	"keyword":          "index doc_values store null_value eager_global_ordinals ignore_above index_options norms similarity normalizer split_queries_on_whitespace boost meta",
	"text":             "index store index_options norms term_vector analyzer search_analyzer search_quote_analyzer similarity position_increment_gap fielddata fielddata_frequency_filter eager_global_ordinals index_phrases index_prefixes boost meta",
	"date":             "index doc_values skip_list store format print_format locale null_value ignore_malformed boost meta",
	"date_nanos":       "index doc_values skip_list store format print_format locale null_value ignore_malformed boost meta",
	"boolean":          "meta boost doc_values index null_value store",
	"binary":           "meta store doc_values",
	"ip":               "index doc_values skip_list store ignore_malformed null_value boost meta",
	"scaled_float":     "index doc_values skip_list store ignore_malformed meta scaling_factor coerce null_value boost",
	"long":             numberParameters,
	"integer":          numberParameters,
	"short":            numberParameters,
	"byte":             numberParameters,
	"unsigned_long":    numberParameters,
	"double":           numberParameters,
	"float":            numberParameters,
	"half_float":       numberParameters,
	"alias":            "path",
	"constant_keyword": "value",
	"flat_object":      "doc_values store meta",
	"knn_vector":       "store data_type dimension space_type mode compression_level method meta",
	"rank_features":    "positive_score_impact meta",
}

// defaults are the values at which a parameter is not printed. ("type.parameter" goes before "parameter".)
var defaults = map[string]any{
	"index": true, "doc_values": true, "binary.doc_values": false, "store": false, "norms": true, "keyword.norms": false,
	"eager_global_ordinals": false, "ignore_malformed": false, "coerce": true, "split_queries_on_whitespace": false,
	"fielddata": false, "positive_score_impact": true, "data_type": "float", "index_phrases": false, "skip_list": false, "ignore_above": math.MaxInt32,
	"index_options": "positions", "keyword.index_options": "docs", "term_vector": "no", "boost": rawText("1.0"), "format": defaultDateFormat,
	"analyzer": "default", "normalizer": "default",
}

func defaultOf(typ, name string) any {
	if v, ok := defaults[typ+"."+name]; ok {
		return v
	}
	return defaults[name]
}

// mutable are the parameters that an update may change; all others are fixed once a field exists.
var mutable = []string{
	"ignore_above", "ignore_malformed", "coerce", "search_analyzer", "search_quote_analyzer", "fielddata",
	"fielddata_frequency_filter", "eager_global_ordinals", "split_queries_on_whitespace", "boost", "meta", "norms", "path",
}

// weightless are parameters that change nothing here but how a field is printed: what they tune (memory, scores of
// phrases, stored copies) has no part in the answers this engine gives.
var weightless = []string{
	"store", "norms", "index_options", "meta", "eager_global_ordinals", "term_vector", "index_prefixes", "index_phrases",
	"position_increment_gap", "split_queries_on_whitespace", "coerce", "skip_list", "search_quote_analyzer",
}

// param reads one parameter of a field.
func (f *Field) param(leaf, name string, raw json.RawMessage) error {
	if name == "fields" {
		return f.parseMulti(raw)
	}
	if name == "copy_to" {
		return fault.Unsupported("[copy_to] of a field")
	}
	if !slices.Contains(strings.Fields(parameters[f.Type]), name) {
		return mapperParsing("unknown parameter [%s] on mapper [%s] of type [%s]", name, leaf, f.Type)
	}
	if string(raw) == "null" {
		if name == "null_value" {
			return nil
		}
		return mapperParsing("[%s] on mapper [%s] of type [%s] must not have a [null] value", name, leaf, f.Type)
	}
	value, err := paramValue(name, raw)
	if err == nil {
		err = f.set(leaf, name, value)
	}
	if err != nil {
		return err
	}
	if value != defaultOf(f.Type, name) {
		f.params.Add(name, value)
	}
	return nil
}

// paramValue reads a parameter as a boolean, integer, number or text, as it is printed; others stay as they are.
func paramValue(name string, raw json.RawMessage) (any, error) {
	if _, ok := vectorParameters[name]; ok {
		return vectorParam(name, raw)
	}
	text := unquote(raw)
	switch name {
	case "index", "doc_values", "store", "norms", "eager_global_ordinals", "ignore_malformed", "coerce", "fielddata",
		"split_queries_on_whitespace", "index_phrases", "skip_list":
		b, err := wire.ParseBool(text)
		if err != nil {
			return nil, mapperParsing("Failed to parse mapping: %s", fault.Of(err).Reason)
		}
		return b, nil
	case "ignore_above", "position_increment_gap":
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return nil, mapperParsing("Failed to parse mapping: For input string: \"%s\"", text)
		}
		return n, nil
	case "scaling_factor", "boost":
		x, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, mapperParsing("Failed to parse mapping: For input string: \"%s\"", text)
		}
		return rawText(double(x)), nil
	case "meta", "index_prefixes", "fielddata_frequency_filter", "null_value":
		return rawText(raw), nil
	}
	return text, nil
}

// double is a floating-point number as OpenSearch prints it: always with a fraction.
func double(x float64) string {
	s := strconv.FormatFloat(x, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// rawText is JSON as it was written.
type rawText string

// MarshalJSON writes it as it is.
func (r rawText) MarshalJSON() ([]byte, error) { return []byte(r), nil }

// unquote is the text of a JSON string, or any other value as it is written.
func unquote(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

// set gives a parameter its meaning.
func (f *Field) set(leaf, name string, value any) error {
	if _, ok := vectorParameters[name]; ok {
		return f.setVector(leaf, name, value)
	}
	text := fmt.Sprint(value)
	switch name {
	case "index":
		f.Index = value == true
	case "doc_values":
		f.DocValues = value == true
	case "coerce":
		f.Exact = value == false
	case "ignore_malformed":
		f.IgnoreMalformed = value == true
	case "ignore_above":
		f.IgnoreAbove, _ = value.(int)
	case "analyzer", "search_analyzer", "search_quote_analyzer":
		return f.setAnalyzer(name, text)
	case "normalizer":
		if text != "lowercase" && text != "default" {
			return mapperParsing("normalizer [%s] not found for field [%s]", text, leaf)
		}
		f.Normalizer = strings.TrimSuffix(text, "default")
	case "format":
		f.Format = text
		if err := wire.CheckDateFormat(text); err != nil {
			return mapperParsing("Failed to parse mapping: %s", fault.Of(err).Reason)
		}
	case "scaling_factor":
		f.ScalingFactor, _ = strconv.ParseFloat(text, 64)
	case "null_value":
		s := unquote(json.RawMessage(text))
		f.NullValue = &s
	case "path":
		f.AliasOf = text
	case "value":
		f.Constant = &text
	default:
		return weigh(name, value)
	}
	return nil
}

// weigh refuses what would have to change an answer.
func weigh(name string, value any) error {
	switch {
	case slices.Contains(weightless, name), value == defaults[name], name == "similarity" && value == "BM25":
		return nil
	}
	return fault.Unsupported("[" + name + "] of a field")
}

func (f *Field) setAnalyzer(name, analyzer string) error {
	if analyzer == "default" {
		analyzer = "standard"
	}
	if !knownAnalyzer(analyzer) {
		return mapperParsing("analyzer [%s] has not been configured in mappings", analyzer)
	}
	switch name {
	case "analyzer":
		f.Analyzer = analyzer
	case "search_analyzer":
		f.SearchAnalyzer = analyzer
	}
	return nil
}

// paramOf is a parameter's value, the default if it is not set.
func (f *Field) paramOf(name string) string {
	for _, m := range f.params {
		if m.Name == name {
			return fmt.Sprint(m.Value)
		}
	}
	if v := defaultOf(f.Type, name); v != nil {
		return fmt.Sprint(v)
	}
	return "null"
}

// conflicts lists what an update would change and may not.
func (f *Field) conflicts(update *Field) []string {
	var out []string
	for _, name := range strings.Fields(parameters[f.Type]) {
		was, is := f.paramOf(name), update.paramOf(name)
		if was != is && !slices.Contains(mutable, name) {
			out = append(out, fmt.Sprintf("Cannot update parameter [%s] from [%s] to [%s]", name, was, is))
		}
	}
	return out
}
