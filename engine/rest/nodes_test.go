// SPDX-License-Identifier: Apache-2.0

package rest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward/engine"
)

func TestTheNodeSaysWhatItWasStartedWith(t *testing.T) {
	s := tables(t)
	const node = "nodes.steward-embedded-node1."
	for _, c := range []struct {
		path, member string
		want         any
	}{
		{"/_nodes", "cluster_name", "c1"},
		{"/_nodes", node + "name", "n1"},
		{"/_nodes", node + "host", "10.1.2.3"},
		{"/_nodes", node + "version", "3.4.0"},
		{"/_nodes", node + "attributes", map[string]any{"box": "hot", "zone": "a"}},
		{"/_nodes/settings", node + "settings.node.name", "n1"},
		{"/_nodes/settings?flat_settings&filter_path=nodes.*.settings.n*,nodes.*.settings.c*,nodes.*.settings.*type", node + "settings", map[string]any{
			"node.name": "n1", "cluster.name": "c1", "node.attr.zone": "a", "node.attr.box": "hot",
			"client.type": "node", "http.type": "net/http", "transport.type": "none",
		}},
		{"/_nodes/settings", node + "settings.path.logs", "/dev/stderr"},
		{"/_nodes/http", node + "http.publish_address", "10.1.2.3:9201"},
		{"/_nodes/http", node + "os", nil},
		{"/_nodes/_local/plugins?filter_path=nodes.*.plugins.name,nodes.*.plugins.version", node + "plugins", []any{
			map[string]any{"name": "lifecycle", "version": "3.4.0.0"},
		}},
		{"/_cluster/state/nodes", node + "name", "n1"},
		{"/", "name", "n1"},
		{"/", "cluster_name", "c1"},
		{"/", "version.number", "3.4.0"},
	} {
		t.Run(c.member+" of "+c.path, func(t *testing.T) {
			if diff := cmp.Diff(c.want, s.at(c.path, c.member)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestNodeFilters(t *testing.T) {
	s := tables(t)
	for filter, total := range map[string]float64{
		"_all": 1, "_local": 1, "_cluster_manager": 1, "_master": 1, "n1": 1, "n*": 1, "10.1.2.3": 1, "10.1.*": 1, "steward-embedded-node1": 1,
		"data:true": 1, "cluster_manager:true": 1, "master:true": 1, "ingest:true": 1, "search:true": 0, "data:false": 0,
		"other": 0, "other,n1": 1,
	} {
		t.Run(filter, func(t *testing.T) {
			for _, path := range []string{"/_nodes/" + filter, "/_nodes/" + filter + "/stats/process", "/_cluster/stats/nodes/" + filter} {
				if got := s.at(path, "_nodes.total"); got != total {
					t.Errorf("GET %s is about %v nodes, want %v", path, got, total)
				}
			}
		})
	}
}

func TestTheFirstAnswerIsIndentedUnlessToldOtherwise(t *testing.T) {
	s := start(t, engine.Options{})
	if got := s.text("/"); !strings.HasPrefix(got, "{\n  \"name\" : ") {
		t.Errorf("GET / is %q", got)
	}
	if got := s.text("/?pretty=false"); !strings.HasPrefix(got, `{"name":`) {
		t.Errorf("GET /?pretty=false is %q", got)
	}
}

func TestNodeStatisticsAreOfAMachineThatIsThere(t *testing.T) {
	s := tables(t)
	const node = "nodes.steward-embedded-node1."
	for _, member := range []string{
		"os.mem.total_in_bytes", "process.open_file_descriptors", "process.max_file_descriptors", "process.mem.total_virtual_in_bytes",
		"jvm.mem.heap_used_in_bytes", "jvm.mem.heap_max_in_bytes", "jvm.threads.count", "fs.total.total_in_bytes", "fs.total.available_in_bytes",
		"indices.store.size_in_bytes",
	} {
		if n, _ := s.at("/_nodes/stats", node+member).(float64); n <= 0 {
			t.Errorf("%s is %v", member, n)
		}
	}
	for _, member := range []string{"os.mem.used_percent", "process.cpu.percent", "jvm.mem.heap_used_percent"} {
		if n, _ := s.at("/_nodes/stats", node+member).(float64); n < 0 || n > 100 {
			t.Errorf("%s is %v", member, n)
		}
	}
}

func TestNodeStatisticsByLevel(t *testing.T) {
	s := tables(t)
	const indices = "nodes.steward-embedded-node1.indices."
	docs := func(n int) map[string]any {
		return map[string]any{"docs": map[string]any{"count": float64(n), "deleted": float64(0)}}
	}
	const path = "/_nodes/stats/indices/docs"
	if got := s.at(path, indices+"docs.count"); got != 3.0 {
		t.Errorf("%v documents on the node, want 3", got)
	}
	want := map[string]any{"big": docs(3), "small": docs(0)}
	if diff := cmp.Diff(want, s.at(path+"?level=indices", indices+"indices")); diff != "" {
		t.Errorf("by index (-want +got)\n%s", diff)
	}
	total := 0.0
	shards, _ := s.at(path+"?level=shards", indices+"shards.big").([]any)
	for n, shard := range shards {
		one, _ := shard.(map[string]any)[fmt.Sprint(n)].(map[string]any)
		total += one["docs"].(map[string]any)["count"].(float64)
	}
	if len(shards) != 2 || total != 3 {
		t.Errorf("%d shards with %v documents, want 2 with 3", len(shards), total)
	}
}
