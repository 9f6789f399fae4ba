// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"
	"slices"
	"strings"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/engine/mapping"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

// capability is what can be done with a field that has one type in some indices.
type capability struct {
	typ                               string
	indices                           []string
	notSearchable, notAggregatable    []string
	searchable, aggregatable, unknown bool
}

// metadataFields are those that every index has: type, and whether it can be searched and aggregated over.
var metadataFields = map[string]struct {
	typ                      string
	searchable, aggregatable bool
}{
	"_data_stream_timestamp": {"_data_stream_timestamp", false, false},
	"_doc_count":             {"long", false, false},
	"_feature":               {"_feature", false, false},
	"_field_names":           {"_field_names", true, false},
	"_id":                    {"_id", true, true},
	"_ignored":               {"_ignored", true, false},
	"_index":                 {"_index", true, true},
	"_nested_path":           {"_nested_path", true, false},
	"_routing":               {"_routing", true, false},
	"_seq_no":                {"_seq_no", true, true},
	"_source":                {"_source", false, false},
	"_version":               {"_version", false, false},
}

// fieldCaps is the API that says what can be done with fields of several indices.
func (s *Server) fieldCaps(r *rest.Request) (rest.Action, error) {
	patterns, expressions := r.List("fields"), r.List("index")
	o := r.IndexOptions(searchOptions)
	unmapped := r.Bool("include_unmapped", false)
	if len(patterns) == 0 {
		return nil, fault.Illegal("specified fields can't be null or empty")
	}
	if r.HasBody() {
		return nil, fault.Unsupported("[index_filter] of field capabilities")
	}
	return func(context.Context) (*rest.Response, error) {
		indices, err := s.Catalog.State().Resolve(expressions, o, s.Clock.Now())
		if err != nil {
			return nil, err
		}
		names := []string{}
		for _, index := range indices {
			names = append(names, index.Name)
		}
		return rest.OK(wire.Obj("indices", names, "fields", capabilities(indices, names, patterns, unmapped))), nil
	}, nil
}

// capabilities are the fields of indices that match patterns, each with its types.
func capabilities(indices []*catalog.Index, names, patterns []string, unmapped bool) wire.Object {
	fields := map[string][]*capability{}
	for _, index := range indices {
		for path, c := range fieldsOf(index.Mapping, patterns) {
			at := slices.IndexFunc(fields[path], func(other *capability) bool { return other.typ == c.typ })
			if at < 0 {
				fields[path] = append(fields[path], &capability{typ: c.typ})
				at = len(fields[path]) - 1
			}
			fields[path][at].add(index.Name, c)
		}
	}
	out := wire.Object{}
	for _, path := range sorted(fields) {
		list := fields[path]
		if missing := without(names, list); unmapped && len(missing) > 0 {
			list = append(list, &capability{typ: "unmapped", indices: missing, unknown: true})
		}
		byType := wire.Object{}
		for _, c := range list {
			byType.Add(c.typ, c.json(len(list) > 1))
		}
		out.Add(path, byType)
	}
	return out
}

// fieldsOf are the fields of a mapping that match patterns, and the objects that hold them.
func fieldsOf(m *mapping.Mapping, patterns []string) map[string]capability {
	out := map[string]capability{}
	for name, f := range metadataFields {
		if wire.MatchAny(patterns, name) {
			out[name] = capability{typ: f.typ, searchable: f.searchable, aggregatable: f.aggregatable}
		}
	}
	for _, pattern := range patterns {
		for _, path := range m.Fields(pattern) {
			f := m.Field(path)
			out[path] = capability{typ: f.Type, searchable: f.Index, aggregatable: f.DocValues && f.Type != "text"}
			for at := strings.LastIndexByte(path, '.'); at >= 0; at = strings.LastIndexByte(path[:at], '.') {
				object := path[:at]
				if !m.HasObject(object) {
					continue // it is a field with further ones below it
				}
				c := capability{typ: "object"}
				if _, nested := m.NestedObject(object); nested {
					c.typ = "nested"
				}
				out[object] = c
			}
		}
	}
	return out
}

// add takes in the field of one more index.
func (c *capability) add(index string, of capability) {
	c.indices = append(c.indices, index)
	if !of.searchable {
		c.notSearchable = append(c.notSearchable, index)
	}
	if !of.aggregatable {
		c.notAggregatable = append(c.notAggregatable, index)
	}
}

// json is the capability as the answer has it; the indices are named where the field has other types in others.
func (c *capability) json(several bool) wire.Object {
	o := wire.Obj("type", c.typ, "searchable", !c.unknown && len(c.notSearchable) == 0, "aggregatable", !c.unknown && len(c.notAggregatable) == 0)
	o.AddIf(several, "indices", c.indices)
	o.AddIf(some(c.notSearchable, c.indices), "non_searchable_indices", c.notSearchable)
	o.AddIf(some(c.notAggregatable, c.indices), "non_aggregatable_indices", c.notAggregatable)
	return o
}

// some reports whether a part is neither nothing nor all.
func some(part, all []string) bool { return len(part) > 0 && len(part) < len(all) }

// without are the names that none of a field's types stands for.
func without(names []string, list []*capability) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return slices.ContainsFunc(list, func(c *capability) bool { return slices.Contains(c.indices, name) })
	})
}
