// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"strings"
	"testing"

	"github.com/opensteward/steward/wire/setting"
)

func TestWhatBlocksForbid(t *testing.T) {
	const flood = "TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark, index has read-only-allow-delete block"
	index := func(status, texts string) string {
		return status + " cluster_block_exception: index [a] blocked by: [" + texts + "];"
	}
	for _, e := range []struct {
		is       string
		settings setting.Values
		want     map[Op]string
	}{
		{"none forbids nothing", nil, map[Op]string{}},
		{"a block that is false forbids nothing", setting.Values{"index.blocks.write": "false"}, map[Op]string{}},
		{"write forbids documents", setting.Values{"index.blocks.write": "true"}, map[Op]string{Write: index("403", "FORBIDDEN/8/index write (api)")}},
		{"read forbids searches", setting.Values{"index.blocks.read": "true"}, map[Op]string{Read: index("403", "FORBIDDEN/7/index read (api)")}},
		{"metadata forbids even to look", setting.Values{"index.blocks.metadata": "true"}, map[Op]string{
			MetadataRead: index("403", "FORBIDDEN/9/index metadata (api)"), MetadataWrite: index("403", "FORBIDDEN/9/index metadata (api)"), Delete: index("403", "FORBIDDEN/9/index metadata (api)"),
		}},
		{"read_only forbids changes", setting.Values{"index.blocks.read_only": "true"}, map[Op]string{
			Write: index("403", "FORBIDDEN/5/index read-only (api)"), MetadataWrite: index("403", "FORBIDDEN/5/index read-only (api)"), Delete: index("403", "FORBIDDEN/5/index read-only (api)"),
		}},
		{"a full disk forbids what needs space, for now", setting.Values{"index.blocks.read_only_allow_delete": "true"}, map[Op]string{Write: index("429", flood), MetadataWrite: index("429", flood)}},
		{"two blocks are told together, and for good", setting.Values{"index.blocks.read_only_allow_delete": "true", "index.blocks.write": "true"}, map[Op]string{
			Write: index("403", flood+", FORBIDDEN/8/index write (api)"), MetadataWrite: index("429", flood),
		}},
	} {
		t.Run(e.is, func(t *testing.T) {
			i := &Index{Name: "a", Settings: e.settings}
			s := emptyState(newCatalog(t).env)
			for _, op := range []Op{Read, Write, MetadataRead, MetadataWrite, Delete} {
				says(t, i.Block(op), e.want[op])
				says(t, s.Block(op, i), e.want[op])
			}
		})
	}
}

func TestEveryBlockedIndexIsTold(t *testing.T) {
	s := emptyState(newCatalog(t).env)
	blocked := setting.Values{"index.blocks.write": "true"}
	says(t, s.Block(Write, &Index{Name: "a", Settings: blocked}, &Index{Name: "b"}, &Index{Name: "c", Settings: blocked}),
		"403 cluster_block_exception: index [a] blocked by: [FORBIDDEN/8/index write (api)];index [c] blocked by: [FORBIDDEN/8/index write (api)];")
}

