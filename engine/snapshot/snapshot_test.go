// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/opensteward/steward/engine/shard"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// cut cuts documents into blobs.
func cut(t interface{ Fatal(args ...any) }, docs []shard.Document) (blobs [][]byte) {
	c := cutter{emit: func(_ context.Context, content []byte, _ int) error {
		blobs = append(blobs, bytes.Clone(content))
		return nil
	}}
	for _, d := range docs {
		if err := c.add(context.Background(), d); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.flush(context.Background()); err != nil {
		t.Fatal(err)
	}
	return blobs
}

func TestBlobsHoldTheDocumentsThatWereCut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		docs := make([]shard.Document, rapid.IntRange(0, 50).Draw(t, "documents"))
		for n := range docs {
			docs[n] = shard.Document{
				ID: rapid.String().Draw(t, "id"), Routing: rapid.String().Draw(t, "routing"), SeqNo: int64(n),
				Version: rapid.Int64Range(0, 1<<62).Draw(t, "version"), Source: rapid.SliceOfN(rapid.Byte(), 0, 100_000).Draw(t, "source"),
			}
		}
		var got []shard.Document
		for _, content := range cut(t, docs) {
			for len(content) > 0 {
				d, rest, err := cutDocument(content)
				if err != nil {
					t.Fatal(err)
				}
				got, content = append(got, d), rest
			}
		}
		same := func(a, b shard.Document) bool {
			return a.ID == b.ID && a.Routing == b.Routing && a.SeqNo == b.SeqNo && a.Version == b.Version && bytes.Equal(a.Source, b.Source)
		}
		if !slices.EqualFunc(docs, got, same) {
			t.Fatalf("%d documents are other %d", len(docs), len(got))
		}
	})
}

func TestABlobThatWasCutOffIsNoticed(t *testing.T) {
	content := appendDocument(nil, shard.Document{ID: "1", Routing: "r", SeqNo: 300, Version: 2, Source: []byte(`{"a":1}`)})
	for n := 1; n < len(content); n++ {
		if _, _, err := cutDocument(content[:n]); !errors.Is(err, errBlob) {
			t.Errorf("%d of %d bytes: %v", n, len(content), err)
		}
	}
}

// many are documents of about a kilobyte.
func many(n int) []shard.Document {
	docs := make([]shard.Document, n)
	for i := range docs {
		docs[i] = shard.Document{ID: fmt.Sprint(i), SeqNo: int64(i), Version: 1, Source: bytes.Repeat([]byte{byte(i)}, 1000)}
	}
	return docs
}

func TestBlobsHaveUsefulSizes(t *testing.T) {
	blobs := cut(t, many(20_000))
	for n, content := range blobs[:len(blobs)-1] {
		if len(content) < leastBlob || len(content) > mostBlob {
			t.Errorf("blob %d has %d bytes", n, len(content))
		}
	}
	if mean := 20_000_000 / len(blobs); mean < leastBlob || mean > 2*(leastBlob+meanBlob) {
		t.Errorf("they have %d bytes in the mean", mean)
	}
}

func TestAChangeMakesFewOtherBlobs(t *testing.T) {
	docs := many(20_000)
	before := map[string]bool{}
	for _, content := range cut(t, docs) {
		before[digest(content)] = true
	}
	for _, at := range []int{0, 777, 12_345, 19_999} {
		others := 0
		changed := slices.Delete(slices.Clone(docs), at, at+1)
		for _, content := range cut(t, changed) {
			if !before[digest(content)] {
				others++
			}
		}
		if others > 2 {
			t.Errorf("without document %d %d of %d blobs are others", at, others, len(before))
		}
	}
}

func TestNamesAreReplacedAsInJava(t *testing.T) {
	for _, c := range []struct{ pattern, replacement, name, want string }{
		{"(.+)", "re_$1", "logs-1", "re_logs-1"},
		{"a", "b", "banana", "bbnbnb"},
		{"^a", "b", "banana", "banana"},
		{"(l)(o)", "$2$1", "logs", "olgs"},
		{"logs", `\$1`, "logs-1", "$1-1"},
		{"logs", `a\\b`, "logs", `a\b`},
		{"(?<n>o)", "${n}${n}", "logs", "loogs"},
		{"l(o)", "$1x", "logs", "oxgs"},
		{"x", "y", "logs", "logs"},
	} {
		r, err := NewRenaming(c.pattern, c.replacement)
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
			continue
		}
		if got := r.apply(c.name); got != c.want {
			t.Errorf("%q with %q for %q is %q, want %q", c.name, c.replacement, c.pattern, got, c.want)
		}
	}
	if got := (*Renaming)(nil).apply("logs"); got != "logs" {
		t.Errorf("without a pattern: %q", got)
	}
	for _, c := range []struct{ pattern, replacement, typ string }{
		{"(", "x", "pattern_syntax_exception"},
		{"a", "$1", "index_out_of_bounds_exception"},
		{"a", "x$", "illegal_argument_exception"},
		{"a(?=b)", "x", "illegal_argument_exception"},
		{"a(?<!b)", "x", "illegal_argument_exception"},
	} {
		if _, err := NewRenaming(c.pattern, c.replacement); !fault.Is(err, c.typ) {
			t.Errorf("%s with %s: %v, want %s", c.pattern, c.replacement, err, c.typ)
		}
	}
}

