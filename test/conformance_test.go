// SPDX-License-Identifier: Apache-2.0

package test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// conformanceRow is one row of a table of a conformance page.
type conformanceRow struct {
	line int
	// section is the heading of the second level above it.
	section string
	what    string
	tests   []string
	// difference is what is otherwise here, or why there is no test.
	difference string
	// text is true if what is a text of the plugin, which has to stand in one of the tests.
	text bool
}

var (
	cells    = regexp.MustCompile(`\s*(?:[^|\\]|\\.)*\|`)
	codeSpan = regexp.MustCompile("``(.+?)``|`([^`]+)`")
	places   = regexp.MustCompile(`\{[^}]*\}`)
)

// conformanceRows reads the tables of a page.
func conformanceRows(t *testing.T, page string) (rows []conformanceRow) {
	t.Helper()
	body, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	isText, inTable, section := false, false, ""
	for i, line := range strings.Split(string(body), "\n") {
		if !strings.HasPrefix(line, "|") {
			inTable = false
			if heading, is := strings.CutPrefix(line, "## "); is {
				section = heading
			}
			continue
		}
		columns := cells.FindAllString(line[1:], -1)
		for n := range columns {
			columns[n] = strings.ReplaceAll(strings.TrimSpace(strings.TrimSuffix(columns[n], "|")), `\|`, "|")
		}
		switch {
		case len(columns) != 3:
			t.Errorf("%s:%d: %d columns, want 3", page, i+1, len(columns))
		case !inTable:
			isText, inTable = columns[0] == "Text", true
		case columns[0] != "--":
			rows = append(rows, conformanceRow{i + 1, section, columns[0], spans(columns[1]), columns[2], isText})
		}
	}
	return rows
}

// spans are the pieces of code in a cell.
func spans(cell string) (out []string) {
	for _, m := range codeSpan.FindAllStringSubmatch(cell, -1) {
		out = append(out, m[1]+m[2])
	}
	return out
}

// proofs finds the files of tests.
type proofs struct {
	t      *testing.T
	files  map[string]string   // text by path
	tests  map[string][]string // by package: the texts of its test files
	listed map[string]bool     // recorded answers that differ
}

func newProofs(t *testing.T) *proofs {
	p := &proofs{t: t, files: map[string]string{}, tests: map[string][]string{}, listed: map[string]bool{}}
	for _, list := range []string{
		"differences.txt", "differences-native.txt", "flow-differences.txt", "ml-differences.txt",
	} {
		for line := range strings.Lines(p.read("recorded/testdata/" + list)) {
			if name, _, ok := strings.Cut(line, ": "); ok && !strings.HasPrefix(line, "#") {
				p.listed[name] = true
			}
		}
	}
	return p
}

// read is the text of a file, "" if there is none. Escapes of JSON and Go are taken out.
func (p *proofs) read(path string) string {
	if text, ok := p.files[path]; ok {
		return text
	}
	body, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		p.t.Fatal(err)
	}
	p.files[path] = strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(string(body))
	return p.files[path]
}

var embedded = regexp.MustCompile(`(?m)^//go:embed (\S+)$`)

// withEmbedded is a test file with the tables that it embeds.
func (p *proofs) withEmbedded(path string) string {
	text := p.read(path)
	for _, m := range embedded.FindAllStringSubmatch(text, -1) {
		text += p.read(filepath.Join(filepath.Dir(path), m[1]))
	}
	return text
}

// text is that of the file a test stands in, "" if there is no such test.
func (p *proofs) text(name string) string {
	kind, rest, _ := strings.Cut(name, "/")
	switch kind {
	case "scenario":
		return p.read("scenario/testdata/" + rest + ".txt")
	case "story":
		return p.read("api/testdata/"+rest+".http") + p.read("api/testdata/"+rest+".json")
	case "recorded":
		return p.read("recorded/testdata/native-3.4.0/" + rest + ".json")
	}
	pkg, function, _ := strings.Cut(name, ".")
	if p.tests[pkg] == nil {
		paths, err := filepath.Glob("../" + pkg + "/*_test.go")
		if err != nil {
			p.t.Fatal(err)
		}
		for _, path := range paths {
			p.tests[pkg] = append(p.tests[pkg], p.withEmbedded(path))
		}
	}
	for _, text := range p.tests[pkg] {
		if strings.Contains(text, "\nfunc "+function+"(") && strings.HasPrefix(function, "Test") {
			return text
		}
	}
	return ""
}

// check says what is wrong with a row.
func (p *proofs) check(r conformanceRow) (wrong []string) {
	if len(r.tests) == 0 && r.difference == "" {
		return []string{"no test, and no reason why"}
	}
	stands := false
	for _, name := range r.tests {
		text := p.text(name)
		if text == "" {
			wrong = append(wrong, "there is no test "+name)
		}
		if recorded, ok := strings.CutPrefix(name, "recorded/"); ok && p.listed[recorded] && r.difference == "" {
			wrong = append(wrong, name+" is listed as different")
		}
		stands = stands || standsIn(text, r.what)
	}
	if r.text && len(r.tests) > 0 && !stands {
		wrong = append(wrong, "the text stands in none of its tests")
	}
	return wrong
}

// standsIn reports whether the fixed parts of a text of the plugin, as a piece of code, stand in a file.
func standsIn(file, what string) bool {
	for _, span := range spans(what) {
		for _, part := range places.Split(span, -1) {
			if len(strings.TrimSpace(part)) > 2 && !strings.Contains(file, part) {
				return false
			}
		}
	}
	return true
}

func TestEveryRowOfTheConformancePagesHasItsTest(t *testing.T) {
	p := newProofs(t)
	for page, least := range map[string]int{"conformance.md": 450, "conformance-flow.md": 100} {
		rows := conformanceRows(t, "../docs/"+page)
		if len(rows) < least {
			t.Errorf("only %d rows of %s were read", len(rows), page)
		}
		for _, r := range rows {
			for _, wrong := range p.check(r) {
				t.Errorf("docs/%s:%d: %s: %s", page, r.line, r.what, wrong)
			}
		}
	}
}

func TestARowWithoutATestIsFound(t *testing.T) {
	p := newProofs(t)
	for _, c := range []struct {
		name string
		row  conformanceRow
		want string
	}{
		{"a test", conformanceRow{what: "x", tests: []string{"ism.TestGates"}}, ""},
		{"a reason", conformanceRow{what: "x", difference: "cannot happen"}, ""},
		{"neither", conformanceRow{what: "x"}, "no test, and no reason why"},
		{"a test that does not exist", conformanceRow{what: "x", tests: []string{"ism.TestNothing"}}, "there is no test ism.TestNothing"},
		{"a scenario that does not exist", conformanceRow{what: "x", tests: []string{"scenario/nothing"}}, "there is no test scenario/nothing"},
		{"an answer that differs", conformanceRow{what: "x", tests: []string{"recorded/ism-list-policies"}}, "recorded/ism-list-policies is listed as different"},
		{"an answer that differs, and says so", conformanceRow{what: "x", tests: []string{"recorded/ism-list-policies"}, difference: "newer"}, ""},
		{"a text that stands there", conformanceRow{what: "`Failed to find state={state} in policy={id}`", tests: []string{"ism.TestGates"}, text: true}, ""},
		{"a text that does not", conformanceRow{what: "`Failed to lose state={state}`", tests: []string{"ism.TestGates"}, text: true}, "the text stands in none of its tests"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := strings.Join(p.check(c.row), "; "); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}
