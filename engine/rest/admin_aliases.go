// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/engine/query"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

func (s *Server) aliasRoutes(rt *rest.Router) {
	rt.Handle("POST", "/_aliases", s.updateAliases)
	for _, word := range []string{"/_alias", "/_aliases"} {
		rt.Handle("PUT", "/{index}"+word+"/{name}", s.putAlias)
		rt.Handle("POST", "/{index}"+word+"/{name}", s.putAlias)
		rt.Handle("DELETE", "/{index}"+word+"/{name}", s.deleteAlias)
	}
	for _, path := range []string{"/_alias/{name}", "/_aliases/{name}"} {
		rt.Handle("PUT", path, s.putAlias)
		rt.Handle("POST", path, s.putAlias)
	}
	for _, path := range []string{"/_alias", "/{index}/_alias", "/{index}/_aliases"} {
		rt.Handle("PUT", path, s.putAlias)
	}
	rt.Handle("GET", "/_alias", s.getAlias)
	rt.Handle("GET", "/_aliases", s.getAlias)
	rt.Handle("GET", "/_alias/{name}", s.getAlias)
	rt.Handle("GET", "/{index}/_alias", s.getAlias)
	rt.Handle("GET", "/{index}/_alias/{name}", s.getAlias)
	rt.Handle("HEAD", "/_alias/{name}", s.aliasExists)
	rt.Handle("HEAD", "/{index}/_alias/{name}", s.aliasExists)
}

// aliasNames are the names of an index's aliases in order.
func aliasNames(i *catalog.Index) []string { return sorted(i.Aliases) }

func aliasesJSON(aliases map[string]catalog.Alias) wire.Object {
	o := wire.Object{}
	for _, name := range sorted(aliases) {
		o.Add(name, aliases[name].Object())
	}
	return o
}

func (s *Server) updateAliases(r *rest.Request) (rest.Action, error) {
	timeouts(r)
	body, err := r.RequireBody()
	if err != nil {
		return nil, err
	}
	actions, err := parseAliasActions(body)
	if err != nil {
		return nil, err
	}
	for _, a := range actions {
		if a.Kind == catalog.AddAlias {
			if err := checkFilter(a.Aliases[0], a.Alias); err != nil {
				return nil, err
			}
		}
	}
	return change(func(ctx context.Context) error { return s.Catalog.UpdateAliases(ctx, actions) }), nil
}

func parseAliasActions(body []byte) ([]catalog.AliasAction, error) {
	var list []catalog.AliasAction
	err := wire.ReadObject(body, func(p *wire.Parser, name string) error {
		if name != "actions" {
			return fault.New(http.StatusBadRequest, "x_content_parse_exception", "[aliases] unknown field [%s]", name)
		}
		err := p.Array(func() error {
			return p.Object(func(kind string) error {
				a, err := parseAliasAction(p, kind)
				list = append(list, a)
				return err
			})
		})
		return p.FailedField("aliases", "actions", err)
	})
	if err == nil && len(list) == 0 {
		err = fault.Illegal("No action specified")
	}
	return list, err
}

var aliasKinds = map[string]catalog.AliasKind{"add": catalog.AddAlias, "remove": catalog.RemoveAlias, "remove_index": catalog.RemoveIndex}

func parseAliasAction(p *wire.Parser, name string) (a catalog.AliasAction, err error) {
	kind, known := aliasKinds[name]
	if !known {
		return a, p.UnknownField("alias_action", name)
	}
	a.Kind = kind
	err = p.Object(func(member string) error { return aliasMember(p, &a, name, member) })
	switch {
	case fault.Is(err, "x_content_parse_exception"):
		return a, p.FailedField("alias_action", name, err)
	case err != nil:
		return a, err
	case len(a.Indices) == 0:
		return a, fault.Illegal("One of [index] or [indices] is required")
	case kind != catalog.RemoveIndex && len(a.Aliases) == 0:
		return a, fault.Illegal("One of [alias] or [aliases] is required")
	}
	return a, nil
}

// aliasMember reads a member of an action, which goes by its name in what is wrong.
func aliasMember(p *wire.Parser, a *catalog.AliasAction, action, member string) error {
	switch {
	case member == "index" || member == "indices":
		list, err := p.TextOrTexts()
		a.Indices = append(a.Indices, list...)
		return err
	case member == "alias" || member == "aliases":
		list, err := p.TextOrTexts()
		a.Aliases = append(a.Aliases, list...)
		return err
	case member == "must_exist" && a.Kind != catalog.AddAlias:
		must, err := p.Bool()
		a.MustExist = &must
		return err
	case a.Kind == catalog.AddAlias:
		if known, err := a.Alias.ParseMember(p, member); known || err != nil {
			return err
		}
	}
	return p.UnknownField(action, member)
}

