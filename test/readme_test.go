// SPDX-License-Identifier: Apache-2.0

package test

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// TestTheSessionOfTheREADME pastes the README's session into a shell.
func TestTheSessionOfTheREADME(t *testing.T) {
	for _, tool := range []string{"sh", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("the session needs ", tool)
		}
	}
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	sessions := regexp.MustCompile("(?s)```sh session\n(.*?)```").FindAllStringSubmatch(string(readme), -1)
	if len(sessions) != 2 {
		t.Fatalf("the README has %d sessions", len(sessions))
	}
	p := Program(t)
	adapted := func(text, name string) string {
		return strings.ReplaceAll(strings.ReplaceAll(text, "http://localhost:9200", p.URL()), name, p.Prefix)
	}
	made, gone := run(t, adapted(sessions[1][1], "shop"))
	if !strings.Contains(made, `"exists" : false`) || !strings.Contains(made, "tulip") || !strings.Contains(gone, "NOT_STARTED") {
		t.Errorf("the workflow says\n%s\n%s", made, gone)
	}
	explained, listed := run(t, adapted(sessions[0][1], "logs"))
	for _, want := range []string{`"name" : "warm"`, `"rolled_over" : true`, `"step_status" : "condition_not_met"`} {
		if !strings.Contains(explained, want) {
			t.Errorf("explain does not say %s:\n%s", want, explained)
		}
	}
	if want := p.Name("-000002"); strings.TrimSpace(listed) != want {
		t.Errorf("the indices at the end are %q, want %s alone", listed, want)
	}
}

// run runs a session and returns what it printed before and after its last sleep.
func run(t *testing.T, session string) (before, after string) {
	t.Helper()
	const mark = "--- the last part"
	at := strings.LastIndex(session, "sleep")
	cmd := exec.CommandContext(t.Context(), "sh", "-e")
	cmd.Stdin = strings.NewReader(session[:at] + "echo; echo '" + mark + "'\n" + session[at:])
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	before, after, _ = strings.Cut(string(out), mark)
	return before, after
}
