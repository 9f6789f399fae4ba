// SPDX-License-Identifier: Apache-2.0

package step

import (
	"net/http"
	"strings"
)

// single refuses a name that in a request's path could mean anything but the one resource: the plugin calls the
// cluster without a path, where a name is only a name.
func single(input, name string) error {
	if name == "" || name == "." || name == ".." || name == "_all" || strings.ContainsAny(name, `*,/\`) {
		return failed(http.StatusBadRequest, nil, "Input [%s] does not name one resource: [%s]", input, name)
	}
	return nil
}

// index refuses, besides, a name that would be read as another API, and date math, which names another index tomorrow.
func index(name string) error {
	if strings.HasPrefix(name, "<") {
		return failed(http.StatusBadRequest, nil, "Input [index_name] does not name one resource: [%s]", name)
	}
	if strings.HasPrefix(name, "_") && name != "_all" {
		return failed(http.StatusBadRequest, nil, "Invalid index name [%s], must not start with '_', '-', or '+'", name)
	}
	return single("index_name", name)
}
