// SPDX-License-Identifier: Apache-2.0

package shard

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/document"
	"pgregory.net/rapid"

	"github.com/opensteward/steward/fault"
)

// words indexes the member "v" of a source as text.
type words struct{}

func (words) Document(id, _ string, _ int64, source []byte) (*document.Document, error) {
	var src struct {
		V string `json:"v"`
	}
	if err := json.Unmarshal(source, &src); err != nil {
		return nil, err
	}
	doc := document.NewDocument(id)
	doc.AddIDField()
	doc.AddField(document.NewTextField("v", nil, []byte(src.V)))
	return doc, nil
}

// HasNested is false: words are no objects.
func (words) HasNested() bool { return false }

var options = Options{Index: "logs", UUID: "u", Number: 0, Indexer: words{}}

// tb is what tests and rapid's checks share.
type tb interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

func open(t tb, dir string) *Shard {
	t.Helper()
	s, err := Open(dir, options)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func create(t *testing.T) (*Shard, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "0")
	s, err := Create(dir, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, dir
}

func source(v string) []byte { return []byte(`{"v":"` + v + `"}`) }

func apply(t tb, s *Shard, ops ...Operation) []Outcome {
	t.Helper()
	out, err := s.Apply(context.Background(), ops)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func put(id, v string) Operation { return Operation{Op: OpIndex, ID: id, Source: source(v)} }
func del(id string) Operation    { return Operation{Op: OpDelete, ID: id} }

// found counts the documents that a search for a word sees.
func found(t tb, s *Shard, word string) int {
	t.Helper()
	q := bleve.NewTermQuery(word)
	q.SetField("v")
	res, err := s.Index().Search(bleve.NewSearchRequest(q))
	if err != nil {
		t.Fatal(err)
	}
	return int(res.Total)
}

func TestWritesCountVersionsAndSequenceNumbers(t *testing.T) {
	s, _ := create(t)
	out := apply(t, s, put("a", "x"), put("a", "y"), del("a"), put("a", "z"), del("nope"))
	var got []string
	for _, o := range out {
		got = append(got, fmt.Sprintf("%s v%d seq%d", o.Result, o.Version, o.SeqNo))
	}
	want := "created v1 seq0, updated v2 seq1, deleted v3 seq2, created v4 seq3, not_found v1 seq4"
	if strings.Join(got, ", ") != want {
		t.Errorf("got %s", strings.Join(got, ", "))
	}
	doc, ok, err := s.Get("a")
	if err != nil || !ok || string(doc.Source) != `{"v":"z"}` || doc.SeqNo != 3 || doc.Version != 4 {
		t.Errorf("Get = %+v %v %v", doc, ok, err)
	}
}

func TestConditionsAreRefusedWithOpenSearchsWords(t *testing.T) {
	s, _ := create(t)
	apply(t, s, put("a", "x"))
	for _, c := range []struct {
		name, want string
		op         Operation
	}{
		{"the right version", "", Operation{Op: OpIndex, ID: "a", Source: source("y"), Conditional: true, IfSeqNo: 0, IfPrimaryTerm: 1}},
		{"an old version", "[a]: version conflict, required seqNo [0], primary term [1]. current document has seqNo [1] and primary term [1]", Operation{Op: OpIndex, ID: "a", Source: source("y"), Conditional: true, IfSeqNo: 0, IfPrimaryTerm: 1}},
		{"a document that is not there", "[b]: version conflict, required seqNo [7], primary term [1]. but no document was found", Operation{Op: OpDelete, ID: "b", Conditional: true, IfSeqNo: 7, IfPrimaryTerm: 1}},
		{"create over existing", "[a]: version conflict, document already exists (current version [2])", Operation{Op: OpCreate, ID: "a", Source: source("y")}},
		{"an external version that is not greater", "[a]: version conflict, current version [2] is higher or equal to the one provided [2]", Operation{Op: OpIndex, ID: "a", Source: source("y"), VersionType: External, Version: 2}},
		{"an external version that is less", "[a]: version conflict, current version [2] is higher than the one provided [1]", Operation{Op: OpIndex, ID: "a", Source: source("y"), VersionType: ExternalGTE, Version: 1}},
		{"an external version that is greater", "", Operation{Op: OpIndex, ID: "a", Source: source("y"), VersionType: External, Version: 12}},
	} {
		o := apply(t, s, c.op)[0]
		switch {
		case c.want == "" && o.Err != nil:
			t.Errorf("%s: %v", c.name, o.Err)
		case c.want != "" && (fault.Of(o.Err).Reason != c.want || fault.Of(o.Err).Status != 409):
			t.Errorf("%s: %v\nwant %s", c.name, o.Err, c.want)
		}
	}
	if doc, _, _ := s.Get("a"); doc.Version != 12 {
		t.Errorf("external version is not stored: %d", doc.Version)
	}
}

func TestSearchesSeeWhatARefreshFed(t *testing.T) {
	s, _ := create(t)
	apply(t, s, put("a", "x"), put("b", "x"))
	if n := found(t, s, "x"); n != 0 || !s.Dirty() {
		t.Errorf("before the refresh: %d found, dirty %v", n, s.Dirty())
	}
	if err := s.Refresh(); err != nil {
		t.Fatal(err)
	}
	apply(t, s, del("a"))
	if n := found(t, s, "x"); n != 2 || !s.Dirty() {
		t.Errorf("after the refresh: %d found, dirty %v", n, s.Dirty())
	}
	if err := s.Refresh(); err != nil {
		t.Fatal(err)
	}
	if n := found(t, s, "x"); n != 1 || s.Dirty() {
		t.Errorf("after the deletion: %d found, dirty %v", n, s.Dirty())
	}
}

// crash copies a shard's files as they are while it is open, as they would be found after the process was killed.
func crash(t tb, dir string) string {
	t.Helper()
	to, err := os.MkdirTemp("", "crash")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

func TestACrashLosesNothing(t *testing.T) {
	for _, c := range []struct {
		name   string
		fed    int64
		damage func(dir string) error
	}{
		{"as it was", 1, func(string) error { return nil }},
		{"without the full-text index", -1, func(dir string) error { return os.RemoveAll(filepath.Join(dir, indexDir)) }},
		{"with a damaged full-text index", -1, func(dir string) error {
			return os.WriteFile(filepath.Join(dir, indexDir, "index_meta.json"), []byte("x"), 0o600)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, dir := create(t)
			apply(t, s, put("a", "x"), put("b", "x"))
			if err := s.Refresh(); err != nil {
				t.Fatal(err)
			}
			apply(t, s, put("c", "x"), del("a"))
			copied := crash(t, dir)
			defer os.RemoveAll(copied)
			if err := c.damage(copied); err != nil {
				t.Fatal(err)
			}
			again := open(t, copied)
			if fed := again.fed.Load(); c.fed != fed {
				t.Errorf("the full-text index was fed up to %d, want %d", fed, c.fed)
			}
			if err := again.Refresh(); err != nil {
				t.Fatal(err)
			}
			if n := found(t, again, "x"); n != 2 || again.MaxSeqNo() != 3 {
				t.Errorf("%d found, max sequence number %d", n, again.MaxSeqNo())
			}
			if err := again.Close(); err != nil {
				t.Fatal(err)
			}
			if findings := Check(copied); len(findings) > 0 {
				t.Errorf("check: %v", findings)
			}
		})
	}
}

func TestAShardIsWhatItsOperationsMakeIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "model")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		s := open(t, dir)
		defer func() { _ = s.Close() }()
		model := map[string]string{}
		id := rapid.StringMatching(`[a-d]`)
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			switch rapid.IntRange(0, 5).Draw(t, "what") {
			case 0, 1, 2:
				k, v := id.Draw(t, "id"), rapid.StringMatching(`[xyz]`).Draw(t, "v")
				apply(t, s, put(k, v))
				model[k] = v
			case 3:
				k := id.Draw(t, "id")
				apply(t, s, del(k))
				delete(model, k)
			case 4:
				if err := s.Refresh(); err != nil {
					t.Fatal(err)
				}
			case 5:
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				if findings := Check(dir); len(findings) > 0 {
					t.Fatalf("check: %v", findings)
				}
				s = open(t, dir)
			}
		}
		same(t, s, model)
	})
}

