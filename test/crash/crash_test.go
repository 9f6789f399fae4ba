// SPDX-License-Identifier: Apache-2.0

package crash

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opensteward/steward/test"
)

var (
	rounds = flag.Int("rounds", 3, "how often the program is killed and started again")
	seed   = flag.Uint64("seed", 0, "seed of the random choices; 0 takes one from the clock")
)

const (
	writers    = 4
	batch      = 25 // documents of one bulk request
	rolloverAt = 40 // documents after which a lifecycle rolls its index over
)

// model is what the clients were told.
type model struct {
	mu    sync.Mutex
	acked map[string]int // document id -> value acknowledged last
	tried map[string]int // document id -> value sent last
	next  [writers]int
	count atomic.Int64 // acknowledged bulk requests
}

func TestNothingIsLostStuckOrDoubledByKills(t *testing.T) {
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-seed %d", *seed)
	random := rand.New(rand.NewPCG(*seed, 1))
	bin, data := build(t), t.TempDir()
	m := &model{acked: map[string]int{}, tried: map[string]int{}}

	p := start(t, bin, data)
	setUp(t, p)
	for range *rounds {
		killUnderLoad(t, p, m, random)
		p = start(t, bin, data)
		nothingIsMissing(t, p, m)
	}
	lifecyclesEnd(t, p)
	nothingIsMissing(t, p, m)
	snapshotsAreWhole(t, p)
	p.kill()
	if out := check(t, bin, data); out != "" {
		t.Errorf("steward check: %s", out)
	}
}

// setUp makes a plain index under load, and two families of indices that roll over by document count: one ends merged,
// read-only and in a snapshot, the other deleted.
func setUp(t *testing.T, p *process) {
	t.Helper()
	p.must(t, "PUT", "/load", map[string]any{"settings": map[string]any{"number_of_shards": 2, "number_of_replicas": 0}})
	rollover := map[string]any{"rollover": map[string]any{"min_doc_count": rolloverAt}}
	merge := map[string]any{"force_merge": map[string]any{"max_num_segments": 1}}
	p.must(t, "PUT", "/_snapshot/backup", map[string]any{"type": "fs", "settings": map[string]any{"location": "backup"}})
	snapshot := map[string]any{"snapshot": map[string]any{"repository": "backup", "snapshot": "{{ctx.index}}"}}
	last := map[string]map[string]any{
		"keep": {"name": "last", "actions": []any{merge, snapshot, map[string]any{"index_priority": map[string]any{"priority": 7}}}},
		"drop": {"name": "last", "actions": []any{map[string]any{"delete": map[string]any{}}}},
	}
	for name, end := range last {
		p.must(t, "PUT", "/_plugins/_ism/policies/"+name, map[string]any{"policy": map[string]any{
			"description": name, "default_state": "hot",
			"states": []any{
				map[string]any{"name": "hot", "actions": []any{rollover}, "transitions": []any{map[string]any{"state_name": "last"}}},
				end,
			},
			"ism_template": []any{map[string]any{"index_patterns": []string{name + "-*"}, "priority": 1}},
		}})
		p.must(t, "PUT", "/_index_template/"+name, map[string]any{
			"index_patterns": []string{name + "-*"},
			"template": map[string]any{"settings": map[string]any{
				"number_of_replicas": 0, "plugins.index_state_management.rollover_alias": name,
			}},
		})
	}
	// template times have the resolution of a millisecond, and an index must be younger than its template
	test.Eventually(t, "the template's time passed", func() (bool, string) {
		body := p.must(t, "GET", "/_plugins/_ism/policies/keep", nil)
		got := decode[struct {
			Policy struct {
				Updated int64 `json:"last_updated_time"`
			} `json:"policy"`
		}](t, body)
		return time.Now().UnixMilli() > got.Policy.Updated+5, string(body)
	})
	for name := range last {
		p.must(t, "PUT", "/"+name+"-000001", map[string]any{"aliases": map[string]any{name: map[string]any{"is_write_index": true}}})
	}
}

