// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/opensteward/steward/fault"
)

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"logs", "logs", true},
		{"logs", "logs1", false},
		{"logs*", "logs", true},
		{"*", "", true},
		{"*-1", "logs-1", true},
		{"l*s-*", "logs-1", true},
		{"a*a", "a", false},
		{"a*b*c", "a-c-b", false},
		{"?ogs", "logs", false},
	} {
		if got := Match(c.pattern, c.name); got != c.want {
			t.Errorf("Match(%q, %q) = %v", c.pattern, c.name, got)
		}
	}
}

func TestOverlap(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"ab*", "abc*", true},
		{"log*", "logs-*", true},
		{"a*", "b*", false},
		{"*a", "b*", true},
		{"x*y", "x*z", false},
		{"a", "a", true},
		{"a", "b", false},
		{"", "*", true},
		{"a*c", "ab*", true},
	} {
		if got := Overlap(c.a, c.b); got != c.want {
			t.Errorf("Overlap(%q, %q) = %v", c.a, c.b, got)
		}
		if got := Overlap(c.b, c.a); got != c.want {
			t.Errorf("Overlap(%q, %q) = %v", c.b, c.a, got)
		}
	}
}

func TestPatternsThatShareAShortNameOverlap(t *testing.T) {
	text := rapid.StringMatching(`[ab*]{0,4}`)
	names := []string{""}
	for i := 0; len(names) < 127; i++ {
		names = append(names, names[i]+"a", names[i]+"b")
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := text.Draw(t, "a"), text.Draw(t, "b")
		share := false
		for _, n := range names {
			share = share || (Match(a, n) && Match(b, n))
		}
		if got := Overlap(a, b); share && !got {
			t.Fatalf("Overlap(%q, %q) = false, but a name matches both", a, b)
		} else if got && !share && len(strings.ReplaceAll(a+b, "*", "")) < 6 {
			t.Fatalf("Overlap(%q, %q) = true, but no name matches both", a, b)
		}
	})
}

func TestCheckIndexName(t *testing.T) {
	for name, want := range map[string]string{
		"logs-1": "", ".hidden": "",
		"Logs":                   "must be lowercase",
		"a b":                    "must not contain the following characters",
		"_a":                     "must not start with '_', '-', or '+'",
		"a#b":                    "must not contain '#'",
		"a:b":                    "must not contain ':'",
		"..":                     "must not be '.' or '..'",
		strings.Repeat("a", 256): "index name is too long, (256 > 255)",
	} {
		err := CheckIndexName(name)
		if (err == nil) != (want == "") || (err != nil && !strings.Contains(fault.Of(err).Reason, want)) {
			t.Errorf("CheckIndexName(%q) = %v, want %q", name, err, want)
		}
	}
}
