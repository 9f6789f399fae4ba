// SPDX-License-Identifier: Apache-2.0

package table

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward/wire/rest"
)

// get answers a request for a table of three rows. The last has no figures.
func get(query, accept string) *httptest.ResponseRecorder {
	columns := []Column{
		{Name: "index", Alias: "i,idx", Help: "index name"},
		{Name: "docs.count", Alias: "dc,docsCount", Help: "available docs", Right: true},
		{Name: "store", Alias: "s", Help: "size", Right: true},
		{Name: "took", Help: "how long", Extra: true},
		{Name: "epoch", Help: "when", Extra: true},
	}
	rt := rest.NewRouter("3.4.0")
	rt.Handle("GET", "/_cat/t", Handler(columns, func(*rest.Request) (Filler, error) {
		return func(_ context.Context, t *Table) error {
			t.Add("small", 10, Bytes(200), Duration(0), 1)
			t.Add("large", 9, Bytes(20<<10), Duration(90e9), 2)
			t.Add("shut")
			return nil
		}, nil
	}))
	r := httptest.NewRequest("GET", "/_cat/t?"+query, nil)
	r.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	rt.ServeHTTP(w, r)
	return w
}

func TestTheClientChoosesWhatItSees(t *testing.T) {
	for _, c := range []struct{ name, query, want string }{
		{"numbers stand to the right, text to the left, and extra columns are left out", "v", "" +
			"index docs.count store\n" +
			"small         10  200b\n" +
			"large          9  20kb\n" +
			"shut                  \n"},
		{"a title is the name that the client used", "v&h=i,idx,dc", "i     idx   dc\nsmall small 10\nlarge large  9\nshut  shut    \n"},
		{"without v there are no titles", "h=i", "small\nlarge\nshut\n"},
		{"a column named twice by the same name is shown once", "h=i,i,dc", "small 10\nlarge  9\nshut    \n"},
		{"a name that does not exist is left out", "h=nope,i", "small\nlarge\nshut\n"},
		{"patterns take names", "v&h=doc*", "docs.count\n        10\n         9\n          \n"},
		{"numbers are sorted as numbers, and what has none comes first", "h=i&s=dc", "shut\nlarge\nsmall\n"},
		{"sorting is by the first column, then the next, each in its direction", "h=i&s=took:desc,i:asc", "large\nsmall\nshut\n"},
		{"sizes in a unit have no unit", "h=s&bytes=kb", " 0\n20\n  \n"},
		{"the short name of a unit", "h=s&bytes=b", "  200\n20480\n     \n"},
		{"a unit that does not exist is passed over", "h=s&bytes=pounds", "200b\n20kb\n    \n"},
		{"times are for people", "h=took", "0s\n1.5m\n\n"},
		{"times in a unit have no unit", "h=took&time=s", "0\n90\n\n"},
		{"ts=false leaves the time out", "h=i,epoch&ts=false", "small\nlarge\nshut\n"},
		{"help lists all columns", "help", "" +
			"index      | i,idx        | index name    \n" +
			"docs.count | dc,docsCount | available docs\n" +
			"store      | s            | size          \n" +
			"took       |              | how long      \n" +
			"epoch      |              | when          \n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, get(c.query, "").Body.String()); diff != "" {
				t.Errorf("?%s (-want +got)\n%s", c.query, diff)
			}
		})
	}
}

func TestFormats(t *testing.T) {
	const jsonRow, yamlRow, textRow = `[{"index":"shut","docs.count":null},{"index":"large","docs.count":"9"},{"index":"small","docs.count":"10"}]`,
		"---\n- index: \"shut\"\n  docs.count: null\n- index: \"large\"\n  docs.count: \"9\"\n- index: \"small\"\n  docs.count: \"10\"\n", "shut    \nlarge  9\nsmall 10\n"
	for _, c := range []struct {
		name, query, accept, kind, want string
	}{
		{"text unless said otherwise", "", "", "text/plain; charset=UTF-8", textRow},
		{"JSON by parameter: all cells are text, none is null", "&format=json", "", "application/json; charset=UTF-8", jsonRow},
		{"YAML by parameter", "&format=yaml", "", "application/yaml", yamlRow},
		{"YAML by header", "", "application/yaml", "application/yaml", yamlRow},
		{"JSON by header", "", "application/json", "application/json; charset=UTF-8", jsonRow},
		{"the parameter goes before the header", "&format=text", "application/json", "text/plain; charset=UTF-8", textRow},
		{"a format that does not exist is text", "&format=papyrus", "", "text/plain; charset=UTF-8", textRow},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := get("h=index,docs.count&s=dc"+c.query, c.accept)
			if got := w.Body.String(); got != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
			if got := w.Header().Get("Content-Type"); got != c.kind {
				t.Errorf("the content type is %q, want %q", got, c.kind)
			}
		})
	}
}

func TestWhatATableRefuses(t *testing.T) {
	for query, want := range map[string]string{
		"format=smile": `format [smile] is not supported by the embedded engine`,
		"format=cbor":  `format [cbor] is not supported by the embedded engine`,
		"s=nope":       "Unable to sort by unknown sort key `nope`",
	} {
		if w := get(query, ""); w.Code < 400 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("?%s: %d %s", query, w.Code, w.Body)
		}
	}
}
