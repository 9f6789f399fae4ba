// SPDX-License-Identifier: Apache-2.0

// Package usecase holds the built-in use cases of the Flow Framework: templates with placeholders, the defaults of those,
// and which of them a client has to give.
//
// [Build] fills a use case in; what it gives is the body of a request that creates a workflow. Placeholders that are no
// parameters of the use case stay: they stand for what steps give. Each use case is one file in templates/. Where the
// plugin's own template cannot be provisioned, the one here can; docs/differences-flow.md says how they differ.
package usecase

import (
	"embed"
	"encoding/json"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/opensteward/steward/flow"
	"github.com/opensteward/steward/wire"
)

//go:embed templates/*.json
var files embed.FS

// useCase is a file.
type useCase struct {
	// Required are the parameters that a client has to give, although they have defaults.
	Required []string
	Defaults map[string]string
	Template json.RawMessage
}

// Names are all use cases, in order.
func Names() []string {
	entries, err := files.ReadDir("templates")
	if err != nil {
		return nil // never: the directory is in the program
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = strings.TrimSuffix(e.Name(), ".json")
	}
	return names
}

func open(name string) (*useCase, error) {
	unknown := flow.Errorf(http.StatusBadRequest, "Unable to find substitution ready file for use case: %s", name)
	if name == "" || strings.ContainsAny(name, `/\.`) {
		return nil, unknown
	}
	text, err := files.ReadFile(path.Join("templates", name+".json"))
	if err != nil {
		return nil, unknown
	}
	var u useCase
	if err := json.Unmarshal(text, &u); err != nil {
		return nil, err
	}
	return &u, nil
}

// Build makes a template of a use case and the parameters that body gives, which may be nil. Parameters that the use case
// does not have are left aside, as the plugin does.
func Build(name string, body []byte) ([]byte, error) {
	u, err := open(name)
	if err != nil {
		return nil, err
	}
	given := map[string]string{}
	if body != nil {
		if given, err = parameters(body); err != nil {
			return nil, err
		}
	}
	var missing []string
	for _, required := range u.Required {
		if _, ok := given[required]; !ok {
			missing = append(missing, required)
		}
	}
	if len(missing) > 0 {
		return nil, flow.Errorf(http.StatusBadRequest, "Missing the following required parameters for use case [%s] : [%s]", name, strings.Join(missing, ", "))
	}
	return u.fill(given)
}

var placeholder = regexp.MustCompile(`\$\{\{\s*([^{}]+?)\s*\}\}`)

// fill puts what is given, else the defaults, into the template's texts.
func (u *useCase) fill(given map[string]string) ([]byte, error) {
	var failed error
	text := placeholder.ReplaceAllStringFunc(string(u.Template), func(found string) string {
		value, known := u.value(nameOf(found), given)
		if !known {
			return found
		}
		quoted, err := wire.Marshal(value)
		if err != nil {
			failed = err
			return found
		}
		return string(quoted[1 : len(quoted)-1])
	})
	return []byte(text), failed
}

func nameOf(found string) string { return placeholder.FindStringSubmatch(found)[1] }

// value is what a parameter stands for; known is false if the use case has none of this name. A default may be another
// parameter.
func (u *useCase) value(of string, given map[string]string) (value string, known bool) {
	value, known = u.Defaults[of]
	if v, ok := given[of]; ok && known {
		return v, true
	}
	return placeholder.ReplaceAllStringFunc(value, func(found string) string {
		if v, ok := given[nameOf(found)]; ok {
			return v
		}
		return u.Defaults[nameOf(found)]
	}), known
}

// badBody is what the plugin says of parameters that it cannot read.
func badBody(status int, cause error) error {
	e := flow.Errorf(status, "failure parsing request body when a use case is given, make sure to provide a map with values that are either Strings, Arrays, or Map of Strings to Strings")
	e.Err = cause
	return e
}

// parameters reads the values of a body as texts: scalars as they are written, arrays and objects as the plugin prints
// them.
func parameters(body []byte) (map[string]string, error) {
	p := wire.NewParser(body)
	if err := p.NextExpect(wire.StartObject); err != nil {
		return nil, badBody(http.StatusBadRequest, err)
	}
	out := map[string]string{}
	err := p.Object(func(name string) (err error) {
		switch p.Token() {
		case wire.StartArray:
			out[name], err = listText(p)
		case wire.StartObject:
			out[name], err = mapText(p)
		case wire.Null:
			return badBody(http.StatusInternalServerError, nil)
		default:
			out[name], err = p.Text()
		}
		return err
	})
	if err != nil && !flow.IsOwn(err) {
		err = badBody(http.StatusBadRequest, err)
	}
	return out, err
}

// listText is an array: ["a", "b"], numbers without quotes.
func listText(p *wire.Parser) (string, error) {
	var items []string
	err := p.Array(func() error {
		number := p.Token() == wire.Number
		text, err := p.Text()
		if !number {
			text = `"` + text + `"`
		}
		items = append(items, text)
		return err
	})
	return "[" + strings.Join(items, ", ") + "]", err
}

// mapText is an object of texts: {a=b, c=d}.
func mapText(p *wire.Parser) (string, error) {
	var items []string
	err := p.Object(func(name string) error {
		text, err := p.Text()
		items = append(items, name+"="+text)
		return err
	})
	slices.Sort(items)
	return "{" + strings.Join(items, ", ") + "}", err
}
