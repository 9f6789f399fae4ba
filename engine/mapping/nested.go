// SPDX-License-Identifier: Apache-2.0

package mapping

import "strings"

// nestedMark begins the internal names of what belongs to nested objects and not to their document. No field's name can
// begin so: control characters are refused.
const nestedMark = "\x01"

// nestedName is the internal name of a nested object, or of a field within one.
func nestedName(path string) string { return nestedMark + path }

// InNested is the field as it is indexed for queries on the nested objects that it belongs to.
func (f *Field) InNested() *Field {
	in := *f
	in.Path = nestedName(f.Path)
	return &in
}

// NestedObject looks for the nested object of a path. Its internal name is noted among [FieldNames] of documents that have
// one. included is true if its fields are those of the document instead.
func (m *Mapping) NestedObject(path string) (name string, included, found bool) {
	o := m.root
	for part := range strings.SplitSeq(path, ".") {
		if o = o.objects[part]; o == nil {
			return "", false, false
		}
	}
	return nestedName(path), o.inParent || o.inRoot, o.nested
}
