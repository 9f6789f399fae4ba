// SPDX-License-Identifier: Apache-2.0

package ml

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/opensteward/steward/fault"
)

// jsonStep is one step of a path: a member, an element, or all of them.
var jsonStep = regexp.MustCompile(`^(?:\.(\*|[^.\[\]()?@*]+)|\[(\*|-?\d+|'[^']*'|"[^"]*")\])`)

// readPath is what a JSONPath selects of a JSON text: one value, or a list of values if the path has a [*] in it.
// Members, elements and wildcards are known; other expressions are refused.
func readPath(text []byte, path string) (any, error) {
	var root any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&root); err != nil {
		return nil, fault.Illegal("the answer of the remote service is not JSON")
	}
	rest, ok := strings.CutPrefix(strings.TrimSpace(path), "$")
	if !ok {
		return nil, unknownPath(path)
	}
	values, many := []any{root}, false
	for rest != "" {
		m := jsonStep.FindStringSubmatch(rest)
		if m == nil {
			return nil, unknownPath(path)
		}
		rest = rest[len(m[0]):]
		step := strings.Trim(m[1]+m[2], `'"`)
		if step == "*" {
			many = true
		}
		if values = descend(values, step); len(values) == 0 && !many {
			return nil, fault.Illegal("Missing property in path %s", path)
		}
	}
	if many {
		return values, nil
	}
	return values[0], nil
}

func unknownPath(path string) error {
	return fault.Unsupported("the JSON path [" + path + "]")
}

// descend goes one step down from each value.
func descend(values []any, step string) (out []any) {
	for _, v := range values {
		switch v := v.(type) {
		case map[string]any:
			if step == "*" {
				for _, name := range sortedNames(v) {
					out = append(out, v[name])
				}
			} else if member, ok := v[step]; ok {
				out = append(out, member)
			}
		case []any:
			if step == "*" {
				out = append(out, v...)
			} else if n, err := strconv.Atoi(step); err == nil {
				if n < 0 {
					n += len(v)
				}
				if n >= 0 && n < len(v) {
					out = append(out, v[n])
				}
			}
		}
	}
	return out
}

func sortedNames(m map[string]any) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
