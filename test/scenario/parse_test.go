// SPDX-License-Identifier: Apache-2.0

package scenario_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/opensteward/steward/test/scenario"
	"github.com/opensteward/steward/test/scenario/simulated"
)

const small = `# An index is created.

create logs-1
  alias logs-a

expect logs-1
  enabled null
`

func TestAFileIsRead(t *testing.T) {
	s, err := scenario.Parse(small, "logs")
	if err != nil {
		t.Fatal(err)
	}
	if s.Title != "An index is created." || !s.Uses("create") || s.Uses("at") {
		t.Errorf("%q is read as another", s.Title)
	}
	s, err = scenario.Parse("# At full pace: why.\n# A title.\n# On a cluster: it has disks.\n# On the engine: it refuses.\n\npolicy logs\n  {\n  }\n", "logs")
	if err != nil {
		t.Fatal(err)
	}
	got := []string{s.Title, s.FullPace, s.Cluster, s.Engine, fmt.Sprintf("%s", s.Policies())}
	if want := []string{"A title.", "why.", "it has disks.", "it refuses.", "[{\n}]"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAFileThatIsNotUnderstoodIsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"no title":                   "create logs-1\n",
		"an unknown line":            small + "paint logs-1 red\n",
		"lines below nothing":        "# title\n\n  alias logs-a\n",
		"lines where none may be":    small + "delete logs-1\n  now\n",
		"a time that is none":        small + "at noon\n",
		"a length without a unit":    small + "at 7\n",
		"a policy that is no JSON":   small + "policy logs-p\n  {\"policy\":\n",
		"a member without a value":   small + "expect logs-1\n  enabled\n",
		"a number that is none":      small + "index many documents into logs-1\n",
		"a status that is none":      small + "answer GET /logs-1 with 42\n  {}\n",
		"an answer that is no JSON":  small + "answer GET /logs-1 with 200\n  {\n",
		"two documents edited":       small + "edit logs-1\n  managed_index.enabled false\n  managed_index_metadata.info null\n",
		"a run without its columns":  small + "expect runs of logs-1\n  hot rollover\n",
		"an instant that is nowhere": small + "expect logs-1\n  state.start_time @later\n",
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := scenario.Parse(text, "logs"); err == nil {
				t.Error("it is accepted")
			}
		})
	}
}

func TestAWrongScenarioFailsAndNamesItsLine(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"another value":              {"expect logs-1\n  enabled true\n", "line 10: enabled is null, want true"},
		"a member too much":          {"expect logs-1\n  enabled absent\n", "line 10: enabled is null, want absent"},
		"a member too few":           {"expect logs-1\n  state.name hot\n", `line 10: state.name is absent, want "hot"`},
		"an index that is missing":   {"expect logs-2\n", "404"},
		"an index that is there":     {"expect no logs-1\n", "it exists"},
		"a refused call":             {"create logs-1\n", "already exists"},
		"a policy that is refused":   {"policy logs-p\n  {\"policy\": {}}\n", "description is null"},
		"an attachment that failed":  {"attach logs-p to logs-1\n", "Could not find policy=logs-p"},
		"a management call in vain":  {"retry logs-1\n", "This index is not being managed."},
		"a time that is past":        {"at 1d\nat 1h\n", "it is already 24h0m0s"},
		"documents that have no way": {"index 1 document into logs-2\n", "no such index [logs-2]"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := scenario.Parse(small+"\n"+c.text, "logs")
			if err != nil {
				t.Fatal(err)
			}
			err = s.Play(simulated.New(scenario.Start))
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "line ") {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func TestNamesAreReplaced(t *testing.T) {
	s, err := scenario.Parse(small, "mine")
	if err != nil {
		t.Fatal(err)
	}
	c := simulated.New(scenario.Start)
	if err := s.Play(c); err != nil {
		t.Fatal(err)
	}
	if status, _, _ := c.Do("HEAD", "/mine-1", nil); status != 200 {
		t.Errorf("HEAD answers %d", status)
	}
}
