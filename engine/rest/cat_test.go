// SPDX-License-Identifier: Apache-2.0

package rest_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward/engine"
)

// tables is an engine with two open indices, of which the larger has 3 documents, and a closed one.
func tables(t *testing.T) server {
	s := start(t, engine.Options{
		Config:  map[string]string{"node.name": "n1", "cluster.name": "c1", "node.attr.zone": "a", "node.attr.box": "hot"},
		Plugins: []engine.Plugin{{Component: "lifecycle", Version: "3.4.0.0", Description: "policies"}},
		Address: "10.1.2.3:9201",
	})
	s.do("PUT", "/big", `{"settings":{"number_of_shards":2,"number_of_replicas":1}}`)
	s.do("PUT", "/small", `{"settings":{"number_of_shards":1,"number_of_replicas":0}}`)
	s.do("PUT", "/shut", `{"settings":{"number_of_shards":1,"number_of_replicas":0}}`)
	s.do("POST", "/shut/_close", "")
	for _, id := range []string{"1", "2", "3"} {
		s.do("PUT", "/big/_doc/"+id+"?refresh=true", `{"n":1}`)
	}
	return s
}

func TestCatTables(t *testing.T) {
	s := tables(t)
	for _, c := range []struct{ name, path, want string }{
		{"numbers stand to the right, text to the left", "/_cat/indices?v&h=index,pri,docs.count,health&s=index", "" +
			"index pri docs.count health\n" +
			"big     2          3 yellow\n" +
			"shut    1            green\n" +
			"small   1          0 green\n"},
		{"numbers are sorted as numbers, and what has none comes first", "/_cat/indices?h=i,dc&s=dc", "shut   \nsmall 0\nbig   3\n"},
		{"time is the engine's clock", "/_cat/health?h=epoch,timestamp,cluster", "1772366400 12:00:00 c1\n"},
		{"ts=false leaves the time out", "/_cat/health?h=epoch,timestamp,cluster&ts=false", "c1\n"},
		{"each attribute of the node has a row", "/_cat/nodeattrs?h=node,host,attr,value", "n1 10.1.2.3 box  hot\nn1 10.1.2.3 zone a\n"},
		{"the node is its own manager", "/_cat/nodes?h=name,ip,http,node.role,cluster_manager,version", "n1 10.1.2.3 10.1.2.3:9201 dimr * 3.4.0\n"},
		{"a short id of the node, unless all of it is wanted", "/_cat/nodes?h=id", "stew\n"},
		{"all of it", "/_cat/nodes?h=id&full_id", "steward-embedded-node1\n"},
		{"plugins are those that were handed in", "/_cat/plugins?v&h=name,c,version,d", "name c         version d\nn1   lifecycle 3.4.0.0 policies\n"},
		{"shards count what nodes hold, and what none holds", "/_cat/allocation?h=shards,node", "4 n1\n2 UNASSIGNED\n"},
		{"replicas are unassigned since the index was made", "/_cat/shards/big?h=s,p,st,ur,ua,uf&s=s,p", "" +
			"0 p STARTED                                             \n" +
			"0 r UNASSIGNED INDEX_CREATED 2026-03-01T12:00:00.000Z 0s\n" +
			"1 p STARTED                                             \n" +
			"1 r UNASSIGNED INDEX_CREATED 2026-03-01T12:00:00.000Z 0s\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, s.text(c.path)); diff != "" {
				t.Errorf("GET %s (-want +got)\n%s", c.path, diff)
			}
		})
	}
}

func TestCatRefusesByNameWhatTheEngineDoesNotHave(t *testing.T) {
	s := tables(t)
	for path, want := range map[string]string{
		"/_cat/pit_segments/_all": "[GET /_cat/pit_segments/{pit_id}] is not supported",
	} {
		if w := s.call("GET", path, ""); w.Code != 400 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("GET %s: %d %s, want %s", path, w.Code, w.Body, want)
		}
	}
}

func TestCatHelpListsEveryColumnOfEveryTable(t *testing.T) {
	s := tables(t)
	for path := range strings.FieldsSeq(strings.TrimPrefix(s.text("/_cat"), "=^.^=\n")) {
		if strings.Contains(path, "{") {
			continue
		}
		t.Run(path, func(t *testing.T) {
			help := s.text(path + "?help")
			first, _, _ := strings.Cut(help, " ")
			titles := s.text(path + "?v&h=" + first)
			if got, _, _ := strings.Cut(titles, "\n"); strings.TrimSpace(got) != first {
				t.Errorf("the column %q of the help is %q in the table", first, got)
			}
			all := strings.Fields(strings.SplitN(s.text(path+"?v&h=*"), "\n", 2)[0])
			if listed := strings.Count(help, "\n"); len(all) != listed {
				t.Errorf("%d columns are listed, %d are there", listed, len(all))
			}
		})
	}
}

func TestARecoveryIsFromDiskAfterARestart(t *testing.T) {
	dir := t.TempDir()
	first := open(t, engine.Options{Dir: dir})
	first.do("PUT", "/logs", "")
	first.do("PUT", "/shut", "")
	first.do("POST", "/shut/_close", "")
	const table = "/_cat/recovery?h=i,type,stage,fp&s=i"
	if diff := cmp.Diff("logs empty_store    done 0.0%\nshut existing_store done 100.0%\n", first.text(table)); diff != "" {
		t.Errorf("before: (-want +got)\n%s", diff)
	}
	first.stop()
	later := start(t, engine.Options{Dir: dir})
	if diff := cmp.Diff("logs existing_store done 100.0%\nshut existing_store done 100.0%\n", later.text(table)); diff != "" {
		t.Errorf("after: (-want +got)\n%s", diff)
	}
}
