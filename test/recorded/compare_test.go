// SPDX-License-Identifier: Apache-2.0

package recorded

import (
	"encoding/json"
	"strings"
	"testing"
)

func parse(t *testing.T, s string) any {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(s))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestDifference(t *testing.T) {
	for _, c := range []struct{ name, want, got, differ string }{
		{"equal objects, other order", `{"a":1,"b":[true,null]}`, `{"b":[true,null],"a":1}`, ""},
		{"a missing key", `{"a":1,"b":2}`, `{"a":1}`, ".b: missing"},
		{"an unexpected key", `{"a":1}`, `{"a":1,"b":2}`, ".b: unexpected"},
		{"another number", `{"a":1}`, `{"a":2}`, ".a: want 1, got 2"},
		{"another sequence number", `{"_seq_no":1}`, `{"_seq_no":7}`, ""},
		{"a time that is null", `{"start_time":1}`, `{"start_time":null}`, "start_time: want something"},
		{"generated ids", `{"x":"a [Rxp0AbCdEfGhIjKlMnOpQr] b"}`, `{"x":"a [m8iHDpRdTEOYZXQpaLdI-w] b"}`, ""},
		{"another text", `{"x":"no such index"}`, `{"x":"such index"}`, ".x: want"},
		{"a list of another length", `[1,2]`, `[1]`, "want 2 items, got 1"},
		{"methods in another order", `"allowed: [PUT, GET]"`, `"allowed: [GET, PUT]"`, ""},
		{"a number for a text", `{"a":"1"}`, `{"a":1}`, ".a: want"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Difference(parse(t, c.want), parse(t, c.got))
			if (got == "") != (c.differ == "") || !strings.Contains(got, c.differ) {
				t.Errorf("Difference = %q, want %q in it", got, c.differ)
			}
		})
	}
}
