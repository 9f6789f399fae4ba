// SPDX-License-Identifier: Apache-2.0

package crash

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opensteward/steward/test"
)

const splitDocuments = 2000

// TestAHalfMadeIndexIsNoneAfterACrash kills the program while it fills the shards of a split index: afterwards the target
// is whole, or it does not exist and nothing of it is left.
func TestAHalfMadeIndexIsNoneAfterACrash(t *testing.T) {
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-seed %d", *seed)
	random := rand.New(rand.NewPCG(*seed, 2))
	bin, data := build(t), t.TempDir()
	p := start(t, bin, data)
	p.must(t, http.MethodPut, "/src", map[string]any{"settings": map[string]any{"number_of_shards": 2, "number_of_replicas": 0}})
	var body strings.Builder
	for n := range splitDocuments {
		fmt.Fprintf(&body, "{\"index\":{\"_index\":\"src\",\"_id\":\"%d\"}}\n{\"value\":%d}\n", n, n)
	}
	p.must(t, http.MethodPost, "/_bulk", body.String())
	p.must(t, http.MethodPut, "/src/_settings", map[string]any{"index.blocks.write": true})
	split := map[string]any{"settings": map[string]any{"index.number_of_shards": 8, "index.number_of_replicas": 0}}
	for range *rounds {
		known := directories(t, data)
		shards := random.IntN(9)
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			_, _, _ = p.call(http.MethodPost, "/src/_split/dst", split)
		}()
		test.Eventually(t, fmt.Sprintf("shard %d of the target", shards), func() (bool, string) {
			return filled(t, data, known) >= shards, ""
		})
		p.kill()
		<-gone
		p = start(t, bin, data)
		status, _, err := p.call(http.MethodHead, "/dst", nil)
		if err != nil {
			t.Fatal(err)
		}
		if status == http.StatusNotFound {
			if left := len(directories(t, data)); left != len(known) {
				t.Errorf("killed at shard %d: %d directories of indices, want %d", shards, left, len(known))
			}
			p.must(t, http.MethodPost, "/src/_split/dst", split)
		}
		p.must(t, http.MethodPost, "/dst/_refresh", nil)
		for _, index := range []string{"src", "dst"} {
			count := decode[struct{ Count int }](t, p.must(t, http.MethodGet, "/"+index+"/_count", nil)).Count
			if count != splitDocuments {
				t.Errorf("killed at shard %d: %s has %d documents", shards, index, count)
			}
		}
		p.must(t, http.MethodGet, "/dst/_doc/"+fmt.Sprint(random.IntN(splitDocuments)), nil)
		p.must(t, http.MethodDelete, "/dst", nil)
	}
	p.kill()
	if out := check(t, bin, data); out != "" {
		t.Errorf("steward check: %s", out)
	}
}

func directories(t *testing.T, data string) map[string]bool {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(data, "indices"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	for _, e := range entries {
		out[e.Name()] = true
	}
	return out
}

// filled is how many shards the one index has that is not known.
func filled(t *testing.T, data string, known map[string]bool) int {
	t.Helper()
	n := 0
	for name := range directories(t, data) {
		if known[name] {
			continue
		}
		shards, err := filepath.Glob(filepath.Join(data, "indices", name, "[0-9]*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range shards {
			if !strings.HasSuffix(s, ".new") {
				n++
			}
		}
	}
	return n
}

// TestAShrinkSurvivesKills kills the program when a lifecycle is at each step of a shrink, or just behind it: every index
// ends shrunk, whole and writable.
func TestAShrinkSurvivesKills(t *testing.T) {
	bin, data := build(t), t.TempDir()
	p := start(t, bin, data)
	p.must(t, http.MethodPut, "/_plugins/_ism/policies/shrink", map[string]any{"policy": map[string]any{
		"description": "", "default_state": "hot",
		"states": []any{map[string]any{"name": "hot", "transitions": []any{}, "actions": []any{
			map[string]any{"shrink": map[string]any{"num_new_shards": 1, "force_unsafe": true}},
		}}},
	}})
	steps := []string{"attempt_move_shards_step", "wait_for_move_shards_step", "attempt_shrink_step", "wait_for_shrink_step"}
	for n, step := range steps {
		index := fmt.Sprint("src", n)
		p.must(t, http.MethodPut, "/"+index, map[string]any{"settings": map[string]any{"number_of_shards": 4, "number_of_replicas": 0}})
		var body strings.Builder
		for d := range 50 {
			fmt.Fprintf(&body, "{\"index\":{\"_index\":%q,\"_id\":\"%d\"}}\n{\"value\":%d}\n", index, d, d)
		}
		p.must(t, http.MethodPost, "/_bulk", body.String())
		p.must(t, http.MethodPost, "/_plugins/_ism/add/"+index, map[string]any{"policy_id": "shrink"})
		test.Eventually(t, step, func() (bool, string) {
			at := explained(t, p, index)
			return at.Completed || slices.Index(steps, at.Step.Name) >= n, fmt.Sprint(at)
		})
		p.kill()
		p = start(t, bin, data)
		test.Eventually(t, "the end of the shrink", func() (bool, string) {
			at := explained(t, p, index)
			return at.Completed, fmt.Sprint(at)
		})
		p.must(t, http.MethodPost, "/"+index+"_shrunken/_refresh", nil)
		count := decode[struct{ Count int }](t, p.must(t, http.MethodGet, "/"+index+"_shrunken/_count", nil)).Count
		if count != 50 {
			t.Errorf("killed at %s: %d documents", step, count)
		}
		p.must(t, http.MethodPut, "/"+index+"/_doc/x", map[string]any{"value": 1})
	}
	p.kill()
	if out := check(t, bin, data); out != "" {
		t.Errorf("steward check: %s", out)
	}
}

// standing is where explain says an index stands.
type standing struct {
	Completed bool `json:"policy_completed"`
	Step      struct {
		Name   string `json:"name"`
		Status string `json:"step_status"`
	} `json:"step"`
	Info struct {
		Message string `json:"message"`
	} `json:"info"`
}

func explained(t *testing.T, p *process, index string) standing {
	t.Helper()
	var at standing
	entry := decode[map[string]json.RawMessage](t, p.must(t, http.MethodGet, "/_plugins/_ism/explain/"+index, nil))[index]
	if err := json.Unmarshal(entry, &at); err != nil {
		t.Fatal(err)
	}
	return at
}
