// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/opensteward/steward/fault"
)

// Token is a kind of JSON token, named as OpenSearch's messages name it.
type Token int

// The tokens.
const (
	None Token = iota
	StartObject
	EndObject
	StartArray
	EndArray
	FieldName
	String
	Number
	Boolean
	Null
)

// String is the name in messages: "START_OBJECT", "VALUE_STRING".
func (t Token) String() string {
	return [...]string{
		"null", "START_OBJECT", "END_OBJECT", "START_ARRAY", "END_ARRAY", "FIELD_NAME",
		"VALUE_STRING", "VALUE_NUMBER", "VALUE_BOOLEAN", "VALUE_NULL",
	}[t]
}

// Limits of a body, beyond which it is refused with a clear 400. OpenSearch's own: nesting 1,000 levels, names 50,000
// characters.
const (
	MaxDepth      = 1000
	MaxNameLength = 50_000
)

// Parser walks one JSON (or YAML, converted) body. It begins before the first token.
type Parser struct {
	body  []byte
	dec   *jsontext.Decoder
	token Token
	text  string // of a name, string, number or boolean
	name  string
	names []string // of the objects around the current one
	start int      // offset of the current token
}

// NewParser returns a parser of a JSON body. Nothing is read yet.
func NewParser(body []byte) *Parser {
	return &Parser{body: body, dec: jsontext.NewDecoder(bytes.NewReader(body))}
}

// Next goes to the next token. Malformed JSON is json_parse_exception, truncated JSON json_e_o_f_exception, a
// repeated key json_parse_exception "Duplicate field 'x'" (all 400, with OpenSearch's location text). At the end of
// the body it returns None.
func (p *Parser) Next() (Token, error) {
	p.start = p.skipToToken(int(p.dec.InputOffset()))
	tok, err := p.dec.ReadToken()
	if err != nil {
		p.token, p.text = None, ""
		if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return None, nil
		}
		return None, p.malformed(err)
	}
	p.text = ""
	switch tok.Kind() {
	case '{':
		p.token = StartObject
		p.names = append(p.names, p.name)
	case '}':
		p.token = EndObject
		p.name = p.names[len(p.names)-1]
		p.names = p.names[:len(p.names)-1]
	case '[':
		p.token = StartArray
	case ']':
		p.token = EndArray
	case '"':
		p.token, p.text = String, tok.String()
		if kind, n := p.dec.StackIndex(p.dec.StackDepth()); kind == '{' && n%2 == 1 {
			p.token, p.name = FieldName, p.text
		}
	case '0':
		p.token, p.text = Number, tok.String()
	case 't', 'f':
		p.token, p.text = Boolean, tok.String()
	case 'n':
		p.token = Null
	}
	return p.token, p.checkLimits()
}

func (p *Parser) checkLimits() error {
	if p.dec.StackDepth() > MaxDepth {
		return p.streamConstraint("Document nesting depth (%d) exceeds the maximum allowed (%d)", p.dec.StackDepth(), MaxDepth)
	}
	if p.token == FieldName && len(p.name) > MaxNameLength {
		return p.streamConstraint("Name length (%d) exceeds the maximum allowed (%d)", len(p.name), MaxNameLength)
	}
	return nil
}

func (p *Parser) streamConstraint(format string, args ...any) error {
	return fault.New(400, "stream_constraints_exception", format, args...)
}