// killUnderLoad writes with several clients and kills the program after a random number of acknowledged requests.
func killUnderLoad(t *testing.T, p *process, m *model, random *rand.Rand) {
	t.Helper()
	target := m.count.Load() + 5 + random.Int64N(120)
	reached, stop := make(chan struct{}), make(chan struct{})
	var once sync.Once
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if !m.write(t, p, w) {
					return
				}
				if m.count.Load() >= target {
					once.Do(func() { close(reached) })
				}
			}
		})
	}
	select {
	case <-reached:
	case <-time.After(time.Minute):
		t.Errorf("the load did not get through:\n%s", p.log)
	}
	p.kill()
	close(stop)
	wg.Wait()
	if t.Failed() {
		t.FailNow()
	}
}

// write sends one bulk request: new documents and one more version of old ones, and documents for the lifecycles. It
// reports false once the program is gone.
func (m *model) write(t *testing.T, p *process, w int) bool {
	m.mu.Lock()
	var body strings.Builder
	values := map[string]int{}
	for i := range batch {
		id := fmt.Sprintf("w%d-%d", w, m.next[w])
		if i%5 == 4 && m.next[w] > batch {
			id = fmt.Sprintf("w%d-%d", w, m.next[w]-batch)
		} else {
			m.next[w]++
		}
		if _, twice := values[id]; twice {
			continue
		}
		values[id] = m.tried[id] + 1
		m.tried[id] = values[id]
		fmt.Fprintf(&body, "{\"index\":{\"_index\":\"load\",\"_id\":%q}}\n{\"value\":%d}\n", id, values[id])
	}
	m.mu.Unlock()
	for _, family := range []string{"keep", "drop"} {
		fmt.Fprintf(&body, "{\"index\":{\"_index\":%q}}\n{\"value\":1}\n", family)
	}
	status, answer, err := p.call("POST", "/_bulk", body.String())
	if err != nil {
		return false
	}
	if status != 200 {
		t.Errorf("bulk: %d %s", status, answer)
		return false
	}
	items := decode[struct {
		Items []map[string]struct {
			Index  string `json:"_index"`
			ID     string `json:"_id"`
			Status int    `json:"status"`
		} `json:"items"`
	}](t, answer).Items
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, item := range items {
		r := item["index"]
		if r.Index != "load" {
			continue
		}
		if r.Status >= 300 {
			t.Errorf("bulk item refused: %s", answer)
			return false
		}
		m.acked[r.ID] = values[r.ID]
	}
	m.count.Add(1)
	return true
}

// nothingIsMissing compares every document with the model: at least what was acknowledged, at most what was sent.
func nothingIsMissing(t *testing.T, p *process, m *model) {
	t.Helper()
	ids := slices.Sorted(maps.Keys(m.acked))
	for chunk := range slices.Chunk(ids, 1000) {
		body := p.must(t, "POST", "/load/_mget", map[string]any{"ids": chunk})
		docs := decode[struct {
			Docs []struct {
				ID     string `json:"_id"`
				Found  bool   `json:"found"`
				Source struct {
					Value int `json:"value"`
				} `json:"_source"`
			} `json:"docs"`
		}](t, body).Docs
		if len(docs) != len(chunk) {
			t.Fatalf("asked for %d documents, got %d", len(chunk), len(docs))
		}
		for _, d := range docs {
			if !d.Found || d.Source.Value < m.acked[d.ID] || d.Source.Value > m.tried[d.ID] {
				t.Errorf("document %s: found %v, value %d; acknowledged %d, sent %d", d.ID, d.Found, d.Source.Value, m.acked[d.ID], m.tried[d.ID])
			}
		}
	}
	p.must(t, "POST", "/load/_refresh", nil)
	count := decode[struct {
		Count int `json:"count"`
	}](t, p.must(t, "GET", "/load/_count", nil)).Count
	if count < len(m.acked) || count > len(m.tried) {
		t.Errorf("a search counts %d documents; acknowledged %d, sent %d", count, len(m.acked), len(m.tried))
	}
	if t.Failed() {
		t.FailNow()
	}
}

