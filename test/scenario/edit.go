// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"errors"
	"net/http"
	"strings"
)

// edit is a line that changes members of an index's job, or of its metadata.
func edit(w []string, b block) (func(*player) error, error) {
	names, values, err := b.pairs()
	if err != nil {
		return nil, err
	}
	changes, id := map[string]any{}, ""
	for i, name := range names {
		var value any
		if value, err = decode([]byte(values[i])); err != nil {
			value = values[i]
		}
		kind, _, _ := strings.Cut(name, ".")
		switch {
		case kind == "managed_index" && id != "%23metadata":
		case kind == "managed_index_metadata" && (i == 0 || id != ""):
			id = "%23metadata"
		default:
			return nil, errors.New("one document is edited: managed_index or managed_index_metadata")
		}
		put(changes, name, value)
	}
	return func(p *player) error {
		d, err := p.documents(w[0])
		if err != nil {
			return err
		}
		_, err = p.call(http.MethodPost, "/.opendistro-ism-config/_update/"+d.uuid+id+"?routing="+d.uuid, map[string]any{"doc": changes})
		return err
	}, nil
}

// put sets a member that a path with dots names.
func put(o map[string]any, path string, value any) {
	first, rest, nested := strings.Cut(path, ".")
	if !nested {
		o[path] = value
		return
	}
	below, is := o[first].(map[string]any)
	if !is {
		below = map[string]any{}
		o[first] = below
	}
	put(below, rest, value)
}
