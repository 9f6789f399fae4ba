// SPDX-License-Identifier: Apache-2.0

package mapping

import "strings"

// nestedMark begins the internal names of what belongs to nested objects. No field's name can begin so: control
// characters are refused.
const nestedMark = "\x01"

// InNested is the internal name of a field of nested objects, or of their path among their [FieldNames]. That of "" is
// among the field names of every nested object; under that of [IDField] stands the id of the document.
func InNested(path string) string { return nestedMark + path }

// NestedObject looks for the nested object of a path. Its level is how many nested objects the path goes through, itself
// included.
func (m *Mapping) NestedObject(path string) (level int, found bool) {
	o := m.root
	for name := range strings.SplitSeq(path, ".") {
		if o = o.objects[name]; o == nil {
			return 0, false
		}
		if o.nested {
			level++
		}
	}
	return level, o.nested
}

// HasNested reports whether documents may have nested objects.
func (m *Mapping) HasNested() bool { return m.nested > 0 }

func (o *object) countNested() (n int) {
	for _, child := range o.objects {
		if child.nested {
			n++
		}
		n += child.countNested()
	}
	return n
}

// enter begins an object that may be a nested one, and returns what ends it. A document that has too many of them is
// refused before it is stored.
func (w *walker) enter(o *object) (leave func(), err error) {
	outer := w.part
	leave = func() { w.part = outer }
	switch {
	case o == nil || !o.nested:
	case w.part != nil:
		w.part = outer.nest(o, w.id)
	default:
		if w.objects++; w.objects > w.mapping.limits.NestedObjects {
			err = mapperParsing("The number of nested documents has exceeded the allowed limit of [%d]. This limit can be set by changing the [index.mapping.nested_objects.limit] index level setting.", w.mapping.limits.NestedObjects)
		}
	}
	return leave, err
}
