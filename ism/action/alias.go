// SPDX-License-Identifier: Apache-2.0

package action

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire"
)

// attemptAlias runs the configured changes on the index, in one request. Adding what is there changes nothing.
func attemptAlias(ctx context.Context, e *Env) (ism.Result, error) {
	changes := e.Action.Alias.Actions
	actions := make([]any, len(changes))
	described := make([]string, len(changes))
	for i, c := range changes {
		actions[i] = wire.Obj(c.Kind, append(wire.Obj("index", e.Index, "aliases", c.Aliases), c.Options...))
		described[i] = describe(c, e.Index)
	}
	failed := e.message("Failed to update alias")
	failed = failed.With("message", failed.Text("message")+" for actions: [actions=["+strings.Join(described, ", ")+"]]")
	a, err := e.Client.UpdateAliases(ctx, actions)
	return e.outcome(a, err, e.message("Successfully updated alias"), failed)
}

// describe prints a change as OpenSearch's own object does, which is what the plugin shows.
func describe(c ism.AliasChange, index string) string {
	option := func(name string) string {
		for _, m := range c.Options {
			if m.Name == name {
				return javaText(m.Value)
			}
		}
		return "null"
	}
	return fmt.Sprintf("AliasActions[type=%s,indices=[%s],aliases=[%s],filter=%s,routing=%s,indexRouting=%s,searchRouting=%s,writeIndex=%s]",
		strings.ToUpper(c.Kind), index, strings.Join(c.Aliases, ", "),
		option("filter"), option("routing"), option("index_routing"), option("search_routing"), option("is_write_index"))
}

// javaText is a JSON value as text: strings without quotes.
func javaText(v any) string {
	raw, err := wire.Marshal(v)
	if err != nil {
		return "null"
	}
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

// aliasOf is an alias as an action adds it.
func aliasOf(index, name string, a opensearch.Alias) wire.Object {
	o := wire.Obj("index", index, "alias", name)
	o.AddIf(len(a.Filter) > 0, "filter", a.Filter)
	o.AddIf(a.Index != "", "index_routing", a.Index)
	o.AddIf(a.Search != "", "search_routing", a.Search)
	o.AddIf(a.Hidden != nil, "is_hidden", a.Hidden)
	o.AddIf(a.Write != nil, "is_write_index", a.Write)
	return o
}
