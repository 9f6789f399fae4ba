// SPDX-License-Identifier: Apache-2.0

package rest_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opensteward/steward/engine"
)

// backedUp is an engine with a repository called r, in a directory of its own.
type backedUp struct {
	server
	data, repository string
}

// withRepository is an engine with a repository; settings are further ones of it, as JSON members.
func withRepository(t *testing.T, settings string) backedUp {
	t.Helper()
	s := openRepository(t, settings)
	t.Cleanup(s.stop)
	return s
}

// openRepository is withRepository for a test that closes the engine itself.
func openRepository(t *testing.T, settings string) backedUp {
	t.Helper()
	root, data := t.TempDir(), t.TempDir()
	s := open(t, engine.Options{Dir: data, Config: map[string]string{"path.repo": root}})
	s.do("PUT", "/_snapshot/r", `{"type":"fs","settings":{"location":"r"`+settings+`}}`)
	return backedUp{s, data, filepath.Join(root, "r")}
}

// again opens the engine once more.
func (s *backedUp) again() {
	s.t.Helper()
	s.server = start(s.t, engine.Options{Dir: s.data, Config: map[string]string{"path.repo": filepath.Dir(s.repository)}})
}

// small makes an index of three documents in two shards.
func (s backedUp) small(index string) {
	s.t.Helper()
	s.do("PUT", "/"+index, `{"settings":{"number_of_shards":2,"number_of_replicas":0},"aliases":{"al":{}}}`)
	s.do("POST", "/"+index+"/_bulk?refresh=true", bulk(1, 3, 10))
}

// large makes an index a of one shard with some four megabytes of documents.
func (s backedUp) large() {
	s.t.Helper()
	s.do("PUT", "/a", `{"settings":{"number_of_shards":1,"number_of_replicas":0,"index.refresh_interval":-1},"mappings":{"dynamic":false}}`)
	s.do("POST", "/a/_bulk", bulk(1, 4000, 1000))
}

// bulk writes documents from..to with a text of so many characters.
func bulk(from, to, size int) string {
	var b strings.Builder
	random := rand.New(rand.NewPCG(uint64(from), uint64(size)))
	for n := from; n <= to; n++ {
		fmt.Fprintf(&b, "{\"index\":{\"_id\":\"%d\"}}\n{\"n\":%d,\"t\":\"", n, n)
		for range size {
			b.WriteByte(byte('a' + random.IntN(26)))
		}
		b.WriteString("\"}\n")
	}
	return b.String()
}

// take takes a snapshot and waits for it.
func (s backedUp) take(name, index string) {
	s.t.Helper()
	s.do("PUT", "/_snapshot/r/"+name+"?wait_for_completion=true", `{"indices":"`+index+`"}`)
}

// bringBack restores the index a under another name.
func (s backedUp) bringBack(name, as string) {
	s.t.Helper()
	s.do("POST", "/_snapshot/r/"+name+"/_restore?wait_for_completion=true", `{"indices":"a","rename_pattern":".+","rename_replacement":"`+as+`"}`)
}

// files are the files below a part of the repository.
func (s backedUp) files(part string) []string {
	s.t.Helper()
	out := []string{}
	err := filepath.WalkDir(filepath.Join(s.repository, part), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			out = append(out, path)
		}
		return err
	})
	if err != nil && !os.IsNotExist(err) {
		s.t.Fatal(err)
	}
	return out
}

// blobs are the files with documents of the index a.
func (s backedUp) blobs() []string {
	s.t.Helper()
	return slices.DeleteFunc(s.files("indices/a"), func(path string) bool { return filepath.Base(filepath.Dir(path)) != "blobs" })
}

// copied is of how many blobs a snapshot consists, and how many of them it added.
func (s backedUp) copied(name string) (files, added int) {
	s.t.Helper()
	type count struct {
		Files int `json:"file_count"`
	}
	var answer struct {
		Snapshots []struct {
			Stats struct{ Total, Incremental count }
		}
	}
	s.decode("/_snapshot/r/"+name+"/_status", &answer)
	stats := answer.Snapshots[0].Stats
	return stats.Total.Files, stats.Incremental.Files
}

func (s server) decode(path string, into any) {
	s.t.Helper()
	if err := json.Unmarshal([]byte(s.text(path)), into); err != nil {
		s.t.Fatal(err)
	}
}

// refused is a request that has to be refused with this type, for this reason.
func (s server) refused(method, path, body, typ, reason string) {
	s.t.Helper()
	w := s.call(method, path, body)
	var answer struct {
		Error struct{ Type, Reason string }
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || answer.Error.Type != typ || !strings.Contains(answer.Error.Reason, reason) {
		s.t.Errorf("%s %s: %d %s, want %s: %s", method, path, w.Code, w.Body, typ, reason)
	}
}

// until waits for what work in the background brings about.
func (s server) until(what string, ok func() bool) {
	s.t.Helper()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for !ok() {
		select {
		case <-look.C:
		case <-deadline.C:
			s.t.Fatalf("waited in vain for %s", what)
		}
	}
}

// state is that of a snapshot, "missing" without one.
func (s backedUp) state(name string) string {
	var answer struct{ Snapshots []struct{ State string } }
	w := s.call("GET", "/_snapshot/r/"+name, "")
	if w.Code != 200 || json.Unmarshal(w.Body.Bytes(), &answer) != nil || len(answer.Snapshots) != 1 {
		return "missing"
	}
	return answer.Snapshots[0].State
}

// underWay fails the test unless a snapshot is being taken: nothing would be shown otherwise.
func (s backedUp) underWay(name string) {
	s.t.Helper()
	if state := s.state(name); state != "IN_PROGRESS" {
		s.t.Fatalf("the snapshot is %s", state)
	}
}

// ends waits for the end of a snapshot.
func (s backedUp) ends(name, state string) {
	s.t.Helper()
	s.until("the end of "+name, func() bool { return s.state(name) != "IN_PROGRESS" })
	if got := s.state(name); got != state {
		s.t.Errorf("the snapshot is %s, want %s", got, state)
	}
}

// sound checks the data directory of an engine that is closed.
func sound(t *testing.T, dir string) {
	t.Helper()
	findings, err := engine.Check(t.Context(), dir)
	if err != nil || len(findings) > 0 {
		t.Errorf("%v %v", err, findings)
	}
}
