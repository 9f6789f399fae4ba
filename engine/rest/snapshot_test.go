// SPDX-License-Identifier: Apache-2.0

package rest_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward/engine"
)

// slow makes copying a large index take minutes.
const slow = `,"max_snapshot_bytes_per_sec":"10kb"`

func TestARestoredIndexHasTheDocumentsOfItsSnapshotUnderTheirNumbers(t *testing.T) {
	s := withRepository(t, "")
	s.small("a")
	s.do("PUT", "/a/_doc/2?refresh=true", `{"n":2,"again":true}`)
	s.take("s1", "a")
	const shown = "?filter_path=_version,_seq_no,_source"
	was := s.text("/a/_doc/2" + shown)
	s.do("DELETE", "/a/_doc/1?refresh=true", "")
	s.do("PUT", "/a/_doc/4?refresh=true", `{"n":4}`)
	s.bringBack("s1", "b")
	if n := s.at("/b/_count", "count"); n != 3.0 {
		t.Errorf("%v documents, want 3", n)
	}
	if now := s.text("/b/_doc/2" + shown); now != was {
		t.Errorf("document 2 is %s, was %s", now, was)
	}
	if n := s.at("/b/_search?q=again:true", "hits.total.value"); n != 1.0 {
		t.Errorf("%v documents are found, want 1", n)
	}
	s.do("PUT", "/b/_doc/5", `{}`) // beside the numbers that are there
}

func TestASnapshotOfWhatHasNotChangedCopiesNothing(t *testing.T) {
	s := withRepository(t, "")
	s.large()
	s.take("s1", "a")
	before := s.blobs()
	s.take("s2", "a")
	if files, added := s.copied("s2"); files != len(before) || files < 2 || added != 0 {
		t.Errorf("%d of %d files were copied again", added, files)
	}
	if diff := cmp.Diff(before, s.blobs()); diff != "" {
		t.Error(diff)
	}
}

func TestASnapshotOfALittleChangedIndexCopiesALittle(t *testing.T) {
	s := withRepository(t, "")
	s.large()
	s.take("s0", "a")
	for _, c := range []struct{ name, method, path, body string }{
		{"added", "PUT", "/a/_doc/new", `{"n":0}`},
		{"changed", "PUT", "/a/_doc/7", `{"n":0}`},
		{"deleted", "DELETE", "/a/_doc/1000", ""},
	} {
		s.do(c.method, c.path, c.body)
		s.take(c.name, "a")
		// the blob that has the document, the last one, and one that begins or ends elsewhere
		if files, added := s.copied(c.name); added < 1 || added > 3 || added >= files {
			t.Errorf("a document was %s: %d of %d files were copied", c.name, added, files)
		}
	}
}

func TestASnapshotOfARestoredIndexCopiesNothing(t *testing.T) {
	s := withRepository(t, "")
	s.large()
	s.take("s1", "a")
	s.do("POST", "/a/_close", "")
	s.do("POST", "/_snapshot/r/s1/_restore?wait_for_completion=true", "")
	s.take("s2", "a")
	if _, added := s.copied("s2"); added != 0 {
		t.Errorf("%d files were copied again", added)
	}
}

func TestDeletingASnapshotRemovesOnlyWhatNoOtherNeeds(t *testing.T) {
	s := withRepository(t, "")
	s.large()
	s.take("s1", "a")
	first := s.blobs()
	s.do("DELETE", "/a/_doc/1", "")
	s.take("s2", "a")
	both := s.blobs()
	s.do("DELETE", "/_snapshot/r/s1", "")
	left := s.blobs()
	if files, _ := s.copied("s2"); len(left) != files || len(left) >= len(both) {
		t.Errorf("%d blobs are left of %d, the snapshot has %d", len(left), len(both), files)
	}
	if !slices.ContainsFunc(first, func(path string) bool { return slices.Contains(left, path) }) {
		t.Error("the two snapshots shared nothing, so nothing is shown")
	}
	s.bringBack("s2", "b")
	if n := s.at("/b/_count", "count"); n != 3999.0 {
		t.Errorf("%v documents came back, want 3999", n)
	}
	s.do("DELETE", "/_snapshot/r/s2", "")
	for _, part := range []string{"indices", "snapshots", "contents"} {
		if rest := s.files(part); len(rest) > 0 {
			t.Errorf("files are left: %v", rest)
		}
	}
}

