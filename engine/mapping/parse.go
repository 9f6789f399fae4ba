// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"cmp"
	"encoding/base64"
	"errors"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// parsed is a value as a field takes it.
type parsed struct {
	term    string  // of terms and text
	integer int64   // of integers and dates
	float   float64 // of floating-point numbers
	skip    bool    // not indexed, and no mistake
}

// parse reads a value. The error is the cause that a mapper_parsing_exception shows.
func (f *Field) parse(text string, token wire.Token) (parsed, error) {
	if f.isNumber() {
		return f.parseNumber(text, token)
	}
	switch {
	case f.Type == "boolean":
		return parseBoolean(text, token)
	case f.IsDate():
		t, err := f.ParseDate(text)
		return parsed{integer: t.UnixMilli()}, err
	case f.Type == "ip":
		term, err := IPTerm(text)
		return parsed{term: term}, err
	case f.Type == "binary":
		_, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			err = fault.Illegal("Illegal base64 value")
		}
		return parsed{skip: true}, err
	case f.Constant != nil:
		if text != *f.Constant {
			return parsed{}, fault.Illegal("constant keyword field [%s] must have a value of [%s]", f.Path, *f.Constant)
		}
		return parsed{skip: true}, nil
	case f.Type == "keyword":
		if len([]rune(text)) > f.IgnoreAbove {
			return parsed{skip: true}, nil
		}
		return parsed{term: f.Normalize(text)}, nil
	}
	return parsed{term: text}, nil
}

func (f *Field) parseNumber(text string, token wire.Token) (parsed, error) {
	if token == wire.String {
		switch {
		case f.Exact:
			return parsed{}, fault.Illegal("%s value passed as String", javaNumbers[f.Type])
		case text == "" && f.NullValue == nil:
			return parsed{skip: true}, nil
		case text == "":
			text = *f.NullValue
		}
	}
	if f.IsFloat() {
		n, err := f.ParseFloat(text)
		return parsed{float: n}, err
	}
	n, err := f.ParseInteger(text)
	if err == nil && f.Exact && !whole(text) {
		err = fault.Illegal("%s cannot be converted to %s without data loss", text, javaNumbers[f.Type])
	}
	return parsed{integer: n}, err
}

// parseBoolean reads a boolean; an empty text is false.
func parseBoolean(text string, token wire.Token) (parsed, error) {
	if token == wire.Number {
		return parsed{}, fault.New(400, "json_parse_exception", "Current token (VALUE_NUMBER) not of boolean type")
	}
	text = cmp.Or(text, "false")
	_, err := wire.ParseBool(text)
	return parsed{term: text}, err
}

// javaNumbers are the names of types in what a field says that takes no other form of a number.
var javaNumbers = map[string]string{
	"long": "Long", "integer": "Integer", "short": "Short", "byte": "Integer", "unsigned_long": "BigInteger",
	"double": "Double", "float": "Float", "half_float": "Float", "scaled_float": "Double",
}

func (f *Field) isNumber() bool { return javaNumbers[f.Type] != "" }

// whole reports whether a number has no fraction.
func whole(text string) bool {
	x, err := strconv.ParseFloat(text, 64)
	return err == nil && x == math.Trunc(x)
}

// Normalize is a keyword as it is indexed and searched.
func (f *Field) Normalize(text string) string {
	if f.Normalizer == "lowercase" {
		return strings.ToLower(text)
	}
	return text
}

// ParseDate reads a date in the field's format.
func (f *Field) ParseDate(text string) (time.Time, error) {
	t, err := wire.ParseDate(text, f.Format, time.UTC)
	if err != nil {
		return t, fault.Illegal("failed to parse date field [%s] with format [%s]", text, f.Format)
	}
	return t, nil
}

// ParseInteger reads a whole number within the field's type; a fraction is cut off.
func (f *Field) ParseInteger(text string) (int64, error) {
	if f.IsUnsigned() {
		return parseUnsigned(text)
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		x, ferr := parseNumber(text)
		if ferr != nil {
			return 0, fault.Illegal("For input string: \"%s\"", text)
		}
		if x >= math.MaxInt64 || x <= math.MinInt64 {
			return 0, f.outOfRange(text)
		}
		n = int64(x)
	}
	if bounds := integers[f.Type]; n < bounds[0] || n > bounds[1] {
		return 0, f.outOfRange(text)
	}
	return n, nil
}

func (f *Field) outOfRange(text string) error {
	article := "a"
	if f.Type == "integer" {
		article = "an"
	}
	return fault.Illegal("Value [%s] is out of range for %s %s", text, article, f.Type)
}

// parseUnsigned reads a number from 0 to 2^64-1, moved down by 2^63.
func parseUnsigned(text string) (int64, error) {
	u, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		x, ferr := parseNumber(text)
		if ferr != nil {
			return 0, ferr
		}
		if x < 0 || x >= 1<<64 {
			return 0, fault.Illegal("Value [%s] is out of range for an unsigned long", text)
		}
		u = uint64(x)
	}
	return Unsigned(u), nil
}

// Unsigned is how an unsigned number stands among integers: moved down by 2^63.
func Unsigned(u uint64) int64 { return int64(u ^ 1<<63) }

// Integer is an integer of the field as it is printed: a number.
func (f *Field) Integer(n int64) string {
	if f.IsUnsigned() {
		return strconv.FormatUint(uint64(n)^1<<63, 10)
	}
	return strconv.FormatInt(n, 10)
}

func parseNumber(text string) (float64, error) {
	x, err := strconv.ParseFloat(text, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) || math.IsNaN(x) {
		return 0, fault.New(400, "number_format_exception", "For input string: \"%s\"", text)
	}
	return x, nil
}

// ParseFloat reads a number within the field's type.
func (f *Field) ParseFloat(text string) (float64, error) {
	n, err := parseNumber(text)
	switch {
	case err != nil:
		return 0, err
	case math.IsInf(n, 0), (f.Type == "float" || f.Type == "half_float") && math.Abs(n) > math.MaxFloat32:
		return 0, fault.Illegal("[%s] supports only finite values, but got [%s]", f.Type, text)
	}
	switch f.Type {
	case "float", "half_float":
		n = float64(float32(n))
	case "scaled_float":
		n = math.Round(n*f.ScalingFactor) / f.ScalingFactor
	}
	return n, nil
}

// IPTerm is an address as a term: sixteen bytes in hexadecimal, so that terms sort as addresses do.
func IPTerm(text string) (string, error) {
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return "", fault.Illegal("'%s' is not an IP string literal.", text)
	}
	b := addr.As16()
	const digits = "0123456789abcdef"
	out := make([]byte, 0, 32)
	for _, c := range b {
		out = append(out, digits[c>>4], digits[c&15])
	}
	return string(out), nil
}
