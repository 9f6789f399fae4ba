// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// snapshotting begins a snapshot of an index in a repository that is noted.
func snapshotting(t *testing.T, c *Catalog, partial bool, name string) *Snapshotting {
	t.Helper()
	must(t, c.PutDocument(t.Context(), Repositories, "r", json.RawMessage(`{"type":"fs"}`), nil))
	index := c.State().Indices[name]
	one := &Snapshotting{Repository: "r", Snapshot: "s", UUID: newUUID(), Partial: partial}
	must(t, c.BeginSnapshot(t.Context(), one, func(*State) error {
		one.Indices = []SnapshottedIndex{{index.Name, index.UUID, index.Shards()}}
		if index.DataStream != "" {
			one.Streams = []string{index.DataStream}
		}
		return nil
	}))
	return one
}

func TestWhatIsBeingSnapshottedIsKept(t *testing.T) {
	all := wire.IndexOptions{Open: true, Closed: true, Hidden: true, AllowNoIndices: true}
	for _, e := range []struct {
		is, index string
		do        func(c *Catalog) error
		partial   bool
		want      string // the beginning of the reason; "" if it is done
	}{
		{"an index deleted", "c-1", func(c *Catalog) error { return c.DeleteIndices(t.Context(), []string{"c-1"}, all) }, false, "Cannot delete indices that are being snapshotted: [[c-1/"},
		{"an index deleted by a pattern", "c-1", func(c *Catalog) error { return c.DeleteIndices(t.Context(), []string{"c-*"}, all) }, false, "Cannot delete indices that are being snapshotted: [[c-1/"},
		{"an index closed", "c-1", func(c *Catalog) error { _, err := c.CloseIndices(t.Context(), []string{"c-1"}, all); return err }, false, "Cannot close indices that are being snapshotted: [[c-1/"},
		{"a closed index closed", "closed", func(c *Catalog) error { _, err := c.CloseIndices(t.Context(), []string{"closed"}, all); return err }, false, ""},
		{"a closed index deleted", "closed", func(c *Catalog) error { return c.DeleteIndices(t.Context(), []string{"closed"}, all) }, false, "Cannot delete"},
		{"another index deleted", "closed", func(c *Catalog) error { return c.DeleteIndices(t.Context(), []string{"c-1"}, all) }, false, ""},
		{"a data stream deleted", ".ds-s-1-000001", func(c *Catalog) error { return c.DeleteDataStreams(t.Context(), []string{"s-1"}) }, false, "Cannot delete data streams that are being snapshotted: [s-1]"},
		{"an index removed with an alias", "c-1", func(c *Catalog) error {
			return c.UpdateAliases(t.Context(), []AliasAction{{Kind: RemoveIndex, Indices: []string{"c-1"}}})
		}, false, "Cannot delete indices that are being snapshotted: [[c-1/"},
		{"a closed index replaced", "closed", func(c *Catalog) error {
			r := Restore{Indices: []Restored{{Saved: c.State().Indices["closed"], Name: "closed"}}}
			_, err := c.Restore(t.Context(), r, func([]*Index) error { return nil })
			return err
		}, false, "Cannot replace indices that are being snapshotted: [[closed/"},
		{"an index that may go", "c-1", func(c *Catalog) error { return c.DeleteIndices(t.Context(), []string{"c-1"}, all) }, true, ""},
	} {
		t.Run(e.is, func(t *testing.T) {
			c := open(t, filepath.Join(t.TempDir(), "catalog.db"))
			fill(t, c)
			one := snapshotting(t, c, e.partial, e.index)
			err := e.do(c)
			if e.want == "" {
				must(t, err)
				return
			}
			if !fault.Is(err, "snapshot_in_progress_exception") || !strings.HasPrefix(fault.Of(err).Reason, e.want) {
				t.Fatalf("%v, want %s", err, e.want)
			}
			must(t, c.EndSnapshot(t.Context(), one))
			must(t, e.do(c))
		})
	}
}

func TestASnapshotIsNotedUntilItEnds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "catalog.db")
	c := open(t, path)
	fill(t, c)
	one := snapshotting(t, c, false, "c-1")
	must(t, c.Close())
	c = open(t, path)
	if diff := cmp.Diff([]*Snapshotting{one}, c.State().SnapshotsInProgress()); diff != "" {
		t.Error(diff)
	}
	must(t, c.EndSnapshot(t.Context(), one))
	if rest := c.State().SnapshotsInProgress(); len(rest) > 0 {
		t.Errorf("%v", rest)
	}
}

func TestASnapshotThatIsRefusedIsNotNoted(t *testing.T) {
	c := open(t, filepath.Join(t.TempDir(), "catalog.db"))
	no := errors.New("no")
	if err := c.BeginSnapshot(t.Context(), &Snapshotting{}, func(*State) error { return no }); !errors.Is(err, no) {
		t.Errorf("%v", err)
	}
	if rest := c.State().SnapshotsInProgress(); len(rest) > 0 {
		t.Errorf("%v", rest)
	}
}

