// SPDX-License-Identifier: Apache-2.0

package ismapi

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/ism/manager"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
	"github.com/opensteward/steward/wire/setting"
)

// attachmentsPath is where this program, and no plugin, tells which indices do not run what they should.
const attachmentsPath = "/_plugins/_steward/attachments"

// attached is one policy with the indices that do not run it as it is stored.
type attached struct {
	id     string
	policy *ism.Policy // nil if it does not exist (any more)
	opensearch.Version
	managed int
	// unmanaged are indices that a template of the policy names and that have no policy: they are older than the
	// template, or their policy was removed. outdated run an older version of it.
	unmanaged, outdated []*target
	// less are indices that run a policy which does not exist.
	less []*target
}

func (a *API) attachments(*rest.Request) (rest.Action, error) {
	return func(ctx context.Context) (*rest.Response, error) {
		list, err := a.readAttachments(ctx)
		if err != nil {
			return nil, err
		}
		out := []wire.Object{}
		for _, p := range list {
			o := wire.Obj("policy_id", p.id, "exists", p.policy != nil, "managed", p.managed)
			if p.policy != nil {
				o.Add("unmanaged", targetNames(p.unmanaged))
				o.Add("outdated", targetNames(p.outdated))
			} else {
				o.Add("policy_less", targetNames(p.less))
			}
			out = append(out, o)
		}
		return rest.OK(wire.Obj("policies", out)), nil
	}, nil
}

func targetNames(list []*target) []string {
	names := []string{}
	for _, t := range list {
		names = append(names, t.Name)
	}
	slices.Sort(names)
	return names
}

// reconcile attaches what is unmanaged and changes what is outdated to the stored policy; dry_run tells what it would
// do. Indices whose policy does not exist are left: nobody can say what they should run.
func (a *API) reconcile(r *rest.Request) (rest.Action, error) {
	dry := r.Bool("dry_run", false)
	only := r.List("policy_id")
	return func(ctx context.Context) (*rest.Response, error) {
		list, err := a.readAttachments(ctx)
		if err != nil {
			return nil, err
		}
		list = slices.DeleteFunc(list, func(p *attached) bool { return len(only) > 0 && !slices.Contains(only, p.id) })
		view, err := a.settings(ctx)
		if err != nil {
			return nil, err
		}
		added, changed, left, out := []string{}, []string{}, []string{}, &outcome{}
		for _, p := range list {
			left = append(left, targetNames(p.less)...)
			free := addable(p.unmanaged, p.policy, view, out)
			added, changed = append(added, targetNames(free)...), append(changed, targetNames(p.outdated)...)
			if dry || p.policy == nil {
				continue
			}
			if err := a.reconcileOne(ctx, p, free, view, out); err != nil {
				return nil, err
			}
		}
		failed := out.failed
		if failed == nil {
			failed = []wire.Object{}
		}
		return rest.OK(wire.Obj("dry_run", dry, "attached", without(added, failed), "updated", without(changed, failed), "failed", failed, "policy_less", left)), nil
	}, nil
}

// without are the names but those that failed.
func without(names []string, failed []wire.Object) []string {
	return slices.DeleteFunc(names, func(name string) bool {
		return slices.ContainsFunc(failed, func(f wire.Object) bool { return f[0].Value == name })
	})
}

func (a *API) reconcileOne(ctx context.Context, p *attached, free []*target, view setting.View, out *outcome) error {
	if len(free) > 0 {
		if err := a.createJobs(ctx, free, p.policy, p.Version, view, out); err != nil {
			return err
		}
	}
	if len(p.outdated) == 0 {
		return nil
	}
	var changed outcome
	err := a.changeTo(ctx, p.outdated, changeRequest{policyID: p.id}, p.policy, &changed)
	out.failed = append(out.failed, changed.failed...)
	return err
}

