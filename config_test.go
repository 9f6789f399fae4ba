// SPDX-License-Identifier: Apache-2.0

package steward

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// ignored are the parts of Options that no text sets.
var ignored = cmpopts.IgnoreFields(Options{}, "Clock", "Logger")

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "steward.yml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAConfigFileHoldsOptionsAndNodeSettings(t *testing.T) {
	file := `
listen: 127.0.0.1:0
cluster: [http://a:9200, http://b:9200]
cluster_username: steward
cluster_insecure: true
cluster.name: demo
path:
  repo: [/backup, /more]
plugins.index_state_management:
  job_interval: 1
  enabled: false
`
	var got Options
	if err := got.ReadFile(write(t, file)); err != nil {
		t.Fatal(err)
	}
	want := Options{
		Listen:  "127.0.0.1:0",
		Cluster: Cluster{URLs: []string{"http://a:9200", "http://b:9200"}, Username: "steward", InsecureSkipVerify: true},
		Settings: map[string]string{
			"cluster.name": "demo", "path.repo": "/backup,/more",
			"plugins.index_state_management.job_interval": "1", "plugins.index_state_management.enabled": "false",
		},
	}
	if diff := cmp.Diff(want, got, ignored); diff != "" {
		t.Error(diff)
	}
}

func TestAMistakeInTheConfigFileIsNamedWithTheNearestKey(t *testing.T) {
	cases := map[string]struct{ file, want string }{
		"option":       {"listne: x", `unknown key "listne": the nearest known one is "listen"`},
		"node setting": {"cluster.nmae: x", `unknown key "cluster.nmae": the nearest known one is "cluster.name"`},
		"plugin setting": {
			"plugins.index_state_management.job_intervall: 1",
			`unknown key "plugins.index_state_management.job_intervall": the nearest known one is "plugins.index_state_management.job_interval"`,
		},
		"given twice":       {"cluster.name: a\ncluster: {name: b}", `key "cluster.name" is given twice`},
		"no value":          {"cluster: {name: }", `key "cluster.name" has no value`},
		"the same key":      {"data: a\ndata: b", "already defined"},
		"not a boolean":     {"insecure: perhaps", `insecure: "perhaps" is neither true nor false`},
		"not a YAML object": {"- a", "cannot unmarshal"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var o Options
			if err := o.ReadFile(write(t, c.file)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestTheEnvironmentHoldsOptions(t *testing.T) {
	var got Options
	file, err := got.ReadEnvironment([]string{
		"PATH=/bin", "STEWARD_CLUSTER=http://a", "STEWARD_CLUSTER_PASSWORD_FILE=/pw", "STEWARD_CONFIG=c.yml",
		"STEWARD_TEST_CLUSTER=http://b", "STEWARD_LOG_FORMAT=json", "STEWARD_LOG_LEVEL=warn",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := Options{Cluster: Cluster{URLs: []string{"http://a"}, PasswordFile: "/pw"}}
	if diff := cmp.Diff(want, got, ignored); diff != "" || file != "c.yml" {
		t.Error(file, diff)
	}
}

func TestAnUnknownVariableIsNamedWithTheNearestOne(t *testing.T) {
	var o Options
	_, err := o.ReadEnvironment([]string{"STEWARD_CLUSTER_PASWORD=secret"})
	want := `unknown environment variable "STEWARD_CLUSTER_PASWORD": the nearest known one is "STEWARD_CLUSTER_PASSWORD"`
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

func TestOptionsThatDoNotGoTogetherAreRefused(t *testing.T) {
	cases := map[string]struct {
		o    Options
		want string // "" means accepted
	}{
		"nothing":                     {Options{}, ""},
		"an engine's dynamic setting": {Options{Settings: map[string]string{"cluster.max_shards_per_node": "5"}}, ""},
		"a bad value of it":           {Options{Settings: map[string]string{"cluster.max_shards_per_node": "0"}}, "must be >= 1"},
		"an engine's setting before a cluster": {
			Options{Cluster: Cluster{URLs: []string{"http://a"}}, Settings: map[string]string{"cluster.max_shards_per_node": "5"}},
			"in front of a cluster, set it there",
		},
		"an attribute":          {Options{Settings: map[string]string{"node.attr.box": "hot"}}, ""},
		"the port alone":        {Options{Settings: map[string]string{"http.port": "9201"}}, ""},
		"all addresses by name": {Options{Settings: map[string]string{"network.host": "0.0.0.0"}}, "refusing to listen on 0.0.0.0:9200"},
		"the address twice": {
			Options{Listen: "127.0.0.1:1", Settings: map[string]string{"http.port": "2"}},
			`the address is given twice: listen is "127.0.0.1:1" and http.port makes it "127.0.0.1:2"`,
		},
		"data twice, same": {Options{Data: "./d", Settings: map[string]string{"path.data": "d"}}, ""},
		"data twice, different": {
			Options{Data: "a", Settings: map[string]string{"path.data": "b"}},
			`the data directory is given twice: data is "a" and path.data is "b"`,
		},
		"data in front of a cluster":       {Options{Data: "a", Cluster: Cluster{URLs: []string{"http://h"}}}, "no data directory in front of a cluster"},
		"all addresses":                    {Options{Listen: ":9200"}, "refusing to listen on :9200"},
		"another host's address":           {Options{Listen: "10.0.0.1:9200"}, "refusing to listen"},
		"all addresses, knowingly":         {Options{Listen: ":9200", Insecure: true}, ""},
		"an account without a cluster":     {Options{Cluster: Cluster{Username: "u"}}, "but no cluster"},
		"two passwords":                    {Options{Cluster: Cluster{URLs: []string{"http://h"}, Password: "a", PasswordFile: "b"}}, "password is given twice"},
		"an unknown setting":               {Options{Settings: map[string]string{"node.nmae": "x"}}, `unknown setting "node.nmae": the nearest known one is "node.name"`},
		"a bad value":                      {Options{Settings: map[string]string{"plugins.index_state_management.job_interval": "0"}}, "must be >= 1"},
		"the engine's before a cluster":    {Options{Settings: map[string]string{"node.name": "x"}, Cluster: Cluster{URLs: []string{"http://h"}}}, "set it there"},
		"a plugin's before a cluster":      {Options{Settings: map[string]string{"plugins.index_state_management.job_interval": "2"}, Cluster: Cluster{URLs: []string{"http://h"}}}, ""},
		"an index setting is not a node's": {Options{Settings: map[string]string{"index.plugins.index_state_management.rollover_alias": "x"}}, "unknown setting"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := New(c.o)
			if c.want == "" && err != nil {
				t.Errorf("refused: %v", err)
			}
			if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestTheClustersPasswordComesFromAFileWithoutItsLineBreak(t *testing.T) {
	o, err := Cluster{PasswordFile: write(t, "secret\n")}.dial()
	if err != nil || o.Password != "secret" {
		t.Errorf("got %q, %v", o.Password, err)
	}
	if _, err := (Cluster{PasswordFile: "/does/not/exist"}).dial(); err == nil {
		t.Error("a missing file was taken")
	}
}

func TestAnUnknownNameIsRefusedWithTheNearest(t *testing.T) {
	known := []string{"listen", "data", "cluster"}
	for name, want := range map[string]string{"lisen": "listen", "date": "data", "clutser": "cluster"} {
		if err := unknown("option", name, known); !strings.Contains(err.Error(), `"`+want+`"`) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}
