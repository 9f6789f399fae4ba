// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"slices"
	"testing"

	"github.com/opensteward/steward/fault"
)

// members reads a body of texts ("t") and of objects ("o") with numbers in them ("n").
func members(body string) (texts []string, err error) {
	err = ReadObject([]byte(body), func(p *Parser, name string) (err error) {
		switch name {
		case "t":
			texts, err = p.TextOrTexts()
		case "o":
			return p.FailedField("outer", name, p.Object(func(name string) error {
				if name != "n" {
					return p.UnknownField("o", name, "n", "number")
				}
				n, err := p.Int()
				if n < 0 {
					err = fault.Unsupported("a negative number")
				}
				return p.FailedField("o", name, err)
			}))
		default:
			_, err = p.RawObject()
		}
		return err
	})
	return texts, err
}

func TestTextsAreOneOrSeveral(t *testing.T) {
	for body, want := range map[string][]string{`{"t":"a"}`: {"a"}, `{"t":["a",1,true]}`: {"a", "1", "true"}, `{"t":[]}`: {}} {
		if got, err := members(body); err != nil || !slices.Equal(got, want) || got == nil {
			t.Errorf("%s: %v %v", body, got, err)
		}
	}
}

func TestWhatIsWrongWithMembers(t *testing.T) {
	for _, c := range []struct{ name, body, typ, reason, root string }{
		{"no object", `[]`, "parsing_exception", "Failed to parse object: expecting token of type [START_OBJECT] but found [START_ARRAY]", ""},
		{"no object as a member", `{"x":1}`, "parsing_exception", "Failed to parse object: expecting token of type [START_OBJECT] but found [VALUE_NUMBER]", ""},
		{"an error of parsing is the root of those around it", `{"o":{"x":1}}`, "x_content_parse_exception", "[1:11] [outer] failed to parse field [o]", "[1:11] [o] unknown field [x]"},
		{"a similar member is suggested", `{"o":{"numbr":1}}`, "x_content_parse_exception", "[1:15] [outer] failed to parse field [o]", "[1:15] [o] unknown field [numbr] did you mean [number]?"},
		{"a refusal stays as it is", `{"o":{"n":-1}}`, "illegal_argument_exception", "a negative number is not supported by the embedded engine", ""},
		{"any other error is not", `{"o":{"n":"x"}}`, "x_content_parse_exception", "[1:11] [outer] failed to parse field [o]", "[1:11] [o] failed to parse field [n]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := members(c.body)
			e := fault.Of(err)
			root := ""
			if len(e.Roots) > 0 {
				root = e.Roots[0].Reason
			}
			if e.Type != c.typ || e.Reason != c.reason || root != c.root {
				t.Errorf("%s %q with the root %q", e.Type, e.Reason, root)
			}
		})
	}
}
