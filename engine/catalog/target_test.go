// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"fmt"
	"strings"
	"testing"

	"github.com/opensteward/steward/wire"
)

// shown is a target as "index routing", or its error.
func shown(target Target, err error) string {
	if err != nil {
		return said(err)
	}
	return strings.TrimSpace(target.Index.Name + " " + target.Routing)
}

// documents is a catalog with the aliases that targets know.
func documents(t *testing.T) *Catalog {
	t.Helper()
	c := streams(t, newCatalog(t))
	must(t, c.CreateDataStream(t.Context(), "logs"))
	create(t, c, "a", NewIndex{Aliases: map[string]Alias{"one": {IndexRouting: "r", SearchRouting: "1,2"}, "two": {}, "no": {IsWrite: flag(false)}}})
	create(t, c, "b", NewIndex{Aliases: map[string]Alias{"two": {}, "w": {IsWrite: flag(true)}}})
	create(t, c, "d", NewIndex{Aliases: map[string]Alias{"w": {IsWrite: flag(false)}}})
	create(t, c, "shut", NewIndex{Aliases: map[string]Alias{"closed": {}}})
	create(t, c, "locked", NewIndex{Settings: changing("index.blocks.write", "true")})
	_, err := c.CloseIndices(t.Context(), []string{"shut"}, all)
	must(t, err)
	return c
}

func TestWhereDocumentsGo(t *testing.T) {
	nowhere := func(alias string) string {
		return "400 illegal_argument_exception: no write index is defined for alias [" + alias + "]. The write index may be explicitly disabled using is_write_index=false or the alias points to multiple indices without one being designated as a write index"
	}
	for _, e := range []struct {
		is, name      string
		alias, create bool
		want          string
	}{
		{"to an index", "a", false, false, "a"},
		{"to an alias of one, by its routing", "one", false, false, "a r"},
		{"to the write index of several", "w", false, false, "b"},
		{"not to an alias of several", "two", false, false, nowhere("two")},
		{"not to an alias that is not written to", "no", false, false, nowhere("no")},
		{"to a new index", "new", false, false, "new"},
		{"to a new index by its date", "<new-{now/d}>", false, false, "new-2026.01.01"},
		{"to a new data stream", "logs-new", false, true, ".ds-logs-new-000001"},
		{"to a data stream, what is new", "logs", false, true, ".ds-logs-000001"},
		{"not to a data stream, what may replace", "logs", false, false, "400 illegal_argument_exception: only write ops with an op_type of create are allowed in data streams"},
		{"not to a backing index, what is new", ".ds-logs-000001", false, true, "400 illegal_argument_exception: index request with op_type=create targeting backing indices is disallowed, target corresponding data stream [logs] instead"},
		{"to a backing index, what replaces", ".ds-logs-000001", false, false, ".ds-logs-000001"},
		{"not to a closed index", "shut", false, false, "400 index_closed_exception: closed"},
		{"not to a blocked index", "locked", false, false, "403 cluster_block_exception: index [locked] blocked by: [FORBIDDEN/8/index write (api)];"},
		{"not to a bad name", "Bad", false, false, "400 invalid_index_name_exception: Invalid index name [Bad], must be lowercase"},
		{"to an alias that has to be one", "w", true, false, "b"},
		{"not to an index where an alias has to be", "a", true, false, "404 index_not_found_exception: no such index [a] and [require_alias] request flag is [true] and [a] is not an alias"},
	} {
		t.Run(e.is, func(t *testing.T) {
			if got := shown(documents(t).WriteTarget(t.Context(), e.name, e.alias, e.create)); got != e.want {
				t.Errorf("\n got %s\nwant %s", got, e.want)
			}
		})
	}
}

func TestDeletingMakesNoIndex(t *testing.T) {
	c := documents(t)
	says(t, func() error { _, err := c.DeleteTarget(t.Context(), "new", false); return err }(), "404 index_not_found_exception: no such index [new]")
	if got := shown(c.DeleteTarget(t.Context(), "one", false)); got != "a r" {
		t.Error(got)
	}
}

func TestWhereDocumentsAreRead(t *testing.T) {
	c := documents(t)
	for _, e := range []struct{ is, name, want string }{
		{"from an index", "a", "a"},
		{"from an alias, by the routing of writes", "one", "a r"},
		{"from an alias that is not written to", "no", "a"},
		{"from a data stream of one", "logs", ".ds-logs-000001"},
		{"not from an alias of several", "two", "400 illegal_argument_exception: alias [two] has more than one index associated with it [a, b], can't execute a single index op"},
		{"not from a closed index", "closed", "400 index_closed_exception: closed"},
		{"not from a missing index", "nope", "404 index_not_found_exception: no such index [nope]"},
		{"from an index that takes none", "locked", "locked"},
	} {
		t.Run(e.is, func(t *testing.T) {
			if got := shown(c.State().ReadTarget(e.name, c.clock.Now())); got != e.want {
				t.Errorf("\n got %s\nwant %s", got, e.want)
			}
		})
	}
}

