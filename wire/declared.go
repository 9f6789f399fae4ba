// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/opensteward/steward/fault"
)

// Declared are the members that an object may have, by name.
type Declared map[string]Declaration

// Declaration is that of one member: the kinds of value it takes, and what reads one. Read begins at the value's first token and
// ends at its last.
type Declaration struct {
	Takes []Token
	Read  func() error
}

// DeclaredText is a member that takes a text alone.
func (p *Parser) DeclaredText(read func(text string) error) Declaration {
	return Declaration{[]Token{String}, func() error { return read(p.text) }}
}

// minNameSimilarity is what a name needs to be suggested (OpenSearch's figure).
const minNameSimilarity = 0.5

// Declared reads an object as OpenSearch's own object parsers do, which check a value's kind before it is read and wrap
// what goes wrong: each error is a 400 x_content_parse_exception, such as "[1:43] [script] source doesn't support values
// of type: VALUE_NUMBER", or "[1:43] [script] failed to parse field [source]" with its cause. object is its name there.
func (p *Parser) Declared(object string, members Declared) error {
	if p.token != StartObject {
		if _, err := p.Next(); err != nil {
			return p.failed(err, "[%s] failed to parse object", object)
		}
		return p.failed(nil, "[%s] Expected START_OBJECT but was: %s", object, p.token)
	}
	for {
		t, err := p.Next()
		switch {
		case err != nil:
			return p.failed(err, "[%s] failed to parse object", object)
		case t == EndObject:
			return nil
		}
		name, unknown := p.name, p.failed(nil, "[%s] unknown field [%s]", object, p.name)
		if t, err = p.Next(); err != nil {
			return p.failed(err, "[%s] failed to parse object", object)
		}
		m, known := members[name]
		switch {
		case !known:
			unknown.Reason += didYouMean(name, slices.Collect(maps.Keys(members)))
			return unknown
		case !slices.Contains(m.Takes, t):
			return p.failed(nil, "[%s] %s doesn't support values of type: %s", object, name, t)
		}
		if err := m.Read(); err != nil {
			return p.failed(err, "[%s] failed to parse field [%s]", object, name)
		}
	}
}

// failed is what an object parser says at the current token.
func (p *Parser) failed(cause error, format string, args ...any) *fault.Error {
	line, col := p.Position()
	e := fault.New(400, "x_content_parse_exception", "[%d:%d] "+format, append([]any{line, col}, args...)...)
	if cause == nil {
		return e
	}
	e.CausedBy = fault.Of(cause)
	switch e.CausedBy.Type {
	case e.Type, "parsing_exception", "parse_exception": // the innermost of OpenSearch's own is the root
		e.Roots = []*fault.Error{e.CausedBy}
		if len(e.CausedBy.Roots) > 0 {
			e.Roots = e.CausedBy.Roots
		}
	}
	return e
}

// didYouMean suggests known names for an unknown one: " did you mean [source]?".
func didYouMean(name string, known []string) string {
	switch near := Similar(name, known, minNameSimilarity); len(near) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf(" did you mean [%s]?", near[0])
	default:
		return fmt.Sprintf(" did you mean any of [%s]?", strings.Join(near, ", "))
	}
}
