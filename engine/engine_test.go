// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/opensteward/steward/clock"
	"github.com/opensteward/steward/engine"
)

func open(t *testing.T, dir string) *engine.Engine {
	t.Helper()
	e, err := engine.Open(engine.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func send(t *testing.T, e *engine.Engine, method, path, body string) string {
	t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	if w.Code/100 != 2 {
		t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
	return w.Body.String()
}

func closed(t *testing.T, e *engine.Engine) {
	t.Helper()
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestADataDirectoryBelongsToOneEngine(t *testing.T) {
	dir := t.TempDir()
	e := open(t, dir)
	if _, err := engine.Open(engine.Options{Dir: dir}); !errors.Is(err, engine.ErrInUse) {
		t.Errorf("the error is %v, want ErrInUse", err)
	}
	if _, err := engine.Check(t.Context(), dir); !errors.Is(err, engine.ErrInUse) {
		t.Errorf("checking: %v, want ErrInUse", err)
	}
	closed(t, e)
	closed(t, open(t, dir))
}

func TestDirectoriesThatAreNotOursAreRefused(t *testing.T) {
	for name, c := range map[string]struct{ file, content, want string }{
		"another's":          {"photo.jpg", "x", "holds photo.jpg, which is not ours"},
		"of a newer version": {"steward.json", `{"format":99}`, "has format 99, this version reads 1"},
		"a damaged mark":     {"steward.json", `{`, "steward.json is damaged"},
		"of a virtual clock": {"steward.json", `{"format":1,"virtual_time":true}`, "was made under virtual time"},
		"a damaged catalog":  {"catalog.db", strings.Repeat("x", 10_000), "which is not ours"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, c.file), []byte(c.content), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := engine.Open(engine.Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error is %v, want %q", err, c.want)
			}
		})
	}
}

func TestADirectoryOfAVirtualClockOpensUnderOne(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		e, err := engine.Open(engine.Options{Dir: dir, Clock: clock.NewVirtual(time.Unix(0, 0))})
		if err != nil {
			t.Fatal(err)
		}
		closed(t, e)
	}
}

func TestCheckReportsWhatDoesNotFitTogether(t *testing.T) {
	dir := t.TempDir()
	e := open(t, dir)
	send(t, e, "PUT", "/a/_doc/1", `{"n":1}`)
	closed(t, e)
	findings := func(want string) {
		t.Helper()
		list, err := engine.Check(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		if all := strings.Join(list, "\n"); !strings.Contains(all, want) || want == "" && all != "" {
			t.Errorf("findings %q, want %q", all, want)
		}
	}
	findings("")
	stray := filepath.Join(dir, "indices", "stray")
	if err := os.Mkdir(stray, 0o755); err != nil {
		t.Fatal(err)
	}
	findings("stray belongs to no index")
	shards, err := filepath.Glob(filepath.Join(dir, "indices", "*", "0", "*.db"))
	if err != nil || len(shards) != 1 {
		t.Fatal("shard files", shards, err)
	}
	if err := os.Truncate(shards[0], 5000); err != nil {
		t.Fatal(err)
	}
	findings("index [a] shard 0: cannot be opened")
}

func TestWhatACrashLeftIsRemovedWhenItOpens(t *testing.T) {
	dir := t.TempDir()
	closed(t, open(t, dir))
	stray := filepath.Join(dir, "indices", "stray")
	if err := os.Mkdir(stray, 0o755); err != nil {
		t.Fatal(err)
	}
	closed(t, open(t, dir))
	if _, err := os.Stat(stray); !os.IsNotExist(err) {
		t.Error("the shards of no index are still there:", err)
	}
}

func TestAFullDiskRefusesWritesAndKeepsTheRest(t *testing.T) {
	full := false
	e, err := engine.Open(engine.Options{Dir: t.TempDir(), OpenFile: func(name string, flag int, perm os.FileMode) (*os.File, error) {
		if full {
			return nil, errors.New("no space left on device")
		}
		return os.OpenFile(name, flag, perm)
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, e)
	send(t, e, "PUT", "/a/_doc/1", `{"n":1}`)
	full = true
	r := httptest.NewRequest("PUT", "/b", nil)
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	if w.Code != http.StatusInternalServerError && w.Code != http.StatusServiceUnavailable {
		t.Errorf("the answer is %d %s", w.Code, w.Body)
	}
	full = false
	if got := send(t, e, "GET", "/_cat/indices?h=index", ""); got != "a\n" {
		t.Errorf("the indices are %q", got)
	}
	send(t, e, "PUT", "/b", "")
}
