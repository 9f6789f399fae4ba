// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestCommentsOfABodyAreBlanked(t *testing.T) {
	for _, c := range []struct{ name, body, want string }{
		{"none", `{"a":"b"}`, `{"a":"b"}`},
		{"to the end of the line", "{\"a\":1 // one\n}", "{\"a\":1       \n}"},
		{"to the end of the body", `{} // done`, `{}        `},
		{"between delimiters", `{/*x*/"a":1}`, `{     "a":1}`},
		{"over lines", "{/*x\ny*/}", "{   \n   }"},
		{"with a quote", `{/*"*/"a":1}`, `{     "a":1}`},
		{"a star and a slash at once", `{/*/"a":1}`, `{/*/"a":1}`},
		{"in a string", `{"a":"http://b/*c*/"}`, `{"a":"http://b/*c*/"}`},
		{"behind an escaped quote", `{"a":"\"//","b":1}//x`, `{"a":"\"//","b":1}   `},
		{"never closed", `{/*x`, `{/*x`},
		{"a slash alone", `{/}`, `{/}`},
		{"behind a string that was never closed", "{\"a\n{}//x", "{\"a\n{}   "},
		{"a byte order mark", "\ufeff{}", "   {}"},
		{"nothing", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := string(WithoutComments([]byte(c.body))); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestBlankingCommentsMovesAndAddsNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.StringOfN(rapid.SampledFrom([]rune(`/*"\ `+"\na\ufeff")), 0, 40, -1).Draw(t, "body")
		got := string(WithoutComments([]byte(body)))
		if len(got) != len(body) || strings.Count(got, "\n") != strings.Count(body, "\n") {
			t.Fatalf("%q became %q", body, got)
		}
		if again := string(WithoutComments([]byte(got))); again != got {
			t.Fatalf("%q became %q, and then %q", body, got, again)
		}
	})
}
