// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/opensteward/steward/fault"
)

// What is wrong with a body is told in the words of Jackson 2.18, the library below OpenSearch's parser. Where the decoder
// stops, the body is read again from the end of the last token, to find what Jackson would have stumbled over.

const (
	parseError = "json_parse_exception"
	endOfInput = "json_e_o_f_exception"
	source     = "[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: %d"
	validValue = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
)

// at is an error at an offset of the body.
func (p *Parser) at(offset int, typ, reason string) error {
	line, col := p.lineAndColumn(offset)
	return fault.New(400, typ, "%s\n at "+source+", column: %d]", reason, line, col)
}

func (p *Parser) lineAndColumn(offset int) (line, col int) {
	before := p.body[:offset]
	return 1 + bytes.Count(before, []byte("\n")), offset - bytes.LastIndexByte(before, '\n')
}

// unexpected is the error of the character at an offset, or of the end that is there.
func (p *Parser) unexpected(at int, why string) error {
	if at >= len(p.body) {
		return p.at(len(p.body), endOfInput, "Unexpected end-of-input in FIELD_NAME")
	}
	if p.body[at] == '/' && at+1 < len(p.body) {
		at, why = at+1, ": was expecting either '*' or '/' for a comment"
	}
	c, _ := utf8.DecodeRune(p.body[at:])
	return p.at(at, parseError, fmt.Sprintf("Unexpected character ('%c' (code %d))%s", c, c, why))
}

// malformed is the error of what follows the last token.
func (p *Parser) malformed(err error) error {
	if end := p.end(); end < len(p.body) {
		switch c := p.body[end]; {
		case (p.token == Boolean || p.token == Null) && wordRune(rune(c), false):
			return p.malformedWord(p.start)
		case p.token == Number && c >= '0' && c <= '9':
			return p.at(end, parseError, "Invalid numeric value: Leading zeroes not allowed")
		}
	}
	kind, n := p.dec.StackIndex(p.dec.StackDepth())
	at := p.skipBlanks(p.end())
	if kind != '{' && kind != '[' {
		return p.malformedValue(at, kind)
	}
	within, own, other := "Object", byte('}'), byte(']')
	if kind == '[' {
		within, own, other = "Array", ']', '}'
	}
	switch named := kind == '{' && n%2 == 1; {
	case named && at >= len(p.body):
		return p.at(at, endOfInput, "Unexpected end-of-input within/between Object entries")
	case named && p.body[at] != ':':
		return p.unexpected(at, ": was expecting a colon to separate field name and value")
	case named:
		if at = p.skipBlanks(at + 1); at >= len(p.body) {
			return p.at(at, endOfInput, "Unexpected end-of-input within/between Object entries")
		}
		return p.malformedValue(at, kind)
	case at >= len(p.body):
		return p.at(at, endOfInput, "Unexpected end-of-input: expected close marker for "+within+" (start marker at "+p.opened()+")")
	case p.body[at] == other:
		return p.at(at, parseError, fmt.Sprintf("Unexpected close marker '%c': expected '%c' (for %s starting at %s)", other, own, within, p.opened()))
	case n > 0 && p.body[at] != ',':
		return p.unexpected(at, ": was expecting comma to separate "+within+" entries")
	case n > 0:
		if at = p.skipBlanks(at + 1); at >= len(p.body) {
			return p.at(at, parseError, "Unexpected end-of-input within/between "+within+" entries")
		}
	}
	if kind == '{' {
		return p.malformedName(at, err)
	}
	return p.malformedValue(at, kind)
}

// opened is where the object or array begins that is open.
func (p *Parser) opened() string {
	line, col := p.lineAndColumn(p.open[len(p.open)-1])
	return fmt.Sprintf(source+", column: %d]", line, col)
}

func (p *Parser) skipBlanks(at int) int {
	for at < len(p.body) && strings.IndexByte(" \t\r\n", p.body[at]) >= 0 {
		at++
	}
	return at
}

// malformedName is the error of a name that begins here.
func (p *Parser) malformedName(at int, err error) error {
	if p.body[at] != '"' {
		return p.unexpected(at, ": was expecting double-quote to start field name")
	}
	if end := p.stringEnd(at); errors.Is(err, jsontext.ErrDuplicateName) && end > 0 {
		name, _ := jsontext.AppendUnquote(nil, p.body[at:end])
		return p.at(end, parseError, fmt.Sprintf("Duplicate field '%s'", name))
	}
	return p.malformedString(at, "name", "field name")
}

// malformedValue is the error of a value that begins here, in an object ('{'), in an array or on its own.
func (p *Parser) malformedValue(at int, kind jsontext.Kind) error {
	switch c := p.body[at]; {
	case c == '"':
		return p.malformedString(at, "string value", "VALUE_STRING")
	case c == '-' || c >= '0' && c <= '9':
		return p.malformedNumber(at)
	case c == '+':
		return p.plus(at)
	case kind != '{' && kind != '[' && (c == '}' || c == ']'):
		want := map[byte]byte{'}': ']', ']': '}'}[c]
		return p.at(at, parseError, fmt.Sprintf("Unexpected close marker '%c': expected '%c' (for root starting at "+source+"])", c, want, 1))
	case c == ']' && kind == '[', c == ',', c == '}':
		return p.unexpected(at, ": expected a value")
	}
	return p.malformedWord(at)
}

