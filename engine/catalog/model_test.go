// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/opensteward/steward/fault"
)

// model is what a catalog has to hold: indices by name, with what a client can see of them.
type model map[string]modelIndex

type modelIndex struct {
	closed   bool
	priority string
	aliases  string // sorted, a comma after each
}

func (m model) with(name string, change func(*modelIndex)) {
	i := m[name]
	change(&i)
	m[name] = i
}

// taken reports whether a name is that of an index or alias.
func (m model) taken(name string) bool {
	if _, ok := m[name]; ok {
		return true
	}
	for _, i := range m {
		if i.aliases == name+"," {
			return true
		}
	}
	return false
}

// seen is a state as the model keeps it.
func seen(s *State) model {
	m := model{}
	for name, i := range s.Indices {
		aliases := ""
		for _, alias := range slices.Sorted(maps.Keys(i.Aliases)) {
			aliases += alias + ","
		}
		m[name] = modelIndex{i.Closed, i.Settings["index.priority"], aliases}
	}
	return m
}

// kept are the shards of which indices are there, by uuid.
type kept struct {
	noShards
	mu    sync.Mutex
	uuids map[string]string
	fail  bool
}

func (k *kept) Create(_ context.Context, i *Index) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fail {
		return errors.New("the disk is full")
	}
	k.uuids[i.UUID] = i.Name
	return nil
}

func (k *kept) Delete(_ context.Context, i *Index) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.uuids, i.UUID)
	return nil
}

func TestTheCatalogBehavesLikeAMapOfIndices(t *testing.T) {
	dir := t.TempDir()
	runs := 0
	rapid.Check(t, func(rt *rapid.T) {
		runs++
		path := filepath.Join(dir, strconv.Itoa(runs))
		k := &kept{uuids: map[string]string{}}
		c := open(t, path, func(o *Options) { o.Shards = k })
		defer func() { must(t, c.Close()) }()
		ctx, m := t.Context(), model{}
		name := rapid.SampledFrom([]string{"a", "b", "c"})
		aliasName := rapid.SampledFrom([]string{"a", "x"})
		// try runs an operation that the model allows or not, and looks at what it left.
		try := func(what string, allowed bool, err error, after func()) {
			if (err == nil) != allowed {
				rt.Fatalf("%s: allowed %v, error %v", what, allowed, err)
			}
			if allowed {
				after()
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"create": func(rt *rapid.T) {
				n := name.Draw(rt, "name")
				_, err := c.CreateIndex(ctx, n, NewIndex{})
				try("create "+n, !m.taken(n), err, func() { m[n] = modelIndex{} })
			},
			"create without space": func(rt *rapid.T) {
				n := name.Draw(rt, "name")
				k.fail = true
				_, err := c.CreateIndex(ctx, n, NewIndex{})
				k.fail = false
				try("create without space "+n, false, err, nil)
			},
			"delete": func(rt *rapid.T) {
				n := name.Draw(rt, "name")
				_, there := m[n]
				try("delete "+n, there, c.DeleteIndices(ctx, []string{n}, all), func() { delete(m, n) })
			},
			"close": func(rt *rapid.T) {
				n := name.Draw(rt, "name")
				_, err := c.CloseIndices(ctx, []string{n, "z*"}, all)
				try("close "+n, m.taken(n), err, func() {
					for index, i := range m {
						if index == n || i.aliases == n+"," {
							m.with(index, func(i *modelIndex) { i.closed = true })
						}
					}
				})
			},
			"open": func(*rapid.T) {
				_, err := c.OpenIndices(ctx, []string{"*"}, all)
				try("open all", true, err, func() {
					for n := range m {
						m.with(n, func(i *modelIndex) { i.closed = false })
					}
				})
			},
			"settings": func(rt *rapid.T) {
				value := strconv.Itoa(rapid.IntRange(0, 3).Draw(rt, "priority"))
				try("settings", true, c.PutSettings(ctx, []string{"*"}, all, changing("index.priority", value), false), func() {
					for n := range m {
						m.with(n, func(i *modelIndex) { i.priority = value })
					}
				})
			},
			"alias": func(rt *rapid.T) {
				n, alias := name.Draw(rt, "name"), aliasName.Draw(rt, "alias")
				i, there := m[n]
				_, index := m[alias]
				if i.aliases != "" && i.aliases != alias+"," {
					rt.Skip("the model keeps one alias an index")
				}
				try("alias "+alias+" of "+n, there && !index, c.UpdateAliases(ctx, []AliasAction{add(n, alias)}), func() {
					m.with(n, func(i *modelIndex) { i.aliases = alias + "," })
				})
			},
			"open the file again": func(*rapid.T) {
				before := record(t, c.State())
				must(t, c.Close())
				c = open(t, path, func(o *Options) { o.Shards = k })
				if diff := cmp.Diff(before, record(t, c.State())); diff != "" {
					rt.Fatal(diff)
				}
			},
			"": func(rt *rapid.T) {
				if got := seen(c.State()); !maps.Equal(got, m) {
					rt.Fatalf("the catalog has %+v, the model %+v", got, m)
				}
				if found := c.State().check(); len(found) > 0 {
					rt.Fatalf("inconsistent: %q", found)
				}
				if len(k.uuids) != len(m) {
					rt.Fatalf("shards of %v, indices %v", k.uuids, m)
				}
			},
		})
	})
}

