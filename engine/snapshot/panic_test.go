// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/opensteward/steward/clock"
	"github.com/opensteward/steward/engine/catalog"
)

// TestAShardWhoseCopyPanicsFailsItsSnapshotAlone has a store of documents that is not there.
func TestAShardWhoseCopyPanicsFailsItsSnapshotAlone(t *testing.T) {
	dir := t.TempDir()
	logger := slog.New(slog.DiscardHandler)
	c, err := catalog.Open(catalog.Options{Path: filepath.Join(dir, "catalog"), Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	s := New(Options{Catalog: c, Clock: clock.Real{}, Logger: logger, Version: "3.4.0", Roots: []string{dir}})
	defer s.Close()
	if _, err := c.CreateIndex(t.Context(), "logs", catalog.NewIndex{}); err != nil {
		t.Fatal(err)
	}
	if err := s.PutRepository(t.Context(), Repository{Name: "r", Type: "fs", Settings: map[string]string{"location": dir + "/r"}}, true); err != nil {
		t.Fatal(err)
	}
	taking, err := s.Create(t.Context(), Request{Repository: "r", Name: "s", Options: DefaultOptions, Partial: true})
	if err != nil {
		t.Fatal(err)
	}
	info, err := taking.Wait(t.Context())
	if err != nil || info.State != "PARTIAL" {
		t.Errorf("%+v %v", info, err)
	}
}
