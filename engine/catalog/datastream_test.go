// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// streams makes a catalog in which "logs*" are data streams and "plain*" are not.
func streams(t *testing.T, c *Catalog) *Catalog {
	t.Helper()
	putTemplate(t, c, "ds", IndexTemplate{Patterns: []string{"logs*"}, DataStream: &DataStreamTemplate{TimestampField: "@timestamp"}})
	putTemplate(t, c, "plain", IndexTemplate{Patterns: []string{"plain*"}})
	return c
}

func TestNamesOfDataStreams(t *testing.T) {
	c := streams(t, newCatalog(t))
	must(t, c.CreateDataStream(t.Context(), "logs"))
	create(t, c, "oth", NewIndex{Aliases: map[string]Alias{"logs-alias": {}}})
	uuid := c.State().Indices["oth"].UUID
	illegal := func(text string) string { return "400 illegal_argument_exception: data_stream " + text }
	for _, e := range []struct{ is, name, want string }{
		{"one more", "logs-2", ""},
		{"one that is there", "logs", "400 resource_already_exists_exception: data_stream [logs] already exists"},
		{"one without template", "none", "400 illegal_argument_exception: no matching index template found for data stream [none]"},
		{"one whose template makes indices", "plain", "400 illegal_argument_exception: matching index template [plain] for data stream [plain] has no data stream template"},
		{"capitals", "Logs", illegal("[Logs] must be lowercase")},
		{"a dot first", ".logs", illegal("[.logs] must not start with '.'")},
		{"a minus first", "-logs", illegal("[-logs] must not start with '_', '-', or '+'")},
		{"a colon", "logs:1", illegal("[logs:1] must not contain ':'")},
		{"a wildcard", "logs*", illegal(`[logs*] must not contain the following characters [ , ", *, \, <, |, ,, >, /, ?]`)},
		{"a long name", strings.Repeat("l", 280), illegal("[" + strings.Repeat("l", 280) + "] index name is too long, (280 > 255)")},
		{"an alias's name", "logs-alias", "500 illegal_state_exception: index, alias, and data stream names need to be unique, but the following duplicates were found [logs-alias (alias of [oth/" + uuid + "]) conflicts with data stream]"},
		{"an index's name", "oth", "500 illegal_state_exception: index, alias, and data stream names need to be unique, but the following duplicates were found [data stream [oth] conflicts with index]"},
	} {
		t.Run(e.is, func(t *testing.T) { says(t, c.CreateDataStream(t.Context(), e.name), e.want) })
	}
}

func TestABackingIndexIsHiddenAndAsItsTemplateSays(t *testing.T) {
	c := newCatalog(t)
	putTemplate(t, c, "ds", IndexTemplate{
		Patterns: []string{"logs*"}, DataStream: &DataStreamTemplate{TimestampField: "ts"},
		Template: &Template{Aliases: map[string]Alias{"al": {}}, Mappings: json.RawMessage(`{"properties":{"ts":{"type":"date_nanos"}}}`)},
	})
	must(t, c.CreateDataStream(t.Context(), "logs"))
	s := c.State()
	want := &DataStream{Name: "logs", TimestampField: "ts", Indices: []string{".ds-logs-000001"}, Generation: 1}
	if diff := cmp.Diff(want, s.DataStreams["logs"]); diff != "" {
		t.Error(diff)
	}
	i := s.Indices[".ds-logs-000001"]
	if !i.Hidden() || i.DataStream != "logs" || len(i.Aliases) != 1 {
		t.Errorf("%+v", i)
	}
	if got, want := mapped(t, i), `{"_data_stream_timestamp":{"enabled":true,"timestamp_field":{"name":"ts"}},"properties":{"ts":{"type":"date_nanos"}}}`; got != want {
		t.Errorf("mapping %s, want %s", got, want)
	}
}

