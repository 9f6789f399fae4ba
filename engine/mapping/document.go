// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"errors"

	"github.com/blevesearch/bleve/v2/document"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// maxTerm is the longest term that is indexed, in bytes (Lucene's limit).
const maxTerm = 32766

// Check looks whether a document fits the mapping, and returns the mapping it would grow to; nil if it does not grow it.
// A value that does not fit is 400 mapper_parsing_exception, a new field under a strict mapping
// strict_dynamic_mapping_exception.
func (m *Mapping) Check(id string, source []byte) (grown *Mapping, err error) {
	w := &walker{mapping: m, id: id}
	if err := w.walk(source); err != nil {
		return nil, err
	}
	if m.timestamp != "" && w.timestamps != 1 {
		return nil, w.failed(fault.Illegal("documents must contain a single-valued timestamp field '%s' of date type", m.timestamp))
	}
	if len(w.added) == 0 {
		return nil, nil
	}
	body, err := wire.Marshal(map[string]any{"properties": w.added})
	if err != nil {
		return nil, err
	}
	return m.merge(body, growth)
}

// Document makes of a document what the full-text index takes. Fields that the mapping does not know are left out.
func (m *Mapping) Document(id, routing string, seqNo int64, source []byte) (*document.Document, error) {
	w := &walker{mapping: m, id: id, part: newPart(id)}
	if err := w.walk(source); err != nil {
		return nil, err
	}
	p := w.part
	p.doc.AddIDField()
	p.integer(SeqNo, seqNo)
	if routing != "" {
		p.term(RoutingField, routing)
	}
	for _, f := range m.constants {
		p.note(f.Path)
		p.term(f.Path, *f.Constant)
	}
	return p.doc, nil
}

// walker goes through a source under a mapping. With a part it adds fields to it, without one it collects what dynamic
// mapping adds.
type walker struct {
	mapping *Mapping
	id      string
	part    *part // of the object that is walked
	objects int   // how many nested ones a document without parts has so far
	p       *wire.Parser
	// take is given each value that is the document's, instead of the part, if it is not nil.
	take func(*Field, parsed)
	// added is the properties tree of new fields, pending and fresh are its leaves and objects by path.
	added   map[string]any
	pending map[string]*Field
	fresh   map[string]*object
	// timestamps counts the values of a data stream's timestamp.
	timestamps int
}

func (w *walker) walk(source []byte) error {
	w.p = wire.NewParser(source)
	switch t, err := w.p.Next(); {
	case err != nil:
		return w.failed(err)
	case t != wire.StartObject:
		return w.failed(fault.New(400, "not_x_content_exception",
			"Compressor detection can only be called on some xcontent bytes or compressed xcontent bytes"))
	}
	if err := w.object(w.mapping.root, "", w.mapping.root.dynamic); err != nil {
		return w.failed(err)
	}
	if t, err := w.p.Next(); err != nil || t != wire.None {
		return w.failed(err)
	}
	return nil
}

// failed is the error of a source that cannot be taken in, for a cause outside of its values.
func (w *walker) failed(cause error) error {
	if cause != nil && (isMapperError(cause) || fault.Of(cause).Status >= 500 || errors.Is(cause, errors.ErrUnsupported)) {
		return cause
	}
	e := mapperParsing("failed to parse")
	if cause != nil {
		e.CausedBy = fault.Of(cause)
	}
	return e
}

func isMapperError(err error) bool {
	return fault.Is(err, "mapper_parsing_exception") || fault.Is(err, "strict_dynamic_mapping_exception")
}
