// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// template is a dynamic template.
type template struct {
	name string
	// pathMatch, pathUnmatch, match and unmatch are patterns; "" for none.
	pathMatch, pathUnmatch, match, unmatch string
	// kind is match_mapping_type: a JSON kind, "*", or "" where it is not given.
	kind string
	// regex says that the patterns are regular expressions.
	regex   bool
	mapping json.RawMessage
}

// kinds are the JSON kinds that a template may ask for.
var kinds = []string{"object", "string", "long", "double", "boolean", "date", "binary"}

func (m *Mapping) mergeTemplates(raw json.RawMessage, why reason) error {
	list, err := parseTemplates(raw)
	if err != nil {
		return err
	}
	if why != fromTemplate {
		m.templates = list
		return nil
	}
	merged := slices.Clone(m.templates)
	for _, t := range list {
		if i := slices.IndexFunc(merged, func(was template) bool { return was.name == t.name }); i >= 0 {
			merged[i] = t
			continue
		}
		merged = append(merged, t)
	}
	m.templates = merged
	return nil
}

func parseTemplates(raw json.RawMessage) ([]template, error) {
	var list []map[string]json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, mapperParsing("Dynamic template syntax error. An array of named objects is expected.")
	}
	out := []template{}
	for _, item := range list {
		if len(item) != 1 {
			return nil, mapperParsing("A dynamic template must be defined with a name")
		}
		for name, body := range item {
			t, err := parseTemplate(name, body)
			if err != nil {
				return nil, err
			}
			out = append(out, t)
		}
	}
	return out, nil
}

func parseTemplate(name string, body json.RawMessage) (template, error) {
	var def map[string]json.RawMessage
	if err := json.Unmarshal(body, &def); err != nil {
		return template{}, mapperParsing("A dynamic template must be defined with a name")
	}
	t := template{name: name}
	for _, key := range sortedKeys(def) {
		text := unquote(def[key])
		switch key {
		case "match":
			t.match = text
		case "unmatch":
			t.unmatch = text
		case "path_match":
			t.pathMatch = text
		case "path_unmatch":
			t.pathUnmatch = text
		case "match_mapping_type":
			t.kind = text
		case "match_pattern":
			if text != "simple" && text != "regex" {
				return t, fault.Illegal("No matching pattern matched on [%s]", text)
			}
			t.regex = text == "regex"
		case "mapping":
			t.mapping = def[key]
		default:
			return t, fault.Illegal("Illegal dynamic template parameter: [%s]", key)
		}
	}
	return t, t.check()
}

func (t *template) check() error {
	var m map[string]json.RawMessage
	switch {
	case t.match == "" && t.pathMatch == "" && t.kind == "":
		return mapperParsing("template must have match, path_match or match_mapping_type set")
	case t.mapping == nil || json.Unmarshal(t.mapping, &m) != nil:
		return mapperParsing("template must have mapping set")
	case t.kind != "" && t.kind != "*" && !slices.Contains(kinds, t.kind):
		return fault.Illegal("No field type matched on [%s], possible values are [%s]", t.kind, strings.Join(kinds, ", "))
	}
	if !t.regex {
		return nil
	}
	for _, pattern := range []string{t.match, t.unmatch, t.pathMatch, t.pathUnmatch} {
		if _, err := regexp.Compile(pattern); err != nil {
			return fault.Illegal("Pattern [%s] of type [regex] is invalid. Cannot create dynamic template [%s].", pattern, t.name)
		}
	}
	return nil
}

// json prints the template.
func (t *template) json() wire.Object {
	o := wire.Object{}
	for _, m := range []wire.Member{
		{Name: "path_match", Value: t.pathMatch},
		{Name: "path_unmatch", Value: t.pathUnmatch},
		{Name: "match", Value: t.match},
		{Name: "unmatch", Value: t.unmatch},
		{Name: "match_mapping_type", Value: t.kind},
	} {
		o.AddIf(m.Value != "", m.Name, m.Value)
	}
	o.AddIf(t.regex, "match_pattern", "regex")
	o.Add("mapping", t.mapping)
	return o
}

