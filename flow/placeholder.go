// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"slices"
	"strings"
)

// Placeholders are the names between ${{ and }} in a text, each once.
func Placeholders(text string) (names []string) {
	for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(names, m[1]) {
			names = append(names, m[1])
		}
	}
	return names
}

// Unfilled are the placeholders of a node's inputs that neither a parameter nor a direct predecessor fills. outputs are
// the names that a predecessor gives, by its node id.
func Unfilled(p Planned, params []Param, outputs map[string][]string) (names []string) {
	for _, name := range PlaceholdersOf(p.Node.Inputs) {
		if slices.ContainsFunc(params, func(p Param) bool { return p.Name == name }) {
			continue
		}
		node, key, _ := strings.Cut(name, ".")
		if slices.Contains(p.After, node) && slices.Contains(outputs[node], key) {
			continue
		}
		names = append(names, name)
	}
	return names
}

// PlaceholdersOf are the placeholders of all texts among inputs ([Inputs], or one value), each once.
func PlaceholdersOf(v any) (names []string) {
	add := func(more []string) {
		for _, name := range more {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	switch v := v.(type) {
	case string:
		add(Placeholders(v))
	case JSONText:
		add(Placeholders(string(v)))
	case Verbatim:
	case Texts:
		for _, text := range v {
			add(Placeholders(text))
		}
	case Map:
		for _, p := range v {
			add(Placeholders(p.Value))
		}
	case List:
		for _, item := range v {
			add(PlaceholdersOf(item))
		}
	case Inputs:
		for _, in := range v {
			add(PlaceholdersOf(in.Value))
		}
	}
	return names
}