func TestCheckLooksAtSnapshots(t *testing.T) {
	for _, e := range []struct {
		is     string
		damage func(s *State)
		want   string
	}{
		{"nothing is wrong", func(*State) {}, ""},
		{"a repository without type", func(s *State) { s.Documents[Repositories]["r"] = json.RawMessage(`{}`) }, "the repository [r] has no type"},
		{"another snapshot", func(s *State) { s.Documents[Snapshots]["r/other"] = s.Documents[Snapshots]["r/s"] }, "what is noted of the snapshot [r/other] is not that of one"},
		{"no snapshot", func(s *State) { s.Documents[Snapshots]["r/s"] = json.RawMessage(`[]`) }, "what is noted of the snapshot [r/s] is not that of one"},
		{"a missing repository", func(s *State) { delete(s.Documents[Repositories], "r") }, "the snapshot [r/s] is being taken, and its repository does not exist"},
		{"a missing index", func(s *State) { delete(s.Indices, "c-1") }, "the snapshot [r/s] is being taken of the index [c-1], which does not exist"},
	} {
		t.Run(e.is, func(t *testing.T) {
			c := open(t, filepath.Join(t.TempDir(), "catalog.db"))
			fill(t, c)
			snapshotting(t, c, false, "c-1")
			s := c.State().clone()
			e.damage(s)
			s.indexAliases()
			if found := s.check(); e.want == "" && len(found) > 0 || e.want != "" && !slices.Contains(found, e.want) {
				t.Errorf("found %q, want %q", found, e.want)
			}
		})
	}
}

func TestExpressionsMeanDataStreams(t *testing.T) {
	c := open(t, filepath.Join(t.TempDir(), "catalog.db"))
	fill(t, c)
	for _, e := range []struct {
		expressions string
		want        string
	}{{"", "s-1"}, {"_all", "s-1"}, {"*", "s-1"}, {"s-1", "s-1"}, {"c-1", ""}, {"*,-s-*", ""}, {"-s-1", ""}, {"s-2,s-*", "s-1"}} {
		var list []string
		if e.expressions != "" {
			list = strings.Split(e.expressions, ",")
		}
		if got := strings.Join(c.State().MatchDataStreams(list, c.clock.Now()), ","); got != e.want {
			t.Errorf("%q means %q, want %q", e.expressions, got, e.want)
		}
	}
}

func TestARestoreIsAllOrNothing(t *testing.T) {
	c := open(t, filepath.Join(t.TempDir(), "catalog.db"))
	fill(t, c)
	saved := c.State().Indices["c-1"]
	r := Restore{Source: "r:s/u", Indices: []Restored{{Saved: saved, Name: "back-1"}, {Saved: saved, Name: "back-2"}}}
	before := c.State()
	no := errors.New("no")
	if _, err := c.Restore(t.Context(), r, func([]*Index) error { return no }); !errors.Is(err, no) {
		t.Errorf("%v", err)
	}
	if c.State() != before {
		t.Error("a restore that failed changed something")
	}
	made, err := c.Restore(t.Context(), r, func(indices []*Index) error {
		// while it is filled, its names are taken
		if _, err := c.Restore(t.Context(), r, func([]*Index) error { return nil }); !fault.Is(err, "resource_already_exists_exception") {
			t.Errorf("the same twice at once: %v", err)
		}
		if c.State().Indices[indices[0].Name] != nil {
			t.Error("it shows before it is whole")
		}
		return nil
	})
	must(t, err)
	for _, index := range made {
		if c.State().Indices[index.Name] != index || index.UUID == saved.UUID || index.Settings["index.uuid"] != index.UUID {
			t.Errorf("%s: %+v", index.Name, index)
		}
	}
	if found := c.State().check(); len(found) > 0 {
		t.Error(found)
	}
}

func TestARestoreTakesThePlaceOfAClosedIndexAlone(t *testing.T) {
	c := open(t, filepath.Join(t.TempDir(), "catalog.db"))
	fill(t, c)
	nothing := func([]*Index) error { return nil }
	restore := func(saved, name string) error {
		_, err := c.Restore(t.Context(), Restore{Source: "r:s/u", Indices: []Restored{{Saved: c.State().Indices[saved], Name: name}}}, nothing)
		return err
	}
	was := c.State().Indices["closed"]
	must(t, restore("closed", "closed"))
	if now := c.State().Indices["closed"]; now.Closed || now.UUID == was.UUID || now.Settings["index.history.uuid"] == "" {
		t.Errorf("%+v", now)
	}
	for name, want := range map[string]string{
		"closed": "[r:s/u] cannot restore index [closed] because an open index with same name already exists",
		"al":     "Invalid index name [al], already exists as alias",
		"s-1":    "data stream [s-1] conflicts with index",
		"Upper":  "must be lowercase",
	} {
		if err := restore("closed", name); !strings.Contains(fault.Of(err).Reason, want) {
			t.Errorf("as %s: %v, want %s", name, err, want)
		}
	}
}
