// SPDX-License-Identifier: Apache-2.0

package test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
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
	names, err := client.IndexNames(ctx)
	if err != nil {
		t.Error(err)
	}
	for name := range names {
		if strings.HasPrefix(name, prefix) || strings.HasPrefix(name, ".opendistro-ism-") || strings.HasPrefix(name, ".plugins-flow-framework-") || name == ".steward" {
			if _, err := client.DeleteIndex(ctx, name); err != nil {
				t.Error(err)
			}
		}
	}
	for _, kind := range []string{"_data_stream", "_index_template", "_component_template", "_ingest/pipeline", "_search/pipeline"} {
		// None of them may exist.
		_ = client.Do(ctx, opensearch.Call{Method: http.MethodDelete, Path: "/" + kind + "/" + prefix + "*"}, nil)
	}
	cleanRepositories(ctx, client, prefix)
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