func (s *Server) putAlias(r *rest.Request) (rest.Action, error) {
	a := catalog.AliasAction{Kind: catalog.AddAlias, Indices: r.List("index"), Aliases: []string{r.Path("name")}}
	timeouts(r)
	body, err := r.Body()
	if err != nil {
		return nil, err
	}
	if body != nil {
		if err := parseNamedAlias(body, &a); err != nil {
			return nil, err
		}
	}
	switch {
	case a.Aliases[0] == "":
		return nil, fault.Illegal("[alias] can't be empty string")
	case len(a.Indices) == 0:
		return nil, fault.Illegal("[indices] can't be empty")
	}
	if err := checkFilter(a.Aliases[0], a.Alias); err != nil {
		return nil, err
	}
	return change(func(ctx context.Context) error { return s.Catalog.UpdateAliases(ctx, []catalog.AliasAction{a}) }), nil
}

// parseNamedAlias reads the options of an alias, and its name and index where the body has them.
func parseNamedAlias(body []byte, a *catalog.AliasAction) error {
	return wire.ReadObject(body, func(p *wire.Parser, name string) (err error) {
		switch name {
		case "index":
			a.Indices, err = p.TextOrTexts()
		case "alias":
			a.Aliases[0], err = p.Text()
		default:
			var known bool
			if known, err = a.Alias.ParseMember(p, name); !known && err == nil {
				err = fault.Illegal("unknown field [%s]", name)
			}
		}
		return err
	})
}

// checkFilter refuses a filter that is no query.
func checkFilter(name string, a catalog.Alias) error {
	if a.Filter == nil {
		return nil
	}
	if _, err := query.Parse(a.Filter); err != nil {
		e := fault.Illegal("failed to parse filter for alias [%s]", name)
		e.CausedBy = fault.Of(err)
		return e
	}
	return nil
}

func (s *Server) deleteAlias(r *rest.Request) (rest.Action, error) {
	a := catalog.AliasAction{Kind: catalog.RemoveAlias, Indices: r.List("index"), Aliases: r.List("name")}
	if len(a.Indices) == 0 {
		return nil, fault.Illegal("[indices] can't be empty")
	}
	timeouts(r)
	return change(func(ctx context.Context) error { return s.Catalog.UpdateAliases(ctx, []catalog.AliasAction{a}) }), nil
}

// aliases finds the aliases that a request asks for. missing are names without wildcards that no index has.
func (s *Server) aliases(r *rest.Request) func() (out wire.Object, missing []string, err error) {
	expressions, names := r.List("index"), r.List("name")
	o := r.IndexOptions(wire.IndexOptions{Open: true, Closed: true, Hidden: true, AllowNoIndices: true})
	r.Ignore("local")
	timeouts(r)
	return func() (wire.Object, []string, error) {
		state := s.Catalog.State()
		indices, err := state.Resolve(expressions, o, s.Clock.Now())
		if err == nil {
			err = state.Block(catalog.MetadataRead, indices...)
		}
		if err != nil {
			return nil, nil, err
		}
		out := wire.Object{}
		found := map[string]bool{}
		for _, i := range indices {
			shown := wire.Object{}
			for _, alias := range aliasNames(i) {
				if asked(names, alias) {
					found[alias] = true
					shown.Add(alias, i.Aliases[alias].Object())
				}
			}
			if len(shown) > 0 || len(names) == 0 {
				out.Add(i.Name, wire.Obj("aliases", shown))
			}
		}
		var missing []string
		for _, name := range names {
			if !wire.IsPattern(name) && name != "_all" && !found[name] && !strings.HasPrefix(name, "-") {
				missing = append(missing, name)
			}
		}
		return out, missing, nil
	}
}

// asked reports whether an alias is one of the names or patterns; -pattern takes out.
func asked(names []string, alias string) bool {
	if len(names) == 0 {
		return true
	}
	in := false
	for _, name := range names {
		if rest, minus := strings.CutPrefix(name, "-"); minus {
			in = in && !wire.Match(rest, alias)
			continue
		}
		in = in || name == "_all" || wire.Match(name, alias)
	}
	return in
}

func (s *Server) getAlias(r *rest.Request) (rest.Action, error) {
	list := s.aliases(r)
	return func(context.Context) (*rest.Response, error) {
		out, missing, err := list()
		if err != nil || len(missing) == 0 {
			return rest.OK(out), err
		}
		word := "alias"
		if len(missing) > 1 {
			word = "aliases"
		}
		body := wire.Obj("error", fmt.Sprintf("%s [%s] missing", word, strings.Join(missing, ",")), "status", http.StatusNotFound)
		return &rest.Response{Status: http.StatusNotFound, Body: append(body, out...)}, nil
	}, nil
}

func (s *Server) aliasExists(r *rest.Request) (rest.Action, error) {
	list := s.aliases(r)
	return func(context.Context) (*rest.Response, error) {
		_, missing, err := list()
		return exists(len(missing) == 0), err
	}, nil
}