// wordAt is the run of letters and digits that begins here, if it begins with a letter.
func (p *Parser) wordAt(at int) string {
	end := at
	for end < len(p.body) && (isLetter(p.body[end]) || end > at && p.body[end] >= '0' && p.body[end] <= '9') {
		end++
	}
	return string(p.body[at:end])
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' }

// skipToToken goes over what stands between two tokens.
func (p *Parser) skipToToken(at int) int {
	for at < len(p.body) && strings.IndexByte(" \t\r\n,:", p.body[at]) >= 0 {
		at++
	}
	return at
}

func (p *Parser) malformed(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return p.at(len(p.body), "json_e_o_f_exception", "Unexpected end-of-input within/between Object entries")
	}
	if errors.Is(err, jsontext.ErrDuplicateName) {
		name := ""
		if v, quoteErr := jsontext.AppendUnquote(nil, p.quotedAt(p.start)); quoteErr == nil {
			name = string(v)
		}
		return p.at(p.start, "json_parse_exception", fmt.Sprintf("Duplicate field '%s'", name))
	}
	if kind, n := p.dec.StackIndex(p.dec.StackDepth()); kind == '{' && n%2 == 0 && p.start < len(p.body) && isLetter(p.body[p.start]) {
		c := p.body[p.start]
		return p.at(p.start, "json_parse_exception", fmt.Sprintf("Unexpected character ('%c' (code %d)): was expecting double-quote to start field name", c, c))
	}
	if word := p.wordAt(p.start); word != "" && word != "null" && word != "true" && word != "false" {
		return p.at(p.start+len(word), "json_parse_exception", fmt.Sprintf(
			"Unrecognized token '%s': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')", word))
	}
	at := p.start
	if syntactic, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		at = min(int(syntactic.ByteOffset), len(p.body))
	}
	if at < len(p.body) {
		c := []rune(string(p.body[at:min(len(p.body), at+4)]))[0]
		return p.at(at, "json_parse_exception", fmt.Sprintf("Unexpected character ('%c' (code %d)): was expecting a valid JSON token", c, c))
	}
	return p.at(at, "json_parse_exception", "Malformed JSON")
}

// quotedAt is the string literal that starts at an offset.
func (p *Parser) quotedAt(at int) []byte {
	for end := at + 1; end < len(p.body); end++ {
		switch p.body[end] {
		case '\\':
			end++
		case '"':
			return p.body[at : end+1]
		}
	}
	return nil
}

func (p *Parser) at(offset int, typ, reason string) error {
	line, col := p.lineAndColumn(offset)
	return fault.New(400, typ, "%s\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: %d, column: %d]", reason, line, col)
}

func (p *Parser) lineAndColumn(offset int) (line, col int) {
	before := p.body[:offset]
	return 1 + bytes.Count(before, []byte("\n")), offset - bytes.LastIndexByte(before, '\n')
}

// Token is the current token.
func (p *Parser) Token() Token { return p.token }

// Name is the name of the field whose name or value is the current token.
func (p *Parser) Name() string { return p.name }

// Position is the 1-based line and column of the current token's first character.
func (p *Parser) Position() (line, col int) { return p.lineAndColumn(p.start) }

// Expect fails with parsing_exception "Failed to parse object: expecting token of type [START_OBJECT] but found
// [VALUE_STRING]", line and col, unless the current token is t.
func (p *Parser) Expect(t Token) error {
	if p.token == t {
		return nil
	}
	line, col := p.Position()
	return fault.Parsing(line, col, "Failed to parse object: expecting token of type [%s] but found [%s]", t, p.token)
}

// NextExpect is Next followed by Expect.
func (p *Parser) NextExpect(t Token) error {
	if _, err := p.Next(); err != nil {
		return err
	}
	return p.Expect(t)
}

// Object calls field for each member of the object that starts at the current token (START_OBJECT expected). When it
// is called, the current token is the value's first; it must leave the parser on the value's last token. An unread
// value may be left by calling Skip.
func (p *Parser) Object(field func(name string) error) error {
	if err := p.Expect(StartObject); err != nil {
		return err
	}
	for {
		t, err := p.Next()
		if err != nil {
			return err
		}
		if t == EndObject {
			return nil
		}
		name := p.name
		if _, err := p.Next(); err != nil {
			return err
		}
		if err := field(name); err != nil {
			return err
		}
	}
}

