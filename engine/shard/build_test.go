// SPDX-License-Identifier: Apache-2.0

package shard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func TestBuildMakesAWholeShardOrNone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "1")
	docs := func(fail error) func(func(Document, error) bool) {
		return func(yield func(Document, error) bool) {
			if yield(Document{ID: "a", Version: 7, Source: source("x")}, nil) && yield(Document{ID: "b", Version: 1, Source: source("x")}, nil) && fail != nil {
				yield(Document{}, fail)
			}
		}
	}
	if err := Build(context.Background(), dir, options, docs(io.ErrUnexpectedEOF)); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("Build = %v", err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("half a shard is left")
	}
	if err := Build(context.Background(), dir, options, docs(nil)); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir)
	defer func() { _ = s.Close() }()
	if doc, _, _ := s.Get("a"); doc.Version != 7 || found(t, s, "x") != 2 {
		t.Errorf("built %+v, %d found", doc, found(t, s, "x"))
	}
}

func TestRestoredDocumentsKeepTheirNumbers(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "1")
	docs := func(numbers ...int64) func(func(Document, error) bool) {
		return func(yield func(Document, error) bool) {
			for _, n := range numbers {
				if !yield(Document{ID: fmt.Sprint("d", n), SeqNo: n, Version: n + 1, Source: source("x")}, nil) {
					return
				}
			}
		}
	}
	for _, wrong := range [][]int64{{3, 2}, {4, 4}} {
		if err := Restore(context.Background(), dir, options, 9, docs(wrong...)); err == nil {
			t.Errorf("documents were restored in the order %v", wrong)
		}
	}
	if err := Restore(context.Background(), dir, options, 9, docs(2, 5, 7)); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir)
	if doc, _, _ := s.Get("d5"); doc.SeqNo != 5 || doc.Version != 6 || found(t, s, "x") != 3 {
		t.Errorf("restored %+v, %d found", doc, found(t, s, "x"))
	}
	if s.MaxSeqNo() != 9 || s.Dirty() {
		t.Errorf("the highest number is %d, something is to be refreshed: %v", s.MaxSeqNo(), s.Dirty())
	}
	if out := apply(t, s, put("new", "x")); out[0].SeqNo != 10 {
		t.Errorf("the next write has number %d, want 10", out[0].SeqNo)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if findings := Check(dir); len(findings) != 0 {
		t.Errorf("the restored shard: %v", findings)
	}
	empty := filepath.Join(t.TempDir(), "2")
	if err := Restore(context.Background(), empty, options, -1, docs()); err != nil {
		t.Fatal(err)
	}
	if s := open(t, empty); s.MaxSeqNo() != -1 || s.Close() != nil {
		t.Errorf("the highest number of nothing is %d", s.MaxSeqNo())
	}
}

// objects indexes as words does, and says that there are nested objects.
type objects struct{ words }

func (objects) HasNested() bool { return true }

func TestAnIndexWithoutDocumentsForNestedObjectsIsBuiltAnew(t *testing.T) {
	s, dir := create(t)
	apply(t, s, put("1", "a"), put("2", "b"))
	if err := s.Refresh(); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.fts.SetInternal(keyFedFlat, bigEndian(s.fed.Load())), s.fts.DeleteInternal(keyFed), s.Close()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		indexer Indexer
		dirty   bool
	}{{words{}, false}, {objects{}, true}, {objects{}, false}} {
		o := options
		o.Indexer = c.indexer
		s, err := Open(dir, o)
		if err != nil {
			t.Fatal(err)
		}
		if s.Dirty() != c.dirty {
			t.Errorf("nested objects %v: dirty %v", c.indexer.HasNested(), s.Dirty())
		}
		if err := s.Refresh(); err != nil {
			t.Fatal(err)
		}
		if n, err := s.fts.DocCount(); n != 2 || err != nil {
			t.Errorf("%d documents, %v", n, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCheckReportsDamage(t *testing.T) {
	s, dir := create(t)
	apply(t, s, put("a", "x"))
	if err := errors.Join(s.Refresh(), s.Close()); err != nil {
		t.Fatal(err)
	}
	if findings := Check(dir); len(findings) != 0 {
		t.Errorf("a sound shard: %v", findings)
	}
	path := filepath.Join(dir, documentsFile)
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, body[:len(body)/3], 0o600); err != nil {
		t.Fatal(err)
	}
	if findings := Check(dir); len(findings) == 0 {
		t.Error("a cut file is not reported")
	}
	if s, err := Open(dir, options); err == nil {
		_ = s.Close()
		t.Error("a cut file opens")
	}
}