func TestWhichIndicesOfASnapshotAreMeant(t *testing.T) {
	all := []string{"a", "ab", "b", "c"}
	for _, c := range []struct {
		expressions string
		options     wire.IndexOptions
		want        string // "" for an error
	}{
		{"a", wire.IndexOptions{}, "a"},
		{"a*", wire.IndexOptions{}, "a ab"},
		{"a*,-ab", wire.IndexOptions{}, "a"},
		{"*,-a*,ab", wire.IndexOptions{}, "ab b c"},
		{"_all", wire.IndexOptions{}, "a ab b c"},
		{"a,x", wire.IndexOptions{}, ""},
		{"a,x", wire.IndexOptions{IgnoreUnavailable: true}, "a"},
		{"a,x*", wire.IndexOptions{AllowNoIndices: true}, "a"},
		{"a,x*", wire.IndexOptions{}, ""},
	} {
		found, err := pick(all, strings.Split(c.expressions, ","), c.options)
		if got := strings.Join(slices.Sorted(maps.Keys(found)), " "); got != c.want || (err != nil) != (c.want == "") {
			t.Errorf("%s %+v: %q %v, want %q", c.expressions, c.options, got, err, c.want)
		}
	}
	if found, err := pick(all, nil, wire.IndexOptions{}); err != nil || len(found) != 4 {
		t.Errorf("no expressions: %v %v", found, err)
	}
}

func TestCopyingIsSlowedDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		p := &pacer{perSecond: 1000}
		for range 3 {
			if err := p.spend(t.Context(), 500); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took != 1500*time.Millisecond {
			t.Errorf("1500 bytes took %s", took)
		}
		time.Sleep(time.Minute) // a pause is not made up for
		start = time.Now()
		if err := p.spend(t.Context(), 1000); err != nil || time.Since(start) != time.Second {
			t.Errorf("1000 bytes after a pause took %s, %v", time.Since(start), err)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errAborted)
		if err := p.spend(ctx, 1_000_000); !errors.Is(err, errAborted) {
			t.Errorf("given up: %v", err)
		}
	})
}

func TestAFileIsWrittenWholeOrNotAtAll(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a", "b", "file")
	if err := writeRecord(path, []int{1, 2}); err != nil {
		t.Fatal(err)
	}
	var got []int
	if err := readRecord(path, &got); err != nil || !cmp.Equal(got, []int{1, 2}) {
		t.Errorf("%v %v", got, err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		if err := os.WriteFile(path, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if err := readRecord(path, &got); !errors.Is(err, errDamaged) {
			t.Errorf("%d of %d bytes: %v", n, len(whole), err)
		}
	}
	// a directory in its way: nothing is left of the attempt
	if err := os.MkdirAll(filepath.Join(dir, "c", "d"), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := writeFile(filepath.Join(dir, "c", "d"), []byte("x")); err == nil {
		t.Error("a directory was replaced")
	}
	if left, err := os.ReadDir(filepath.Join(dir, "c")); err != nil || len(left) != 1 {
		t.Errorf("%v %v", left, err)
	}
}

func TestADirectoryOfAnotherFormatIsNotTouched(t *testing.T) {
	dir := t.TempDir()
	if err := writeRecord(filepath.Join(dir, markFile), mark{Format: format + 1}); err != nil {
		t.Fatal(err)
	}
	d := &directory{path: dir}
	if err := d.initialise(); err == nil || !strings.Contains(err.Error(), "has format 2, this version reads 1") {
		t.Errorf("%v", err)
	}
}

// TestASnapshotThatIsCommittedAgainIsThereOnce: a process died between committing it and saying so.
func TestASnapshotThatIsCommittedAgainIsThereOnce(t *testing.T) {
	path := t.TempDir()
	info := &Info{Name: "nightly", UUID: "u1", State: Success, Start: 1}
	for _, d := range []*directory{{path: path}, {path: path}} { // each process reads it anew
		if err := d.commit(info, &contents{}); err != nil {
			t.Fatal(err)
		}
		if all, err := d.list(); err != nil || len(all) != 1 {
			t.Errorf("%d snapshots, %v", len(all), err)
		}
	}
}
