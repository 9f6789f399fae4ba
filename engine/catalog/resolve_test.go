// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"strings"
	"testing"

	"github.com/opensteward/steward/wire"
)

// manyNames has open, closed and hidden indices, aliases of them and a data stream.
func manyNames(t *testing.T) *Catalog {
	t.Helper()
	c, hidden := newCatalog(t), changing("index.hidden", "true")
	for _, name := range []string{"a1", "a2", "c1", ".plain", "d-2026.01.01"} {
		create(t, c, name, NewIndex{})
	}
	create(t, c, "b1", NewIndex{Aliases: map[string]Alias{"al": {}}})
	create(t, c, "b2", NewIndex{Aliases: map[string]Alias{"al": {}, "hal": {IsHidden: flag(true)}}})
	create(t, c, "ca", NewIndex{Aliases: map[string]Alias{"cal": {}}})
	create(t, c, "h1", NewIndex{Settings: hidden, Aliases: map[string]Alias{"shown": {}}})
	create(t, c, ".dot", NewIndex{Settings: hidden})
	putTemplate(t, c, "ds", IndexTemplate{Patterns: []string{"logs"}, DataStream: &DataStreamTemplate{TimestampField: "@timestamp"}})
	must(t, c.CreateDataStream(t.Context(), "logs"))
	_, err := c.Rollover(t.Context(), RolloverRequest{Target: "logs"})
	must(t, err)
	_, err = c.CloseIndices(t.Context(), []string{"c1", "ca"}, all)
	must(t, err)
	return c
}

