// SPDX-License-Identifier: Apache-2.0

package ismapi

import (
	"context"
	"slices"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/ism/manager"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire/rest"
)

// remove takes the policy off indices, and keeps templates from attaching them again.
func (a *API) remove(r *rest.Request) (rest.Action, error) {
	names, err := readIndices(r, "Missing indices", "remove policy from")
	if err != nil {
		return nil, err
	}
	return names.then(func(ctx context.Context, names []string) (*rest.Response, error) {
		targets, err := a.targets(ctx, names, true)
		if err != nil || len(targets) == 0 {
			return (&outcome{}).response(), err
		}
		if err := a.readDocuments(ctx, targets); err != nil {
			return nil, err
		}
		out := &outcome{}
		var managed []*target
		for _, t := range targets {
			switch {
			case !t.Open:
				out.fail(t, "This index is closed")
			case t.job == nil:
				out.fail(t, "This index does not have a policy to remove")
			default:
				managed = append(managed, t)
			}
		}
		if err := a.detach(ctx, managed, out); err != nil {
			return nil, err
		}
		return out.response(), nil
	}), nil
}

// detach switches auto_manage off and then deletes the documents, so that no sweep in between attaches an index anew.
func (a *API) detach(ctx context.Context, targets []*target, out *outcome) error {
	if len(targets) == 0 {
		return nil
	}
	defer a.changed()
	if err := a.leaveAlone(ctx, targets); err != nil {
		return err
	}
	writes := make([]opensearch.Write, 0, 2*len(targets))
	for _, t := range targets {
		job := opensearch.Write{Op: opensearch.OpDelete, Index: manager.ConfigIndex, ID: t.UUID, Routing: t.UUID}
		writes = append(writes, job, t.deleteMetadata())
	}
	results, err := a.client.Bulk(ctx, writes)
	if err != nil {
		return out.blocked(targets, "Failed to remove policy due to ClusterBlockingException: ", err)
	}
	for i, t := range targets {
		switch {
		case results[2*i].Err != nil:
			out.fail(t, "Failed to remove policy")
			continue
		case results[2*i+1].Err != nil:
			out.fail(t, "Failed to clean metadata due to: "+bulkMessage(results[2*i+1].Err))
		}
		out.updated++
	}
	return nil
}

const autoManage = "index.plugins.index_state_management.auto_manage"

// readOnlyBlocks forbid that settings are changed.
var readOnlyBlocks = []string{"index.blocks.read_only", "index.blocks.read_only_allow_delete"}

// leaveAlone sets auto_manage to false where it is not: together for the indices whose settings may be changed, and one by one
// for the others.
func (a *API) leaveAlone(ctx context.Context, targets []*target) error {
	var free []string
	for _, t := range targets {
		blocked := slices.ContainsFunc(readOnlyBlocks, func(block string) bool { return t.Settings[block] == "true" })
		switch {
		case t.Settings[autoManage] == "false":
		case !blocked:
			free = append(free, t.Name)
		default:
			if err := a.leaveBlockedAlone(ctx, t); err != nil {
				return err
			}
		}
	}
	return unmanaged(a.client.PutSettingsOf(ctx, free, map[string]any{autoManage: false}))
}

// leaveBlockedAlone sets auto_manage of an index to false. Blocks that would forbid it are lifted for that long, each by
// itself, as the cluster wants it.
func (a *API) leaveBlockedAlone(ctx context.Context, t *target) (err error) {
	update := func(name string, value bool) error {
		return unmanaged(a.client.PutSettings(ctx, t.Name, map[string]any{name: value}))
	}
	for _, block := range readOnlyBlocks {
		if t.Settings[block] != "true" {
			continue
		}
		if err := update(block, false); err != nil {
			return err
		}
		defer func() {
			if failed := update(block, true); err == nil {
				err = failed
			}
		}()
	}
	return update(autoManage, false)
}

// unmanaged is the error of a change of settings that did not work.
func unmanaged(done opensearch.Acknowledged, err error) error {
	switch {
	case err != nil:
		e := fault.New(500, "index_management_exception",
			"Failed to remove policy because ISM auto_manage setting update requests failed with exception:")
		e.CausedBy = fault.Of(err)
		e.Err = err
		return e
	case !done.Acknowledged:
		return fault.New(500, "index_management_exception",
			"Failed to remove policy because ISM auto_manage setting update requests are not fully acknowledged.")
	}
	return nil
}
