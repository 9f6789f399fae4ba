// SPDX-License-Identifier: Apache-2.0

package test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/opensteward/steward"

// leaves know nothing of ours but each other.
var leaves = []string{"fault", "clock", "wire", "wire/...", "secret", "egress"}

// arrows is who may import whom: the first row that matches a package counts. A name that ends in /... means the
// package and all below it.
var arrows = []struct {
	pkg, why string
	may      []string
}{
	{"fault", "the error type is below everything", nil},
	{"clock", "time is below everything", nil},
	{"wire/...", "wire formats know no route and no index", []string{"fault", "wire/..."}},
	{"secret", "leaf", leaves},
	{"egress", "leaf", leaves},
	{"opensearch", "the seam knows REST, not who calls it", leaves},
	{"lease", "an election needs one document and nothing else", with(leaves, "opensearch")},
	{"notify", "channels are used by lifecycles, not the other way round", with(leaves, "opensearch")},
	{"rollup/dimension", "policies hold dimensions too: pure", []string{"fault", "wire"}},
	{"rollup", "jobs are used by lifecycles, not the other way round", with(leaves, "opensearch", "rollup/dimension")},
	{"ism", "deciding is pure: no client, no clock", []string{"fault", "rollup/dimension", "wire", "wire/regex", "wire/schedule", "wire/setting"}},
	{"ism/action", "a step knows its policy and the seam", with(leaves, "ism", "opensearch", "notify", "rollup", "rollup/dimension")},
	{"ism/manager", "the reconciler", with(leaves, "ism", "ism/action", "lease", "notify", "opensearch")},
	{"ism/ismapi", "handlers call the packages of their own side", with(leaves, "ism", "ism/manager", "opensearch")},
	{"flow", "templates and graphs are pure", []string{"fault", "wire", "wire/setting"}},
	{"flow/usecase", "use cases are templates and nothing else", []string{"flow", "wire"}},
	{"flow/step", "a step knows its template and the seam", with(leaves, "flow", "opensearch")},
	{"flow/provision", "the runner", with(leaves, "flow", "flow/step", "lease", "opensearch")},
	{"flow/flowapi", "handlers call the packages of their own side", with(leaves, "flow", "flow/provision", "opensearch")},
	{"engine/...", "the engine does not know that it has a control plane", with(leaves, "engine/...")},
	{"gateway", "APIs are handed in by the root", with(leaves, "opensearch")},
	{"cmd/steward", "main is thin", []string{""}},
	{"", "the root wires everything", []string{"/..."}},
	{"test/...", "whole-program tests may look at everything", []string{"", "/..."}},
	{"bench/...", "benchmarks drive the whole program", []string{"", "/..."}},
}

func with(base []string, more ...string) []string { return append(slices.Clone(base), more...) }

// matches reports whether pkg (relative to the module, "" for its root) is meant by pattern.
func matches(pattern, pkg string) bool {
	if pattern == "/..." {
		return true
	}
	if base, ok := strings.CutSuffix(pattern, "/..."); ok {
		return pkg == base || strings.HasPrefix(pkg, base+"/")
	}
	return pkg == pattern
}

type goFile struct {
	pkg  string // directory relative to the module root, "" for the root
	path string
	ast  *ast.File
}

func sourceFiles(t *testing.T) []goFile {
	t.Helper()
	var files []goFile
	fset := token.NewFileSet()
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && path != ".." && (name == "tools" || name == "testdata" || strings.HasPrefix(name, ".")) {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") {
			return nil
		}
		f, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel("..", filepath.Dir(path))
		if err != nil {
			return err
		}
		if dir == "." {
			dir = ""
		}
		files = append(files, goFile{filepath.ToSlash(dir), path, f})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestEveryPackageImportsOnlyWhatItMay(t *testing.T) {
	for _, f := range sourceFiles(t) {
		if strings.HasSuffix(f.path, "_test.go") {
			continue
		}
		row := slices.IndexFunc(arrows, func(a struct {
			pkg, why string
			may      []string
		},
		) bool {
			return matches(a.pkg, f.pkg)
		})
		if row < 0 {
			t.Errorf("package %q stands in no row of the import table", f.pkg)
			continue
		}
		for _, spec := range f.ast.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if path != module && !strings.HasPrefix(path, module+"/") {
				continue
			}
			pkg := strings.TrimPrefix(strings.TrimPrefix(path, module), "/")
			if !slices.ContainsFunc(arrows[row].may, func(p string) bool { return matches(p, pkg) }) {
				t.Errorf("%s imports %q, but %s: %s", f.path, pkg, f.pkg, arrows[row].why)
			}
		}
	}
}

func TestEveryPackageHasOneCommentAndEveryFileItsLicence(t *testing.T) {
	comments := map[string]int{}
	for _, f := range sourceFiles(t) {
		if len(f.ast.Comments) == 0 || !strings.HasPrefix(f.ast.Comments[0].List[0].Text, "// SPDX-License-Identifier: Apache-2.0") {
			t.Errorf("%s does not begin with its licence line", f.path)
		}
		key := f.pkg + " " + f.ast.Name.Name
		if !strings.HasSuffix(f.path, "_test.go") {
			comments[key] += 0
		} else if _, ok := comments[key]; !ok {
			continue
		}
		if f.ast.Doc != nil && !strings.HasPrefix(f.ast.Doc.Text(), "SPDX") {
			comments[key]++
		}
	}
	for key, n := range comments {
		if n != 1 {
			t.Errorf("package %s has %d package comments, want 1", key, n)
		}
	}
}

func TestTheMapHasEveryPackage(t *testing.T) {
	page, err := os.ReadFile("../ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{"": true}
	for _, f := range sourceFiles(t) {
		pkg := f.pkg
		if strings.HasPrefix(pkg, "bench/") {
			pkg = "bench" // its commands are one row
		}
		if !seen[pkg] && !strings.Contains(string(page), "`"+pkg+"`") {
			t.Errorf("ARCHITECTURE.md has no row for package %s", pkg)
		}
		seen[pkg] = true
	}
}
