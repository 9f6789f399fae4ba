// SPDX-License-Identifier: Apache-2.0

package test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/opensteward/steward"
	"github.com/opensteward/steward/opensearch"
)

// Alone waits until no other test, in whatever process, has a program in front of this cluster: the programs of two
// tests would be leader and standby.
func Alone(t testing.TB, url string) {
	t.Helper()
	sum := sha256.Sum256([]byte(url))
	path := filepath.Join(os.TempDir(), "steward-test-"+hex.EncodeToString(sum[:8])+".lock")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
}

// clean removes from the cluster what a test made, and Steward's own documents.
func clean(t testing.TB, o steward.Options, prefix string) {
	t.Helper()
	transport, err := opensearch.Dial(opensearch.DialOptions{URLs: o.Cluster.URLs, InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer transport.(io.Closer).Close()
	client, ctx := opensearch.NewClient(transport), context.Background()
	cleanRepositories(ctx, client, prefix) // an index that is being snapshotted cannot be deleted
	cleanIndices(t, client, prefix)
	cleanSettings(t, client)
	for _, kind := range []string{"_data_stream", "_index_template", "_component_template", "_ingest/pipeline", "_search/pipeline"} {
		// None of them may exist.
		_ = client.Do(ctx, opensearch.Call{Method: http.MethodDelete, Path: "/" + kind + "/" + prefix + "*"}, nil)
	}
}

// cleanIndices removes the indices that a test made, and those of the plugins and of Steward itself.
func cleanIndices(t testing.TB, client *opensearch.Client, prefix string) {
	t.Helper()
	ctx := context.Background()
	all, err := client.IndexNames(ctx)
	if err != nil {
		t.Error(err)
	}
	var made []string
	for name := range all {
		if strings.HasPrefix(name, prefix) || strings.HasPrefix(name, ".opendistro-") || strings.HasPrefix(name, ".plugins-flow-framework-") || name == ".steward" {
			made = append(made, name)
		}
	}
	if len(made) == 0 {
		return
	}
	if err := client.Do(ctx, opensearch.Call{Method: http.MethodDelete, Path: opensearch.Path(strings.Join(made, ","))}, nil); err != nil {
		t.Error(err)
	}
}

// cleanSettings resets the settings of the plugins that the test set for the cluster, which keeps them in a place of its
// own.
func cleanSettings(t testing.TB, client *opensearch.Client) {
	t.Helper()
	ctx := context.Background()
	var set struct{ Persistent, Transient map[string]any }
	call := opensearch.Call{Method: http.MethodGet, Path: "/_cluster/settings", Query: url.Values{"flat_settings": {"true"}}}
	if err := client.Do(ctx, call, &set); err != nil {
		t.Error(err)
	}
	reset := map[string]map[string]any{}
	for kind, values := range map[string]map[string]any{"persistent": set.Persistent, "transient": set.Transient} {
		for name := range values {
			if strings.HasPrefix(name, "cluster.metadata.") {
				reset[kind] = map[string]any{"cluster.metadata.*": nil}
			}
		}
	}
	if len(reset) == 0 {
		return
	}
	if err := client.Do(ctx, opensearch.Call{Method: http.MethodPut, Path: "/_cluster/settings", Body: reset}, nil); err != nil {
		t.Error(err)
	}
}

// cleanRepositories removes the repositories that a test made, with their snapshots. There may be none.
func cleanRepositories(ctx context.Context, client *opensearch.Client, prefix string) {
	var made map[string]json.RawMessage
	_ = client.Do(ctx, opensearch.Call{Method: http.MethodGet, Path: "/_snapshot/" + prefix + "*"}, &made)
	for name := range made {
		_ = client.Do(ctx, opensearch.Call{Method: http.MethodDelete, Path: opensearch.Path("_snapshot", name, "*")}, nil)
		_ = client.Do(ctx, opensearch.Call{Method: http.MethodDelete, Path: opensearch.Path("_snapshot", name)}, nil)
	}
}
