// SPDX-License-Identifier: Apache-2.0

package wire

import "encoding/json"

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
func (t Token) String() string { panic("stub") }

// Limits of a body, beyond which it is refused with a clear 400. OpenSearch's own: nesting 1,000 levels, names 50,000
// characters.
const (
	MaxDepth      = 1000
	MaxNameLength = 50_000
)

// Parser walks one JSON (or YAML, converted) body. It begins before the first token.
type Parser struct{}

// NewParser returns a parser of a JSON body. Nothing is read yet.
func NewParser(body []byte) *Parser { panic("stub") }

// Next goes to the next token. Malformed JSON is json_parse_exception, truncated JSON json_e_o_f_exception, a
// repeated key json_parse_exception "Duplicate field 'x'" (all 400, with OpenSearch's location text). At the end of
// the body it returns None.
func (p *Parser) Next() (Token, error) { panic("stub") }

// Token is the current token.
func (p *Parser) Token() Token { panic("stub") }

// Name is the name of the field whose name or value is the current token.
func (p *Parser) Name() string { panic("stub") }

// Position is the 1-based line and column of the current token's first character.
func (p *Parser) Position() (line, col int) { panic("stub") }

// Expect fails with parsing_exception "Failed to parse object: expecting token of type [START_OBJECT] but found
// [VALUE_STRING]", line and col, unless the current token is t.
func (p *Parser) Expect(t Token) error { panic("stub") }

// NextExpect is Next followed by Expect.
func (p *Parser) NextExpect(t Token) error { panic("stub") }

// Object calls field for each member of the object that starts at the current token (START_OBJECT expected). When it
// is called, the current token is the value's first; it must leave the parser on the value's last token. An unread
// value may be left by calling Skip.
func (p *Parser) Object(field func(name string) error) error { panic("stub") }

// Array calls item for each element of the array that starts at the current token (START_ARRAY expected), under the
// same rule as Object.
func (p *Parser) Array(item func() error) error { panic("stub") }

// Skip goes to the last token of the value that starts at the current one.
func (p *Parser) Skip() error { panic("stub") }

// Raw returns the value that starts at the current token as it is written, and goes to its last token.
func (p *Parser) Raw() (json.RawMessage, error) { panic("stub") }

// Text is a string, number or boolean as text. Anything else is 500 illegal_state_exception "Can't get text on a
// VALUE_NULL at 1:25".
func (p *Parser) Text() (string, error) { panic("stub") }

// TextOrNull is Text, or nil for null.
func (p *Parser) TextOrNull() (*string, error) { panic("stub") }

// Int is a 32-bit integer or its text; fractions are cut off. Errors as in the API notes, section 2.4.
func (p *Parser) Int() (int, error) { panic("stub") }

// Long is a 64-bit integer or its text.
func (p *Parser) Long() (int64, error) { panic("stub") }

// Double is a number or its text.
func (p *Parser) Double() (float64, error) { panic("stub") }

// Bool is true, false or their text.
func (p *Parser) Bool() (bool, error) { panic("stub") }