// same compares a shard with a model of id to word.
func same(t tb, s *Shard, model map[string]string) {
	t.Helper()
	if err := s.Refresh(); err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, k := range []string{"a", "b", "c", "d"} {
		doc, ok, err := s.Get(k)
		v, want := model[k]
		if err != nil || ok != want || (ok && string(doc.Source) != string(source(v))) {
			t.Fatalf("document %s: %s %v %v, want %q", k, doc.Source, ok, err, v)
		}
		counts[v]++
	}
	for _, word := range []string{"x", "y", "z"} {
		if n := found(t, s, word); n != counts[word] {
			t.Fatalf("%d documents with %s, want %d", n, word, counts[word])
		}
	}
	if st, err := s.Stats(); err != nil || st.Live != int64(len(model)) || st.Docs != int64(len(model)) {
		t.Fatalf("stats %+v, %v; want %d documents", st, err, len(model))
	}
}

func TestConcurrentWritersShareTransactionsAndLoseNothing(t *testing.T) {
	s, _ := create(t)
	const writers, each = 16, 20
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				if out, err := s.Apply(context.Background(), []Operation{put(fmt.Sprintf("%d-%d", w, i), "x")}); err != nil || out[0].Err != nil {
					t.Errorf("write: %v", err)
				}
			}
		})
	}
	wg.Wait()
	if s.MaxSeqNo() != writers*each-1 {
		t.Errorf("max sequence number %d", s.MaxSeqNo())
	}
}