func TestWhichIndicesAreMadeByWrites(t *testing.T) {
	forbidden := func(name, text string) string {
		return "404 index_not_found_exception: no such index [" + name + "]" + text
	}
	for _, e := range []struct{ is, value, name, want string }{
		{"any", "true", "a1", "a1"},
		{"none", "false", "a1", forbidden("a1", "")},
		{"those of a pattern", "+a*,-b*", "a1", "a1"},
		{"those of a pattern without sign", "a*", "a1", "a1"},
		{"the first pattern counts", "-a*,+a1", "a1", forbidden("a1", " and [action.auto_create_index] contains [-a*] which forbids automatic creation of the index")},
		{"none of another", "+a*,-b*", "c1", forbidden("c1", " and [action.auto_create_index] ([+a*,-b*]) doesn't match")},
	} {
		t.Run(e.is, func(t *testing.T) {
			c := newCatalog(t)
			must(t, c.PutClusterSettings(t.Context(), changing("action.auto_create_index", e.value), SettingsChange{}))
			if got := shown(c.WriteTarget(t.Context(), e.name, false, false)); got != e.want {
				t.Errorf("\n got %s\nwant %s", got, e.want)
			}
		})
	}
}

func TestWhatSearchesThroughAliasesSee(t *testing.T) {
	c := newCatalog(t)
	filter := func(name string) []byte { return []byte(`{"term":{"f":"` + name + `"}}`) }
	create(t, c, "a", NewIndex{Aliases: map[string]Alias{
		"f1": {Filter: filter("1"), SearchRouting: "1"}, "f2": {Filter: filter("2"), SearchRouting: "2,3"}, "whole": {},
	}})
	create(t, c, "b", NewIndex{})
	o := wire.IndexOptions{Open: true, AllowNoIndices: true}
	for _, e := range []struct{ is, asked, want string }{
		{"an index whole", "a", "a"},
		{"through one alias", "f1", `a {"term":{"f":"1"}} by 1`},
		{"through two", "f1,f2", `a {"term":{"f":"1"}} {"term":{"f":"2"}} by 1 2 3`},
		{"through a pattern of two", "f*", `a {"term":{"f":"1"}} {"term":{"f":"2"}} by 1 2 3`},
		{"whole through one without filter", "f1,whole", "a"},
		{"whole if it is named too", "f1,a", "a"},
		{"whole if it is matched too", "f1,a*", "a"},
		{"others whole", "f1,b", `a {"term":{"f":"1"}} by 1;b`},
		{"all whole", "_all", "a;b"},
	} {
		t.Run(e.is, func(t *testing.T) {
			list, err := c.State().ResolveSearch(strings.Split(e.asked, ","), o, c.clock.Now())
			must(t, err)
			var got []string
			for _, target := range list {
				text := target.Index.Name
				for _, f := range target.Filters {
					text += " " + string(f)
				}
				if target.Routing != nil {
					text += " by " + strings.Join(target.Routing, " ")
				}
				got = append(got, text)
			}
			if strings.Join(got, ";") != e.want {
				t.Errorf("%v, want %s", got, e.want)
			}
		})
	}
	must(t, c.PutSettings(t.Context(), []string{"b"}, all, changing("index.blocks.read", "true"), false))
	_, err := c.State().ResolveSearch([]string{"*"}, o, c.clock.Now())
	says(t, err, "403 cluster_block_exception: index [b] blocked by: [FORBIDDEN/7/index read (api)];")
}

func TestChangingMappings(t *testing.T) {
	c, ctx := newCatalog(t), t.Context()
	create(t, c, "a", NewIndex{Mappings: []byte(`{"properties":{"k":{"type":"keyword"}}}`), Aliases: map[string]Alias{"x": {}}})
	create(t, c, "b", NewIndex{Aliases: map[string]Alias{"x": {IsWrite: flag(true)}}})
	number := func(field string) []byte { return fmt.Appendf(nil, `{"properties":{%q:{"type":"long"}}}`, field) }
	for _, e := range []struct {
		is, name, field string
		writeOnly       bool
		want            string
		a, b            int64 // how often the mapping changed so far
	}{
		{"of the write index alone", "x", "n", true, "", 0, 1},
		{"of all", "x", "m", false, "", 1, 2},
		{"the same again", "x", "m", false, "", 1, 2},
		{"a field of another type, of none", "x", "k", false, "400 illegal_argument_exception: mapper [k] cannot be changed from type [keyword] to [long]", 1, 2},
		{"of what is missing", "nope", "n", false, "404 index_not_found_exception: no such index [nope]", 1, 2},
		{"of the write index of what is missing", "nope", "n", true, "404 index_not_found_exception: no such index [nope]", 1, 2},
	} {
		says(t, c.PutMapping(ctx, []string{e.name}, all, e.writeOnly, number(e.field)), e.want)
		s := c.State()
		if a, b := s.Indices["a"].MappingVersion-1, s.Indices["b"].MappingVersion-1; a != e.a || b != e.b {
			t.Errorf("%s: changed %d and %d times", e.is, a, b)
		}
	}
	grown, err := c.GrowMapping(ctx, c.State().Indices["a"].UUID, number("z"))
	if err != nil || grown.Mapping.Field("z") == nil {
		t.Errorf("%+v, %v", grown, err)
	}
	_, err = c.GrowMapping(ctx, "gone", number("z"))
	says(t, err, "404 index_not_found_exception: no such index [gone]")
	must(t, c.PutSettings(ctx, []string{"a"}, all, changing("index.mapping.total_fields.limit", "1"), false))
	_, err = c.GrowMapping(ctx, c.State().Indices["a"].UUID, number("more"))
	fails(t, err, "illegal_argument_exception", "Limit of total fields [1] has been exceeded")
}
