// SPDX-License-Identifier: Apache-2.0

package step

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/opensteward/steward/flow"
)

// text is an input as text, whatever scalar it is (the plugin fails on a number where it wants a text); "" if absent.
func text(in flow.Inputs, name string) string {
	v, ok := in.Get(name)
	if !ok {
		return ""
	}
	return fmt.Sprint(v)
}

// underscored is a kind as it stands in the name of a step.
func underscored(kind string) string { return strings.ReplaceAll(kind, " ", "_") }

// boolean is a true or false, given as such or as text.
func boolean(v string) (bool, error) {
	switch v {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, failed(http.StatusBadRequest, nil, "Failed to parse value [%s] as only [true] or [false] are allowed.", v)
}

func integer(name, v string) (int, error) {
	n, err := strconv.Atoi(v)
	if err != nil {
		return 0, failed(http.StatusBadRequest, err, "Failed to parse value [%s] of [%s] as an integer", v, name)
	}
	return n, nil
}

// isObject reports whether a text is one JSON object.
func isObject(body string) bool {
	var members map[string]json.RawMessage
	return json.Unmarshal([]byte(body), &members) == nil && members != nil
}
