// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// The metadata fields that processors see beside those of the source.
const (
	fieldIndex       = "_index"
	fieldID          = "_id"
	fieldRouting     = "_routing"
	fieldVersion     = "_version"
	fieldVersionType = "_version_type"
	fieldSeqNo       = "_if_seq_no"
	fieldTerm        = "_if_primary_term"
)

var metadataFields = []string{fieldIndex, fieldID, fieldRouting, fieldVersion, fieldVersionType, fieldSeqNo, fieldTerm}

// Document is a document on its way through pipelines.
type Document struct {
	// fields are source and metadata, ingest what paths that begin with _ingest lead to.
	fields, ingest *Object
	// running are the ids of the pipelines that it is in, the innermost last.
	running []string
	// trace collects what each processor did; nil if nobody asks.
	trace *[]Step
}

// NewDocument makes a document of a source, which it takes over. An empty id or routing is none.
func NewDocument(index, id, routing string, source *Object, now time.Time) *Document {
	d := &Document{fields: source, ingest: NewObject()}
	source.Set(fieldIndex, index)
	if id != "" {
		source.Set(fieldID, id)
	}
	if routing != "" {
		source.Set(fieldRouting, routing)
	}
	d.ingest.Set("timestamp", now.UTC().Format(time.RFC3339Nano))
	return d
}

// SetMetadata adds a metadata field, such as _version.
func (d *Document) SetMetadata(name string, v any) { d.fields.Set(name, v) }

// Metadata is a metadata field as text; "" if it is not set.
func (d *Document) Metadata(name string) string {
	v, _ := d.fields.Get(name)
	if v == nil {
		return ""
	}
	return text(v)
}

// Index is the index that the document goes to.
func (d *Document) Index() string { return d.Metadata(fieldIndex) }

// ID is the document's id; "" for none.
func (d *Document) ID() string { return d.Metadata(fieldID) }

// Routing is the document's routing; "" for none.
func (d *Document) Routing() string { return d.Metadata(fieldRouting) }

// Source is the source without metadata.
func (d *Document) Source() *Object {
	out := &Object{}
	for _, m := range d.fields.members {
		if !slices.Contains(metadataFields, m.Name) {
			out.members = append(out.members, m)
		}
	}
	return out
}

func (d *Document) clone() *Document {
	return &Document{fields: d.fields.clone(), ingest: d.ingest.clone(), running: slices.Clone(d.running)}
}

// path splits a path and says where it begins.
func (d *Document) path(path string) (root *Object, elements []string, err error) {
	if path == "" {
		return nil, nil, fault.Illegal("path cannot be null nor empty")
	}
	root, rest := d.fields, path
	if inner, ok := strings.CutPrefix(path, "_ingest."); ok {
		root, rest = d.ingest, inner
	} else if inner, ok := strings.CutPrefix(path, "_source."); ok {
		rest = inner
	}
	elements = strings.Split(strings.TrimRight(rest, "."), ".")
	if len(elements) == 1 && elements[0] == "" {
		return nil, nil, fault.Illegal("path [%s] is not valid", path)
	}
	if len(elements) > wire.MaxDepth { // a path may come out of a document
		return nil, nil, fault.Illegal("path of [%d] elements exceeds the maximum allowed (%d)", len(elements), wire.MaxDepth)
	}
	return root, elements, nil
}

// get is the value at a path. A path that leads nowhere is illegal_argument_exception.
func (d *Document) get(path string) (any, error) {
	root, elements, err := d.path(path)
	if err != nil {
		return nil, err
	}
	return walk(root, elements, path)
}

// getOr is get, or nil for a path that leads nowhere if that is not to be an error.
func (d *Document) getOr(path string, ignoreMissing bool) (any, error) {
	v, err := d.get(path)
	if err == nil || !ignoreMissing {
		return v, err
	}
	if has, hasErr := d.has(path, false); hasErr != nil || has {
		return nil, err
	}
	return nil, nil
}

func walk(context any, elements []string, path string) (any, error) {
	for _, element := range elements {
		var err error
		if context, err = resolve(context, element, path); err != nil {
			return nil, err
		}
	}
	return context, nil
}

// resolve goes one step along a path.
func resolve(context any, element, path string) (any, error) {
	switch c := context.(type) {
	case nil:
		return nil, fault.Illegal("cannot resolve [%s] from null as part of path [%s]", element, path)
	case *Object:
		v, ok := c.Get(element)
		if !ok {
			return nil, fault.Illegal("field [%s] not present as part of path [%s]", element, path)
		}
		return v, nil
	case *List:
		i, err := c.place(element, path)
		if err != nil {
			return nil, err
		}
		return c.items[i], nil
	}
	return nil, fault.Illegal("cannot resolve [%s] from object of type [%s] as part of path [%s]", element, javaType(context), path)
}

