// SPDX-License-Identifier: Apache-2.0

package ismapi

import (
	"context"

	"github.com/opensteward/steward/ism/manager"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire/rest"
)

// retry lets failed indices go on, from the failed action or in a state.
func (a *API) retry(r *rest.Request) (rest.Action, error) {
	names, err := readIndices(r, "Missing indices", "retry on")
	if err != nil {
		return nil, err
	}
	r.ManagerTimeout()
	state, err := textMember(r, "state")
	if err != nil {
		return nil, err
	}
	return names.then(func(ctx context.Context, names []string) (*rest.Response, error) {
		targets, err := a.targets(ctx, names, true)
		if err != nil {
			return nil, err
		}
		if len(targets) == 0 {
			return nil, nothingNamed()
		}
		if err := a.readDocuments(ctx, targets); err != nil {
			return nil, err
		}
		to := ""
		if state != nil {
			to = *state
		}
		return a.storeRetries(ctx, targets, to)
	}), nil
}

// storeRetries enables the jobs and rewrites the metadata, both under the versions that were read.
func (a *API) storeRetries(ctx context.Context, targets []*target, state string) (*rest.Response, error) {
	out := &outcome{}
	var failed []*target
	var writes []opensearch.Write
	for _, t := range targets {
		switch {
		case t.job == nil:
			out.fail(t, "This index is not being managed.")
		case t.meta == nil:
			out.fail(t, "This index has no metadata information")
		case !t.meta.Failed():
			out.fail(t, "This index is not in failed state.")
		default:
			failed = append(failed, t)
			writes = append(writes, t.jobWrite(t.job.Enable(a.o.Clock.Now())), opensearch.Write{
				Op: opensearch.OpIndex, Index: manager.ConfigIndex, ID: t.UUID + manager.MetadataSuffix, Routing: t.UUID,
				If: t.metaVersion, Source: t.meta.RetryOf(state),
			})
		}
	}
	results, err := a.client.Bulk(ctx, writes)
	if err != nil {
		err = out.blocked(failed, "Failed to update due to ClusterBlockException. ", err)
		return out.response(), err
	}
	a.changed()
	for i, t := range failed {
		switch {
		case results[2*i].Err != nil:
			out.fail(t, bulkMessage(results[2*i].Err))
		case results[2*i+1].Err != nil:
			out.fail(t, "Failed to update metadata for index "+t.Name)
		default:
			out.updated++
		}
	}
	return out.response(), nil
}