// readAttachments compares all policies, jobs and indices. It is sorted by policy.
func (a *API) readAttachments(ctx context.Context) ([]*attached, error) {
	infos, err := a.client.Indices(ctx, nil)
	if err != nil {
		return nil, err
	}
	view, err := a.settings(ctx)
	if err != nil {
		return nil, err
	}
	policies, jobs, err := a.readConfig(ctx)
	if err != nil {
		return nil, err
	}
	restricted, err := restrictedNames(view)
	if err != nil {
		return nil, err
	}
	for _, info := range infos {
		if t := jobs[info.UUID]; t != nil {
			t.IndexInfo = info
			sortIn(policies, t)
			continue
		}
		if p := claiming(policies, info); p != nil && !restricted.MatchString(cmp.Or(info.DataStream, info.Name)) {
			p.unmanaged = append(p.unmanaged, &target{IndexInfo: info})
		}
	}
	return slices.SortedFunc(maps.Values(policies), func(a, b *attached) int { return cmp.Compare(a.id, b.id) }), nil
}

// readConfig reads all policies by id, and all jobs with their metadata by uuid.
func (a *API) readConfig(ctx context.Context) (policies map[string]*attached, jobs map[string]*target, err error) {
	policies, jobs = map[string]*attached{}, map[string]*target{}
	metadata, known := map[string]opensearch.Document{}, ism.Policies{}
	if err := a.refresh(ctx); err != nil {
		return nil, nil, err
	}
	err = a.client.Scan(ctx, manager.ConfigIndex, nil, func(doc opensearch.Document) error {
		if uuid, is := strings.CutSuffix(doc.ID, manager.MetadataSuffix); is {
			metadata[uuid] = doc
			return nil
		}
		if isPolicy(doc.Source) {
			if p, err := ism.ReadPolicy(doc.ID, doc.Source); err == nil {
				policies[doc.ID] = &attached{id: doc.ID, policy: p, Version: doc.Version}
			}
			return nil
		}
		t := &target{}
		if t.take(known, foundDocument(doc), opensearch.Document{}); t.job != nil {
			jobs[doc.ID] = t
		}
		return nil
	})
	if err != nil && !fault.Is(err, "index_not_found_exception") {
		return nil, nil, err
	}
	for uuid, t := range jobs {
		if doc, ok := metadata[uuid]; ok {
			t.take(known, opensearch.Document{}, foundDocument(doc))
		}
	}
	return policies, jobs, nil
}

// foundDocument is a search's hit as a get would answer it.
func foundDocument(doc opensearch.Document) opensearch.Document {
	doc.Found = true
	return doc
}

// sortIn puts a managed index to its policy.
func sortIn(policies map[string]*attached, t *target) {
	p := policies[t.job.PolicyID]
	if p == nil {
		p = &attached{id: t.job.PolicyID}
		policies[p.id] = p
	}
	p.managed++
	switch {
	case p.policy == nil:
		p.less = append(p.less, t)
	case t.job.ChangePolicy != nil, t.meta != nil && t.meta.PolicyCompleted:
		// it changes already, or it has reached the end and changes no more
	case t.job.PolicySeqNo != p.SeqNo || t.job.PolicyPrimaryTerm != p.PrimaryTerm:
		p.outdated = append(p.outdated, t)
	}
}

// claiming is the policy whose template would attach an index if the index were new; nil if none would.
func claiming(policies map[string]*attached, info opensearch.IndexInfo) *attached {
	name, free := manager.Claimable(info.Name, info.DataStream, info.Hidden)
	if !free || manager.IndexSetting(info, "auto_manage") == "false" {
		return nil
	}
	var best *attached
	highest := 0
	for _, p := range policies {
		if p.policy == nil {
			continue
		}
		if priority, ok := p.policy.TemplatePriority(name, time.UnixMilli(1<<53)); ok && (best == nil || priority > highest || priority == highest && p.SeqNo > best.SeqNo) {
			best, highest = p, priority
		}
	}
	return best
}