func TestAnUnmappedTimestampIsADate(t *testing.T) {
	c := streams(t, newCatalog(t))
	must(t, c.CreateDataStream(t.Context(), "logs"))
	if got, want := mapped(t, c.State().Indices[".ds-logs-000001"]), `{"_data_stream_timestamp":{"enabled":true},"properties":{"@timestamp":{"type":"date"}}}`; got != want {
		t.Errorf("mapping %s, want %s", got, want)
	}
}

func TestTheWriteIndexOfADataStreamStays(t *testing.T) {
	c, ctx := streams(t, newCatalog(t)), t.Context()
	must(t, c.CreateDataStream(ctx, "logs"))
	_, err := c.Rollover(ctx, RolloverRequest{Target: "logs"})
	must(t, err)
	says(t, c.DeleteIndices(ctx, []string{".ds-logs-000002"}, all), "400 illegal_argument_exception: index [.ds-logs-000002] is the write index for data stream [logs] and cannot be deleted")
	says(t, c.DeleteIndices(ctx, []string{".ds-logs-*"}, all), "400 illegal_argument_exception: index [.ds-logs-000002] is the write index for data stream [logs] and cannot be deleted")
	_, err = c.CloseIndices(ctx, []string{".ds-logs-*"}, all)
	says(t, err, "400 illegal_argument_exception: cannot close the following data stream write indices [.ds-logs-000002]")
	fails(t, c.DeleteIndices(ctx, []string{"logs"}, all), "index_not_found_exception", "")
	must(t, c.DeleteIndices(ctx, []string{".ds-logs-000001"}, all))
	if got := c.State().DataStreams["logs"]; !slices.Equal(got.Indices, []string{".ds-logs-000002"}) || got.Generation != 2 {
		t.Errorf("%+v", got)
	}
	_, err = c.Rollover(ctx, RolloverRequest{Target: "logs"})
	must(t, err)
	if got := c.State().DataStreams["logs"]; got.WriteIndex() != ".ds-logs-000003" {
		t.Errorf("%+v", got)
	}
}

func TestFindingDataStreams(t *testing.T) {
	c := streams(t, newCatalog(t))
	for _, name := range []string{"logs-b", "logs-a"} {
		must(t, c.CreateDataStream(t.Context(), name))
	}
	for _, e := range []struct {
		is    string
		asked []string
		want  string
	}{
		{"all", nil, "logs-a,logs-b"},
		{"all by name", []string{"_all"}, "logs-a,logs-b"},
		{"one", []string{"logs-b"}, "logs-b"},
		{"by pattern, once", []string{"*-a", "logs-a"}, "logs-a"},
		{"none by pattern", []string{"x*"}, ""},
		{"a missing one", []string{"logs-a", "x"}, "404 index_not_found_exception: no such index [x]"},
	} {
		t.Run(e.is, func(t *testing.T) {
			list, err := c.State().findDataStreams(e.asked)
			got := said(err)
			for i, d := range list {
				if i > 0 {
					got += ","
				}
				got += d.Name
			}
			if got != e.want {
				t.Errorf("%s, want %s", got, e.want)
			}
		})
	}
}

func TestADataStreamGoesWithItsIndices(t *testing.T) {
	c, ctx := streams(t, newCatalog(t)), t.Context()
	for _, name := range []string{"logs-a", "logs-b"} {
		must(t, c.CreateDataStream(ctx, name))
	}
	_, err := c.Rollover(ctx, RolloverRequest{Target: "logs-a"})
	must(t, err)
	version := c.State().Version
	must(t, c.DeleteDataStreams(ctx, []string{"nope", "no*"}))
	if c.State().Version != version {
		t.Error("deleting nothing is a change")
	}
	must(t, c.DeleteDataStreams(ctx, []string{"logs-a", "nope"}))
	if got := names(c.State()); !slices.Equal(got, []string{".ds-logs-b-000001"}) {
		t.Errorf("indices %v", got)
	}
	must(t, c.PutSettings(ctx, []string{"logs-b"}, all, changing("index.blocks.read_only", "true"), false))
	fails(t, c.DeleteDataStreams(ctx, []string{"*"}), "cluster_block_exception", "FORBIDDEN/5/index read-only (api)")
}