func TestAReadOnlyCluster(t *testing.T) {
	for _, e := range []struct{ key, text, remove string }{
		{"cluster.blocks.read_only", "FORBIDDEN/6/cluster read-only (api)", "403 cluster_block_exception: index [a] blocked by: [FORBIDDEN/6/cluster read-only (api)];"},
		{"cluster.blocks.read_only_allow_delete", "FORBIDDEN/13/cluster read-only / allow delete (api)", ""},
	} {
		t.Run(e.key, func(t *testing.T) {
			c, ctx := newCatalog(t), t.Context()
			fill(t, c)
			create(t, c, "a", NewIndex{})
			must(t, c.PutClusterSettings(ctx, SettingsChange{}, changing(e.key, "true")))
			whole := "403 cluster_block_exception: blocked by: [" + e.text + "];"
			of := func(index string) string {
				return "403 cluster_block_exception: index [" + index + "] blocked by: [" + e.text + "];"
			}
			_, err := c.CreateIndex(ctx, "b", NewIndex{})
			says(t, err, of("b"))
			_, err = c.CloseIndices(ctx, []string{"a"}, all)
			says(t, err, of("a"))
			_, err = c.OpenIndices(ctx, []string{"a"}, all)
			says(t, err, of("a"))
			_, err = c.AddBlock(ctx, "read_only", []string{"a"}, all)
			says(t, err, of("a"))
			_, err = c.WriteTarget(ctx, "a", false, false)
			says(t, err, whole)
			says(t, c.UpdateAliases(ctx, []AliasAction{add("a", "x")}), of("a"))
			says(t, c.PutMapping(ctx, []string{"a"}, all, false, []byte(`{"properties":{"z":{"type":"long"}}}`)), of("a"))
			says(t, c.PutSettings(ctx, []string{"a"}, all, changing("index.blocks.read_only", "true"), false), whole)
			says(t, c.PutIndexTemplate(ctx, "t", &IndexTemplate{Patterns: []string{"t*"}}, false), whole)
			says(t, c.PutComponentTemplate(ctx, "t", &ComponentTemplate{}, false), whole)
			says(t, c.PutLegacyTemplate(ctx, "t", &LegacyTemplate{Patterns: []string{"t*"}}, false), whole)
			says(t, c.DeleteIndexTemplate(ctx, "nope"), whole)
			says(t, c.DeleteComponentTemplate(ctx, "nope"), whole)
			says(t, c.DeleteLegacyTemplate(ctx, "nope"), whole)
			says(t, c.PutDocument(ctx, IngestPipelines, "p", []byte(`{}`), nil), whole)
			says(t, c.DeleteDocuments(ctx, IngestPipelines, []string{"p"}, nil), whole)
			says(t, c.PutClusterSettings(ctx, changing("search.max_buckets", "5"), SettingsChange{}), whole)
			says(t, c.DeleteIndices(ctx, []string{"a"}, all), e.remove)
			must(t, c.PutClusterSettings(ctx, SettingsChange{}, SettingsChange{Reset: []string{e.key}}))
			create(t, c, "b", NewIndex{})
		})
	}
}

func TestSettingsOfABlockedIndex(t *testing.T) {
	const want = "403 cluster_block_exception: index [a] blocked by: [FORBIDDEN/5/index read-only (api)];"
	for _, e := range []struct {
		is     string
		change SettingsChange
		want   string
	}{
		{"the block itself can be lifted", changing("index.blocks.read_only", "false"), ""},
		{"also by its default", SettingsChange{Reset: []string{"index.blocks.read_only"}}, ""},
		{"not together with another", changing("index.blocks.read_only", "false", "index.priority", "3"), want},
		{"not together with another block", changing("index.blocks.read_only", "false", "index.blocks.write", "false"), want},
		{"the block of writes is a setting like others", changing("index.blocks.write", "false"), want},
		{"others are refused", changing("index.priority", "3"), want},
	} {
		t.Run(e.is, func(t *testing.T) {
			c := newCatalog(t)
			create(t, c, "a", NewIndex{Settings: changing("index.blocks.read_only", "true")})
			says(t, c.PutSettings(t.Context(), []string{"a"}, all, e.change, false), e.want)
		})
	}
}

