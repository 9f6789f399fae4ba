// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"cmp"
	"encoding/json"
	"strings"

	"github.com/opensteward/steward/fault"
)

// plant puts a definition at a path of a properties tree.
func plant(tree map[string]any, path string, def any) {
	name, rest, deeper := strings.Cut(path, ".")
	if !deeper {
		tree[name] = def
		return
	}
	o, ok := tree[name].(map[string]any)
	if !ok {
		o = map[string]any{}
		tree[name] = o
	}
	inner, ok := o["properties"].(map[string]any)
	if !ok {
		inner = map[string]any{}
		o["properties"] = inner
	}
	plant(inner, rest, def)
}

func strict(mode Dynamic, parent, name string) error {
	return fault.New(400, "strict_dynamic_mapping_exception", "mapping set to %s, dynamic introduction of [%s] within [%s] is not allowed",
		mode, name, cmp.Or(parent, "_doc"))
}

// newObject maps a new object, or what a dynamic template makes a leaf of; neither if the mapping ignores it.
func (w *walker) newObject(path, parent, name string, dynamic Dynamic) (*object, *Field, error) {
	switch {
	case dynamic == DynamicStrict:
		return nil, nil, strict(dynamic, parent, name)
	case dynamic == DynamicFalse:
		return nil, nil, nil
	case w.part != nil:
		return newObject(path), nil, nil
	}
	def, byTemplate, err := w.mapping.definition(path, "object", "")
	if err != nil || dynamic == DynamicFalseTemplates && !byTemplate {
		return nil, nil, err
	}
	if typ := unquote(def["type"]); typ != "object" && typ != "nested" {
		f, err := w.addField(path, def)
		return nil, f, err
	}
	o, err := newObject(path).define(unquote(def["type"]) == "nested", def, growth)
	if err != nil {
		return nil, nil, err
	}
	tree := map[string]any{}
	for key, value := range def {
		var v any
		if err := json.Unmarshal(value, &v); err != nil {
			return nil, nil, err
		}
		tree[key] = v
	}
	w.addAt(path, tree)
	w.fresh[path] = o
	return o, nil, nil
}

// newField maps a new leaf; nil if the mapping ignores it.
func (w *walker) newField(path, parent, name string, dynamic Dynamic, text string) (*Field, error) {
	switch {
	case dynamic == DynamicStrict:
		return nil, strict(dynamic, parent, name)
	case dynamic == DynamicFalse, w.part != nil:
		return nil, nil
	}
	kind, format := w.mapping.kind(w.p.Token(), text)
	def, byTemplate, err := w.mapping.definition(path, kind, format)
	switch {
	case err != nil:
		return nil, err
	case dynamic == DynamicStrictTemplates && !byTemplate:
		return nil, strict(dynamic, parent, name)
	case dynamic == DynamicFalseTemplates && !byTemplate:
		return nil, nil
	}
	return w.addField(path, def)
}

func (w *walker) addField(path string, def map[string]json.RawMessage) (*Field, error) {
	f, err := parseField(path, def)
	if err != nil {
		return nil, err
	}
	w.addAt(path, def)
	w.pending[path] = f
	return f, nil
}

// addAt notes a new definition, and the objects that its path goes through.
func (w *walker) addAt(path string, def any) {
	if w.added == nil {
		w.added, w.pending, w.fresh = map[string]any{}, map[string]*Field{}, map[string]*object{}
	}
	plant(w.added, path, def)
	for i, c := range path {
		if c == '.' && w.fresh[path[:i]] == nil && !w.mapping.HasObject(path[:i]) {
			w.fresh[path[:i]] = newObject(path[:i])
		}
	}
}