// place reads an element of a path as an index of the list.
func (l *List) place(element, path string) (int, error) {
	i, err := strconv.Atoi(element)
	if err != nil {
		e := fault.Illegal("[%s] is not an integer, cannot be used as an index as part of path [%s]", element, path)
		e.CausedBy = numberFormat(element)
		return 0, e
	}
	if i < 0 || i >= len(l.items) {
		return 0, fault.Illegal("[%d] is out of bounds for array with length [%d] as part of path [%s]", i, len(l.items), path)
	}
	return i, nil
}

func numberFormat(text string) *fault.Error {
	return fault.New(400, "number_format_exception", "For input string: \"%s\"", text)
}

// has reports whether a path leads to a value, null included. An index beyond a list's end may be an error.
func (d *Document) has(path string, failOutOfRange bool) (bool, error) {
	root, elements, err := d.path(path)
	if err != nil {
		return false, err
	}
	var context any = root
	for _, element := range elements {
		switch c := context.(type) {
		case *Object:
			v, ok := c.Get(element)
			if !ok {
				return false, nil
			}
			context = v
		case *List:
			i, err := c.place(element, path)
			if err != nil {
				if _, notANumber := strconv.Atoi(element); notANumber == nil && failOutOfRange {
					return false, err
				}
				return false, nil
			}
			context = c.items[i]
		default:
			return false, nil
		}
	}
	return true, nil
}

// set puts a value at a path; objects on the way are made.
func (d *Document) set(path string, v any) error {
	parent, leaf, err := d.parent(path)
	if err != nil {
		return err
	}
	switch p := parent.(type) {
	case *Object:
		p.Set(leaf, v)
		return nil
	case *List:
		i, err := p.place(leaf, path)
		if err == nil {
			p.items[i] = v
		}
		return err
	case nil:
		return fault.Illegal("cannot set [%s] with null parent as part of path [%s]", leaf, path)
	}
	return fault.Illegal("cannot set [%s] with parent object of type [%s] as part of path [%s]", leaf, javaType(parent), path)
}

// parent is what holds the last element of a path; objects that are missing on the way to it are made.
func (d *Document) parent(path string) (parent any, leaf string, err error) {
	root, elements, err := d.path(path)
	if err != nil {
		return nil, "", err
	}
	last := len(elements) - 1
	parent = root
	for _, element := range elements[:last] {
		if o, ok := parent.(*Object); ok {
			if _, there := o.Get(element); !there {
				o.Set(element, NewObject())
			}
		}
		if parent, err = resolve(parent, element, path); err != nil {
			return nil, "", err
		}
	}
	return parent, elements[last], nil
}

// appendTo adds values to the list at a path, which is made of what is there.
func (d *Document) appendTo(path string, values any, duplicates bool) error {
	here, err := d.has(path, false)
	if err != nil {
		return err
	}
	list := &List{}
	if here {
		was, err := d.get(path)
		if err != nil {
			return err
		}
		if l, ok := was.(*List); ok {
			list = l
		} else {
			list.items = []any{was}
		}
	}
	added := []any{values}
	if l, ok := values.(*List); ok {
		added = l.items
	}
	changed := !here
	for _, v := range added {
		if here && !duplicates && slices.ContainsFunc(list.items, func(item any) bool { return equal(item, v) }) {
			continue
		}
		list.items = append(list.items, v)
		changed = true
	}
	if !changed {
		return nil
	}
	return d.set(path, list)
}

// remove takes away the value at a path.
func (d *Document) remove(path string) error {
	root, elements, err := d.path(path)
	if err != nil {
		return err
	}
	last := len(elements) - 1
	parent, err := walk(root, elements[:last], path)
	if err != nil {
		return err
	}
	leaf := elements[last]
	switch p := parent.(type) {
	case *Object:
		if _, ok := p.Get(leaf); !ok {
			return fault.Illegal("field [%s] not present as part of path [%s]", leaf, path)
		}
		p.Delete(leaf)
		return nil
	case *List:
		i, err := p.place(leaf, path)
		if err == nil {
			p.items = slices.Delete(p.items, i, i+1)
		}
		return err
	case nil:
		return fault.Illegal("cannot remove [%s] from null as part of path [%s]", leaf, path)
	}
	return fault.Illegal("cannot remove [%s] from object of type [%s] as part of path [%s]", leaf, javaType(parent), path)
}

// getText is the text at a path; nil for null, or where nothing is and that is not to be an error.
func (d *Document) getText(path string, ignoreMissing bool) (*string, error) {
	v, err := d.getOr(path, ignoreMissing)
	if err != nil || v == nil {
		return nil, err
	}
	if s, ok := v.(string); ok {
		return &s, nil
	}
	return nil, cannotCast(path, v, "java.lang.String")
}

// getList is the list at a path, as getText is its text.
func (d *Document) getList(path string, ignoreMissing bool) (*List, error) {
	v, err := d.getOr(path, ignoreMissing)
	if err != nil || v == nil {
		return nil, err
	}
	if l, ok := v.(*List); ok {
		return l, nil
	}
	return nil, cannotCast(path, v, "java.util.List")
}

func cannotCast(path string, v any, want string) error {
	return fault.Illegal("field [%s] of type [%s] cannot be cast to [%s]", path, javaType(v), want)
}
