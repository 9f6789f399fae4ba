// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/opensteward/steward/wire"
)

// template is a dynamic template.
type template struct {
	name                                                            string
	matchType, match, unmatch, pathMatch, pathUnmatch, matchPattern string
	mapping                                                         map[string]json.RawMessage
	raw                                                             json.RawMessage
}

func parseTemplates(raw json.RawMessage) ([]template, error) {
	var list []map[string]json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, mapperParsing("Dynamic template syntax error. An array of named objects is expected.")
	}
	var out []template
	for _, item := range list {
		whole, err := wire.Marshal(item)
		if err != nil || len(item) != 1 {
			return nil, mapperParsing("A dynamic template must be defined with a name")
		}
		for name, body := range item {
			t, err := parseTemplate(name, body)
			if err != nil {
				return nil, err
			}
			t.raw = whole
			out = append(out, t)
		}
	}
	return out, nil
}

func parseTemplate(name string, body json.RawMessage) (template, error) {
	var def struct {
		MatchType    string                     `json:"match_mapping_type"`
		Match        string                     `json:"match"`
		Unmatch      string                     `json:"unmatch"`
		PathMatch    string                     `json:"path_match"`
		PathUnmatch  string                     `json:"path_unmatch"`
		MatchPattern string                     `json:"match_pattern"`
		Mapping      map[string]json.RawMessage `json:"mapping"`
	}
	if err := json.Unmarshal(body, &def); err != nil || def.Mapping == nil {
		return template{}, mapperParsing("Invalid format: dynamic template [%s] must have a mapping", name)
	}
	if def.MatchPattern == "regex" {
		return template{}, mapperParsing("[match_pattern: regex] of dynamic template [%s] is not supported by the embedded engine", name)
	}
	return template{
		name: name, matchType: def.MatchType, match: def.Match, unmatch: def.Unmatch,
		pathMatch: def.PathMatch, pathUnmatch: def.PathUnmatch, mapping: def.Mapping,
	}, nil
}

// fits reports whether the template is for a new field of a JSON kind ("string", "long", "double", "boolean", "date",
// "object").
func (t template) fits(path, kind string) bool {
	leaf := path[strings.LastIndexByte(path, '.')+1:]
	yes := func(pattern, name string) bool { return pattern == "" || wire.Match(pattern, name) }
	no := func(pattern, name string) bool { return pattern != "" && wire.Match(pattern, name) }
	return (t.matchType == "" || t.matchType == "*" || t.matchType == kind) &&
		yes(t.match, leaf) && !no(t.unmatch, leaf) && yes(t.pathMatch, path) && !no(t.pathUnmatch, path)
}

// definition is what a new field is mapped to.
func (m *Mapping) definition(path, kind string) (map[string]json.RawMessage, error) {
	leaf := path[strings.LastIndexByte(path, '.')+1:]
	for _, t := range m.templates {
		if !t.fits(path, kind) {
			continue
		}
		whole, err := wire.Marshal(t.mapping)
		if err != nil {
			return nil, err
		}
		text := strings.NewReplacer("{name}", leaf, "{dynamic_type}", defaultType(kind)).Replace(string(whole))
		var def map[string]json.RawMessage
		if err := json.Unmarshal([]byte(text), &def); err != nil {
			return nil, mapperParsing("dynamic template [%s] gives no valid mapping", t.name)
		}
		if def["type"] == nil {
			def["type"] = json.RawMessage(strconv.Quote(defaultType(kind)))
		}
		return def, nil
	}
	if kind == "string" {
		return map[string]json.RawMessage{
			"type":   json.RawMessage(`"text"`),
			"fields": json.RawMessage(`{"keyword":{"type":"keyword","ignore_above":256}}`),
		}, nil
	}
	return map[string]json.RawMessage{"type": json.RawMessage(strconv.Quote(defaultType(kind)))}, nil
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

// dynamicDates are the formats that make a new text a date (OpenSearch's defaults).
const dynamicDates = "strict_date_optional_time||yyyy/MM/dd HH:mm:ss Z||yyyy/MM/dd Z"

// kind is the JSON kind of a value for dynamic mapping.
func (m *Mapping) kind(token wire.Token, text string) string {
	switch token {
	case wire.Boolean:
		return "boolean"
	case wire.Number:
		if strings.ContainsAny(text, ".eE") {
			return "double"
		}
		return "long"
	}
	_, isNumber := strconv.ParseFloat(text, 64)
	if m.numericDetection && isNumber == nil {
		if _, err := strconv.ParseInt(text, 10, 64); err == nil {
			return "long"
		}
		return "double"
	}
	if (m.dateDetection == nil || *m.dateDetection) && isNumber != nil {
		formats := dynamicDates
		if m.dynamicFormats != nil {
			formats = strings.Join(m.dynamicFormats, "||")
		}
		if _, err := wire.ParseDate(text, formats, time.UTC); err == nil {
			return "date"
		}
	}
	return "string"
}