func TestADamagedFileIsNoticedAndNothingIsRestored(t *testing.T) {
	for name, part := range map[string]string{"documents": "indices/a/0/blobs", "list of blobs": "indices/a/0/snapshots", "metadata": "contents"} {
		t.Run(name, func(t *testing.T) {
			s := openRepository(t, "")
			s.small("a")
			s.take("s1", "a")
			path := s.files(part)[0]
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			content[len(content)/2] ^= 1
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
			w := s.call("POST", "/_snapshot/r/s1/_restore?wait_for_completion=true", `{"rename_pattern":"a","rename_replacement":"b"}`)
			if w.Code != 500 || !strings.Contains(w.Body.String(), "is damaged") {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			if w := s.call("HEAD", "/b", ""); w.Code != 404 {
				t.Errorf("the index is there: %d", w.Code)
			}
			s.do("PUT", "/b", "") // its name is free
			s.stop()
			sound(t, s.data)
		})
	}
}

func TestWhileASnapshotIsTakenItsIndexStays(t *testing.T) {
	s := withRepository(t, slow)
	s.large()
	s.small("b")
	s.do("PUT", "/_snapshot/r/s1", `{"indices":"a"}`)
	s.refused("DELETE", "/a", "", "snapshot_in_progress_exception", "Cannot delete indices that are being snapshotted: [[a/")
	s.refused("POST", "/a/_close", "", "snapshot_in_progress_exception", "Cannot close indices that are being snapshotted: [[a/")
	s.refused("PUT", "/_snapshot/r/s1", "", "invalid_snapshot_name_exception", "snapshot with the same name is already in-progress")
	s.refused("DELETE", "/_snapshot/r", "", "illegal_state_exception", "trying to modify or unregister repository that is currently used")
	s.refused("PUT", "/_snapshot/r", `{"type":"fs","settings":{"location":"else"}}`, "illegal_state_exception", "currently used")
	s.refused("POST", "/_snapshot/r/_cleanup", "", "illegal_state_exception", "Cannot cleanup [r] - a snapshot is currently running in [SnapshotsInProgress[s1]]")
	s.refused("POST", "/_snapshot/r/s1/_restore", "", "snapshot_restore_exception", "snapshot does not exist")
	s.refused("PUT", "/_snapshot/r/s1/_clone/s2", `{"indices":"a"}`, "snapshot_missing_exception", "[r:s1] is missing")
	s.do("PUT", "/_snapshot/r", `{"type":"fs","settings":{"location":"r","max_snapshot_bytes_per_sec":"20kb"}}`)
	s.do("POST", "/b/_close", "")
	s.do("DELETE", "/b", "")
	s.underWay("s1")
	for path, want := range map[string]string{
		"/_snapshot/r/_current?filter_path=snapshots.snapshot":             `{"snapshots":[{"snapshot":"s1"}]}`,
		"/_snapshot/_status?filter_path=snapshots.state":                   `{"snapshots":[{"state":"STARTED"}]}`,
		"/_snapshot/r/s1/_status?filter_path=snapshots.shards_stats.total": `{"snapshots":[{"shards_stats":{"total":1}}]}`,
		"/_cluster/state/customs?filter_path=snapshots.snapshots.snapshot": `{"snapshots":{"snapshots":[{"snapshot":"s1"}]}}`,
		"/_cat/snapshots/r?h=id,status,total_shards":                       "s1 IN_PROGRESS 0\n",
	} {
		if got := s.text(path); got != want {
			t.Errorf("GET %s: %s, want %s", path, got, want)
		}
	}
	s.do("DELETE", "/_snapshot/r/s1", "")
	if state := s.state("s1"); state != "missing" {
		t.Errorf("the snapshot is %s", state)
	}
	gone := make(chan string)
	go func() {
		gone <- s.call("PUT", "/_snapshot/r/s2?wait_for_completion=true", `{"indices":"a"}`).Body.String()
	}()
	s.until("the next one", func() bool { return s.state("s2") == "IN_PROGRESS" })
	s.do("DELETE", "/_snapshot/r/s2", "")
	if answer := <-gone; !strings.Contains(answer, "] Snapshot was aborted by deletion") {
		t.Errorf("who waits for it is told %s", answer)
	}
	s.do("POST", "/_snapshot/r/_cleanup", "")
	if left := s.blobs(); len(left) > 0 {
		t.Errorf("blobs are left: %v", left)
	}
	s.do("DELETE", "/a", "")
}

func TestSnapshotsAreLimitedInNumber(t *testing.T) {
	s := withRepository(t, slow)
	s.large()
	s.do("PUT", "/_cluster/settings", `{"persistent":{"snapshot.max_concurrent_operations":1}}`)
	s.do("PUT", "/_snapshot/r/s1", `{"indices":"a"}`)
	s.refused("PUT", "/_snapshot/r/s2", `{"indices":"a"}`, "concurrent_snapshot_execution_exception",
		"[r:s2] Cannot start another operation, already running [1] operations and the current limit for concurrent snapshot operations is set to [1]")
	s.do("DELETE", "/_snapshot/r/*", "")
}

func TestAPartialSnapshotLetsItsIndicesGo(t *testing.T) {
	s := withRepository(t, `,"max_snapshot_bytes_per_sec":"400kb"`)
	s.large()
	s.small("b")
	s.do("PUT", "/_snapshot/r/s1", `{"indices":"a,b","partial":true}`)
	s.until("the first blob", func() bool { return len(s.blobs()) > 0 })
	s.do("DELETE", "/a", "")
	s.underWay("s1")
	s.ends("s1", "PARTIAL")
	s.refused("POST", "/_snapshot/r/s1/_restore", `{"indices":"a"}`, "snapshot_restore_exception", "index [a] wasn't fully snapshotted - cannot restore")
	s.do("DELETE", "/b", "")
	s.do("POST", "/_snapshot/r/s1/_restore?wait_for_completion=true", `{"indices":"b"}`)
}

func TestASnapshotGoesOnAfterARestart(t *testing.T) {
	s := openRepository(t, `,"max_snapshot_bytes_per_sec":"4mb"`)
	s.large()
	s.do("PUT", "/_snapshot/r/s1", `{"indices":"a","metadata":{"by":"me"}}`)
	s.until("the first blob", func() bool { return len(s.blobs()) > 0 })
	s.underWay("s1")
	s.stop()
	sound(t, s.data)
	s.again()
	s.refused("POST", "/a/_close", "", "snapshot_in_progress_exception", "Cannot close")
	s.ends("s1", "SUCCESS")
	if by := s.text("/_snapshot/r/s1?filter_path=snapshots.metadata"); by != `{"snapshots":[{"metadata":{"by":"me"}}]}` {
		t.Errorf("metadata %s", by)
	}
	s.bringBack("s1", "b")
	if n := s.at("/b/_count", "count"); n != 4000.0 {
		t.Errorf("%v documents, want 4000", n)
	}
	s.do("DELETE", "/a", "")
}

func TestCleaningUpRemovesWhatACrashLeaves(t *testing.T) {
	s := withRepository(t, "")
	s.small("a")
	s.take("kept", "a")
	want := s.files("")
	s.small("b")
	s.take("lost", "a,b")
	// as if the process had died before the last file was written
	var answer struct{ Snapshots []struct{ UUID string } }
	s.decode("/_snapshot/r/lost", &answer)
	if err := os.Remove(filepath.Join(s.repository, "snapshots", answer.Snapshots[0].UUID)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.repository, "indices/a/0/blobs", "123.new"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.refused("GET", "/_snapshot/r/lost", "", "snapshot_missing_exception", "[r:lost] is missing")
	s.do("POST", "/_snapshot/r/_cleanup", "")
	if diff := cmp.Diff(want, s.files("")); diff != "" {
		t.Error(diff)
	}
	s.bringBack("kept", "c")
	s.take("lost", "a,b") // its name is free
}

func TestTheClusterComesBackWithItsGlobalState(t *testing.T) {
	s := withRepository(t, "")
	s.do("PUT", "/_index_template/t", `{"index_patterns":["x*"],"template":{"settings":{"number_of_shards":3}}}`)
	s.do("PUT", "/_cluster/settings", `{"persistent":{"cluster.metadata.who":"me"}}`)
	s.do("PUT", "/_snapshot/r/s1?wait_for_completion=true", "")
	s.do("DELETE", "/_index_template/t", "")
	s.do("PUT", "/_cluster/settings", `{"persistent":{"cluster.metadata.who":null}}`)
	s.do("POST", "/_snapshot/r/s1/_restore?wait_for_completion=true", `{"include_global_state":true}`)
	if who := s.at("/_cluster/settings", "persistent.cluster.metadata.who"); who != "me" {
		t.Errorf("the setting is %v", who)
	}
	s.do("GET", "/_index_template/t", "")
}

func TestRepositoriesAreWherePathRepoAllows(t *testing.T) {
	none := start(t, engine.Options{})
	refuse := func(s server, location, reason string) {
		t.Helper()
		w := s.call("PUT", "/_snapshot/r", `{"type":"fs","settings":{"location":"`+location+`"}}`)
		if w.Code != 500 || !strings.Contains(w.Body.String(), "[r] location ["+location+"] doesn't match any of the locations specified by path.repo"+reason+`"`) {
			t.Errorf("%s: %d %s", location, w.Code, w.Body)
		}
	}
	refuse(none, "x", " because this setting is empty")
	one, two := t.TempDir(), t.TempDir()
	s := start(t, engine.Options{Config: map[string]string{"path.repo": one + ", " + two}})
	for location, dir := range map[string]string{"x": filepath.Join(one, "x"), two + "/y": filepath.Join(two, "y"), "./p/../q": filepath.Join(one, "q")} {
		s.do("PUT", "/_snapshot/r", `{"type":"fs","settings":{"location":"`+location+`"}}`)
		if _, err := os.Stat(dir); err != nil {
			t.Error(err)
		}
	}
	for _, outside := range []string{"../x", one + "/../x", "/", one + "more"} {
		refuse(s, outside, "")
	}
}

func TestARepositoryOfOpenSearchIsRefused(t *testing.T) {
	root := t.TempDir()
	s := start(t, engine.Options{Config: map[string]string{"path.repo": root}})
	if err := os.WriteFile(filepath.Join(root, "index.latest"), []byte("0"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := s.call("PUT", "/_snapshot/r", `{"type":"fs","settings":{"location":"."}}`)
	if w.Code != 500 || !strings.Contains(w.Body.String(), "was written by OpenSearch") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestAReadOnlyRepositoryShowsWhatAnotherOneHas(t *testing.T) {
	s := withRepository(t, "")
	s.small("a")
	s.do("PUT", "/_snapshot/ro", `{"type":"fs","settings":{"location":"r","readonly":true}}`)
	s.take("s1", "a")
	s.do("POST", "/_snapshot/ro/s1/_restore?wait_for_completion=true", `{"rename_pattern":"a","rename_replacement":"b"}`)
	s.refused("PUT", "/_snapshot/ro/s2", "", "repository_exception", "[ro] cannot create snapshot in a readonly repository")
	s.refused("DELETE", "/_snapshot/ro/s1", "", "repository_exception", "[ro] cannot delete snapshot from a readonly repository")
	s.refused("POST", "/_snapshot/ro/_cleanup", "", "repository_exception", "[ro] cannot run cleanup on readonly repository")
}

func TestASnapshotMayHaveADateMathName(t *testing.T) {
	s := withRepository(t, "")
	s.do("PUT", "/_snapshot/r/"+url.PathEscape("<snap-{now/d}>")+"?wait_for_completion=true", "")
	if state := s.state("snap-2026.03.01"); state != "SUCCESS" {
		t.Errorf("the snapshot is %s", state)
	}
}

func TestASnapshotOfWhichNothingWasCopiedIsAnError(t *testing.T) {
	s := withRepository(t, "")
	s.small("a")
	if err := os.WriteFile(filepath.Join(s.repository, "indices"), nil, 0o600); err != nil {
		t.Fatal(err) // no directory can be made there
	}
	w := s.call("PUT", "/_snapshot/r/s1?wait_for_completion=true", `{"indices":"a"}`)
	if w.Code != 500 || !strings.Contains(w.Body.String(), `"state":"PARTIAL"`) || !strings.Contains(w.Body.String(), `"shards":{"total":2,"failed":2,"successful":0}`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	s.refused("POST", "/_snapshot/r/s1/_restore", `{"rename_pattern":"a","rename_replacement":"b"}`, "snapshot_restore_exception", "wasn't fully snapshotted")
	s.do("POST", "/_snapshot/r/s1/_restore?wait_for_completion=true", `{"rename_pattern":"a","rename_replacement":"b","partial":true}`)
	if n := s.at("/b/_count", "count"); n != 0.0 {
		t.Errorf("%v documents", n)
	}
	if state := s.at("/_snapshot/r/s1?human=true&filter_path=snapshots.duration", "snapshots"); state == nil {
		t.Error("no duration for people")
	}
}

// TestWhatIsRestoredIsWhatWasThere takes and deletes snapshots of an index that changes, and restores each that is left.
func TestWhatIsRestoredIsWhatWasThere(t *testing.T) {
	s := withRepository(t, "")
	s.do("PUT", "/a", `{"settings":{"number_of_shards":3,"number_of_replicas":0}}`)
	random := rand.New(rand.NewPCG(1, 2))
	content := map[string]int{}
	taken := map[string]map[string]int{}
	for round := range 12 {
		for range 20 {
			id := fmt.Sprint(random.IntN(30))
			if random.IntN(4) == 0 {
				s.call("DELETE", "/a/_doc/"+id, "")
				delete(content, id)
				continue
			}
			n := random.IntN(1000)
			s.do("PUT", "/a/_doc/"+id, fmt.Sprintf(`{"n":%d}`, n))
			content[id] = n
		}
		name := fmt.Sprint("s", round)
		s.take(name, "a")
		taken[name] = maps.Clone(content)
		if gone := fmt.Sprint("s", random.IntN(round+1)); random.IntN(2) == 0 && taken[gone] != nil {
			s.do("DELETE", "/_snapshot/r/"+gone, "")
			delete(taken, gone)
		}
	}
	for name, want := range taken {
		s.bringBack(name, "b")
		var answer struct {
			Hits struct {
				Hits []struct {
					ID     string `json:"_id"`
					Source struct{ N int }
				}
			}
		}
		w := s.call("GET", "/b/_search?size=100", "")
		if err := json.Unmarshal([]byte(strings.ReplaceAll(w.Body.String(), `"_source"`, `"source"`)), &answer); err != nil {
			t.Fatal(err)
		}
		got := map[string]int{}
		for _, hit := range answer.Hits.Hits {
			got[hit.ID] = hit.Source.N
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		s.do("DELETE", "/b", "")
	}
}
