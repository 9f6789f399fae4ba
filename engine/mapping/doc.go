// SPDX-License-Identifier: Apache-2.0

// Package mapping knows what the fields of an index are: explicit mappings and those that documents bring, what a value
// may be, and what is indexed of it.
//
// A [Mapping] is immutable. [Parse] reads one, [Mapping.Merge] adds to it: the type of a field never changes, a conflict
// is an error. [Mapping.Check] looks whether a document fits, and returns the mapping it would grow to;
// [Mapping.Document] makes of the document what the full-text index takes. Both walk the source in the same way.
//
// How values are indexed: text is analyzed under the field's path; keyword, boolean and ip values are one term each;
// floating-point numbers are numeric; integers and dates are numeric (for ranges) and also one term each under
// [Exact](path), sixteen hexadecimal digits in numeric order, because the index's numbers are floating-point and lose
// integers beyond 2^53. [FieldNames] holds the paths that have a value.
package mapping

import "fmt"

// FieldNames is the internal field of the paths that have a value.
const FieldNames = "_field_names"

// SeqNo is the internal field of the sequence number, RoutingField that of the routing.
const (
	SeqNo        = "_seq_no"
	RoutingField = "_routing"
)

// Exact is the internal field in which integers and dates stand as sortable terms.
func Exact(path string) string { return path + "\x1f" }

// ExactTerm is an integer as a term whose order is the numbers'.
func ExactTerm(n int64) string { return fmt.Sprintf("%016x", uint64(n)^(1<<63)) }

// ExactValue is the integer of a term.
func ExactValue(term string) (int64, error) {
	var u uint64
	if _, err := fmt.Sscanf(term, "%016x", &u); err != nil {
		return 0, err
	}
	return int64(u ^ (1 << 63)), nil
}
