// SPDX-License-Identifier: Apache-2.0

package ismapi

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/ism/manager"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

// The values of if_seq_no and if_primary_term that mean "not given".
const (
	noSeqNo       = -2
	noPrimaryTerm = 0
)

// putPolicy creates a policy, or replaces the version that the caller has seen.
func (a *API) putPolicy(r *rest.Request) (rest.Action, error) {
	id := r.Path("policyID")
	if id == "" {
		return nil, fault.Illegal("Missing policy ID")
	}
	body, err := r.RequireBody()
	if err != nil {
		return nil, err
	}
	now := a.o.Clock.Now()
	p, err := ism.ParsePolicy(id, body, now.UnixMilli())
	if err != nil {
		return nil, err
	}
	p.LastUpdated = now.UnixMilli()
	p.User = nil
	was := opensearch.Version{SeqNo: r.Long("if_seq_no", noSeqNo), PrimaryTerm: r.Long("if_primary_term", noPrimaryTerm)}
	refresh, human := r.Refresh("true"), r.Human()
	return func(ctx context.Context) (*rest.Response, error) { return a.storePolicy(ctx, p, was, refresh, human) }, nil
}

func (a *API) storePolicy(ctx context.Context, p *ism.Policy, was opensearch.Version, refresh string, human bool) (*rest.Response, error) {
	view, err := a.settings(ctx)
	if err != nil {
		return nil, err
	}
	if err := allowed(p, view.List("plugins.index_state_management.allow_list")); err != nil {
		return nil, err
	}
	if err := balanced(p, view.Values); err != nil {
		return nil, err
	}
	if err := manager.EnsureConfigIndex(ctx, a.client); err != nil {
		return nil, err
	}
	if err := p.CheckTemplates(); err != nil {
		return nil, err
	}
	if len(p.Templates) > 0 {
		others, err := a.templatePolicies(ctx)
		if err != nil {
			return nil, err
		}
		if err := p.CheckTemplateConflicts(others); err != nil {
			return nil, err
		}
	}
	stored := *p
	stored.SchemaVersion = ism.SchemaVersion
	w := opensearch.Write{Op: opensearch.OpIndex, Index: manager.ConfigIndex, ID: p.ID, If: was, Source: stored.Document()}
	if was.SeqNo == noSeqNo || was.PrimaryTerm == noPrimaryTerm {
		w.Op, w.If = opensearch.OpCreate, opensearch.Version{}
	}
	done, err := a.client.Write(ctx, w, refresh)
	if err != nil {
		return nil, err
	}
	a.changed()
	res := rest.OK(wire.Obj("_id", done.ID, "_version", done.Number, "_primary_term", done.PrimaryTerm, "_seq_no", done.SeqNo,
		"policy", wire.Obj("policy", p.JSON(ism.API, human))))
	if done.Result == "created" {
		res.Status = http.StatusCreated
		res.Header = http.Header{"Location": {prefix + "/policies/" + url.PathEscape(done.ID)}}
	}
	return res, nil
}

// allowed refuses actions that the allow list does not name: 403, as plain text.
func allowed(p *ism.Policy, list []string) error {
	var refused []string
	for _, s := range p.States {
		for _, action := range s.Actions {
			if !slices.Contains(list, action.Type) && !slices.Contains(refused, action.Type) {
				refused = append(refused, action.Type)
			}
		}
	}
	if len(refused) == 0 {
		return nil
	}
	return &fault.Error{
		Status: http.StatusForbidden, Form: fault.Text,
		Reason: "You have actions that are not allowed in your policy [" + strings.Join(refused, ", ") + "]",
	}
}

// templatePolicies are all policies that have templates.
func (a *API) templatePolicies(ctx context.Context) ([]*ism.Policy, error) {
	if err := a.refresh(ctx); err != nil {
		return nil, err
	}
	var list []*ism.Policy
	query := wire.Obj("exists", wire.Obj("field", "policy.ism_template.index_patterns"))
	err := a.client.Scan(ctx, manager.ConfigIndex, query, func(doc opensearch.Document) error {
		if p, err := ism.ReadPolicy(doc.ID, doc.Source); err == nil {
			list = append(list, p)
		}
		return nil
	})
	return list, err
}

// refresh makes what was written to the config index visible to a search.
func (a *API) refresh(ctx context.Context) error { return a.client.Refresh(ctx, manager.ConfigIndex) }

// getPolicies answers one policy or, without an id, a page of them.
func (a *API) getPolicies(r *rest.Request) (rest.Action, error) {
	id := r.Path("policyID")
	page := readPage(r, "policy.policy_id.keyword")
	human := r.Human()
	if id == "" {
		return func(ctx context.Context) (*rest.Response, error) { return a.listPolicies(ctx, page, human) }, nil
	}
	want := r.HTTP.Header.Get("If-Match")
	return func(ctx context.Context) (*rest.Response, error) {
		doc, p, err := a.policy(ctx, id)
		if err != nil {
			return nil, err
		}
		if err := a.ifMatch(ctx, want, doc); err != nil {
			return nil, err
		}
		if p == nil {
			return nil, fault.Status(http.StatusNotFound, "Policy not found")
		}
		return rest.OK(wire.Obj("_id", doc.ID, "_version", doc.Number, "_seq_no", doc.SeqNo, "_primary_term", doc.PrimaryTerm,
			"policy", p.JSON(ism.API, human))), nil
	}, nil
}