// Array calls item for each element of the array that starts at the current token (START_ARRAY expected), under the
// same rule as Object.
func (p *Parser) Array(item func() error) error {
	if err := p.Expect(StartArray); err != nil {
		return err
	}
	for {
		t, err := p.Next()
		if err != nil {
			return err
		}
		if t == EndArray {
			return nil
		}
		if err := item(); err != nil {
			return err
		}
	}
}

// Skip goes to the last token of the value that starts at the current one.
func (p *Parser) Skip() error {
	if p.token != StartObject && p.token != StartArray {
		return nil
	}
	for depth := p.dec.StackDepth(); p.dec.StackDepth() >= depth; {
		if _, err := p.Next(); err != nil {
			return err
		}
	}
	return nil
}

// Raw returns the value that starts at the current token as it is written, and goes to its last token.
func (p *Parser) Raw() (json.RawMessage, error) {
	start := p.start
	if err := p.Skip(); err != nil {
		return nil, err
	}
	return json.RawMessage(bytes.Clone(p.body[start:p.dec.InputOffset()])), nil
}

// Text is a string, number or boolean as text. Anything else is 500 illegal_state_exception "Can't get text on a
// VALUE_NULL at 1:25".
func (p *Parser) Text() (string, error) {
	switch p.token {
	case String, Number, Boolean, FieldName:
		return p.text, nil
	}
	line, col := p.Position()
	return "", fault.IllegalState("Can't get text on a %s at %d:%d", p.token, line, col)
}

// TextOrNull is Text, or nil for null.
func (p *Parser) TextOrNull() (*string, error) {
	if p.token == Null {
		return nil, nil
	}
	s, err := p.Text()
	if err != nil {
		return nil, err
	}
	return &s, nil
}

// Int is a 32-bit integer or its text; fractions are cut off. Text that is no number is number_format_exception, a
// number too large illegal_argument_exception.
func (p *Parser) Int() (int, error) {
	n, err := p.Long()
	if err == nil && (n < math.MinInt32 || n > math.MaxInt32) {
		err = fault.Illegal("Value [%s] is out of range for an integer", p.text)
	}
	if p.outOfRange(err) {
		err = fault.Illegal("Value [%s] is out of range for an integer", p.text)
	}
	return int(n), err
}

func (p *Parser) outOfRange(err error) bool {
	return err != nil && strings.HasSuffix(fault.Of(err).Reason, "is out of range for a long")
}

// Long is a 64-bit integer or its text.
func (p *Parser) Long() (int64, error) {
	text, err := p.number()
	if err != nil {
		return 0, err
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, nil
	}
	f, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil && !errors.Is(err, strconv.ErrRange), math.IsNaN(f):
		return 0, numberFormat(text)
	case f >= math.MaxInt64 || f <= math.MinInt64:
		return 0, fault.Illegal("Value [%s] is out of range for a long", text)
	}
	return int64(f), nil
}

// Double is a number or its text.
func (p *Parser) Double() (float64, error) {
	text, err := p.number()
	if err != nil {
		return 0, err
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, numberFormat(text)
	}
	return f, nil
}

// number is the text of a number or string.
func (p *Parser) number() (string, error) {
	if p.token == Number || p.token == String {
		return p.text, nil
	}
	return "", p.at(p.start, "json_parse_exception", fmt.Sprintf("Current token (%s) not numeric, can not use numeric value accessors", p.token))
}

// Bool is true, false or their text.
func (p *Parser) Bool() (bool, error) {
	if p.token == Boolean || p.token == String {
		return ParseBool(p.text)
	}
	return false, p.at(p.start, "json_parse_exception", fmt.Sprintf("Current token (%s) not of boolean type", p.token))
}

// ParseBool reads "true" or "false"; else 400 "Failed to parse value [x] as only [true] or [false] are allowed."
func ParseBool(text string) (bool, error) {
	switch text {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, fault.Illegal("Failed to parse value [%s] as only [true] or [false] are allowed.", text)
}
