// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
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
// characters, numbers 1,000 digits, texts 50,000,000 characters.
const (
	MaxDepth        = 1000
	MaxNameLength   = 50_000
	maxNumberLength = 1000
	maxTextLength   = 50_000_000
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
	open  []int    // offsets of the objects and arrays that are open
}

// NewParser returns a parser of a JSON body. Nothing is read yet.
func NewParser(body []byte) *Parser {
	return &Parser{body: body, dec: jsontext.NewDecoder(bytes.NewReader(body))}
}

// Next goes to the next token. Malformed JSON is json_parse_exception, truncated JSON json_e_o_f_exception, a
// repeated key json_parse_exception "Duplicate field 'x'" (all 400, with OpenSearch's location text). At the end of
// the body it returns None.
func (p *Parser) Next() (Token, error) {
	at := p.skipToToken(int(p.dec.InputOffset()))
	tok, err := p.dec.ReadToken()
	if err != nil {
		if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			err = nil
		} else {
			err = p.malformed(err)
		}
		p.token, p.text = None, ""
		return None, err
	}
	p.start, p.text = at, ""
	switch tok.Kind() {
	case '{':
		p.token = StartObject
		p.names, p.open = append(p.names, p.name), append(p.open, at)
	case '}':
		p.token = EndObject
		p.name = p.names[len(p.names)-1]
		p.names, p.open = p.names[:len(p.names)-1], p.open[:len(p.open)-1]
	case '[':
		p.token, p.open = StartArray, append(p.open, at)
	case ']':
		p.token, p.open = EndArray, p.open[:len(p.open)-1]
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
	switch {
	case p.dec.StackDepth() > MaxDepth:
		return beyond("Document nesting depth", p.dec.StackDepth(), MaxDepth, "NestingDepth")
	case p.token == FieldName && len(p.name) > MaxNameLength:
		return beyond("Name length", len(p.name), MaxNameLength, "NameLength")
	case p.token == Number && len(p.text) > maxNumberLength:
		if n := numberLength(p.text); n > maxNumberLength {
			return beyond("Number value length", n, maxNumberLength, "NumberLength")
		}
	case p.token == String && len(p.text) > maxTextLength:
		return beyond("String value length", len(p.text), maxTextLength, "StringLength")
	}
	return nil
}

// numberLength counts the digits of a number.
func numberLength(text string) int {
	n := 0
	for _, c := range text {
		if c >= '0' && c <= '9' {
			n++
		}
	}
	return n
}

// beyond is the error of a limit, which has a getter in the library below OpenSearch's parser.
func beyond(what string, n, limit int, getter string) error {
	return fault.New(400, "stream_constraints_exception", "%s (%d) exceeds the maximum allowed (%d, from `StreamReadConstraints.getMax%s()`)", what, n, limit, getter)
}

// skipToToken goes over what stands between two tokens.
func (p *Parser) skipToToken(at int) int {
	for at < len(p.body) && strings.IndexByte(" \t\r\n,:", p.body[at]) >= 0 {
		at++
	}
	return at
}

// Token is the current token.
func (p *Parser) Token() Token { return p.token }

// Name is the name of the field whose name or value is the current token.
func (p *Parser) Name() string { return p.name }

// Position is the 1-based line and column of the current token's first character, or of the last token's at the end of
// the body; 1:0 where there is none.
func (p *Parser) Position() (line, col int) {
	if p.dec.InputOffset() == 0 {
		return 1, 0
	}
	return p.lineAndColumn(p.start)
}

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
