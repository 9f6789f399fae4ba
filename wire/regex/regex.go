// SPDX-License-Identifier: Apache-2.0

// Package regex compiles the regular expressions that clients write, which are Java's. What Java refuses is refused with
// Java's text; what Java has and an expression that runs in linear time has not, look-around above all, is refused by
// name. An expression that compiles means what it means in Java, but for which letters differ by case alone.
package regex

import (
	"errors"
	"net/http"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"

	"github.com/opensteward/steward/fault"
)

// Compile compiles an expression. Its errors are faults with status 400: Java's pattern_syntax_exception, or an
// illegal_argument_exception that names what is not supported.
func Compile(expression string) (*regexp.Regexp, error) {
	s := scanner{text: []rune(expression), names: map[string]bool{}}
	if err := s.scan(); err != nil {
		return nil, err
	}
	re, err := regexp.Compile(expression)
	if err != nil {
		what := expression
		if e, ok := errors.AsType[*syntax.Error](err); ok {
			what = e.Expr
		}
		return nil, unsupported(what)
	}
	return re, nil
}

// Whole compiles an expression that matches a text from its beginning to its end.
func Whole(expression string) (*regexp.Regexp, error) {
	if _, err := Compile(expression); err != nil {
		return nil, err
	}
	return regexp.Compile("^(?:" + expression + ")$")
}

func unsupported(what string) *fault.Error {
	return fault.Illegal("[%s] in a regular expression is not supported", what)
}

// wrong is Java's error at a place in the expression, counted from 0; Java leaves out a place before its beginning, and
// the mark of one behind its end.
func (s *scanner) wrong(description string, at int) error {
	text := description
	if at >= 0 {
		text += " near index " + strconv.Itoa(at)
	}
	text += "\n" + string(s.text)
	if at >= 0 && at < len(s.text) {
		text += "\n" + strings.Repeat(" ", at) + "^"
	}
	return fault.New(http.StatusBadRequest, "pattern_syntax_exception", "%s", text)
}
