// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"

	"github.com/opensteward/steward/fault"
)

// The readers below take a number or its text, and Bool a boolean or its text, as OpenSearch's parsers do: texts by the
// rules of Java's Double.parseDouble and BigDecimal, numbers by those of Jackson.

// Int is a 32-bit integer; fractions are cut off. A number that does not fit is input_coercion_exception, a text that
// does not illegal_argument_exception; a text that is no number is number_format_exception (400 each).
func (p *Parser) Int() (int, error) {
	if p.token != String {
		n, err := p.jsonInteger("int", math.MinInt32, math.MaxInt32)
		return int(n), err
	}
	f, err := parseJavaDouble(p.text)
	switch {
	case err != nil:
		return 0, err
	case f < math.MinInt32 || f > math.MaxInt32:
		return 0, fault.Illegal("Value [%s] is out of range for an integer", p.text)
	case math.IsNaN(f):
		return 0, nil
	}
	return int(f), nil
}

// Long is a 64-bit integer; fractions are cut off. A number that does not fit is input_coercion_exception, a text that
// does not, or is no number, illegal_argument_exception.
func (p *Parser) Long() (int64, error) {
	if p.token != String {
		return p.jsonInteger("long", math.MinInt64, math.MaxInt64)
	}
	return parseJavaLong(p.text)
}

// Double is a 64-bit floating-point number; a text that is no number is number_format_exception.
func (p *Parser) Double() (float64, error) {
	switch p.token {
	case String:
		return parseJavaDouble(p.text)
	case Number:
		f, _ := strconv.ParseFloat(p.text, 64) // an overflow is infinite, as in Java
		return f, nil
	}
	return 0, p.notNumeric()
}

// jsonInteger is a number of the body, cut to an integer of a type with these bounds.
func (p *Parser) jsonInteger(kind string, least, most int64) (int64, error) {
	if p.token != Number {
		return 0, p.notNumeric()
	}
	n, err := strconv.ParseInt(p.text, 10, 64)
	if err != nil && strings.ContainsAny(p.text, ".eE") {
		f, _ := strconv.ParseFloat(p.text, 64)
		if f >= float64(least) && f <= float64(most) {
			return saturated(f), nil
		}
	}
	if err != nil || n < least || n > most {
		shown := p.text
		if digits := len(strings.TrimPrefix(shown, "-")); digits >= maxNumberLength {
			shown = fmt.Sprintf("[Integer with %d digits]", digits)
		}
		return 0, p.at(p.end(), "input_coercion_exception", fmt.Sprintf("Numeric value (%s) out of range of %s (%d - %d)", shown, kind, least, most))
	}
	return n, nil
}

// saturated is f without its fraction; beyond a long it is the nearest one.
func saturated(f float64) int64 {
	if f >= math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(f)
}

func (p *Parser) notNumeric() error {
	return p.at(p.end(), "json_parse_exception", fmt.Sprintf("Current token (%s) not numeric, can not use numeric value accessors", p.jackson()))
}

// end is the offset behind the current token.
func (p *Parser) end() int { return int(p.dec.InputOffset()) }

// jackson is the current token's name in messages of the library below OpenSearch's parser.
func (p *Parser) jackson() string {
	switch {
	case p.token == Boolean:
		return "VALUE_" + strings.ToUpper(p.text)
	case p.token == Number && strings.ContainsAny(p.text, ".eE"):
		return "VALUE_NUMBER_FLOAT"
	case p.token == Number:
		return "VALUE_NUMBER_INT"
	}
	return p.token.String()
}

// parseJavaDouble reads what Java's Double.parseDouble does: blanks around the number, a d or f behind it, NaN and
// Infinity.
func parseJavaDouble(text string) (float64, error) {
	number := strings.TrimFunc(text, func(c rune) bool { return c <= ' ' })
	if number == "" {
		return 0, fault.New(400, "number_format_exception", "empty String")
	}
	bare := strings.TrimLeft(number, "+-")
	if n := len(number); !strings.HasPrefix(bare, "0x") && strings.ContainsRune("dDfF", rune(number[n-1])) {
		number = number[:n-1]
	}
	f, err := strconv.ParseFloat(number, 64)
	words := strings.ContainsAny(strings.ToLower(bare), "in_") && bare != "NaN" && bare != "Infinity"
	if words || err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, numberFormat(strings.TrimSpace(text))
	}
	return f, nil
}

// decimal is what Java's BigDecimal reads.
var decimal = regexp.MustCompile(`^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$`)

// parseJavaLong reads an integer, or a decimal number whose fraction is cut off.
func parseJavaLong(text string) (int64, error) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, nil
	}
	if !decimal.MatchString(text) {
		return 0, fault.Illegal("For input string: \"%s\"", text)
	}
	f, _ := strconv.ParseFloat(text, 64)
	if math.Abs(f) < 1 { // keeps numbers such as 1e-999999999 from being written out
		return 0, nil
	}
	if math.Abs(f) <= math.MaxInt64 {
		if exact, ok := new(big.Rat).SetString(text); ok {
			whole := new(big.Int).Quo(exact.Num(), exact.Denom())
			if whole.IsInt64() {
				return whole.Int64(), nil
			}
		}
	}
	return 0, fault.Illegal("Value [%s] is out of range for a long", text)
}

// Bool is true, false or their text; an empty text is false.
func (p *Parser) Bool() (bool, error) {
	switch {
	case p.token == String && p.text == "":
		return false, nil
	case p.token == Boolean || p.token == String:
		return ParseBool(p.text)
	}
	return false, p.at(p.end(), "json_parse_exception", fmt.Sprintf("Current token (%s) not of boolean type", p.jackson()))
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
