// SPDX-License-Identifier: Apache-2.0

package opensearch_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire"
)

func client(t *testing.T, answers ...answer) *opensearch.Client {
	t.Helper()
	return opensearch.NewClient(scripted(t, answers...))
}

func equal(t *testing.T, want, got any, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestCopiesAreListedByShardAndAddedUp(t *testing.T) {
	c := client(t, answer{"GET /a/_stats/docs%2Cstore?filter_path=indices.%2A.total%2Cindices.%2A.shards.%2A.routing&level=shards", 200, `{"indices":{"a":{
		"total":{"docs":{"count":7},"store":{"size_in_bytes":90}},"shards":{
		"1":[{"routing":{"state":"RELOCATING","primary":true,"node":"x"}}],"0":[{"routing":{"state":"STARTED","primary":false,"node":"y"}}]}}}}`})
	got, err := c.Copies(t.Context(), "a")
	equal(t, opensearch.Copies{Docs: 7, Bytes: 90, Shards: []opensearch.ShardCopy{
		{Number: 0, Started: true, Node: "y"}, {Number: 1, Primary: true, Node: "x"},
	}}, got, err)
}

func TestCopiesInSyncAreCounted(t *testing.T) {
	c := client(t, answer{
		"GET /_cluster/state/metadata/a?filter_path=metadata.indices.%2A.in_sync_allocations", 200,
		`{"metadata":{"indices":{"a":{"in_sync_allocations":{"0":["x","y"],"1":["z"]}}}}}`,
	})
	got, err := c.InSync(t.Context(), "a")
	equal(t, map[string]int{"0": 2, "1": 1}, got, err)
}

func TestNodesWithoutDataAreLeftOut(t *testing.T) {
	c := client(t, answer{"GET /_nodes/stats/fs?filter_path=nodes.%2A.name%2Cnodes.%2A.roles%2Cnodes.%2A.fs.total", 200, `{"nodes":{
		"a":{"name":"n1","roles":["data"],"fs":{"total":{"free_in_bytes":3,"total_in_bytes":9}}},"b":{"name":"n2","roles":["cluster_manager"]}}}`})
	got, err := c.DataNodes(t.Context())
	equal(t, map[string]opensearch.DataNode{"a": {ID: "a", Name: "n1", Free: 3, Total: 9}}, got, err)
}

func TestTheHighWatermarkIsTheOneThatApplies(t *testing.T) {
	level := func(name, value string) string {
		return `"` + name + `":{"cluster":{"routing":{"allocation":{"disk":{"watermark":{"high":"` + value + `"}}}}}}`
	}
	for _, e := range []struct{ is, body, want string }{
		{"the default", `{` + level("defaults", "90%") + `}`, "90%"},
		{"the persistent one", `{` + level("persistent", "5gb") + `}`, "5gb"},
		{"the transient one before it", `{` + level("persistent", "5gb") + `,` + level("transient", "7gb") + `}`, "7gb"},
		{"none", `{}`, ""},
	} {
		t.Run(e.is, func(t *testing.T) {
			c := client(t, answer{"GET /_cluster/settings?filter_path=%2A.cluster.routing.allocation.disk.watermark.high&include_defaults=true", 200, e.body})
			got, err := c.HighWatermark(t.Context())
			equal(t, e.want, got, err)
		})
	}
}

func TestMovesThatAreMadeLaterCountAsMovable(t *testing.T) {
	c := client(t, answer{
		`POST /_cluster/reroute?dry_run=true&explain=true&filter_path=explanations&metric=none {"commands":[` +
			`{"move":{"index":"a","shard":0,"from_node":"x","to_node":"y"}},{"move":{"index":"a","shard":1,"from_node":"x","to_node":"y"}},{"move":{"index":"a","shard":2,"from_node":"x","to_node":"y"}}]}`,
		200, `{"explanations":[{"decisions":[{"decision":"YES"}]},{"decisions":[{"decision":"YES"},{"decision":"THROTTLE"}]},{"decisions":[{"decision":"YES"},{"decision":"NO"}]}]}`,
	})
	got, err := c.Movable(t.Context(), []opensearch.ShardMove{{"a", 0, "x", "y"}, {"a", 1, "x", "y"}, {"a", 2, "x", "y"}})
	equal(t, 2, got, err)
}

func TestAShrinkNamesBothIndices(t *testing.T) {
	c := client(t, answer{`POST /a/_shrink/b%20c {"settings":{"index.number_of_shards":1},"aliases":{"x":{}}}`, 200, `{"acknowledged":true}`})
	got, err := c.Shrink(t.Context(), "a", "b c", map[string]any{"index.number_of_shards": 1}, wire.Obj("x", wire.Object{}))
	equal(t, opensearch.Acknowledged{Acknowledged: true}, got, err)
	if _, err := c.Shrink(t.Context(), "a*", "b", nil, nil); err == nil {
		t.Error("a pattern is shrunk")
	}
}
