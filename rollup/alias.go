// SPDX-License-Identifier: Apache-2.0

package rollup

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"

	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire"
)

// adopt makes the write index of a target that is an alias a rollup index, unless the alias serves other jobs: each of
// its indices that is not written to must name this job alone, and the one that is written to no other. A target that is
// no alias is left as it is. It returns what is known of the write index.
func adopt(ctx context.Context, c *opensearch.Client, j *Job, target string, info opensearch.IndexInfo) (opensearch.IndexInfo, error) {
	if _, is := info.Aliases[j.Target]; !is {
		return info, nil
	}
	infos, err := c.Indices(ctx, []string{j.Target})
	if err != nil {
		return info, refusal(err, "")
	}
	owners, err := jobsOf(ctx, c, target)
	if err != nil {
		return info, err
	}
	if len(owners) > 1 || len(owners) == 1 && owners[j.ID] == nil {
		return info, failed("More than one rollup jobs present on the backing index of the target alias, cannot perform rollup to this target alias [" + j.Target + "].")
	}
	for _, name := range slices.Sorted(maps.Keys(infos)) {
		if name == target {
			continue
		}
		switch owners, err := jobsOf(ctx, c, name); {
		case err != nil:
			return info, err
		case len(owners) > 1:
			return info, failed("Backing index [" + name + "] has multiple rollup job owners")
		case owners[j.ID] == nil:
			return info, failed("Backing index [" + name + "] has to have owner rollup job with id:[" + j.ID + "]")
		}
	}
	if isRollupIndex(info) {
		return info, nil
	}
	return becomeRollupIndex(ctx, c, target, info)
}

// becomeRollupIndex gives an index the setting and the mapping of a target of rollups.
func becomeRollupIndex(ctx context.Context, c *opensearch.Client, target string, info opensearch.IndexInfo) (opensearch.IndexInfo, error) {
	err := c.Do(ctx, opensearch.Call{
		Method: http.MethodPut, Path: opensearch.Path(target, "_settings"), Body: wire.Obj(rollupIndex, true),
	}, nil)
	if err != nil {
		return info, refusal(err, "Failed to update rollup settings for target index: ["+target+"]")
	}
	err = c.Do(ctx, opensearch.Call{Method: http.MethodPut, Path: opensearch.Path(target, "_mapping"), Body: targetMapping}, nil)
	if err != nil {
		return info, refusal(err, "Failed to put initial rollup mappings for target index ["+target+"]")
	}
	info.Settings = maps.Clone(info.Settings)
	info.Settings[rollupIndex] = "true"
	return info, nil
}

// metaOf reads the _meta of an index's mapping, and the rollup jobs in it.
func metaOf(ctx context.Context, c *opensearch.Client, index string) (meta, jobs map[string]json.RawMessage, err error) {
	var answer map[string]struct {
		Mappings struct {
			Meta map[string]json.RawMessage `json:"_meta"`
		} `json:"mappings"`
	}
	if err := c.Do(ctx, opensearch.Call{Method: http.MethodGet, Path: opensearch.Path(index, "_mapping")}, &answer); err != nil {
		return nil, nil, err
	}
	meta, jobs = answer[index].Mappings.Meta, map[string]json.RawMessage{}
	if meta == nil {
		meta = map[string]json.RawMessage{}
	}
	if meta["rollups"] != nil {
		err = json.Unmarshal(meta["rollups"], &jobs)
	}
	return meta, jobs, err
}

// jobsOf are the jobs that write to an index, by id.
func jobsOf(ctx context.Context, c *opensearch.Client, index string) (map[string]json.RawMessage, error) {
	_, jobs, err := metaOf(ctx, c, index)
	return jobs, refusal(err, "Failed to get mappings for index ["+index+"]")
}
