// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"strings"
	"testing"

	"github.com/opensteward/steward/fault"
)

// walk reads a whole body and lists its tokens.
func walk(body string) (string, error) {
	p := NewParser([]byte(body))
	var tokens []string
	for {
		tok, err := p.Next()
		if err != nil {
			return strings.Join(tokens, " "), err
		}
		if tok == None {
			return strings.Join(tokens, " "), nil
		}
		s := tok.String()
		if tok == FieldName {
			s = p.Name() + ":"
		}
		tokens = append(tokens, s)
	}
}

func TestParserWalksTokens(t *testing.T) {
	got, err := walk(`{"a":[1,"x",true,null],"b":{}}`)
	want := "START_OBJECT a: START_ARRAY VALUE_NUMBER VALUE_STRING VALUE_BOOLEAN VALUE_NULL END_ARRAY b: START_OBJECT END_OBJECT END_OBJECT"
	if err != nil || got != want {
		t.Errorf("tokens %s, %v", got, err)
	}
}

func TestParserRefusesMalformedBodies(t *testing.T) {
	for _, c := range []struct{ name, body, typ, reason string }{
		{"truncated", `{"policy": `, "json_e_o_f_exception", "Unexpected end-of-input within/between Object entries\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: 12]"},
		{"a key twice", "{\"x\":1,\n\"x\":2}", "json_parse_exception", "Duplicate field 'x'\n"},
		{"no JSON", `nope`, "json_parse_exception", "Unrecognized token 'nope': was expecting (JSON String, Number, Array, Object or token"},
		{"a name without quotes", `{"a":1,name:2}`, "json_parse_exception", "Unexpected character ('n' (code 110)): was expecting double-quote to start field name\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: 8]"},
		{"a word as value", `{"a":name}`, "json_parse_exception", "Unrecognized token 'name': was expecting"},
		{"a trailing comma", `{"a":1,}`, "json_parse_exception", "Unexpected character (',' (code 44))"},
		{"too deep", strings.Repeat("[", MaxDepth+1), "stream_constraints_exception", "nesting depth (1001)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := walk(c.body)
			f := fault.Of(err)
			if err == nil || f.Type != c.typ || f.Status != 400 || !strings.Contains(f.Reason, c.reason) {
				t.Errorf("error %v, want %s %q", err, c.typ, c.reason)
			}
		})
	}
}

func TestExpectNamesTokenAndPlace(t *testing.T) {
	p := NewParser([]byte("{\n  \"a\": \"x\"}"))
	if err := p.NextExpect(StartObject); err != nil {
		t.Fatal(err)
	}
	err := p.Object(func(string) error { return p.Expect(StartObject) })
	f := fault.Of(err)
	if f.Reason != "Failed to parse object: expecting token of type [START_OBJECT] but found [VALUE_STRING]" || f.Field("line") != 2 || f.Field("col") != 8 {
		t.Errorf("%v at %v:%v", err, f.Field("line"), f.Field("col"))
	}
}

// value parses {"v": ...} and calls read on the value.
func value[T any](t *testing.T, text string, read func(*Parser) (T, error)) (T, error) {
	t.Helper()
	p := NewParser([]byte(`{"v":` + text + `}`))
	var got T
	if err := p.NextExpect(StartObject); err != nil {
		t.Fatal(err)
	}
	err := p.Object(func(string) (err error) {
		got, err = read(p)
		return err
	})
	return got, err
}

func TestValuesAreCoercedAsOpenSearchDoes(t *testing.T) {
	for text, want := range map[string]int{`2`: 2, `"2"`: 2, `2.9`: 2, `-1`: -1} {
		if got, err := value(t, text, (*Parser).Int); got != want || err != nil {
			t.Errorf("Int(%s) = %d, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{`"a"`: "a", `1.50`: "1.50", `true`: "true"} {
		if got, err := value(t, text, (*Parser).Text); got != want || err != nil {
			t.Errorf("Text(%s) = %q, %v", text, got, err)
		}
	}
	for text, want := range map[string]bool{`true`: true, `"false"`: false} {
		if got, err := value(t, text, (*Parser).Bool); got != want || err != nil {
			t.Errorf("Bool(%s) = %v, %v", text, got, err)
		}
	}
	if got, err := value(t, `9007199254740993`, (*Parser).Long); got != 9007199254740993 || err != nil {
		t.Errorf("Long = %d, %v", got, err)
	}
}

func TestValuesAreRefusedWithOpenSearchsWords(t *testing.T) {
	check := func(err error, typ, reason string) {
		t.Helper()
		if f := fault.Of(err); err == nil || f.Type != typ || !strings.HasPrefix(f.Reason, reason) {
			t.Errorf("%v, want %s: %s", err, typ, reason)
		}
	}
	_, err := value(t, `"abc"`, (*Parser).Int)
	check(err, "number_format_exception", `For input string: "abc"`)
	_, err = value(t, `99999999999`, (*Parser).Int)
	check(err, "illegal_argument_exception", "Value [99999999999] is out of range for an integer")
	_, err = value(t, `null`, (*Parser).Text)
	check(err, "illegal_state_exception", "Can't get text on a VALUE_NULL at 1:6")
	_, err = value(t, `"foo"`, (*Parser).Bool)
	check(err, "illegal_argument_exception", "Failed to parse value [foo] as only [true] or [false] are allowed.")
	_, err = value(t, `{}`, (*Parser).Long)
	check(err, "json_parse_exception", "Current token (START_OBJECT) not numeric")
}

func TestRawIsTheTextAsWrittenAndNamesSurviveNesting(t *testing.T) {
	p := NewParser([]byte(`{"a": {"b" : [1, 2.50]}, "c": 3}`))
	if err := p.NextExpect(StartObject); err != nil {
		t.Fatal(err)
	}
	var seen []string
	err := p.Object(func(name string) error {
		raw, err := p.Raw()
		seen = append(seen, name, string(raw), p.Name())
		return err
	})
	if got := strings.Join(seen, "|"); err != nil || got != `a|{"b" : [1, 2.50]}|a|c|3|c` {
		t.Errorf("%s, %v", got, err)
	}
}
