// SPDX-License-Identifier: Apache-2.0

package crash

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
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
		eventually(t, fmt.Sprintf("shard %d of the target", shards), func() (bool, string) {
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
