// SPDX-License-Identifier: Apache-2.0

package ml

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// optional reads a text that may be null.
func optional(p *wire.Parser, into **string) error {
	text, err := p.TextOrNull()
	*into = text
	return err
}

// required reads a text.
func required(p *wire.Parser, into *string) (err error) {
	*into, err = p.Text()
	return err
}

func flag(p *wire.Parser, into **bool) error {
	v, err := p.Bool()
	*into = &v
	return err
}

// textMap reads an object of scalars, as texts.
func textMap(p *wire.Parser) (map[string]string, error) {
	out := map[string]string{}
	err := p.Object(func(name string) error {
		text, err := p.Text()
		out[name] = text
		return err
	})
	return out, err
}

// parameterMap reads an object of which each value that is no text is kept as its JSON.
func parameterMap(p *wire.Parser) (map[string]string, error) {
	out := map[string]string{}
	if p.Token() == wire.Null {
		return out, nil
	}
	err := p.Object(func(name string) error {
		if p.Token() == wire.String {
			text, err := p.Text()
			out[name] = text
			return err
		}
		raw, err := p.Raw()
		if err != nil {
			return err
		}
		compact, err := wire.Marshal(raw)
		out[name] = string(compact)
		return err
	})
	return out, err
}

// safeText is what names and descriptions may hold.
var safeText = regexp.MustCompile(`^[\p{L}\p{N}\s.,!?():@\-_/'"]*$`)

// checkTexts refuses names and descriptions that are not safe. A name is required unless it is nil.
func checkTexts(label string, name, description *string) error {
	var wrong []string
	add := func(field, text string) {
		if !safeText.MatchString(text) || !utf8.ValidString(text) {
			wrong = append(wrong, label+" "+field+` can only contain letters, numbers, spaces, and basic punctuation (.,!?():@-_'/")`)
		}
	}
	if description != nil {
		add("description", *description)
	}
	switch {
	case name == nil:
	case strings.TrimSpace(*name) == "":
		wrong = append(wrong, label+" name is required and cannot be null or blank")
	default:
		add("name", *name)
	}
	if len(wrong) == 0 {
		return nil
	}
	return fault.Validation(wrong...)
}

// accessControl are the parameters that only a cluster with security knows.
var accessControl = []string{"backend_roles", "add_all_backend_roles", "access_mode"}

// noAccessControl is the refusal of such parameters.
func noAccessControl(resource string) error {
	return fault.Illegal("You cannot specify %s access control parameters because the Security plugin or %s access control is disabled on your cluster.", resource, resource)
}
