// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/opensteward/steward/fault"
)

// ReadObject calls member for each member of the object that a body is; see [Parser.Object]. What follows the object
// is not looked at.
func ReadObject(body []byte, member func(p *Parser, name string) error) error {
	p := NewParser(body)
	if _, err := p.Next(); err != nil {
		return err
	}
	return p.Object(func(name string) error { return member(p, name) })
}

// Texts is an array of texts, which are read as by Text; without any it is empty, not nil.
func (p *Parser) Texts() ([]string, error) {
	list := []string{}
	err := p.Array(func() error {
		text, err := p.Text()
		list = append(list, text)
		return err
	})
	return list, err
}

// TextOrTexts is a text, or an array of texts.
func (p *Parser) TextOrTexts() ([]string, error) {
	if p.token == StartArray {
		return p.Texts()
	}
	text, err := p.Text()
	return []string{text}, err
}

// RawObject is Raw of an object; anything else is the error of Expect.
func (p *Parser) RawObject() (json.RawMessage, error) {
	if err := p.Expect(StartObject); err != nil {
		return nil, err
	}
	return p.Raw()
}

// UnknownField is the 400 x_content_parse_exception "[1:2] [slice] unknown field [x]" of a member that an object does
// not have. Of known members a similar one is suggested: "... did you mean [y]?".
func (p *Parser) UnknownField(object, field string, known ...string) error {
	return p.contentError(nil, object, "unknown field [%s]%s", field, DidYouMean(" ", Similar(field, known, NameSimilarity)))
}

// FailedField is the 400 x_content_parse_exception "[1:2] [slice] failed to parse field [id]" whose cause is what is
// wrong with the member; nil without a cause. A refusal of what is not supported stays as it is.
func (p *Parser) FailedField(object, field string, cause error) error {
	if cause == nil || errors.Is(cause, errors.ErrUnsupported) {
		return cause
	}
	return p.contentError(cause, object, "failed to parse field [%s]", field)
}

// contentError is what OpenSearch's own object parsers say at the current token. Where the cause, which may be nil, is an
// error of parsing too, the innermost is the root.
func (p *Parser) contentError(cause error, object, format string, args ...any) *fault.Error {
	line, col := p.Position()
	e := fault.New(http.StatusBadRequest, "x_content_parse_exception", "[%d:%d] [%s] "+format, append([]any{line, col, object}, args...)...)
	if cause == nil {
		return e
	}
	e.CausedBy = fault.Of(cause)
	switch e.CausedBy.Type {
	case e.Type, "parse_exception", "parsing_exception":
		if e.Roots = e.CausedBy.Roots; len(e.Roots) == 0 {
			e.Roots = []*fault.Error{e.CausedBy}
		}
	}
	return e
}
