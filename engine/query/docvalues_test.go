// SPDX-License-Identifier: Apache-2.0

package query

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/opensteward/steward/fault"
)

func TestDocValuesOfAHit(t *testing.T) {
	target := newTarget(t, "i", `{"properties":{
		"at":{"type":"date"},"n":{"type":"long"},"x":{"type":"double"},"ok":{"type":"boolean"},"from":{"type":"ip"},
		"big":{"type":"unsigned_long"},"host":{"type":"text","fields":{"raw":{"type":"keyword"}}},"same":{"type":"alias","path":"n"},
		"k":{"type":"constant_keyword","value":"all"},"p":{"type":"nested","properties":{"n":{"type":"long"}}}}}`,
		`{"at":"2026-01-02T03:04:05.678Z","n":[7,"3",7],"x":[2,1.5],"ok":[true,false],"from":"10.0.0.1","big":18446744073709551615,"host":["b","a","b"],"p":{"n":1},"_doc_count":4}`)
	for _, c := range []struct{ name, fields, want string }{
		{"numbers ascend and repeat", `["n"]`, `{"n":[3,7,7]}`},
		{"an alias", `["same"]`, `{"same":[3,7,7]}`},
		{"floating-point numbers have a point", `["x"]`, `{"x":[1.5,2.0]}`},
		{"terms ascend and do not repeat", `["host.raw"]`, `{"host.raw":["a","b"]}`},
		{"a date in the field's format", `["at"]`, `{"at":["2026-01-02T03:04:05.678Z"]}`},
		{"a date in another format", `[{"field":"at","format":"epoch_millis"}]`, `{"at":["1767323045678"]}`},
		{"an address, a boolean, a large number and a constant", `["from","ok","big","k"]`, `{"from":["10.0.0.1"],"ok":[false,true],"big":[18446744073709551615],"k":["all"]}`},
		{"a pattern", `["*o*"]`, `{"from":["10.0.0.1"],"host.raw":["a","b"],"ok":[false,true]}`},
		{"what is not mapped, or nested", `["nothing","p.n","_doc_count"]`, `null`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, res, err := run(t, `{"_source":false,"docvalue_fields":`+c.fields+`}`, target)
			if err != nil {
				t.Fatal(err)
			}
			whole, err := json.Marshal(res.hit(&res.Hits[0]))
			if err != nil {
				t.Fatal(err)
			}
			var hit struct{ Fields json.RawMessage }
			if err := json.Unmarshal(whole, &hit); err != nil {
				t.Fatal(err)
			}
			if got := string(hit.Fields); got != strings.TrimPrefix(c.want, "null") {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

func TestDocValuesThatAreRefused(t *testing.T) {
	target := newTarget(t, "i", `{"properties":{"n":{"type":"long"},"host":{"type":"text"},"at":{"type":"date"},"off":{"type":"keyword","doc_values":false}}}`, `{"n":1}`)
	for _, c := range []struct{ name, fields, want string }{
		{"text", `["host"]`, "Text fields are not optimised for operations"},
		{"a field without doc values", `["off"]`, "Can't load fielddata on [off]"},
		{"a format of a number", `[{"field":"n","format":"epoch_millis"}]`, "does not support custom formats"},
		{"a format that is none", `[{"field":"at","format":"bogus-o"}]`, "Invalid format"},
		{"an unknown option", `[{"name":"n"}]`, "[fields_option] unknown field [name]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := run(t, `{"docvalue_fields":`+c.fields+`}`, target)
			if err == nil || !strings.Contains(allReasons(err), c.want) {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}

// allReasons joins the reasons of an error, its roots and its causes.
func allReasons(err error) string {
	e := fault.Of(err)
	all := e.Reason
	for _, r := range e.Roots {
		all += "; " + allReasons(r)
	}
	if e.CausedBy != nil {
		all += "; " + allReasons(e.CausedBy)
	}
	return all
}
