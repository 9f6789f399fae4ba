// SPDX-License-Identifier: Apache-2.0

package step

import (
	"encoding/json"
	"regexp"
	"strings"
)

var (
	ingest = named{kind: "ingest pipeline", input: "pipeline_id", path: []string{"_ingest", "pipeline"}, body: unquoteArrays, equal: sameJSON}
	search = named{kind: "search pipeline", input: "pipeline_id", path: []string{"_search", "pipeline"}, body: unquoteArrays, equal: sameJSON}
)

var quotedArray = regexp.MustCompile(`"(\[.*?\])"`)

// unquoteArrays makes arrays of the texts that hold one: a substitution value is always a text. A text that only looks
// like an array, such as a character class of a pattern, stays (the plugin breaks it).
func unquoteArrays(body string) string {
	return quotedArray.ReplaceAllStringFunc(body, func(found string) string {
		array := strings.ReplaceAll(found[1:len(found)-1], `\"`, `"`)
		if !json.Valid([]byte(array)) {
			return found
		}
		return array
	})
}
