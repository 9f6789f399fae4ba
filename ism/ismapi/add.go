// SPDX-License-Identifier: Apache-2.0

package ismapi

import (
	"context"
	"net/http"
	"regexp"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/ism/manager"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire/regex"
	"github.com/opensteward/steward/wire/rest"
	"github.com/opensteward/steward/wire/setting"
)

// add attaches a policy to indices that have none.
func (a *API) add(r *rest.Request) (rest.Action, error) {
	names, err := readIndices(r, "Missing indices", "add policy to")
	if err != nil {
		return nil, err
	}
	id, err := textMember(r, "policy_id")
	if err != nil {
		return nil, err
	}
	if id == nil {
		return nil, fault.Illegal("Missing policy_id")
	}
	return names.then(func(ctx context.Context, names []string) (*rest.Response, error) {
		targets, err := a.targets(ctx, names, false)
		if err != nil || len(targets) == 0 {
			return (&outcome{}).response(), err
		}
		return a.attach(ctx, targets, *id)
	}), nil
}

func (a *API) attach(ctx context.Context, targets []*target, id string) (*rest.Response, error) {
	doc, policy, err := a.policy(ctx, id)
	if err != nil {
		return nil, err
	}
	if policy == nil {
		return nil, fault.Status(http.StatusNotFound, "Could not find policy=%s", id)
	}
	view, err := a.settings(ctx)
	if err != nil {
		return nil, err
	}
	if err := a.readDocuments(ctx, targets); err != nil {
		return nil, err
	}
	out := &outcome{}
	free := addable(targets, policy, view, out)
	if err := a.createJobs(ctx, free, policy, doc.Version, view, out); err != nil {
		return nil, err
	}
	return out.response(), nil
}

// restrictedNames matches the names of indices that get no policy.
func restrictedNames(view setting.View) (*regexp.Regexp, error) {
	return regex.Whole(view.Text("plugins.index_state_management.restricted_index_pattern"))
}

// addable are the targets that may get a policy; the others are listed as failed.
func addable(targets []*target, policy *ism.Policy, view setting.View, out *outcome) []*target {
	restricted, err := restrictedNames(view)
	var free []*target
	for _, t := range targets {
		switch {
		case !t.Open:
			out.fail(t, "This index is closed")
		case err != nil || restricted.MatchString(t.Name) || manager.NeverManaged(t.Name):
			out.fail(t, "Matches restricted index pattern defined in the cluster setting")
		case t.Settings["index.pluggable.dataformat.enabled"] == "true" && policy.Runs(ism.ActionRollup, ism.ActionTransform):
			out.fail(t, "Rollup/Transform is not supported with Optimized Engine currently")
		case t.job != nil:
			out.fail(t, "This index already has a policy, use the update policy API to update index policies")
		default:
			free = append(free, t)
		}
	}
	return free
}

func (a *API) createJobs(ctx context.Context, targets []*target, p *ism.Policy, v opensearch.Version, view setting.View, out *outcome) error {
	var writes []opensearch.Write
	for _, t := range targets {
		job := ism.NewJob(t.Name, t.UUID, p, v.SeqNo, v.PrimaryTerm, int(view.Int("plugins.index_state_management.job_interval")),
			view.Double("plugins.index_state_management.jitter"), a.o.Clock.Now())
		w := t.jobWrite(job)
		w.Op, w.If = opensearch.OpCreate, opensearch.Version{}
		writes = append(writes, w)
		if t.meta != nil { // left over from an earlier policy
			old := t.deleteMetadata()
			old.If = t.metaVersion // not what begins if somebody else was faster
			writes = append(writes, old)
		}
	}
	results, err := a.client.Bulk(ctx, writes)
	if err != nil {
		return out.blocked(targets, "Failed to add policy due to ClusterBlockingException: ", err)
	}
	defer a.changed()
	i := 0
	for _, t := range targets {
		if err := results[i].Err; err != nil {
			out.fail(t, "Failed to add policy due to: "+bulkMessage(err))
		} else {
			out.updated++
		}
		i++
		if t.meta != nil {
			i++
		}
	}
	return nil
}

func (t *target) deleteMetadata() opensearch.Write {
	return opensearch.Write{Op: opensearch.OpDelete, Index: manager.ConfigIndex, ID: t.UUID + manager.MetadataSuffix, Routing: t.UUID}
}
