// SPDX-License-Identifier: Apache-2.0

package wire

import "time"

// Match reports whether name matches a pattern in which only * is special (OpenSearch's simple match).
func Match(pattern, name string) bool { panic("stub") }

// IsPattern reports whether an index expression holds a wildcard.
func IsPattern(expression string) bool { panic("stub") }

// Overlap reports whether some name matches both patterns (only * is special).
func Overlap(a, b string) bool { panic("stub") }

// ResolveDateMath turns <logs-{now/d{yyyy.MM.dd|UTC}}-1> into logs-2026.11.21-1. A name without < > is returned as it
// is. Errors are OpenSearch's parse_exception texts (400).
func ResolveDateMath(name string, now time.Time) (string, error) { panic("stub") }

// ParseDateMath evaluates "now-7d/d" or "2026-11-21||+1M/d" in the given formats ("strict_date_optional_time",
// "epoch_millis", a java.time pattern; several joined with ||). roundUp says which end of a rounded unit is meant.
func ParseDateMath(text, format string, now time.Time, roundUp bool, zone *time.Location) (time.Time, error) {
	panic("stub")
}

// FormatDate prints t in an OpenSearch date format.
func FormatDate(t time.Time, format string) string { panic("stub") }

// CheckIndexName refuses what OpenSearch refuses as the name of a new index: 400 invalid_index_name_exception
// "Invalid index name [x], must be lowercase".
func CheckIndexName(name string) error { panic("stub") }

// IndexOptions are the expand_wildcards, ignore_unavailable and allow_no_indices of a request.
type IndexOptions struct {
	Open, Closed, Hidden              bool
	IgnoreUnavailable, AllowNoIndices bool
	ForbidAliasesToMany, ForbidClosed bool
}