func TestExpressions(t *testing.T) {
	c := manyNames(t)
	option := func(change ...func(*wire.IndexOptions)) wire.IndexOptions {
		o := wire.IndexOptions{Open: true, AllowNoIndices: true}
		for _, fn := range change {
			fn(&o)
		}
		return o
	}
	closed := func(o *wire.IndexOptions) { o.Closed = true }
	onlyClosed := func(o *wire.IndexOptions) { o.Closed, o.Open = true, false }
	hidden := func(o *wire.IndexOptions) { o.Hidden = true }
	none := func(o *wire.IndexOptions) { o.Open = false }
	lenient := func(o *wire.IndexOptions) { o.IgnoreUnavailable = true }
	some := func(o *wire.IndexOptions) { o.AllowNoIndices = false }
	forbidClosed := func(o *wire.IndexOptions) { o.ForbidClosed = true }
	single := func(o *wire.IndexOptions) { o.ForbidAliasesToMany = true }
	missing := func(name string) string { return "404 index_not_found_exception: no such index [" + name + "]" }
	shut := "400 index_closed_exception: closed"

	for _, e := range []struct {
		is, asked string
		o         wire.IndexOptions
		want      string
	}{
		{"a star means what is open and shown, streams included", "*", option(), ".ds-logs-000001,.ds-logs-000002,.plain,a1,a2,b1,b2,d-2026.01.01"},
		{"a star may mean closed ones too", "*", option(closed), ".ds-logs-000001,.ds-logs-000002,.plain,a1,a2,b1,b2,c1,ca,d-2026.01.01"},
		{"or closed ones only", "*", option(onlyClosed), "c1,ca"},
		{"or hidden ones too", "*", option(hidden), ".dot,.ds-logs-000001,.ds-logs-000002,.plain,a1,a2,b1,b2,d-2026.01.01,h1"},
		{"hidden alone, without open or closed, matches nothing", "*", option(none, hidden), ""},
		{"a star alone does not show a hidden index through its alias", "_all", option(), ".ds-logs-000001,.ds-logs-000002,.plain,a1,a2,b1,b2,d-2026.01.01"},
		{"but a pattern does", "sh*", option(), "h1"},
		{"a name means itself", "a1", option(), "a1"},
		{"also if it is hidden", "h1", option(), "h1"},
		{"also if it is closed", "c1", option(), "c1"},
		{"a pattern passes over hidden ones", "h*", option(), ""},
		{"a pattern with a dot matches hidden ones with a dot", ".d*", option(), ".dot,.ds-logs-000001,.ds-logs-000002"},
		{"an alias means its indices", "al", option(), "b1,b2"},
		{"a hidden alias is named", "hal", option(), "b2"},
		{"a hidden alias is not matched", "hal*", option(), ""},
		{"unless hidden ones are asked for", "hal*", option(hidden), "b2"},
		{"a pattern matches aliases", "al*", option(), "b1,b2"},
		{"an alias of a closed index", "cal", option(), "ca"},
		{"a pattern does not reach closed ones through an alias", "cal*", option(), ""},
		{"a data stream means its backing indices", "logs", option(), ".ds-logs-000001,.ds-logs-000002"},
		{"also by pattern", "lo*", option(), ".ds-logs-000001,.ds-logs-000002"},

		{"a minus takes away after a pattern", "a*,-a1", option(), "a2,b1,b2"},
		{"a pattern takes away", "a*,b*,-*1", option(), "a2,b2"},
		{"what was taken away can be added again", "a*,-a1,a1", option(), "a1,a2,b1,b2"},
		{"a minus without a pattern before it is part of a name", "a1,-a1", option(), missing("-a1")},
		{"a minus first is part of a pattern", "-a*", option(), ""},
		{"a name that is taken away has to be there", "a*,-nope", option(), missing("nope")},
		{"unless missing ones are passed over", "a*,-nope", option(lenient), "a1,a2,b1,b2"},
		{"an alias's name takes away nothing but itself", "b*,-al", option(), "b1,b2"},
		{"_all among others is a name", "_all,-a1", option(), "400 invalid_index_name_exception: Invalid index name [_all], must not start with '_'."},

		{"a missing name alone", "nope", option(), missing("nope")},
		{"a missing name that may be", "nope", option(lenient), ""},
		{"a missing name among others", "a1,nope", option(), missing("nope")},
		{"a missing name among others that may be", "a1,nope", option(lenient), "a1"},
		{"a missing name where there has to be one", "nope", option(lenient, some), missing("nope")},
		{"a pattern that matches nothing", "n*", option(), ""},
		{"a pattern that matches nothing where something has to", "n*", option(some), missing("n*")},
		{"a pattern that matches what is not wanted where something has to", "hal*", option(some), missing("null")},
		{"several of that kind", "hal*,h*", option(some), missing("null")},
		{"an underscore first is no name", "_foo", option(), "400 invalid_index_name_exception: Invalid index name [_foo], must not start with '_'."},
		{"no text is no name", "a1,", option(), missing("")},

		{"without open and closed a pattern is a name", "a*", option(none, some), missing("a*")},
		{"that may be missing alone", "a*", option(none), ""},
		{"but not among others", "a*,b1", option(none), missing("a*")},
		{"unless missing ones are passed over", "a*,b1", option(none, lenient), "b1"},
		{"_all is missing then", "_all", option(none, some), missing("_all") + " and no indices exist"},

		{"a closed index where none may be", "c1", option(forbidClosed), shut},
		{"one through an alias", "cal", option(forbidClosed), shut},
		{"one through a pattern", "c*", option(forbidClosed, closed), shut},
		{"one that is passed over", "a1,c1", option(forbidClosed, lenient), "a1"},
		{"an alias of two where one has to be", "al", option(single), "400 illegal_argument_exception: alias [al] has more than one index associated with it [b1, b2], can't execute a single index op"},
		{"an alias of one is one", "cal", option(single), "ca"},
		{"a stream of two where one has to be", "logs", option(single), "400 illegal_argument_exception: data_stream [logs] has more than one index associated with it [.ds-logs-000001, .ds-logs-000002], can't execute a single index op"},

		{"a date", "<d-{now/d}>", option(), "d-2026.01.01"},
		{"a date in a pattern", "<d-{now/y{yyyy}}*>", option(), "d-2026.01.01"},
		{"a date is not taken away", "*,-<d-{now/d}>", option(), missing("<d-{now/d}>")},
	} {
		t.Run(e.is, func(t *testing.T) {
			list, err := c.State().Resolve(strings.Split(e.asked, ","), e.o, c.clock.Now())
			got := strings.Join(namesOf(list), ",")
			if err != nil {
				got = said(err)
			}
			if got != e.want {
				t.Errorf("\n got %s\nwant %s", got, e.want)
			}
		})
	}
}

