// SPDX-License-Identifier: Apache-2.0

package ism

import (
	"encoding/json"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// Script is a Mustache template.
type Script struct {
	// Source is the template; the JSON text of one that was written as an object.
	Source  string
	Lang    string
	Options json.RawMessage
	Params  json.RawMessage
	object  bool
	stored  bool // an {"id": ...} of a stored script, which has no source
}

// contentType is the option of a template that says what it makes.
const contentType = "content_type"

// parseScript reads a template: a text, or {"source":...,"lang":...,"params":...,"options":...}.
func parseScript(p *wire.Parser) (*Script, error) {
	if p.Token() == wire.String {
		source, err := p.Text()
		return &Script{Source: source, Lang: "mustache"}, err
	}
	s, found := &Script{}, false
	options := wire.Object{}
	one := func(read func() error) func() error {
		return func() error {
			if found {
				return fault.Illegal("must only use one of [source, id] when specifying a script")
			}
			found = true
			return read()
		}
	}
	raw := func(to *json.RawMessage) wire.Declaration {
		return wire.Declaration{Takes: []wire.Token{wire.StartObject}, Read: func() (err error) {
			*to, err = p.Raw()
			return err
		}}
	}
	err := p.Declared("script", wire.Declared{
		"source": {Takes: []wire.Token{wire.StartObject, wire.String}, Read: one(func() error { return s.takeSource(p) })},
		"id": {Takes: []wire.Token{wire.String}, Read: one(func() error {
			s.stored = true
			return nil
		})},
		"lang":   p.DeclaredText(func(lang string) error { s.Lang = lang; return nil }),
		"params": raw(&s.Params),
		"options": {Takes: []wire.Token{wire.StartObject}, Read: func() (err error) {
			options, err = texts(p)
			return err
		}},
	})
	if err != nil {
		return nil, err
	}
	if err := s.check(found, options); err != nil {
		return nil, err
	}
	return s, s.setOptions(options)
}

// takeSource is a text, or an object as its JSON text.
func (s *Script) takeSource(p *wire.Parser) (err error) {
	if s.object = p.Token() == wire.StartObject; s.object {
		var raw json.RawMessage
		raw, err = p.Raw()
		s.Source = string(raw)
		return err
	}
	s.Source, err = p.Text()
	return err
}

// check is what OpenSearch checks of a script once it is read.
func (s *Script) check(found bool, options wire.Object) error {
	var unknown []string
	for _, o := range options {
		if o.Name != contentType {
			unknown = append(unknown, o.Name+"="+o.Value.(string))
		}
	}
	switch {
	case !found:
		return fault.Illegal("must specify either [source] for an inline script or [id] for a stored script")
	case s.stored && s.Lang != "":
		return fault.Illegal("illegally specified <lang> for a stored script")
	case s.stored && len(options) > 0:
		return fault.Illegal("field [options] cannot be specified using a stored script")
	case len(unknown) > 0:
		return fault.Illegal("illegal compiler options [{%s}] specified", strings.Join(unknown, ", "))
	}
	return nil
}

// setOptions adds what is not said: the language, and what an object as a source makes.
func (s *Script) setOptions(options wire.Object) (err error) {
	if !s.stored && s.Lang == "" {
		s.Lang = "mustache"
	}
	if s.object && len(options) == 0 {
		options.Add(contentType, "application/json; charset=UTF-8")
	}
	if len(options) > 0 {
		s.Options, err = options.MarshalJSON()
	}
	return err
}

func (s *Script) mustache() bool { return !s.stored && s.Lang == "mustache" }

func (s *Script) json() wire.Object {
	o := wire.Object{}
	if s.object {
		o.Add("source", json.RawMessage(s.Source))
	} else {
		o.Add("source", s.Source)
	}
	o.Add("lang", s.Lang)
	o.AddIf(s.Options != nil, "options", s.Options)
	var params map[string]json.RawMessage
	o.AddIf(json.Unmarshal(s.Params, &params) == nil && len(params) > 0, "params", s.Params)
	return o
}
