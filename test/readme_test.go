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
	session := regexp.MustCompile("(?s)```sh session\n(.*?)```").FindStringSubmatch(string(readme))
	if session == nil {
		t.Fatal("the README has no session")
	}
	p := Program(t)
	text := strings.ReplaceAll(session[1], "http://localhost:9200", p.URL())
	text = strings.ReplaceAll(text, "logs", p.Prefix)
	explained, listed := run(t, text)
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
