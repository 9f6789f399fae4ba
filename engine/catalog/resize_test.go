// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward/wire/setting"
)

// filler fills shards by calling fill.
type filler struct {
	noShards
	fill    func(ctx context.Context, source, target *Index) error
	bytes   int64
	deleted []string
}

func (f *filler) Resize(ctx context.Context, source, target *Index) error {
	if f.fill == nil {
		return nil
	}
	return f.fill(ctx, source, target)
}

func (f *filler) Delete(_ context.Context, i *Index) error {
	f.deleted = append(f.deleted, i.Name)
	return nil
}

func (f *filler) Stats(context.Context, *Index) (ShardStats, error) {
	return ShardStats{Bytes: f.bytes}, nil
}

// sealed makes an index of eight shards that cannot be written to.
func sealed(t *testing.T, f *filler) *Catalog {
	t.Helper()
	c := newCatalog(t, func(o *Options) { o.Shards = f })
	create(t, c, "src", NewIndex{Settings: SettingsChange{Set: setting.Values{
		"index.number_of_shards": "8", "index.number_of_replicas": "0", "index.blocks.write": "true",
	}}})
	return c
}

func TestTheNumberOfShardsThatFit(t *testing.T) {
	for _, e := range []struct {
		is    string
		bytes int64
		max   int64
		want  int
	}{
		{"one if all fit into it", 100, 100, 1},
		{"as many as it takes", 100, 50, 2},
		{"a factor", 100, 34, 4},
		{"all if one is too large", 100, 1, 8},
		{"one of nothing", 0, 1, 1},
	} {
		t.Run(e.is, func(t *testing.T) {
			c := sealed(t, &filler{bytes: e.bytes})
			made, err := c.Resize(t.Context(), Resize{Kind: Shrink, Source: "src", Target: "dst", MaxShardSize: e.max})
			must(t, err)
			if made.Shards() != e.want {
				t.Errorf("%d shards, want %d", made.Shards(), e.want)
			}
		})
	}
}

func TestAResizedIndexShowsWhenItIsFilled(t *testing.T) {
	f := &filler{}
	c := sealed(t, f)
	f.fill = func(ctx context.Context, source, target *Index) error {
		if c.State().Indices["dst"] != nil {
			t.Error("the target shows before it is filled")
		}
		if source.Name != "src" || target.Shards() != 4 || target.RoutingShards != source.RoutingShards {
			t.Errorf("filled are %d shards of %s from %s", target.Shards(), target.Name, source.Name)
		}
		if _, err := c.CreateIndex(ctx, "other", NewIndex{}); err != nil {
			t.Errorf("nothing else can be changed meanwhile: %v", err)
		}
		_, err := c.Resize(ctx, Resize{Kind: Clone, Source: "src", Target: "dst"})
		fails(t, err, "resource_already_exists_exception", "index [dst/"+target.UUID+"] already exists")
		return nil
	}
	made, err := c.Resize(t.Context(), Resize{
		Kind: Shrink, Source: "src", Target: "dst", Settings: SettingsChange{Set: setting.Values{"index.number_of_shards": "4"}}, Node: "node",
	})
	must(t, err)
	if c.State().Indices["dst"] != made || len(f.deleted) > 0 {
		t.Errorf("shown is %v, deleted %v", c.State().Indices["dst"], f.deleted)
	}
	must(t, c.DeleteIndices(t.Context(), []string{"dst"}, all))
	f.fill = nil
	if _, err := c.Resize(t.Context(), Resize{Kind: Clone, Source: "src", Target: "dst"}); err != nil {
		t.Errorf("the name stays taken: %v", err)
	}
}

func TestNothingIsLeftOfAResizeThatFails(t *testing.T) {
	for _, e := range []struct {
		is   string
		fill func(t *testing.T, c *Catalog) error
		kind string
		want string
	}{
		{"when its shards cannot be filled", func(*testing.T, *Catalog) error { return errors.New("the disk is full") }, "", "the disk is full"},
		{"when its source is deleted", func(t *testing.T, c *Catalog) error {
			return c.DeleteIndices(t.Context(), []string{"src"}, all)
		}, "index_not_found_exception", "src"},
		{"when its source is another one", func(t *testing.T, c *Catalog) error {
			must(t, c.DeleteIndices(t.Context(), []string{"src"}, all))
			create(t, c, "src", NewIndex{})
			return nil
		}, "index_not_found_exception", "src"},
		{"when its source is written to again", func(t *testing.T, c *Catalog) error {
			return c.PutSettings(t.Context(), []string{"src"}, all, changing("index.blocks.write", "false"), false)
		}, "illegal_state_exception", "must block write operations"},
		{"when somebody takes its name", func(t *testing.T, c *Catalog) error {
			create(t, c, "dst", NewIndex{})
			return nil
		}, "resource_already_exists_exception", "dst"},
	} {
		t.Run(e.is, func(t *testing.T) {
			f := &filler{}
			c := sealed(t, f)
			f.fill = func(context.Context, *Index, *Index) error { return e.fill(t, c) }
			_, err := c.Resize(t.Context(), Resize{Kind: Clone, Source: "src", Target: "dst"})
			if e.kind != "" {
				fails(t, err, e.kind, e.want)
			} else if err == nil || !strings.Contains(err.Error(), e.want) {
				t.Errorf("the error is %v", err)
			}
			if f.deleted[len(f.deleted)-1] != "dst" {
				t.Errorf("deleted are the shards of %v", f.deleted)
			}
			if i := c.State().Indices["dst"]; i != nil && i.Resized() {
				t.Error("the target is there")
			}
		})
	}
}

func TestWhatAResizedIndexIsMadeOf(t *testing.T) {
	c := sealed(t, &filler{})
	must(t, c.PutSettings(t.Context(), []string{"src"}, all, changing("index.priority", "7"), false))
	putTemplate(t, c, "every", IndexTemplate{Patterns: []string{"d*"}, Template: &Template{
		Settings: setting.Values{"index.hidden": "true"}, Aliases: map[string]Alias{"from-template": {}},
	}})
	made, err := c.Resize(t.Context(), Resize{
		Kind: Split, Source: "src", Target: "dst", Aliases: map[string]Alias{"a": {}},
		Settings: SettingsChange{Set: setting.Values{"index.number_of_shards": "16"}, Reset: []string{"index.blocks.write"}},
	})
	must(t, err)
	got := setting.Values{}
	for key, value := range made.Settings {
		if !slices.Contains([]string{"index.uuid", "index.creation_date", "index.version.created", "index.version.upgraded"}, key) {
			got[key] = value
		}
	}
	want := setting.Values{
		"index.number_of_shards": "16", "index.number_of_replicas": "1", "index.priority": "7", "index.provided_name": "dst",
		"index.replication.type": "DOCUMENT", "index.routing_partition_size": "1", "index.routing.allocation.initial_recovery._id": setting.Null,
		"index.resize.source.name": "src", "index.resize.source.uuid": c.State().Indices["src"].UUID,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff("dst:a", aliases(c.State())); diff != "" {
		t.Error(diff)
	}
}
