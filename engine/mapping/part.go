// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"slices"

	"github.com/blevesearch/bleve/v2/document"
	"github.com/blevesearch/bleve/v2/numeric"
	index "github.com/blevesearch/bleve_index_api"
)

// part is what is indexed as a document of its own: a document, or a nested object in it.
type part struct {
	doc *document.Document
	up  *part // nil for a document
	// into are the parts that get the values of this one: itself, and those whose mapping includes it.
	into  []*part
	noted map[string]bool
	texts map[string]uint64 // how many values a text field has so far
}

func newPart(id string) *part {
	p := &part{doc: document.NewDocument(id), noted: map[string]bool{}}
	p.into = []*part{p}
	return p
}

// nest begins a nested object of a document. It has no id of its own, as no document can have.
func (p *part) nest(o *object, id string) *part {
	in := newPart("")
	in.up = p
	p.doc.AddNestedDocument(in.doc)
	if o.inParent {
		in.into = append(in.into, p.into...)
	}
	if root := p.root(); o.inRoot && !slices.Contains(in.into, root) {
		in.into = append(in.into, root)
	}
	in.note(InNested(""))
	in.note(InNested(o.path))
	in.term(InNested(IDField), id)
	return in
}

func (p *part) isRoot() bool { return p.up == nil }

func (p *part) root() *part {
	for !p.isRoot() {
		p = p.up
	}
	return p
}

// name is the internal name of a field.
func (p *part) name(path string) string {
	if p.isRoot() {
		return path
	}
	return InNested(path)
}

const (
	searchable = index.IndexField
	sortable   = index.IndexField | index.DocValues
)

// add indexes a value of a field.
func (p *part) add(f *Field, v parsed) {
	if !f.Index && !f.DocValues {
		return
	}
	path := p.name(f.Path)
	p.note(path)
	switch {
	case f.Type == "text":
		p.text(path, f.Analyzer, v.term)
	case f.IsUnsigned():
		p.term(Exact(path), ExactTerm(v.integer))
	case f.IsInteger():
		p.integer(path, v.integer)
	case f.IsFloat():
		p.number(path, v.float, numeric.Float64ToInt64(v.float))
	default:
		p.term(path, v.term)
	}
}

// note indexes that a path has a value.
func (p *part) note(path string) {
	if !p.noted[path] {
		p.noted[path] = true
		p.term(FieldNames, path)
	}
}

// text indexes analyzed text. The position in the array keeps phrases within one value.
func (p *part) text(path, analyzer, text string) {
	if p.texts == nil {
		p.texts = map[string]uint64{}
	}
	at := []uint64{p.texts[path]}
	p.texts[path]++
	p.doc.AddField(document.NewTextFieldCustom(path, at, []byte(text), searchable|index.IncludeTermVectors, analyzers()[analyzer]))
}

func (p *part) term(path, term string) {
	p.doc.AddField(document.NewTextFieldCustom(path, nil, []byte(term), sortable, analyzers()["keyword"]))
}

func (p *part) integer(path string, n int64) { p.number(path, float64(n), n) }

// number indexes a number for ranges, and exactly for terms and sorting.
func (p *part) number(path string, x float64, exact int64) {
	p.doc.AddField(document.NewNumericFieldWithIndexingOptions(path, nil, x, searchable))
	p.term(Exact(path), ExactTerm(exact))
}
