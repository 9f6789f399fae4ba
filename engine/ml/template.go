// SPDX-License-Identifier: Apache-2.0

package ml

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// placeholders are ${scope.name} and ${scope.name:-default}.
var placeholders = map[string]*regexp.Regexp{
	"parameters": regexp.MustCompile(`\$\{parameters\.([^}]*?)(?::-([^}]*))?\}`),
	"credential": regexp.MustCompile(`\$\{credential\.([^}]*?)(?::-([^}]*))?\}`),
}

// fill replaces the placeholders of a scope by values, or by their defaults. What neither fills stays.
func fill(text, scope string, values map[string]string) string {
	if !strings.Contains(text, "${"+scope+".") {
		return text
	}
	pattern := placeholders[scope]
	return pattern.ReplaceAllStringFunc(text, func(found string) string {
		m := pattern.FindStringSubmatch(found)
		if v, ok := values[m[1]]; ok {
			return v
		}
		if strings.Contains(found, ":-") {
			return m[2]
		}
		return found
	})
}

// nullDefault is a quoted placeholder that becomes null, without quotes, if nothing fills it.
var nullDefault = regexp.MustCompile(`"\$\{parameters\.(\w+):-null\}"`)

// payload is the body of a call: the action's template filled in. It must be JSON then.
func (a *Action) payload(values map[string]string) (string, error) {
	if a.RequestBody == nil {
		return values["http_body"], nil
	}
	body := nullDefault.ReplaceAllStringFunc(*a.RequestBody, func(found string) string {
		if _, ok := values[nullDefault.FindStringSubmatch(found)[1]]; ok {
			return found
		}
		return "null"
	})
	body = fill(body, "parameters", values)
	if left := placeholders["parameters"].FindAllStringSubmatch(body, -1); left != nil && values["skip_validating_missing_parameters"] != "true" {
		names := make([]string, len(left))
		for i, m := range left {
			names[i] = m[1]
		}
		return "", fault.Illegal("Some parameter placeholder not filled in payload: %s", strings.Join(names, ", "))
	}
	if !json.Valid([]byte(body)) {
		return "", fault.Illegal("Invalid payload: %s", body)
	}
	return body, nil
}

// escaped makes values safe between the quotes of a template; those that are JSON already go in as they are.
func escaped(values map[string]string) map[string]string {
	out := make(map[string]string, len(values))
	for name, v := range values {
		out[name] = v
		if !json.Valid([]byte(v)) {
			out[name] = inQuotes(v)
		}
	}
	return out
}

// inQuotes is what stands for a text between the quotation marks of a JSON string.
func inQuotes(text string) string {
	quoted, err := wire.Marshal(text)
	if err != nil {
		return text
	}
	return string(quoted[1 : len(quoted)-1])
}
