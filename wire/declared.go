// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"maps"
	"slices"
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

// Declared reads an object as OpenSearch's own object parsers do, which check a value's kind before it is read and wrap
// what goes wrong: each error is a 400 x_content_parse_exception, such as "[1:43] [script] source doesn't support values
// of type: VALUE_NUMBER", or "[1:43] [script] failed to parse field [source]" with its cause. object is its name there.
func (p *Parser) Declared(object string, members Declared) error {
	if p.token == None { // the body begins here
		if _, err := p.Next(); err != nil {
			return err
		}
	} else if p.token != StartObject {
		if _, err := p.Next(); err != nil {
			return p.contentError(err, object, "failed to parse object")
		}
	}
	if p.token != StartObject {
		return p.contentError(nil, object, "Expected START_OBJECT but was: %s", p.token)
	}
	for {
		t, err := p.Next()
		switch {
		case err != nil:
			return p.contentError(err, object, "failed to parse object")
		case t == EndObject:
			return nil
		}
		name, at := p.name, p.start
		if t, err = p.Next(); err != nil {
			return p.contentError(err, object, "failed to parse object")
		}
		m, known := members[name]
		switch {
		case !known:
			p.start, at = at, p.start // at the name
			err := p.UnknownField(object, name, slices.Collect(maps.Keys(members))...)
			p.start = at
			return err
		case !slices.Contains(m.Takes, t):
			return p.contentError(nil, object, "%s doesn't support values of type: %s", name, t)
		}
		if err := m.Read(); err != nil {
			return p.FailedField(object, name, err)
		}
	}
}