func TestNoExpressionMeansEverything(t *testing.T) {
	c := manyNames(t)
	list, err := c.State().Resolve(nil, wire.IndexOptions{Open: true, Closed: true, Hidden: true}, c.clock.Now())
	if err != nil || len(list) != len(c.State().Indices) {
		t.Errorf("%d indices, %v", len(list), err)
	}
	_, err = newCatalog(t).State().Resolve(nil, wire.IndexOptions{Open: true}, c.clock.Now())
	says(t, err, "404 index_not_found_exception: no such index [null] and no indices exist")
}

func TestDeletingByExpression(t *testing.T) {
	for _, e := range []struct {
		is, asked string
		o         wire.IndexOptions
		want      string
		gone      string
	}{
		{"names", "a1,b1", all, "", "a1,b1"},
		{"patterns with exclusions", "a*,-a1", all, "", "a2"},
		{"a pattern passes over aliases", "al*", all, "", ""},
		{"a pattern of aliases only, where something has to go", "al*", wire.IndexOptions{Open: true}, "404 index_not_found_exception: no such index [al*]", ""},
		{"an alias is refused", "al", all, "400 illegal_argument_exception: The provided expression [al] matches an alias, specify the corresponding concrete indices instead.", ""},
		{"an alias is refused behind a minus", "a*,-al", all, "400 illegal_argument_exception: The provided expression [al] matches an alias, specify the corresponding concrete indices instead.", ""},
		{"an alias may be passed over", "al", wire.IndexOptions{Open: true, IgnoreUnavailable: true, AllowNoIndices: true}, "", ""},
		{"a missing one stops all", "a1,nope", all, "404 index_not_found_exception: no such index [nope]", ""},
		{"nothing is refused", "", all, "400 action_request_validation_exception: Validation Failed: 1: index / indices is missing;", ""},
	} {
		t.Run(e.is, func(t *testing.T) {
			c := newCatalog(t)
			for _, name := range []string{"a1", "a2"} {
				create(t, c, name, NewIndex{})
			}
			create(t, c, "b1", NewIndex{Aliases: map[string]Alias{"al": {}}})
			var asked []string
			if e.asked != "" {
				asked = strings.Split(e.asked, ",")
			}
			says(t, c.DeleteIndices(t.Context(), asked, e.o), e.want)
			var gone []string
			for _, name := range []string{"a1", "a2", "b1"} {
				if c.State().Indices[name] == nil {
					gone = append(gone, name)
				}
			}
			if got := strings.Join(gone, ","); got != e.gone {
				t.Errorf("gone: %s, want %s", got, e.gone)
			}
		})
	}
}

func TestDestructionMayRequireNames(t *testing.T) {
	c, ctx := newCatalog(t), t.Context()
	create(t, c, "a", NewIndex{})
	must(t, c.PutClusterSettings(ctx, changing("action.destructive_requires_name", "true"), SettingsChange{}))
	const want = "400 illegal_argument_exception: Wildcard expressions or all indices are not allowed"
	for _, e := range []string{"*", "_all", "a*"} {
		says(t, c.DeleteIndices(ctx, []string{e}, all), want)
		_, err := c.CloseIndices(ctx, []string{e}, all)
		says(t, err, want)
		_, err = c.OpenIndices(ctx, []string{e}, all)
		says(t, err, want)
		_, err = c.AddBlock(ctx, "write", []string{e}, all)
		says(t, err, want)
	}
	must(t, c.DeleteIndices(ctx, []string{"a"}, all))
}