// malformedWord is the error of a word that is no value, or of a character that begins none.
func (p *Parser) malformedWord(at int) error {
	end := at
	for end < len(p.body) {
		c, size := utf8.DecodeRune(p.body[end:])
		if !wordRune(c, end == at) {
			break
		}
		end += size
	}
	word := string(p.body[at:end])
	switch word {
	case "":
		return p.unexpected(at, ": expected a valid value "+validValue)
	case "NaN", "Infinity":
		return p.at(end, parseError, "Non-standard token '"+word+"': enable `JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` to allow")
	}
	return p.at(min(end+1, len(p.body)), parseError, "Unrecognized token '"+word+"': was expecting "+validValue) // it has read one character more
}

// wordRune reports whether Java's identifiers have this character, at their beginning or behind it.
func wordRune(c rune, first bool) bool {
	return unicode.IsLetter(c) || c == '_' || c == '$' || !first && unicode.IsDigit(c)
}

// plus is the error of a number with a plus sign.
func (p *Parser) plus(at int) error {
	err := fault.Of(p.unexpected(at, " in numeric value: JSON spec does not allow numbers to have plus signs: enable `JsonReadFeature.ALLOW_LEADING_PLUS_SIGN_FOR_NUMBERS` to allow"))
	reason, _, _ := strings.Cut(err.Reason, "\n")
	return p.at(at+1, parseError, reason)
}

// malformedNumber is the error of a number that begins here.
func (p *Parser) malformedNumber(at int) error {
	digits := func(at int) int {
		for at < len(p.body) && p.body[at] >= '0' && p.body[at] <= '9' {
			at++
		}
		return at
	}
	first := at
	if p.body[at] == '-' {
		first++
	}
	end := digits(first)
	switch {
	case end == first:
		return p.unexpected(end, " in numeric value: expected digit (0-9) to follow minus sign, for valid numeric value")
	case end > first+1 && p.body[first] == '0':
		return p.at(first+1, parseError, "Invalid numeric value: Leading zeroes not allowed")
	}
	if end < len(p.body) && p.body[end] == '.' {
		if fraction := digits(end + 1); fraction > end+1 {
			end = fraction
		} else {
			return p.unexpected(min(end+1, len(p.body)-1), " in numeric value: Decimal point not followed by a digit")
		}
	}
	if end < len(p.body) && (p.body[end] == 'e' || p.body[end] == 'E') {
		end++
		if end < len(p.body) && (p.body[end] == '+' || p.body[end] == '-') {
			end++
		}
	}
	return p.unexpected(end, " in numeric value: Exponent indicator not followed by a digit")
}

// stringEnd is the offset behind the string that begins here; 0 if it does not end.
func (p *Parser) stringEnd(at int) int {
	for end := at + 1; end < len(p.body); end++ {
		switch p.body[end] {
		case '\\':
			end++
		case '"':
			return end + 1
		}
	}
	return 0
}

// malformedString is the error of a string that begins here: a name or a value, and what an unfinished one is called.
func (p *Parser) malformedString(at int, what, unfinished string) error {
	end := p.stringEnd(at)
	for i := at + 1; i < cmp.Or(end, len(p.body)); i++ {
		switch c := p.body[i]; {
		case c < ' ':
			return p.at(i, parseError, fmt.Sprintf("Illegal unquoted character ((CTRL-CHAR, code %d)): has to be escaped using backslash to be included in %s", c, what))
		case c == '\\':
			i++
			if err := p.malformedEscape(i); err != nil {
				return err
			}
		case c >= utf8.RuneSelf:
			if r, size := utf8.DecodeRune(p.body[i:]); r == utf8.RuneError && size == 1 {
				return p.at(i, parseError, fmt.Sprintf("Invalid UTF-8 start byte 0x%x", c))
			}
		}
	}
	if end > 0 {
		return p.at(end, parseError, "Invalid surrogate pair")
	}
	return p.at(len(p.body), endOfInput, "Unexpected end-of-input in "+unfinished)
}

// malformedEscape is the error of the escape whose second character stands here; nil if it is one.
func (p *Parser) malformedEscape(at int) error {
	switch {
	case at >= len(p.body):
		return nil // the string does not end
	case p.body[at] == 'u':
		for i := at + 1; i < min(at+5, len(p.body)); i++ {
			if !strings.ContainsRune("0123456789abcdefABCDEF", rune(p.body[i])) {
				return p.unexpected(i, ": expected a hex-digit for character escape sequence")
			}
		}
	case !strings.ContainsRune(`"\/bfnrt`, rune(p.body[at])):
		return p.at(at, parseError, fmt.Sprintf("Unrecognized character escape '%c' (code %d)", p.body[at], p.body[at]))
	}
	return nil
}
