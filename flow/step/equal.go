// SPDX-License-Identifier: Apache-2.0

package step

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// sameJSON reports whether two JSON texts mean the same; numbers are compared as they are written.
func sameJSON(a, b string) bool {
	var x, y any
	return decode(a, &x) == nil && decode(b, &y) == nil && reflect.DeepEqual(x, y)
}

// indexFound is an index as the cluster shows it, settings flat.
type indexFound struct {
	Settings map[string]any
	Mappings map[string]any
	Aliases  map[string]any
}

// has reports whether an index has what a configuration asks for. It may have more: templates and the cluster add
// settings, fields and aliases.
func (f indexFound) has(configurations string) bool {
	var want indexFound
	if configurations != "" && decode(configurations, &want) != nil {
		return false
	}
	for key, v := range fullKeys(want.Settings) {
		if have, ok := f.Settings[key]; !ok || settingText(have) != settingText(v) {
			return false
		}
	}
	for name := range want.Aliases {
		if _, ok := f.Aliases[name]; !ok {
			return false
		}
	}
	return hasFields(want.Mappings, f.Mappings)
}

// hasFields reports whether a mapping has all fields of another, of the same types.
func hasFields(want, have map[string]any) bool {
	fields, _ := want["properties"].(map[string]any)
	present, _ := have["properties"].(map[string]any)
	for name, field := range fields {
		w, _ := field.(map[string]any)
		h, ok := present[name].(map[string]any)
		if !ok {
			return false
		}
		if typ, given := w["type"]; given && typ != "object" && typ != h["type"] {
			return false
		}
		if !hasFields(w, h) {
			return false
		}
	}
	return true
}

// fullKeys are settings, nested or dotted, by their full flat keys.
func fullKeys(settings map[string]any) map[string]any {
	flat := map[string]any{}
	flatten("", settings, flat)
	full := make(map[string]any, len(flat))
	for key, v := range flat {
		if !strings.HasPrefix(key, "index.") {
			key = "index." + key
		}
		full[key] = v
	}
	return full
}

// settingText is a setting's value as text: a list may be written with commas.
func settingText(v any) string {
	list, ok := v.([]any)
	if !ok {
		return fmt.Sprint(v)
	}
	items := make([]string, len(list))
	for i, item := range list {
		items[i] = fmt.Sprint(item)
	}
	return strings.Join(items, ",")
}

// decode keeps numbers as they are written.
func decode(body string, into any) error {
	d := json.NewDecoder(strings.NewReader(body))
	d.UseNumber()
	return d.Decode(into)
}
