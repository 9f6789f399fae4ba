// SPDX-License-Identifier: Apache-2.0

package regex

import (
	"strings"
	"testing"

	"github.com/opensteward/steward/fault"
)

func TestWhatIsWrongIsToldInJavasWords(t *testing.T) {
	for expression, want := range map[string]string{
		"[":          "Unclosed character class near index 0\n[\n^",
		"[abc":       "Unclosed character class near index 3\n[abc\n   ^",
		"[]":         "Unclosed character class near index 1\n[]\n ^",
		"[b-a]":      "Illegal character range near index 3\n[b-a]\n   ^",
		"(":          "Unclosed group near index 1\n(",
		"a(b(?:c)":   "Unclosed group near index 8\na(b(?:c)",
		")":          "Unmatched closing ')'\n)",
		"x)":         "Unmatched closing ')' near index 0\nx)\n^",
		"*a":         "Dangling meta character '*' near index 0\n*a\n^",
		"a|+":        "Dangling meta character '+' near index 2\na|+\n  ^",
		"a**":        "Dangling meta character '*' near index 2\na**\n  ^",
		"{name}":     "Illegal repetition near index 1\n{name}\n ^",
		"a{,2}":      "Illegal repetition near index 2\na{,2}\n  ^",
		"a{2,1}":     "Illegal repetition range near index 5\na{2,1}\n     ^",
		"a{2":        "Unclosed counted closure near index 3\na{2",
		`\`:          "Unescaped trailing backslash near index 1\n\\",
		`\y`:         "Illegal/unsupported escape sequence near index 1\n\\y\n ^",
		"(?P<a>x)":   "Unknown inline modifier near index 2\n(?P<a>x)\n  ^",
		"(?<1>x)":    "capturing group name does not start with a Latin letter near index 3\n(?<1>x)\n   ^",
		"(?<a_b>x)":  "named capturing group is missing trailing '>' near index 4\n(?<a_b>x)\n    ^",
		"é[z-a]":     "Illegal character range near index 4\né[z-a]\n    ^",
		"(?@x)":      "Unknown group type near index 2\n(?@x)\n  ^",
		`[\t-\n-x]{`: "Illegal repetition near index 10\n[\\t-\\n-x]{",
		"(?i":        "Unknown inline modifier near index 3\n(?i",
		"(?<n":       "named capturing group is missing trailing '>' near index 4\n(?<n",
		"a{1,":       "Unclosed counted closure near index 4\na{1,",
		"[a-":        "Illegal character range near index 3\n[a-",
		`[a-\d]`:     "Illegal character range near index 4\n[a-\\d]\n    ^",
		`[\`:         "Unclosed character class near index 2\n[\\",
		`\p{`:        "Unclosed character family near index 3\n\\p{",
		`\E`:         "Illegal/unsupported escape sequence near index 1\n\\E\n ^",

		"(?<n>a)(?<n>b)": "Named capturing group <n> is already defined near index 11\n(?<n>a)(?<n>b)\n           ^",
	} {
		_, err := Compile(expression)
		if !fault.Is(err, "pattern_syntax_exception") || fault.Of(err).Reason != want {
			t.Errorf("%q: %v", expression, err)
		}
	}
}

func TestWhatOnlyJavaHasIsRefusedByName(t *testing.T) {
	for expression, what := range map[string]string{
		"a(?=b)": "(?=", "(?!a)b": "(?!", "(?<=a)b": "(?<=", "(?<!a)b": "(?<!", "(?>a)b": "(?>",
		"a++": "++", "a?+": "?+", "a{2}+": "{2}+", `(a)\1`: `\1`, `(?<n>a)\k<n>`: `\k`, `\h`: `\h`, `a\Z`: `\Z`,
		"[a&&[b]]": "&&", "[[:alpha:]]": "[ in a character class", "(?x)a": "(?x", `\p{javaLowerCase}`: `\p{javaLowerCase}`, "a{9999}": "{9999}",
		strings.Repeat("(", 100_000): "groups in more than 1000 others",
	} {
		_, err := Compile(expression)
		if want := "[" + what + "] in a regular expression is not supported"; !fault.Is(err, "illegal_argument_exception") || fault.Of(err).Reason != want {
			t.Errorf("%.40q: %v", expression, err)
		}
	}
}

func TestWhatBothHaveMatchesAsInJava(t *testing.T) {
	for _, c := range []struct {
		expression, text string
		want             bool
	}{
		{`\.opendistro_security|\.kibana.*|\.opendistro-ism-config`, ".kibana_1", true},
		{`\.opendistro_security|\.kibana.*|\.opendistro-ism-config`, "a.kibana_1", false},
		{"a|b", "ab", false},
		{"(?i)LOGS-[0-9]{2,}?", "logs-12", true},
		{"(?<name>x)[]^-]+", "x]-^", true},
		{`\Qa.(b\E\d+`, "a.(b7", true},
		{`[^a-c\]]\p{Lu}`, "dX", true},
		{"a{0,}b{2}", "bb", true},
		{`[\x41-\x43\d-]+`, "AC-7", true},
		{`[\x01-0\x{41}-B]+`, "/B", true},
		{"|()", "", true},
	} {
		re, err := Whole(c.expression)
		if err != nil {
			t.Errorf("%q: %v", c.expression, err)
		} else if re.MatchString(c.text) != c.want {
			t.Errorf("%q matches %q: %v", c.expression, c.text, !c.want)
		}
	}
}
