// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/opensteward/steward/fault"
)

// parseQuery splits at & and ;, as OpenSearch does; the last value of a name counts. What cannot be decoded is a 400
// bad_parameter_exception.
func parseQuery(raw string, into map[string]string) error {
	for pair := range strings.FieldsFuncSeq(raw, func(c rune) bool { return c == '&' || c == ';' }) {
		name, value, _ := strings.Cut(pair, "=")
		if name == "" {
			name, value = value, ""
		}
		n, wrong := decode(name)
		v, also := decode(value)
		if wrong == "" {
			wrong = also
		}
		if wrong != "" {
			e := fault.New(http.StatusBadRequest, "bad_parameter_exception", "java.lang.IllegalArgumentException: %s", wrong)
			e.CausedBy = fault.Illegal("%s", wrong)
			return e
		}
		into[n] = v
	}
	return nil
}

// decode undoes the escapes of a name or value, or says what is wrong with one. A plus is a blank, and %% a percent sign.
func decode(text string) (decoded, wrong string) {
	if !strings.ContainsAny(text, "+%") {
		return text, ""
	}
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '+':
			out.WriteByte(' ')
		case c != '%':
			out.WriteByte(c)
		case i == len(text)-1:
			return "", "unterminated escape sequence at end of string: " + text
		case text[i+1] == '%':
			out.WriteByte('%')
			i++
		case i == len(text)-2:
			return "", "partial escape sequence at end of string: " + text
		default:
			b, err := strconv.ParseUint(text[i+1:i+3], 16, 8)
			if err != nil {
				return "", "invalid escape sequence `" + text[i:i+3] + "' at index " + strconv.Itoa(i) + " of: " + text
			}
			out.WriteByte(byte(b))
			i += 2
		}
	}
	return strings.ToValidUTF8(out.String(), "\ufffd"), ""
}
