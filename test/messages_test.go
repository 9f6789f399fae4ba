// SPDX-License-Identifier: Apache-2.0

package test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/test/scenario"
)

// messageSections are the parts of the conformance page that list what a policy may leave as the message of an index, or as that
// of its validation.
var messageSections = []string{"Messages of the runner", "Messages of steps", "Action validation"}

// messageRows are the texts of those parts.
func messageRows(t *testing.T) (rows []conformanceRow) {
	t.Helper()
	for _, r := range conformanceRows(t, "../docs/conformance.md") {
		if r.text && slices.Contains(messageSections, r.section) {
			rows = append(rows, r)
		}
	}
	return rows
}

// fixed are the parts of a text that are no places of names and numbers.
func fixed(what string) (parts []string) {
	for _, span := range spans(what) {
		for _, part := range places.Split(span, -1) {
			if len(strings.TrimSpace(part)) > 2 {
				parts = append(parts, part)
			}
		}
	}
	return parts
}

// noScenario begins the difference of a row whose message no scenario can show, and why.
const noScenario = "no scenario: "

// TestAScenarioExpectsEachMessage: of the scenarios that a message's row names, one expects it.
func TestAScenarioExpectsEachMessage(t *testing.T) {
	rows := messageRows(t)
	if len(rows) < 180 {
		t.Errorf("only %d messages were read", len(rows))
	}
	for _, r := range rows {
		if len(r.tests) == 0 || strings.HasPrefix(r.difference, noScenario) {
			continue
		}
		if !slices.ContainsFunc(r.tests, func(test string) bool { return expects(t, test, fixed(r.what)) }) {
			t.Errorf("docs/conformance.md:%d: no scenario there expects %s", r.line, r.what)
		}
	}
}

// expects reports whether a test is a scenario that expects a text with these parts.
func expects(t *testing.T, test string, parts []string) bool {
	t.Helper()
	name, is := strings.CutPrefix(test, "scenario/")
	if !is {
		return false
	}
	text, err := os.ReadFile("scenario/testdata/" + name + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	s, err := scenario.Parse(string(text), "logs")
	if err != nil {
		t.Fatalf("%s: %v", test, err)
	}
	return s.Expects(parts)
}

// TestEachActionIsFollowedRunByRun: some scenario says what each run of it leaves in the documents; and one shows each condition.
func TestEachActionIsFollowedRunByRun(t *testing.T) {
	var followed []string
	scenarios(t, func(_, _ string, s *scenario.Scenario) {
		for _, action := range append([]string{ism.ActionTransition}, ism.ActionTypes...) {
			if s.ExpectsRun(action) {
				followed = append(followed, action)
			}
		}
	})
	for _, action := range append([]string{ism.ActionTransition}, ism.ActionTypes...) {
		// a deletion leaves no documents
		if action != ism.ActionDelete && !slices.Contains(followed, action) {
			t.Errorf("no scenario says what the runs of %s leave", action)
		}
	}
	for _, r := range conformanceRows(t, "../docs/conformance.md") {
		conditions := r.section == "Conditions" || r.section == "Actions" && slices.Contains(ism.ActionTypes, strings.Trim(r.what, "`"))
		if conditions && !slices.ContainsFunc(r.tests, func(test string) bool { return strings.HasPrefix(test, "scenario/") }) {
			t.Errorf("docs/conformance.md:%d: no scenario shows %s", r.line, r.what)
		}
	}
}

// messageCalls are the functions of the lifecycle packages that are given what becomes the message of an index, or a part of it.
var messageCalls = []string{
	"Message", "message", "say", "failed", "failPolicy", "fail", "patient", "skipped", "refuse", "statsFailure", "shrinkRefused", "shrinkFailed",
	"notRestored", "about", "passing", "onHeap", "existing", "unfit",
}

// TestEachMessageOfTheCodeHasARow: whatever text a policy may leave stands in the conformance page.
func TestEachMessageOfTheCodeHasARow(t *testing.T) {
	rows := messageRows(t)
	found := 0
	for _, dir := range []string{"../ism", "../ism/action", "../ism/manager"} {
		for _, text := range messageTexts(t, dir) {
			found++
			parts := fixed("`" + holes.ReplaceAllString(text, "{}") + "`")
			if !slices.ContainsFunc(rows, func(r conformanceRow) bool { return covers(r.what, parts) }) {
				t.Errorf("%s: no row of docs/conformance.md has the message %q", dir, text)
			}
		}
	}
	if found < 120 {
		t.Errorf("only %d messages were found in the code", found)
	}
}

// holes are the places of a message: verbs, and names with what they are.
var holes = regexp.MustCompile(`\[\w+=[^\]]*\]?|%[a-z]`)

// covers reports whether a row is of a text with these parts: each stands in the row's, or has a part of it.
func covers(what string, parts []string) bool {
	of := fixed(what)
	return !slices.ContainsFunc(parts, func(part string) bool {
		return !slices.ContainsFunc(of, func(o string) bool {
			return strings.Contains(o, strings.TrimSpace(part)) || strings.Contains(part, strings.TrimSpace(o))
		})
	})
}

// messageTexts are the texts that a package's code hands to the functions that make messages.
func messageTexts(t *testing.T, dir string) (texts []string) {
	t.Helper()
	paths, err := filepath.Glob(dir + "/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") || filepath.Base(path) == "template.go" {
			continue // what is wrong with a template is told when it is stored
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				if slices.Contains(messageCalls, callee(n)) {
					for _, arg := range n.Args {
						texts = append(texts, literals(arg)...)
					}
				}
			case *ast.GenDecl:
				if n.Tok == token.CONST {
					texts = append(texts, literals(n)...)
				}
			}
			return true
		})
	}
	return texts
}

// callee is the name of a called function, without its package or receiver.
func callee(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

// title begins the titles of the plugin's notifications.
const title = "Index Management-ISM-"

// sentence is a text of more than one word, after a place or not.
var sentence = regexp.MustCompile(`^(\[\w+=\S+ )?[A-Za-z]\S+ .*\S`)

// literals are the sentences in an expression that is put together of texts.
func literals(e ast.Node) (texts []string) {
	ast.Inspect(e, func(n ast.Node) bool {
		if _, nested := n.(*ast.CallExpr); nested && n != e {
			return false // looked at by itself
		}
		if l, is := n.(*ast.BasicLit); is && l.Kind == token.STRING {
			if text, err := strconv.Unquote(l.Value); err == nil && sentence.MatchString(text) && !strings.HasPrefix(text, title) {
				texts = append(texts, text)
			}
		}
		return true
	})
	return texts
}
