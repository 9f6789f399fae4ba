// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"cmp"
	"encoding/hex"
	"net/netip"
	"slices"
	"strings"
)

// Value is one doc value of a field, as the field's type takes it.
type Value struct {
	// Term is of keywords, booleans and addresses (see [IPTerm]).
	Term string
	// Integer is of integers, and of dates in epoch milliseconds.
	Integer int64
	// Float is of floating-point numbers.
	Float float64
}

// Values are the doc values of a source by path, for the wanted paths, in the order in which the server's doc values
// have them: numbers ascending, terms ascending and without repetition.
func (m *Mapping) Values(id string, source []byte, wanted map[string]bool) (map[string][]Value, error) {
	out := map[string][]Value{}
	w := &walker{mapping: m, id: id, part: newPart(id), take: func(f *Field, v parsed) {
		if wanted[f.Path] && f.DocValues {
			out[f.Path] = append(out[f.Path], Value{v.term, v.integer, v.float})
		}
	}}
	if err := w.walk(source); err != nil {
		return nil, err
	}
	for _, f := range m.constants {
		if wanted[f.Path] {
			out[f.Path] = []Value{{Term: *f.Constant}}
		}
	}
	for path, values := range out {
		slices.SortFunc(values, func(a, b Value) int {
			return cmp.Or(cmp.Compare(a.Integer, b.Integer), cmp.Compare(a.Float, b.Float), strings.Compare(a.Term, b.Term))
		})
		if f := m.fields[path]; f.IsTerm() && f.Type != "boolean" {
			out[path] = slices.Compact(values)
		}
	}
	return out, nil
}

// IPText is the address that a term of [IPTerm] stands for.
func IPText(term string) string {
	b, err := hex.DecodeString(term)
	if err != nil {
		return term
	}
	addr, ok := netip.AddrFromSlice(b)
	if !ok {
		return term
	}
	return addr.Unmap().String()
}