// fits reports whether the template is for a new field of a JSON kind.
func (t *template) fits(path, kind string) bool {
	is := func(pattern, name string) bool {
		if t.regex {
			matched, err := regexp.MatchString("^(?:"+pattern+")$", name)
			return err == nil && matched
		}
		return wire.Match(pattern, name)
	}
	leaf := lastName(path)
	return (t.kind == "" || t.kind == "*" || t.kind == kind) &&
		(t.match == "" || is(t.match, leaf)) && (t.unmatch == "" || !is(t.unmatch, leaf)) &&
		(t.pathMatch == "" || is(t.pathMatch, path)) && (t.pathUnmatch == "" || !is(t.pathUnmatch, path))
}

// definition is what the template maps a field to.
func (t *template) definition(path, kind, format string) (map[string]json.RawMessage, error) {
	typ := defaultType(kind)
	text := strings.NewReplacer("{name}", lastName(path), "{dynamic_type}", typ, "{dynamicType}", typ).Replace(string(t.mapping))
	var def map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &def); err != nil {
		return nil, mapperParsing("dynamic template [%s] gives no valid mapping", t.name)
	}
	if def["type"] == nil {
		def["type"] = quoted(typ)
	}
	if format != "" && def["format"] == nil && unquote(def["type"]) == "date" {
		def["format"] = quoted(format)
	}
	return def, nil
}

func quoted(s string) json.RawMessage { return json.RawMessage(strconv.Quote(s)) }

// definition is what a new field of a kind is mapped to. byTemplate is true if a dynamic template says it. format is
// the date format that a text fits.
func (m *Mapping) definition(path, kind, format string) (def map[string]json.RawMessage, byTemplate bool, err error) {
	for i := range m.templates {
		if t := &m.templates[i]; t.fits(path, kind) {
			def, err = t.definition(path, kind, format)
			return def, true, err
		}
	}
	def = map[string]json.RawMessage{"type": quoted(defaultType(kind))}
	switch {
	case kind == "string":
		def["fields"] = json.RawMessage(`{"keyword":{"type":"keyword","ignore_above":256}}`)
	case format != "" && format != defaultDateFormat:
		def["format"] = quoted(format)
	}
	return def, false, nil
}

func defaultType(kind string) string {
	switch kind {
	case "string":
		return "text"
	case "double":
		return "float"
	}
	return kind
}

// dynamicDates are the formats that make a new text a date: OpenSearch's defaults, of which the first that fits becomes
// the field's.
var dynamicDates = []string{defaultDateFormat, "yyyy/MM/dd HH:mm:ss||yyyy/MM/dd||epoch_millis"}

// parseFormats reads dynamic_date_formats: an array, one format, or "none".
func parseFormats(raw json.RawMessage) ([]string, error) {
	list := []string{}
	if err := json.Unmarshal(raw, &list); err != nil {
		if unquote(raw) == "none" {
			return list, nil
		}
		list = []string{unquote(raw)}
	}
	for _, format := range list {
		if strings.HasPrefix(format, "epoch_") {
			return nil, mapperParsing("Epoch [%s] is not supported as dynamic date format", format)
		}
		if err := wire.CheckDateFormat(format); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// kind is the JSON kind of a value for dynamic mapping; for a date also its format.
func (m *Mapping) kind(token wire.Token, text string) (kind, format string) {
	switch token {
	case wire.Boolean:
		return "boolean", ""
	case wire.Number:
		if strings.ContainsAny(text, ".eE") {
			return "double", ""
		}
		return "long", ""
	}
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		if m.numericDetection == nil || !*m.numericDetection {
			return "string", ""
		}
		if _, err := strconv.ParseInt(text, 10, 64); err == nil {
			return "long", ""
		}
		return "double", ""
	}
	if m.dateDetection != nil && !*m.dateDetection || !mayBeDate(text) {
		return "string", ""
	}
	formats := dynamicDates
	if m.dynamicFormats != nil {
		formats = m.dynamicFormats
	}
	for _, format := range formats {
		if _, err := wire.ParseDate(text, format, time.UTC); err == nil {
			return "date", format
		}
	}
	return "string", ""
}

// mayBeDate spares most texts the attempts to read them as dates.
func mayBeDate(text string) bool {
	return len(text) < 100 && strings.ContainsAny(text, "0123456789")
}
