// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"slices"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// leaf takes one value under a field and its multi-fields.
func (w *walker) leaf(f *Field, text string, token wire.Token) error {
	if f.AliasOf != "" {
		return fault.Illegal("Cannot write to a field alias [%s].", f.Path)
	}
	if w.mapping.timestamp == f.Path && f.IsDate() {
		w.timestamps++
	}
	if err := w.index(f, text, token); err != nil {
		return err
	}
	for _, sub := range f.Multi {
		if err := w.index(sub, text, token); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) index(f *Field, text string, token wire.Token) error {
	v, err := f.parse(text, token)
	if err != nil {
		if f.IgnoreMalformed {
			return nil
		}
		e := w.bad(f, text)
		e.CausedBy = fault.Of(err)
		return e
	}
	if v.skip {
		return nil
	}
	if f.Type == "keyword" && len(v.term) > maxTerm {
		return fault.Illegal("Document contains at least one immense term in field=\"%s\" (whose UTF8 encoding is longer than the max length %d), all of which were skipped.  Please correct the analyzer to not produce such terms.", f.Path, maxTerm)
	}
	switch {
	case w.part == nil:
	case w.take == nil:
		for _, p := range w.part.into {
			p.add(f, v)
		}
	case slices.ContainsFunc(w.part.into, (*part).isRoot):
		w.take(f, v)
	}
	return nil
}

func (w *walker) bad(f *Field, preview string) *fault.Error {
	return mapperParsing("failed to parse field [%s] of type [%s] in document with id '%s'. Preview of field's value: '%s'", f.Path, f.Type, w.id, preview)
}

// flat indexes every leaf of an object as a term, and as path=value.
func (w *walker) flat(f *Field, path string) error {
	switch w.p.Token() {
	case wire.Null:
		return nil
	case wire.StartArray:
		return w.p.Array(func() error { return w.flat(f, path) })
	case wire.StartObject:
		return w.p.Object(func(name string) error { return w.flat(f, join(path, name)) })
	}
	text, err := w.p.Text()
	if err != nil || w.part == nil {
		return err
	}
	w.note(f)
	for _, p := range w.part.into {
		p.term(p.name(f.Path), text)
		if path != f.Path {
			p.term(p.name(path), text)
		}
	}
	return nil
}

// note remembers that a field has a value.
func (w *walker) note(f *Field) {
	if w.part == nil {
		return
	}
	for _, p := range w.part.into {
		p.note(p.name(f.Path))
	}
}
