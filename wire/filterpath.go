// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"bytes"
	"encoding/json"
	"strings"
)

// FilterPath keeps of a JSON document only what the filter_path expressions name ("hits.hits._source", "**.name",
// "-_shards"), in the document's own order and with its own number texts.
func FilterPath(body []byte, expressions []string) ([]byte, error) {
	var include, exclude []path
	for _, e := range expressions {
		if e == "" {
			continue
		}
		if rest, ok := strings.CutPrefix(e, "-"); ok {
			exclude = append(exclude, strings.Split(rest, "."))
		} else {
			include = append(include, strings.Split(e, "."))
		}
	}
	if len(include)+len(exclude) == 0 {
		return body, nil
	}
	p := NewParser(body)
	if _, err := p.Next(); err != nil {
		return nil, err
	}
	f := filter{p: p, all: len(include) == 0}
	kept, err := f.value(include, exclude)
	if err != nil {
		return nil, err
	}
	if kept == nil {
		return []byte("{}"), nil
	}
	return kept, nil
}

// path is what is left of an expression below the current place.
type path []string

type filter struct {
	p *Parser
	// all is true if there are only exclusions.
	all bool
}

// step goes one name down. whole is true if an expression ends here.
func step(paths []path, name string) (next []path, whole bool) {
	for _, p := range paths {
		if len(p) == 0 {
			continue
		}
		if p[0] == "**" {
			next = append(next, p)
			if len(p) == 1 {
				whole = true
				continue
			}
			if Match(p[1], name) {
				if len(p) == 2 {
					whole = true
				} else {
					next = append(next, p[2:])
				}
			}
			continue
		}
		if Match(p[0], name) {
			if len(p) == 1 {
				whole = true
			} else {
				next = append(next, p[1:])
			}
		}
	}
	return next, whole
}

// value returns what is kept of the value at the parser's token, or nil.
func (f filter) value(include, exclude []path) ([]byte, error) {
	switch f.p.Token() {
	case StartObject:
		return f.object(include, exclude)
	case StartArray:
		return f.array(include, exclude)
	}
	if !f.all {
		return nil, nil // a leaf that no expression reached
	}
	return f.p.Raw()
}

func (f filter) object(include, exclude []path) ([]byte, error) {
	var out bytes.Buffer
	err := f.p.Object(func(name string) error {
		in, whole := step(include, name)
		ex, dropped := step(exclude, name)
		if dropped || (!whole && !f.all && len(in) == 0) {
			return f.p.Skip()
		}
		inner := filter{f.p, f.all || whole}
		value, err := inner.value(in, ex)
		if err != nil || value == nil {
			return err
		}
		if out.Len() > 0 {
			out.WriteByte(',')
		}
		key, err := Marshal(name)
		out.Write(key)
		out.WriteByte(':')
		out.Write(value)
		return err
	})
	if err != nil || (out.Len() == 0 && !f.all) {
		return nil, err
	}
	return append(append([]byte{'{'}, out.Bytes()...), '}'), nil
}

func (f filter) array(include, exclude []path) ([]byte, error) {
	var out bytes.Buffer
	err := f.p.Array(func() error {
		value, err := f.value(include, exclude)
		if err != nil || value == nil {
			return err
		}
		if out.Len() > 0 {
			out.WriteByte(',')
		}
		out.Write(value)
		return nil
	})
	if err != nil || (out.Len() == 0 && !f.all) {
		return nil, err
	}
	return append(append([]byte{'['}, out.Bytes()...), ']'), nil
}

// Indent prints a JSON document as ?pretty does.
func Indent(body []byte) []byte {
	var out bytes.Buffer
	if err := json.Indent(&out, body, "", "  "); err != nil {
		return body
	}
	// Jackson puts a blank around the colon
	return append(colons(out.Bytes()), '\n')
}

// colons writes ` : ` between name and value, outside of texts.
func colons(indented []byte) []byte {
	out := make([]byte, 0, len(indented)+len(indented)/8)
	inText := false
	for i := 0; i < len(indented); i++ {
		c := indented[i]
		switch {
		case inText && c == '\\':
			out = append(out, c, indented[i+1])
			i++
			continue
		case c == '"':
			inText = !inText
		case c == ':' && !inText:
			out = append(out, ' ')
		}
		out = append(out, c)
	}
	return out
}