// lifecyclesEnd waits until every index but the two write indices has come to the end of its policy, and looks for
// effects that happened twice.
func lifecyclesEnd(t *testing.T, p *process) {
	t.Helper()
	test.Eventually(t, "the end of all lifecycles", func() (bool, string) {
		dropped := indices(t, p, "drop")
		state := fmt.Sprintf("drop: %v", dropped)
		if len(dropped) != 1 {
			return false, state
		}
		kept := indices(t, p, "keep")
		explain := decode[map[string]any](t, p.must(t, "GET", "/_plugins/_ism/explain/keep-*", nil))
		for _, name := range kept[:len(kept)-1] {
			entry, _ := explain[name].(map[string]any)
			if entry["policy_completed"] != true {
				return false, fmt.Sprint(entry)
			}
		}
		last := kept[len(kept)-1] // which is about to be rolled over, if the last documents have filled it
		return count(t, p, last) < rolloverAt, last + " is full"
	})
	kept := indices(t, p, "keep")
	if len(kept) < 2 {
		t.Errorf("nothing was rolled over: %v", kept)
	}
	for i, name := range kept {
		if want := fmt.Sprintf("keep-%06d", i+1); name != want {
			t.Errorf("index %d of the family is %s, want %s: an index is missing", i+1, name, want)
		}
		if n := count(t, p, name); i < len(kept)-1 && n < rolloverAt {
			t.Errorf("%s was rolled over with %d documents, the policy wants %d: it was rolled over twice", name, n, rolloverAt)
		}
	}
}

// snapshotsAreWhole looks whether every index of the family that is kept has one snapshot, with all of its documents.
func snapshotsAreWhole(t *testing.T, p *process) {
	t.Helper()
	kept := indices(t, p, "keep")
	list := decode[struct {
		Snapshots []struct {
			Snapshot, State string
			Indices         []string
		}
	}](t, p.must(t, "GET", "/_snapshot/backup/_all", nil)).Snapshots
	taken := map[string]string{}
	for _, s := range list {
		if s.State != "SUCCESS" || len(s.Indices) != 1 || taken[s.Indices[0]] != "" {
			t.Errorf("snapshot %s is %s and has %v, of which %s was taken already", s.Snapshot, s.State, s.Indices, taken[s.Indices[0]])
		}
		taken[s.Indices[0]] = s.Snapshot
	}
	for _, name := range kept[:len(kept)-1] {
		back := map[string]any{"rename_pattern": ".+", "rename_replacement": "back"}
		p.must(t, "POST", "/_snapshot/backup/"+taken[name]+"/_restore?wait_for_completion=true", back)
		if is, was := count(t, p, name), count(t, p, "back"); is != was {
			t.Errorf("%s has %d documents, its snapshot %d", name, is, was)
		}
		p.must(t, "DELETE", "/back", nil)
	}
	if len(taken) < len(kept)-1 {
		t.Errorf("snapshots of %v, want of %v", taken, kept[:len(kept)-1])
	}
	p.must(t, "DELETE", "/_snapshot/backup/*", nil)
}

// count is how many documents searches see in an index.
func count(t *testing.T, p *process, index string) int {
	t.Helper()
	return decode[struct {
		Count int `json:"count"`
	}](t, p.must(t, "GET", "/"+index+"/_count", nil)).Count
}

func indices(t *testing.T, p *process, family string) []string {
	t.Helper()
	rows := decode[[]struct {
		Index string `json:"index"`
	}](t, p.must(t, "GET", "/_cat/indices/"+family+"-*?format=json&h=index", nil))
	var names []string
	for _, r := range rows {
		names = append(names, r.Index)
	}
	slices.Sort(names)
	return names
}