func TestNoChangeIsLostWhileManyMakeThem(t *testing.T) {
	c, ctx := newCatalog(t), t.Context()
	create(t, c, "all", NewIndex{})
	first := c.State()
	const writers, rounds = 8, 10
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			own := fmt.Sprintf("w%d", w)
			for i := range rounds {
				if _, err := c.CreateIndex(ctx, own, NewIndex{Aliases: map[string]Alias{"shared": {}}}); err != nil {
					t.Error(err)
				}
				if _, err := c.CreateIndex(ctx, "all", NewIndex{}); !fault.Is(err, "resource_already_exists_exception") {
					t.Error(err)
				}
				list, err := c.State().Resolve([]string{"w*"}, all, c.clock.Now())
				if err != nil || !slices.Contains(namesOf(list), own) {
					t.Errorf("round %d: %v, %v", i, namesOf(list), err)
				}
				for _, index := range c.State().AliasIndices("shared") {
					if index.Name == "all" {
						t.Error("an alias that nobody gave")
					}
				}
				must(t, c.DeleteIndices(ctx, []string{own}, all))
			}
		})
	}
	group.Wait()
	last := c.State()
	if changes := last.Version - first.Version; changes != 2*writers*rounds || len(last.Indices) != 1 || last.UUID == first.UUID || last.ClusterUUID != first.ClusterUUID {
		t.Errorf("%d changes, %d indices", changes, len(last.Indices))
	}
}

func TestManyWritersMakeAnIndexOnce(t *testing.T) {
	c := newCatalog(t)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if got := shown(c.WriteTarget(t.Context(), "new", false, false)); got != "new" {
				t.Error(got)
			}
		})
	}
	group.Wait()
	if v := c.State().Version; v != 2 {
		t.Errorf("version %d", v)
	}
}

// stopped is a keeper of documents that copies the catalog's file at the moment when shards are made: what a crash there
// would leave.
type stopped struct {
	kept
	path, copied string
}

func (s *stopped) Create(ctx context.Context, i *Index) error {
	if err := s.kept.Create(ctx, i); err != nil {
		return err
	}
	from, err := os.Open(s.path)
	if err != nil {
		return err
	}
	to, err := os.Create(s.copied)
	if err != nil {
		return errors.Join(err, from.Close())
	}
	_, err = io.Copy(to, from)
	return errors.Join(err, from.Close(), to.Close())
}

func TestACrashBetweenShardsAndCommitLeavesShardsThatNoIndexKnows(t *testing.T) {
	dir := t.TempDir()
	s := &stopped{kept: kept{uuids: map[string]string{}}, path: filepath.Join(dir, "a"), copied: filepath.Join(dir, "b")}
	c := open(t, s.path, func(o *Options) { o.Shards = s })
	i := create(t, c, "new", NewIndex{})
	must(t, c.Close())
	c = open(t, s.copied)
	if c.State().IndexByUUID(i.UUID) != nil || len(c.State().Indices) != 0 || s.uuids[i.UUID] == "" {
		t.Errorf("indices %v, shards %v", names(c.State()), s.uuids)
	}
	again := create(t, c, "new", NewIndex{})
	if again.UUID == i.UUID {
		t.Error("the index has the uuid of the shards that were left")
	}
	must(t, c.Close())
}

func TestShardsOfAnIndexThatCannotBeCommittedAreDeleted(t *testing.T) {
	k := &kept{uuids: map[string]string{}}
	c := open(t, filepath.Join(t.TempDir(), "catalog.db"), func(o *Options) { o.Shards = k })
	before := c.State()
	must(t, c.Close())
	if _, err := c.CreateIndex(t.Context(), "a", NewIndex{}); err == nil {
		t.Error("an index was made in a file that is closed")
	}
	if len(k.uuids) != 0 || c.State() != before {
		t.Errorf("shards of %v", k.uuids)
	}
}
