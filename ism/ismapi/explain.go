// SPDX-License-Identifier: Apache-2.0

package ismapi

import (
	"context"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/ism/manager"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

// explainRequest is what an explain asks for.
type explainRequest struct {
	names      named // none: all managed indices
	page       page
	showPolicy bool
	validate   bool
	why        bool
	human      bool
	filter     filter
}

// explain answers how far policies have got.
func (a *API) explain(r *rest.Request) (rest.Action, error) {
	q, err := readExplain(r)
	if err != nil {
		return nil, err
	}
	return q.names.then(func(ctx context.Context, _ []string) (*rest.Response, error) { return a.explained(ctx, q) }), nil
}

// explainFiltered is explain with a filter in its body.
func (a *API) explainFiltered(r *rest.Request) (rest.Action, error) {
	q, err := readExplain(r)
	if err != nil {
		return nil, err
	}
	body, err := r.RequireBody()
	if err != nil {
		return nil, err
	}
	if q.filter, err = parseFilter(body); err != nil {
		return nil, err
	}
	return q.names.then(func(ctx context.Context, _ []string) (*rest.Response, error) { return a.explained(ctx, q) }), nil
}

func readExplain(r *rest.Request) (q explainRequest, err error) {
	if q.names, err = readIndices(r, "", "call explain on"); err != nil {
		return q, err
	}
	q.page = readPage(r, "managed_index.index")
	r.IgnoreBools("local")
	q.showPolicy, q.validate = r.Bool("show_policy", false), r.Bool("validate_action", false)
	q.why, q.human = r.Bool("why", false), r.Human()
	r.ManagerTimeout()
	return q, nil
}

func (a *API) explained(ctx context.Context, q explainRequest) (*rest.Response, error) {
	if err := q.page.check(); err != nil {
		return nil, err
	}
	targets, total, err := a.explainTargets(ctx, q)
	if err != nil {
		return nil, err
	}
	conditions, err := a.conditions(ctx, targets)
	if err != nil {
		return nil, err
	}
	var checks map[string]ism.Validation
	if q.validate {
		if checks, err = a.validations(ctx, targets); err != nil {
			return nil, err
		}
	}
	var whys map[string]*ism.Why
	if q.why {
		if whys, err = a.o.Manager.Why(ctx, candidates(targets)); err != nil {
			return nil, err
		}
	}
	answer := wire.Object{}
	for _, t := range targets {
		if !q.filter.matches(t.meta) {
			if t.job != nil {
				total--
			}
			continue
		}
		o := t.explain(q, conditions[t.UUID])
		if q.validate {
			o.Add("validate", validationJSON(checks[t.UUID]))
		}
		if q.why && t.job != nil {
			o.Add("why", whys[t.UUID].JSON())
		}
		answer.Add(t.Name, o)
	}
	answer.Add("total_managed_indices", total)
	return rest.OK(answer), nil
}

// explainTargets are the indices of the answer, and how many managed ones the request means.
func (a *API) explainTargets(ctx context.Context, q explainRequest) ([]*target, int64, error) {
	if q.names.expressions == nil {
		return a.managedPage(ctx, q)
	}
	targets, err := a.targets(ctx, q.names.expressions, false)
	if err != nil {
		return nil, 0, err
	}
	if len(targets) == 0 {
		return nil, 0, nothingNamed()
	}
	if err := a.readDocuments(ctx, targets); err != nil {
		return nil, 0, err
	}
	if err := a.narrow(ctx, targets, q); err != nil {
		return nil, 0, err
	}
	var managed int64
	for _, t := range targets {
		if t.job != nil {
			managed++
		}
	}
	return targets, managed, nil
}

// narrow makes those look unmanaged whose jobs the query string or the policy id leaves out.
func (a *API) narrow(ctx context.Context, targets []*target, q explainRequest) error {
	if q.filter.policyID != nil {
		for _, t := range targets {
			if t.job != nil && t.job.PolicyID != *q.filter.policyID {
				t.job, t.meta = nil, nil
			}
		}
	}
	if q.page.query == "*" {
		return nil
	}
	all := q.page
	all.size, all.from = maxHits, 0
	found := map[string]bool{}
	err := a.searchJobs(ctx, all, q.filter, func(doc opensearch.Document) { found[doc.ID] = true }, nil)
	if err != nil {
		return err
	}
	for _, t := range targets {
		if !found[t.UUID] {
			t.job, t.meta = nil, nil
		}
	}
	return nil
}

// maxHits is how many hits one search returns at most (index.max_result_window).
const maxHits = 10_000

// searchJobs calls fn for the jobs of a page, and stores how many there are in all.
func (a *API) searchJobs(ctx context.Context, p page, f filter, fn func(opensearch.Document), total *int64) error {
	if err := a.refresh(ctx); err != nil {
		return err
	}
	var filters []any
	if f.policyID != nil {
		filters = append(filters, wire.Obj("term", wire.Obj("managed_index.policy_id", *f.policyID)))
	}
	res, err := a.client.Search(ctx, manager.ConfigIndex, p.search("managed_index", "managed_index.name.keyword", filters...), nil)
	if fault.Is(err, "index_not_found_exception") {
		return nil
	}
	if err != nil {
		return err
	}
	for _, doc := range res.Hits {
		fn(doc)
	}
	if total != nil {
		*total = res.Total
	}
	return nil
}

// managedPage is a page of the managed indices that exist.
func (a *API) managedPage(ctx context.Context, q explainRequest) ([]*target, int64, error) {
	var total int64
	var targets []*target
	var names []string
	known := ism.Policies{}
	err := a.searchJobs(ctx, q.page, q.filter, func(doc opensearch.Document) {
		t := &target{}
		t.take(known, doc, opensearch.Document{})
		if t.job != nil {
			t.Name, t.UUID = t.job.Index, t.job.UUID
			targets, names = append(targets, t), append(names, t.Name)
		}
	}, &total)
	if err != nil || len(targets) == 0 {
		return nil, total, err
	}
	infos, err := a.client.Indices(ctx, names)
	if err != nil {
		return nil, 0, err
	}
	var existing []*target
	for _, t := range targets {
		info, ok := infos[t.Name]
		if !ok || info.UUID != t.UUID {
			total-- // deleted just now
			continue
		}
		t.IndexInfo = info
		existing = append(existing, t)
	}
	return existing, total, a.readDocuments(ctx, existing)
}

// conditions are those of waiting rollovers, as they are now.
func (a *API) conditions(ctx context.Context, targets []*target) (map[string]wire.Object, error) {
	list := make([]manager.Waiting, len(targets))
	for i, t := range targets {
		list[i] = manager.Waiting{Job: t.job, Meta: t.meta}
	}
	return a.o.Manager.CurrentConditions(ctx, list)
}

// explain is the object of one index.
func (t *target) explain(q explainRequest, conditions wire.Object) wire.Object {
	if t.job == nil {
		return wire.Obj("index.plugins.index_state_management.policy_id", nil,
			"index.opendistro.index_state_management.policy_id", nil, "enabled", nil)
	}
	o := wire.Obj("index.plugins.index_state_management.policy_id", t.job.PolicyID,
		"index.opendistro.index_state_management.policy_id", t.job.PolicyID)
	if t.meta == nil {
		o = append(o, wire.Obj("index", t.job.Index, "index_uuid", t.job.UUID, "policy_id", t.job.PolicyID)...)
	} else {
		m := *t.meta
		if len(conditions) > 0 {
			m.Info = m.Info.With("conditions", conditions)
		}
		o = append(o, m.Explain()...)
	}
	o.Add("enabled", t.job.Enabled)
	if q.showPolicy {
		o.Add("policy", t.job.Policy.JSON(ism.Explain, q.human))
	}
	return o
}
