// SPDX-License-Identifier: Apache-2.0

package step

import (
	"encoding/json"
	"net/url"
)

// The kinds of resources that the plugin has no steps for. What is there counts as equal if it has all that a body asks
// for: servers add defaults.
var (
	indexTemplates = named{
		kind: "index template", input: "index_template_name", path: []string{"_index_template"},
		find: inList("index_templates", "index_template"), equal: hasAll,
	}
	componentTemplates = named{
		kind: "component template", input: "component_template_name", path: []string{"_component_template"},
		find: inList("component_templates", "component_template"), equal: hasAll,
	}
	dataStreams = named{
		kind: "data stream", input: "data_stream_name", path: []string{"_data_stream"},
		find: inList("data_streams", ""), equal: func(string, string) bool { return false },
	}
	repositories = named{
		kind: "snapshot repository", input: "repository_name", path: []string{"_snapshot"}, equal: hasAll,
	}
	policies = named{
		kind: "ism policy", input: "policy_id", path: []string{"_plugins", "_ism", "policies"}, own: true,
		find: func(answer json.RawMessage, _ string) json.RawMessage { return answer }, equal: hasAll, over: versionOf,
	}
)

// versionOf are the parameters of a write that replaces only what was read.
func versionOf(answer json.RawMessage) url.Values {
	var doc struct {
		SeqNo       json.Number `json:"_seq_no"`
		PrimaryTerm json.Number `json:"_primary_term"`
	}
	if json.Unmarshal(answer, &doc) != nil {
		return nil
	}
	return url.Values{"if_seq_no": {doc.SeqNo.String()}, "if_primary_term": {doc.PrimaryTerm.String()}}
}

// inList finds the entry of a name in a list of an answer, and the body in it (inner; "" is the entry itself).
func inList(list, inner string) func(answer json.RawMessage, id string) json.RawMessage {
	return func(answer json.RawMessage, id string) json.RawMessage {
		var lists map[string][]map[string]json.RawMessage
		if json.Unmarshal(answer, &lists) != nil {
			return nil
		}
		for _, entry := range lists[list] {
			var name string
			if json.Unmarshal(entry["name"], &name) != nil || name != id {
				continue
			}
			if inner != "" {
				return entry[inner]
			}
			return json.RawMessage(`{}`)
		}
		return nil
	}
}

// hasAll reports whether what is there has all that a body asks for; settings are compared however they are nested.
func hasAll(there, body string) bool {
	var have, want any
	return decode(there, &have) == nil && decode(body, &want) == nil && covers(plainSettings(have), plainSettings(want))
}

// plainSettings is a body with all its settings flat, by their full keys and as texts.
func plainSettings(v any) any {
	members, ok := v.(map[string]any)
	if !ok {
		return v
	}
	out := make(map[string]any, len(members))
	for name, member := range members {
		settings, ok := member.(map[string]any)
		if name != "settings" || !ok {
			out[name] = plainSettings(member)
			continue
		}
		flat := map[string]any{}
		for key, value := range fullKeys(settings) {
			flat[key] = settingText(value)
		}
		out[name] = flat
	}
	return out
}
