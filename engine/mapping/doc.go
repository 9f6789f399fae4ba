// SPDX-License-Identifier: Apache-2.0

// Package mapping knows what the fields of an index are: explicit mappings and those that documents bring, what a value
// may be, and what is indexed of it.
//
// A [Mapping] is immutable. [Parse] reads one, [Mapping.Merge] adds to it: the type of a field never changes, a conflict
// is an error. [Mapping.Check] looks whether a document fits, and returns the mapping it would grow to;
// [Mapping.Document] makes of the document what the full-text index takes. Both walk the source in the same way.
//
// How values are indexed: text is analyzed under the field's path; keyword, boolean and ip values are one term each;
// numbers and dates are numeric (for ranges) and also one term each under [Exact](path), sixteen hexadecimal digits in
// numeric order, because the index's numbers are floating-point and lose integers beyond 2^53. (An unsigned_long stands
// under Exact only.) [FieldNames] holds the paths that have a value. A nested object is a document within its document, in
// the order in which they come; its fields are not the document's, unless include_in_parent or include_in_root says so, and
// have names of their own ([InNested]).
package mapping

import "strconv"

// FieldNames is the internal field of the paths that have a value.
const FieldNames = "_field_names"

// SeqNo is the internal field of the sequence number, RoutingField that of the routing, IDField that of the id.
const (
	IDField      = "_id"
	SeqNo        = "_seq_no"
	RoutingField = "_routing"
)

// Exact is the internal field in which integers and dates stand as sortable terms.
func Exact(path string) string { return path + "\x1f" }

// ExactTerm is an integer as a term whose order is the numbers'.
func ExactTerm(n int64) string {
	const digits = "0123456789abcdef"
	u := uint64(n) ^ 1<<63
	var out [16]byte
	for i := len(out) - 1; i >= 0; i-- {
		out[i] = digits[u&15]
		u >>= 4
	}
	return string(out[:])
}

// ExactValue is the integer of a term.
func ExactValue(term string) (int64, error) {
	u, err := strconv.ParseUint(term, 16, 64)
	return int64(u ^ 1<<63), err
}
