// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"strings"
	"testing"
)

func TestFilterPath(t *testing.T) {
	const doc = `{"took":1,"_shards":{"total":2,"failed":0},"hits":{"total":9007199254740993,"hits":[{"_id":"1","_source":{"a":1,"b":2}},{"_id":"2","_source":{"a":3}}]}}`
	for _, c := range []struct{ filter, want string }{
		{"took", `{"took":1}`},
		{"hits.total", `{"hits":{"total":9007199254740993}}`},
		{"hits.hits._source.a", `{"hits":{"hits":[{"_source":{"a":1}},{"_source":{"a":3}}]}}`},
		{"hits.hits._source.b", `{"hits":{"hits":[{"_source":{"b":2}}]}}`},
		{"*.total", `{"_shards":{"total":2},"hits":{"total":9007199254740993}}`},
		{"**.a", `{"hits":{"hits":[{"_source":{"a":1}},{"_source":{"a":3}}]}}`},
		{"_shards", `{"_shards":{"total":2,"failed":0}}`},
		{"-hits", `{"took":1,"_shards":{"total":2,"failed":0}}`},
		{"_shards,-_shards.failed", `{"_shards":{"total":2}}`},
		{"nothing", `{}`},
		{"took,_sh*.total", `{"took":1,"_shards":{"total":2}}`},
	} {
		got, err := FilterPath([]byte(doc), strings.Split(c.filter, ","))
		if err != nil || string(got) != c.want {
			t.Errorf("filter_path=%s: %s, %v; want %s", c.filter, got, err, c.want)
		}
	}
}

func TestIndentIsWhatPrettyPrints(t *testing.T) {
	got := string(Indent([]byte(`{"a":{"b":"x: \"y\""},"c":[1,2]}`)))
	want := "{\n  \"a\" : {\n    \"b\" : \"x: \\\"y\\\"\"\n  },\n  \"c\" : [\n    1,\n    2\n  ]\n}\n"
	if got != want {
		t.Errorf("got %s", got)
	}
}

func TestYAMLBothWays(t *testing.T) {
	got, err := ToYAML([]byte(`{"workflow_id":"x","n":1,"list":[true,null,[1,{"a":[]}]],"deep":{"a":"1"}}`))
	want := "---\nworkflow_id: \"x\"\n\"n\": 1\nlist:\n- true\n- null\n- - 1\n  - a: []\ndeep:\n  a: \"1\"\n"
	if err != nil || string(got) != want {
		t.Errorf("ToYAML: %s, %v", got, err)
	}
	back, err := FromYAML([]byte("# comment\nname: x\nday: 2026-01-02\nbig: 9007199254740993\nno: no\nflag: true\nodd: 0x1F\nlist: [a, 1.5]\n"))
	if err != nil || string(back) != `{"name":"x","day":"2026-01-02","big":9007199254740993,"no":"no","flag":true,"odd":"0x1F","list":["a",1.5]}` {
		t.Errorf("FromYAML: %s, %v", back, err)
	}
	for _, bad := range []string{"a: &x [1]\nb: *x\n", "a: [1", "? [a]\n: b\n"} {
		if out, err := FromYAML([]byte(bad)); err == nil {
			t.Errorf("FromYAML(%q) = %s, want an error", bad, out)
		}
	}
}