// ifMatch refuses a document that has another version than the If-Match header wants, if there is one.
func (a *API) ifMatch(ctx context.Context, want string, doc opensearch.Document) error {
	if want == "" {
		return nil
	}
	n, err := strconv.ParseInt(want, 10, 64)
	if err != nil {
		return fault.New(http.StatusBadRequest, "number_format_exception", "For input string: \"%s\"", want)
	}
	if !doc.Found || n == doc.Number {
		return nil
	}
	infos, err := a.client.Indices(ctx, []string{manager.ConfigIndex})
	if err != nil {
		return err
	}
	return fault.Conflict(manager.ConfigIndex, infos[manager.ConfigIndex].UUID, 0,
		"[%s]: version conflict, current version [%d] is different than the one provided [%d]", doc.ID, doc.Number, n)
}

// policy reads one policy in real time; nil if there is no such document or it is no policy.
func (a *API) policy(ctx context.Context, id string) (opensearch.Document, *ism.Policy, error) {
	if id == "" {
		return opensearch.Document{}, nil, fault.Validation("id is missing")
	}
	doc, err := a.client.Get(ctx, manager.ConfigIndex, id, "")
	if err != nil {
		return doc, nil, noConfigIndex(err)
	}
	if !doc.Found || !isPolicy(doc.Source) {
		return doc, nil, nil
	}
	p, err := ism.ReadPolicy(id, doc.Source)
	if err != nil {
		return doc, nil, nil
	}
	return doc, p, nil
}

func isPolicy(source json.RawMessage) bool {
	var doc struct {
		Policy json.RawMessage `json:"policy"`
	}
	return json.Unmarshal(source, &doc) == nil && doc.Policy != nil
}

func (a *API) listPolicies(ctx context.Context, p page, human bool) (*rest.Response, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	if err := a.refresh(ctx); err != nil {
		return nil, err
	}
	list := []wire.Object{}
	res, err := a.client.Search(ctx, manager.ConfigIndex, p.search("policy", "policy.policy_id.keyword"), nil)
	if fault.Is(err, "index_not_found_exception") {
		return rest.OK(wire.Obj("policies", list, "total_policies", 0)), nil
	}
	if err != nil {
		return nil, err
	}
	for _, doc := range res.Hits {
		policy, err := ism.ReadPolicy(doc.ID, doc.Source)
		if err != nil {
			continue
		}
		list = append(list, wire.Obj("_id", doc.ID, "_seq_no", doc.SeqNo, "_primary_term", doc.PrimaryTerm, "policy", policy.JSON(ism.API, human)))
	}
	return rest.OK(wire.Obj("policies", list, "total_policies", res.Total)), nil
}

// deletePolicy deletes a policy. Indices that run it keep their copies.
func (a *API) deletePolicy(r *rest.Request) (rest.Action, error) {
	id := r.Path("policyID")
	refresh := r.Refresh("true")
	return func(ctx context.Context) (*rest.Response, error) {
		doc, _, err := a.policy(ctx, id)
		if err != nil {
			return nil, err
		}
		if !doc.Found || !isPolicy(doc.Source) {
			return nil, fault.Status(http.StatusNotFound, "Policy %s is not found", id)
		}
		done, err := a.client.Write(ctx, opensearch.Write{Op: opensearch.OpDelete, Index: manager.ConfigIndex, ID: id}, refresh)
		if err != nil {
			return nil, noConfigIndex(err)
		}
		a.changed()
		return rest.OK(done.Raw), nil
	}, nil
}

// page is what the list parameters ask for.
type page struct {
	size, from       int
	sortField, order string
	query            string
}

func readPage(r *rest.Request, sortField string) page {
	return page{
		size: r.Int("size", 20), from: r.Int("from", 0),
		sortField: r.Param("sortField", sortField), order: r.Param("sortOrder", "asc"),
		query: r.Param("queryString", "*"),
	}
}

// check refuses what no search can have. It comes once the whole request has been read.
func (p page) check() error {
	switch order := strings.ToUpper(p.order); {
	case order != "ASC" && order != "DESC":
		return fault.Illegal("No enum constant org.opensearch.search.sort.SortOrder.%s", order)
	case p.from < 0:
		return fault.Illegal("[from] parameter cannot be negative, found [%d]", p.from)
	case p.size < 0:
		return fault.Illegal("[size] parameter cannot be negative, found [%d]", p.size)
	}
	return nil
}

// search is the search for documents that have a member of this kind and whose field matches the query.
func (p page) search(kind, field string, filters ...any) wire.Object {
	filters = append([]any{wire.Obj("exists", wire.Obj("field", kind))}, filters...)
	if p.query != "*" {
		filters = append(filters, wire.Obj("query_string", wire.Obj(
			"query", p.query, "default_field", field, "default_operator", "AND")))
	}
	return wire.Obj("size", p.size, "from", p.from, "track_total_hits", true,
		"sort", []any{wire.Obj(p.sortField, wire.Obj("order", strings.ToLower(p.order)))},
		"query", wire.Obj("bool", wire.Obj("filter", filters)))
}
