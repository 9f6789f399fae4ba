// SPDX-License-Identifier: Apache-2.0

package wire

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
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

// malformed are bodies with what OpenSearch 3.4.0 answered to them.
//
//go:embed testdata/malformed.jsonl
var malformed string

func TestMalformedBodiesAreRefusedInTheWordsOfOpenSearch(t *testing.T) {
	for line := range strings.Lines(malformed) {
		var c struct{ Body, Type, Reason string }
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			t.Fatal(err)
		}
		_, err := walk(c.Body)
		if f := fault.Of(err); err == nil || f.Status != 400 || f.Type != c.Type || f.Reason != c.Reason {
			t.Errorf("%s\ngot  %v\nwant %s: %s", c.Body, err, c.Type, c.Reason)
		}
	}
}

func TestBodiesBeyondTheLimitsAreRefused(t *testing.T) {
	for want, body := range map[string]string{
		"Document nesting depth (1001) exceeds the maximum allowed (1000, from `StreamReadConstraints.getMaxNestingDepth()`)": strings.Repeat("[", MaxDepth+1),
		"Name length (50001) exceeds the maximum allowed (50000, from `StreamReadConstraints.getMaxNameLength()`)":            `{"` + strings.Repeat("x", MaxNameLength+1) + `":1}`,
		"Number value length (1002) exceeds the maximum allowed (1000, from `StreamReadConstraints.getMaxNumberLength()`)":    `{"x":0.` + strings.Repeat("1", 1001) + `}`,
	} {
		_, err := walk(body)
		if f := fault.Of(err); err == nil || f.Status != 400 || f.Type != "stream_constraints_exception" || f.Reason != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, err := walk("[-" + strings.Repeat("1", maxNumberLength) + "]"); err != nil {
		t.Errorf("a number of a thousand digits: %v", err)
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
	for text, want := range map[string]int{
		`2`: 2, `"2"`: 2, `2.9`: 2, `-1`: -1, `-1.9`: -1, `1e1`: 10, `" 2 "`: 2, `"2d"`: 2, `"2.9f"`: 2, `"1e1"`: 10, `"NaN"`: 0, `"0x1p3"`: 8,
	} {
		if got, err := value(t, text, (*Parser).Int); got != want || err != nil {
			t.Errorf("Int(%s) = %d, %v", text, got, err)
		}
	}
	for text, want := range map[string]int64{
		`9007199254740993`: 9007199254740993, `"9007199254740993.7"`: 9007199254740993, `"1e3"`: 1000, `-1.9`: -1, `".5e1"`: 5, `"1e-999999999"`: 0,
		`9223372036854775807`: math.MaxInt64, `"9223372036854775807.5"`: math.MaxInt64,
	} {
		if got, err := value(t, text, (*Parser).Long); got != want || err != nil {
			t.Errorf("Long(%s) = %d, %v", text, got, err)
		}
	}
	for text, want := range map[string]float64{`0.5`: 0.5, `"0.5"`: 0.5, `"1f"`: 1, `1e1000`: math.Inf(1)} {
		if got, err := value(t, text, (*Parser).Double); got != want || err != nil {
			t.Errorf("Double(%s) = %v, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{`"a"`: "a", `1.50`: "1.50", `true`: "true"} {
		if got, err := value(t, text, (*Parser).Text); got != want || err != nil {
			t.Errorf("Text(%s) = %q, %v", text, got, err)
		}
	}
	for text, want := range map[string]bool{`true`: true, `"true"`: true, `"false"`: false, `""`: false} {
		if got, err := value(t, text, (*Parser).Bool); got != want || err != nil {
			t.Errorf("Bool(%s) = %v, %v", text, got, err)
		}
	}
}

// place is where Jackson says that something is wrong, on the first line.
func place(column int) string {
	return fmt.Sprintf("\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: %d]", column)
}

func TestValuesAreRefusedWithOpenSearchsWords(t *testing.T) {
	readers := map[string]func(*Parser) error{
		"int":  func(p *Parser) error { _, err := p.Int(); return err },
		"long": func(p *Parser) error { _, err := p.Long(); return err },
		"real": func(p *Parser) error { _, err := p.Double(); return err },
		"text": func(p *Parser) error { _, err := p.Text(); return err },
		"bool": func(p *Parser) error { _, err := p.Bool(); return err },
	}
	for _, c := range []struct{ kind, text, typ, reason string }{
		{"int", `"abc"`, "number_format_exception", `For input string: "abc"`},
		{"int", `" x "`, "number_format_exception", `For input string: "x"`},
		{"int", `"inf"`, "number_format_exception", `For input string: "inf"`},
		{"int", `""`, "number_format_exception", "empty String"},
		{"int", `"99999999999"`, "illegal_argument_exception", "Value [99999999999] is out of range for an integer"},
		{"int", `99999999999`, "input_coercion_exception", "Numeric value (99999999999) out of range of int (-2147483648 - 2147483647)" + place(17)},
		{"int", strings.Repeat("1", 1000), "input_coercion_exception", "Numeric value ([Integer with 1000 digits]) out of range of int (-2147483648 - 2147483647)" + place(1006)},
		{"int", `1e30`, "input_coercion_exception", "Numeric value (1e30) out of range of int (-2147483648 - 2147483647)" + place(10)},
		{"int", `true`, "json_parse_exception", "Current token (VALUE_TRUE) not numeric, can not use numeric value accessors" + place(10)},
		{"int", `null`, "json_parse_exception", "Current token (VALUE_NULL) not numeric, can not use numeric value accessors" + place(10)},
		{"long", `"abc"`, "illegal_argument_exception", `For input string: "abc"`},
		{"long", `" 2 "`, "illegal_argument_exception", `For input string: " 2 "`},
		{"long", `"2d"`, "illegal_argument_exception", `For input string: "2d"`},
		{"long", `"99999999999999999999"`, "illegal_argument_exception", "Value [99999999999999999999] is out of range for a long"},
		{"long", `"1e999999999"`, "illegal_argument_exception", "Value [1e999999999] is out of range for a long"},
		{"long", `99999999999999999999`, "input_coercion_exception", "Numeric value (99999999999999999999) out of range of long (-9223372036854775808 - 9223372036854775807)" + place(26)},
		{"long", `9.3e18`, "input_coercion_exception", "Numeric value (9.3e18) out of range of long (-9223372036854775808 - 9223372036854775807)" + place(12)},
		{"long", `{}`, "json_parse_exception", "Current token (START_OBJECT) not numeric, can not use numeric value accessors" + place(7)},
		{"real", `"abc"`, "number_format_exception", `For input string: "abc"`},
		{"real", `false`, "json_parse_exception", "Current token (VALUE_FALSE) not numeric, can not use numeric value accessors" + place(11)},
		{"text", `null`, "illegal_state_exception", "Can't get text on a VALUE_NULL at 1:6"},
		{"bool", `"foo"`, "illegal_argument_exception", "Failed to parse value [foo] as only [true] or [false] are allowed."},
		{"bool", `"True"`, "illegal_argument_exception", "Failed to parse value [True] as only [true] or [false] are allowed."},
		{"bool", `1`, "json_parse_exception", "Current token (VALUE_NUMBER_INT) not of boolean type" + place(7)},
		{"bool", `1.5`, "json_parse_exception", "Current token (VALUE_NUMBER_FLOAT) not of boolean type" + place(9)},
	} {
		_, err := value(t, c.text, func(p *Parser) (struct{}, error) { return struct{}{}, readers[c.kind](p) })
		if f := fault.Of(err); err == nil || f.Type != c.typ || f.Reason != c.reason {
			t.Errorf("%s of %s: %v\nwant %s: %s", c.kind, c.text, err, c.typ, c.reason)
		}
	}
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
