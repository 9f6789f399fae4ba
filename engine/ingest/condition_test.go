// SPDX-License-Identifier: Apache-2.0

package ingest_test

import (
	"strings"
	"testing"
)

func TestConditions(t *testing.T) {
	s := service(nil)
	const source = `{"s":"Error one","n":3,"b":true,"l":["a","b"],"o":{"p":{"q":"x"}},"z":null}`
	for condition, want := range map[string]bool{
		`ctx.n == 3`:                                          true,
		`ctx.n == 3.0`:                                        true,
		`ctx.n != 3`:                                          false,
		`ctx.n > 2 && ctx.n <= 3`:                             true,
		`ctx.n < -1 || ctx.s == 'Error one'`:                  true,
		`ctx['s'] == "Error one"`:                             true,
		`ctx.b`:                                               true,
		`!ctx.b`:                                              false,
		`!(ctx.n == 3 || ctx.b == false)`:                     false,
		`ctx.missing == null`:                                 true,
		`ctx.z == null && ctx.s != null`:                      true,
		`ctx.o?.p?.q == 'x'`:                                  true,
		`ctx.missing?.p?.q == 'x'`:                            false,
		`ctx.o.p.q.equals('x')`:                               true,
		`ctx.l.contains('b')`:                                 true,
		`ctx.l.size() == 2 && ctx.l[1] == 'b'`:                true,
		`ctx.l.0 == 'a'`:                                      true,
		`ctx.s.toLowerCase().startsWith('error')`:             true,
		`ctx.s.length() > 100`:                                false,
		`ctx.containsKey('o') && !ctx.o.isEmpty()`:            true,
		`return ctx.s.endsWith("one");`:                       true,
		`ctx._index == 'i' && ctx._id == '1'`:                 true,
		`ctx.s?.contains('\'') == false`:                      true,
		`ctx.s instanceof String && !(ctx.z instanceof List)`: true,
		`ctx.l instanceof Map || ctx.n instanceof Number`:     true,
		`ctx.missing != null && ctx.missing.x == 'deep'`:      false,
	} {
		t.Run(condition, func(t *testing.T) {
			got := run(t, s, `{"drop":{"if":`+quoted(condition)+`}}`, source)
			if (got == "dropped") != want {
				t.Errorf("%v: %s", want, got)
			}
		})
	}
}

func TestConditionsThatAreRefused(t *testing.T) {
	s := service(nil)
	for condition, want := range map[string]string{
		`def x = 1; return x == 1`:     "the script [def x = 1; return x == 1] is not supported by the embedded engine",
		`ctx.n + 1 == 2`:               "the script [ctx.n + 1 == 2] is not supported by the embedded engine",
		`ctx.s =~ /x/`:                 "the script [ctx.s =~ /x/] is not supported by the embedded engine",
		`ctx.s.hashCode() == 1`:        "the script [ctx.s.hashCode() == 1] is not supported by the embedded engine",
		``:                             "the script [] is not supported by the embedded engine",
		`ctx.a.b == 1`:                 "runtime error",
		`ctx.n`:                        "runtime error",
		`ctx.s > 1`:                    "runtime error",
		`ctx.l[7] == 'x'`:              "runtime error",
		`ctx.s == 'unterminated`:       "the script [ctx.s == 'unterminated] is not supported by the embedded engine",
		`doc['n'].value > 1`:           "the script [doc['n'].value > 1] is not supported by the embedded engine",
		`ctx.n == 3 ? true : false`:    "the script [ctx.n == 3 ? true : false] is not supported by the embedded engine",
		`ctx.s instanceof Date`:        "the script [ctx.s instanceof Date] is not supported by the embedded engine",
		`ctx.n == 3) || (ctx.n == 4`:   "the script [ctx.n == 3) || (ctx.n == 4] is not supported by the embedded engine",
		`ctx.l.contains('a', 'b')`:     "the script [ctx.l.contains('a', 'b')] is not supported by the embedded engine",
		`if (ctx.n == 3) return true;`: "the script [if (ctx.n == 3) return true;] is not supported by the embedded engine",
	} {
		t.Run(condition, func(t *testing.T) {
			if got := run(t, s, `{"drop":{"if":`+quoted(condition)+`}}`, `{"n":3,"s":"x","l":["a"]}`); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
	if got := run(t, s, `{"drop":{"if":{"source":"ctx.n > params.least","params":{"least":2}}}}`, `{"n":3}`); got != "dropped" {
		t.Error(got)
	}
	long := strings.Repeat("true||", 20_000) + "true"
	if got := run(t, s, `{"drop":{"if":`+quoted(long)+`}}`, `{}`); !strings.HasPrefix(got, "exceeded max allowed inline script size in bytes [65535] with size [120004]") {
		t.Errorf("%.200s", got)
	}
	deep := strings.Repeat("ctx[", 1000) + "1" + strings.Repeat("]", 1000)
	if got := run(t, s, `{"drop":{"if":`+quoted(deep)+`}}`, `{}`); !strings.HasSuffix(got, "is not supported by the embedded engine") {
		t.Error(got)
	}
	if got := run(t, s, `{"drop":{"if":{"id":"stored"}}}`, `{}`); got != "a stored script is not supported by the embedded engine" {
		t.Error(got)
	}
}
