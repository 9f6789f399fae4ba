// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward/wire"
)

// add, remove and removeIndex are alias actions.
func add(index, alias string, a ...Alias) AliasAction {
	action := AliasAction{Kind: AddAlias, Indices: []string{index}, Aliases: []string{alias}}
	if len(a) > 0 {
		action.Alias = a[0]
	}
	return action
}

func remove(index string, aliases ...string) AliasAction {
	return AliasAction{Kind: RemoveAlias, Indices: []string{index}, Aliases: aliases}
}

func removeIndex(index string) AliasAction {
	return AliasAction{Kind: RemoveIndex, Indices: []string{index}}
}

func mustExist(a AliasAction, must bool) AliasAction {
	a.MustExist = &must
	return a
}

// aliases are all aliases as "index:alias", sorted.
func aliases(s *State) string {
	var out []string
	for _, i := range s.SortedIndices() {
		for alias := range i.Aliases {
			out = append(out, i.Name+":"+alias)
		}
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func TestAliasActions(t *testing.T) {
	writer, hidden := Alias{IsWrite: flag(true)}, Alias{IsHidden: flag(true)}
	for _, e := range []struct {
		is      string
		actions []AliasAction
		want    string // the aliases afterwards, from a:x (writer), b:x, b:y
		err     string
	}{
		{"none is refused", nil, "a:x b:x b:y", "400 illegal_argument_exception: No action specified"},
		{"an alias is added", []AliasAction{add("a", "new")}, "a:new a:x b:x b:y", ""},
		{"to every index that a pattern means", []AliasAction{add("*", "new")}, "a:new a:x b:new b:x b:y", ""},
		{"but not to hidden ones", []AliasAction{add("_all", "new")}, "a:new a:x b:new b:x b:y", ""},
		{"not to an alias", []AliasAction{add("x", "new")}, "a:x b:x b:y", "400 illegal_argument_exception: The provided expression [x] matches an alias, specify the corresponding concrete indices instead."},
		{"not to an index that is missing", []AliasAction{add("nope", "new")}, "a:x b:x b:y", "404 index_not_found_exception: no such index [nope]"},
		{"not to a pattern of nothing", []AliasAction{add("no*", "new")}, "a:x b:x b:y", "404 index_not_found_exception: no such index [no*]"},
		{"one is removed", []AliasAction{remove("b", "y")}, "a:x b:x", ""},
		{"by pattern", []AliasAction{remove("*", "*")}, "", ""},
		{"by _all", []AliasAction{remove("*", "_all")}, "", ""},
		{"a missing one is told if nothing else changes", []AliasAction{remove("a", "nope")}, "a:x b:x b:y", "404 aliases_not_found_exception: aliases [nope] missing"},
		{"all missing ones are told, sorted", []AliasAction{remove("a", "nope", "n2")}, "a:x b:x b:y", "404 aliases_not_found_exception: aliases [n2, nope] missing"},
		{"a missing one is passed over if another changes", []AliasAction{remove("a", "nope"), add("a", "new")}, "a:new a:x b:x b:y", ""},
		{"a missing one beside one that is there is passed over", []AliasAction{remove("a", "nope", "x")}, "b:x b:y", ""},
		{"one that must exist is told anyway", []AliasAction{mustExist(remove("a", "nope"), true), add("a", "new")}, "a:x b:x b:y", "404 aliases_not_found_exception: aliases [nope] missing"},
		{"one that need not exist is never told", []AliasAction{mustExist(remove("a", "nope"), false)}, "a:x b:x b:y", ""},
		{"one that is added and removed in one request stays", []AliasAction{add("a", "new"), remove("a", "new")}, "a:new a:x b:x b:y", ""},
		{"one that is removed and added stays", []AliasAction{remove("b", "y"), add("b", "y", hidden)}, "a:x b:x b:y", ""},
		{"an index gives its name to an alias", []AliasAction{add("b", "a"), removeIndex("a")}, "b:a b:x b:y", ""},
		{"an index that goes takes no alias", []AliasAction{removeIndex("a"), add("a", "new")}, "a:x b:x b:y", "404 index_not_found_exception: no such index [a]"},
		{"a missing index cannot go", []AliasAction{removeIndex("nope")}, "a:x b:x b:y", "404 index_not_found_exception: no such index [nope]"},
		{"an alias cannot go as an index", []AliasAction{removeIndex("x")}, "a:x b:x b:y", "400 illegal_argument_exception: The provided expression [x] matches an alias, specify the corresponding concrete indices instead."},
		{"an alias has one write index", []AliasAction{add("b", "x", writer)}, "a:x b:x b:y", "500 illegal_state_exception: alias [x] has more than one write index [a,b]"},
		{"the write index may change in one request", []AliasAction{add("b", "x", writer), add("a", "x")}, "a:x b:x b:y", ""},
		{"an alias is hidden everywhere or nowhere", []AliasAction{add("b", "x", hidden)}, "a:x b:x b:y", "500 illegal_state_exception: alias [x] has is_hidden set to true on indices [b] but does not have is_hidden set to true on indices [a]; alias must have the same is_hidden setting on all indices"},
		{"a writer's routing is one value", []AliasAction{add("b", "new", Alias{IndexRouting: "1,2"})}, "a:x b:x b:y", "400 illegal_argument_exception: alias [new] has several index routing values associated with it"},
		{"a failure undoes all before it", []AliasAction{add("a", "new"), add("a", "_bad")}, "a:x b:x b:y", "400 invalid_alias_name_exception: Invalid alias name [_bad]: must not start with '_', '-', or '+'"},
	} {
		t.Run(e.is, func(t *testing.T) {
			c := newCatalog(t)
			create(t, c, "a", NewIndex{Aliases: map[string]Alias{"x": writer}})
			create(t, c, "b", NewIndex{Aliases: map[string]Alias{"x": {}, "y": {}}})
			create(t, c, ".h", NewIndex{Settings: changing("index.hidden", "true")})
			version := c.State().Version
			says(t, c.UpdateAliases(t.Context(), e.actions), e.err)
			if got := aliases(c.State()); got != e.want {
				t.Errorf("aliases %s, want %s", got, e.want)
			}
			if moved := c.State().Version - version; e.err != "" && moved != 0 {
				t.Errorf("the version moved by %d", moved)
			}
		})
	}
}

func TestNamesOfAliases(t *testing.T) {
	c := newCatalog(t)
	fill(t, c)
	create(t, c, "a", NewIndex{})
	invalid := func(text string) string { return "400 invalid_alias_name_exception: Invalid alias name " + text }
	unique := fmt.Sprintf("500 illegal_state_exception: index, alias, and data stream names need to be unique, but the following duplicates were found [s-1 (alias of [a/%s]) conflicts with data stream]", c.State().Indices["a"].UUID)
	for _, e := range []struct{ is, name, want string }{
		{"capitals are good", "A", ""},
		{"none is no name", "", "400 illegal_argument_exception: alias name is required"},
		{"a minus may not come first", "-x", invalid("[-x]: must not start with '_', '-', or '+'")},
		{"a space is refused", "x y", invalid(`[x y]: must not contain the following characters [ , ", *, \, <, |, ,, >, /, ?]`)},
		{"a colon is refused", "x:y", invalid("[x:y]: must not contain ':'")},
		{"a hash is refused", "x#y", invalid("[x#y]: must not contain '#'")},
		{"a dot is no name", ".", invalid("[.]: must not be '.' or '..'")},
		{"256 bytes are too long", strings.Repeat("x", 256), invalid("[" + strings.Repeat("x", 256) + "]: index name is too long, (256 > 255)")},
		{"an index's is taken", "c-1", invalid("[c-1], an index exists with the same name as the alias")},
		{"a data stream's is taken", "s-1", unique},
	} {
		t.Run(e.is, func(t *testing.T) {
			says(t, c.UpdateAliases(t.Context(), []AliasAction{add("a", e.name)}), e.want)
		})
	}
}

func TestAliasesOfNewIndices(t *testing.T) {
	for _, e := range []struct {
		is      string
		aliases map[string]Alias
		want    string
	}{
		{"its own name", map[string]Alias{"new": {}}, "(alias of [new/"},
		{"an index's name", map[string]Alias{"old": {}}, "Invalid alias name [old], an index exists with the same name as the alias"},
		{"a second write index", map[string]Alias{"w": {IsWrite: flag(true)}}, "alias [w] has more than one write index [new,old]"},
		{"several routings of writes", map[string]Alias{"r": {IndexRouting: "1,2"}}, "alias [r] has several index routing values associated with it"},
	} {
		t.Run(e.is, func(t *testing.T) {
			c := newCatalog(t)
			create(t, c, "old", NewIndex{Aliases: map[string]Alias{"w": {IsWrite: flag(true)}}})
			_, err := c.CreateIndex(t.Context(), "new", NewIndex{Aliases: e.aliases})
			if err == nil || !strings.Contains(err.Error(), e.want) {
				t.Errorf("%v, want %s", err, e.want)
			}
			if c.State().Indices["new"] != nil {
				t.Error("the refused index is there")
			}
		})
	}
}

func TestABackingIndexTakesNoAlias(t *testing.T) {
	c := newCatalog(t)
	fill(t, c)
	want := "400 illegal_argument_exception: The provided expressions [.ds-s-1-000001] match a backing index belonging to data stream [s-1]. Data streams and their backing indices don't support aliases."
	says(t, c.UpdateAliases(t.Context(), []AliasAction{add(".ds-s-1-000001", "x")}), want)
	says(t, c.UpdateAliases(t.Context(), []AliasAction{remove(".ds-s-1-000001", "x")}), want)
	says(t, c.UpdateAliases(t.Context(), []AliasAction{removeIndex(".ds-s-1-000001")}), want)
}

func TestVersionsOfAnIndexMoveWithItsAliases(t *testing.T) {
	c := newCatalog(t)
	first := create(t, c, "a", NewIndex{})
	for _, e := range []struct {
		is    string
		a     Alias
		moves int64
	}{
		{"a new alias", Alias{SearchRouting: "1"}, 1},
		{"the same again", Alias{SearchRouting: "1"}, 1},
		{"another definition", Alias{Filter: []byte(`{"match_all":{}}`)}, 2},
	} {
		must(t, c.UpdateAliases(t.Context(), []AliasAction{add("a", "x", e.a)}))
		i := c.State().Indices["a"]
		if i.AliasesVersion-first.AliasesVersion != e.moves || i.SettingsVersion != first.SettingsVersion || i.MappingVersion != first.MappingVersion {
			t.Errorf("%s: aliases version %d, settings version %d", e.is, i.AliasesVersion, i.SettingsVersion)
		}
	}
	if got := c.State().aliasNames(); !slices.Equal(got, []string{"x"}) {
		t.Errorf("alias names %v", got)
	}
	if got := c.State().AliasIndices("x"); len(got) != 1 || got[0].Name != "a" {
		t.Errorf("indices of the alias %v", got)
	}
}

func TestParsingAliases(t *testing.T) {
	for _, e := range []struct {
		is, body string
		want     map[string]Alias
		err      string
	}{
		{
			"everything", `{"a":{"filter":{"term":{"x":1}},"index_routing":"1","search_routing":"2,3","is_write_index":true,"is_hidden":false}}`,
			map[string]Alias{"a": {IsWrite: flag(true), IsHidden: flag(false), Filter: []byte(`{"term":{"x":1}}`), IndexRouting: "1", SearchRouting: "2,3"}},
			"",
		},
		{"one routing for both", `{"a":{"routing":"5"}}`, map[string]Alias{"a": {IndexRouting: "5", SearchRouting: "5"}}, ""},
		{"one routing for the other", `{"a":{"search_routing":"2","routing":"5"}}`, map[string]Alias{"a": {IndexRouting: "5", SearchRouting: "2"}}, ""},
		{"no filter", `{"a":{"filter":null}}`, map[string]Alias{"a": {}}, ""},
		{"what is not known is passed over", `{"a":{"bogus":{"x":1}}}`, map[string]Alias{"a": {}}, ""},
		{"text is no alias", `{"a":"b"}`, nil, "400 illegal_argument_exception: No alias is specified"},
	} {
		t.Run(e.is, func(t *testing.T) {
			got, err := ParseAliases([]byte(e.body))
			says(t, err, e.err)
			if diff := cmp.Diff(e.want, got); e.err == "" && diff != "" {
				t.Error(diff)
			}
		})
	}
	if _, err := ParseAliases([]byte(`[]`)); err == nil {
		t.Error("an array is read")
	}
}

func TestAnAliasAsAnswersShowIt(t *testing.T) {
	for want, a := range map[string]Alias{
		`{}`: {},
		`{"filter":{"match_all":{}},"index_routing":"1","search_routing":"2","is_write_index":false,"is_hidden":true}`: {IsWrite: flag(false), IsHidden: flag(true), Filter: []byte(`{"match_all":{}}`), IndexRouting: "1", SearchRouting: "2"},
	} {
		if b, err := wire.Marshal(a.Object()); err != nil || string(b) != want {
			t.Errorf("%s, %v, want %s", b, err, want)
		}
	}
}