func TestAFullDiskRefusesWritesAndKeepsTheRest(t *testing.T) {
	s, dir := create(t)
	apply(t, s, put("a", "x"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	o := options
	o.OpenFile = func(name string, _ int, perm os.FileMode) (*os.File, error) {
		return os.OpenFile(name, os.O_RDONLY, perm) // every write fails, as on a full disk
	}
	full, err := Open(dir, o)
	if err == nil {
		_, err = full.Apply(context.Background(), []Operation{put("b", "x")})
		if fault.Of(err).Status != 503 {
			t.Errorf("write on a full disk: %v", err)
		}
		if doc, ok, err := full.Get("a"); !ok || err != nil {
			t.Errorf("read on a full disk: %+v %v %v", doc, ok, err)
		}
		_ = full.Close()
	}
	again := open(t, dir)
	defer func() { _ = again.Close() }()
	if _, ok, _ := again.Get("a"); !ok {
		t.Error("the document is gone")
	}
	if _, ok, _ := again.Get("b"); ok {
		t.Error("the refused document is there")
	}
}

func TestForceMergeReachesTheWantedNumberOfSegments(t *testing.T) {
	s, _ := create(t)
	for i := range 6 {
		apply(t, s, put(fmt.Sprint(i), "x"))
		if err := s.Refresh(); err != nil {
			t.Fatal(err)
		}
	}
	apply(t, s, del("0"), del("1"))
	if before, err := s.Segments(); err != nil || len(before) < 2 {
		t.Fatalf("segments before the merge: %+v, %v", before, err)
	}
	if err := s.ForceMerge(context.Background(), 1, false); err != nil {
		t.Fatal(err)
	}
	segments, err := s.Segments()
	if err != nil || len(segments) != 1 || segments[0].Docs != 4 || segments[0].Deleted != 0 || segments[0].Size == 0 {
		t.Errorf("segments %+v, %v", segments, err)
	}
	if n := found(t, s, "x"); n != 4 {
		t.Errorf("%d found", n)
	}
}

func TestTheSizeOfAShardIsThatOfItsDocuments(t *testing.T) {
	s, dir := create(t)
	size := func() int64 {
		t.Helper()
		st, err := s.Stats()
		if err != nil {
			t.Fatal(err)
		}
		return st.Size
	}
	if n := size(); n == 0 || n > 500 {
		t.Errorf("an empty shard has %d bytes", n)
	}
	for i := range 20 {
		apply(t, s, put(fmt.Sprint(i), strings.Repeat("x", 5000)))
	}
	if err := s.Refresh(); err != nil {
		t.Fatal(err)
	}
	full := size()
	if full < 100_000 || full > 200_000 {
		t.Errorf("20 documents of 5,000 bytes take %d", full)
	}
	_ = s.Close()
	var err error
	if s, err = Open(dir, options); err != nil {
		t.Fatal(err)
	}
	if again := size(); again < full*9/10 || again > full*11/10 {
		t.Errorf("opened again they take %d bytes, not %d", again, full)
	}
}

func TestFlushForgetsOldDeletionsOnly(t *testing.T) {
	now := time.Unix(1000, 0)
	o := options
	o.Now = func() time.Time { return now }
	s, err := Create(filepath.Join(t.TempDir(), "0"), o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	apply(t, s, put("a", "x"), del("a"))
	for _, c := range []struct {
		later time.Duration
		want  int64
	}{{0, 3}, {2 * time.Minute, 1}} {
		now = now.Add(c.later)
		if err := errors.Join(s.Refresh(), s.Flush()); err != nil {
			t.Fatal(err)
		}
		if out := apply(t, s, put("a", "x")); out[0].Version != c.want {
			t.Errorf("after %s the next version is %d, want %d", c.later, out[0].Version, c.want)
		}
		apply(t, s, del("a"))
	}
}

func BenchmarkBulkOf1000(b *testing.B) {
	s, err := Create(filepath.Join(b.TempDir(), "0"), options)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	n := 0
	for b.Loop() {
		ops := make([]Operation, 1000)
		for i := range ops {
			ops[i] = put(fmt.Sprint(n), "hello world of documents")
			n++
		}
		if _, err := s.Apply(context.Background(), ops); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "docs/s")
}