func TestAddingBlocks(t *testing.T) {
	c, ctx := newCatalog(t), t.Context()
	for _, name := range []string{"a", "b"} {
		create(t, c, name, NewIndex{})
	}
	for _, e := range []struct{ is, block, index, want string }{
		{"an unknown one", "bogus", "a", "400 illegal_argument_exception: No block found with name bogus"},
		{"that of a full disk", "read_only_allow_delete", "a", "400 action_request_validation_exception: Validation Failed: 1: read_only_allow_delete block is for internal use only;"},
		{"that of search replicas", "search_only", "a", "400 illegal_argument_exception: the block [search_only] is not supported by the embedded engine"},
		{"one of an index that is missing", "write", "nope", "404 index_not_found_exception: no such index [nope]"},
		{"one", "write", "a", "a"},
		{"one that is there", "write", "a", ""},
		{"one that is there in part", "write", "a,b", "b"},
		{"read_only", "read_only", "a", "a"},
		{"metadata on top of it", "metadata", "a", "a"},
		{"write on top of them", "read", "a", "403 cluster_block_exception: index [a] blocked by: [FORBIDDEN/9/index metadata (api), FORBIDDEN/5/index read-only (api)];"},
	} {
		blocked, err := c.AddBlock(ctx, e.block, strings.Split(e.index, ","), all)
		got := strings.Join(namesOf(blocked), ",")
		if err != nil {
			got = said(err)
		}
		if got != e.want {
			t.Errorf("%s:\n got %s\nwant %s", e.is, got, e.want)
		}
	}
}

func TestOpeningAndClosing(t *testing.T) {
	s := &shards{}
	c, ctx := newCatalog(t, func(o *Options) { o.Shards = s }), t.Context()
	create(t, c, "a", NewIndex{Aliases: map[string]Alias{"x": {}}})
	create(t, c, "b", NewIndex{})
	for _, e := range []struct {
		is     string
		run    func(expression string) ([]*Index, error)
		asked  string
		want   string
		closed string
	}{
		{"closing one", func(e string) ([]*Index, error) { return c.CloseIndices(ctx, []string{e}, all) }, "a", "a", "a"},
		{"closing it again", func(e string) ([]*Index, error) { return c.CloseIndices(ctx, []string{e}, all) }, "a", "", "a"},
		{"closing all", func(e string) ([]*Index, error) { return c.CloseIndices(ctx, []string{e}, all) }, "*", "b", "a,b"},
		{"opening by alias", func(e string) ([]*Index, error) { return c.OpenIndices(ctx, []string{e}, all) }, "x", "a", "b"},
		{"opening again", func(e string) ([]*Index, error) { return c.OpenIndices(ctx, []string{e}, all) }, "a", "", "b"},
		{"opening what is missing", func(e string) ([]*Index, error) { return c.OpenIndices(ctx, []string{e}, all) }, "nope", "404 index_not_found_exception: no such index [nope]", "b"},
	} {
		before := c.State()
		list, err := e.run(e.asked)
		got := strings.Join(namesOf(list), ",")
		if err != nil {
			got = said(err)
		}
		var closed []string
		for _, i := range c.State().SortedIndices() {
			if i.Closed != (i.Settings["index.verified_before_close"] == "true") {
				t.Errorf("%s: %s is closed: %v, its settings say otherwise", e.is, i.Name, i.Closed)
			}
			if i.Closed {
				closed = append(closed, i.Name)
			}
		}
		if got != e.want || strings.Join(closed, ",") != e.closed {
			t.Errorf("%s: %s, closed %v", e.is, got, closed)
		}
		if changed := c.State() != before; changed != (e.want != "" && err == nil) {
			t.Errorf("%s: the state changed: %v", e.is, changed)
		}
	}
	_, err := c.OpenIndices(ctx, nil, all)
	says(t, err, "400 action_request_validation_exception: Validation Failed: 1: index is missing;")
	_, err = c.CloseIndices(ctx, nil, all)
	says(t, err, "400 action_request_validation_exception: Validation Failed: 1: index is missing;")
	must(t, c.PutClusterSettings(ctx, changing("cluster.indices.close.enable", "false"), SettingsChange{}))
	_, err = c.CloseIndices(ctx, []string{"a"}, all)
	says(t, err, "500 illegal_state_exception: closing indices is disabled - set [cluster.indices.close.enable: true] to enable it. NOTE: closed indices still consume a significant amount of diskspace")
}
