// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/opensteward/steward/fault"
)

// Match reports whether name matches a pattern in which only * is special (OpenSearch's simple match).
func Match(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == name
	}
	rest, ok := strings.CutPrefix(name, parts[0])
	if !ok {
		return false
	}
	last := len(parts) - 1
	for _, part := range parts[1:last] {
		at := strings.Index(rest, part)
		if at < 0 {
			return false
		}
		rest = rest[at+len(part):]
	}
	return strings.HasSuffix(rest, parts[last])
}

// MatchAny reports whether name matches one of the patterns.
func MatchAny(patterns []string, name string) bool {
	for _, p := range patterns {
		if Match(p, name) {
			return true
		}
	}
	return false
}

// IsPattern reports whether an index expression holds a wildcard.
func IsPattern(expression string) bool { return strings.Contains(expression, "*") }

// Overlap reports whether some name matches both patterns (only * is special).
func Overlap(a, b string) bool {
	// reach[j] says whether the part of a that was read and b[:j] have a common name
	reach := make([]bool, len(b)+1)
	reach[0] = true
	closeStars(reach, b)
	for i := range len(a) {
		next := make([]bool, len(b)+1)
		for j, ok := range reach {
			if !ok {
				continue
			}
			if a[i] == '*' {
				for k := j; k <= len(b); k++ {
					next[k] = true // a's star takes in any part of b
				}
				break
			}
			if j < len(b) && b[j] == '*' {
				next[j] = true // b's star takes in this byte
			}
			if j < len(b) && b[j] == a[i] {
				next[j+1] = true
			}
		}
		closeStars(next, b)
		reach = next
	}
	return reach[len(b)]
}

// closeStars lets every star of b that can be reached stand for nothing.
func closeStars(reach []bool, b string) {
	for j := range len(b) {
		if reach[j] && b[j] == '*' {
			reach[j+1] = true
		}
	}
}

// MaxIndexName is the longest name of an index, in bytes (OpenSearch's limit).
const MaxIndexName = 255

// CheckIndexName refuses what OpenSearch refuses as the name of a new index: 400 invalid_index_name_exception
// "Invalid index name [x], must be lowercase".
func CheckIndexName(name string) error {
	refuse := func(why string) error {
		return fault.New(400, "invalid_index_name_exception", "Invalid index name [%s], %s", name, why).
			With("index", name).With("index_uuid", "_na_")
	}
	switch {
	case name == "":
		return refuse("must not be empty")
	case strings.ContainsAny(name, `\/*?"<>| ,`):
		return refuse(`must not contain the following characters [ , ", *, \, <, |, ,, >, /, ?]`)
	case strings.Contains(name, "#"):
		return refuse("must not contain '#'")
	case strings.Contains(name, ":"):
		return refuse("must not contain ':'")
	case name[0] == '_' || name[0] == '-' || name[0] == '+':
		return refuse("must not start with '_', '-', or '+'")
	case len(name) > MaxIndexName:
		return refuse(fmt.Sprintf("index name is too long, (%d > %d)", len(name), MaxIndexName))
	case name == "." || name == "..":
		return refuse("must not be '.' or '..'")
	case strings.ToLower(name) != name:
		return refuse("must be lowercase")
	case !utf8.ValidString(name):
		return refuse("must be valid UTF-8")
	}
	return nil
}

// IndexOptions are the expand_wildcards, ignore_unavailable and allow_no_indices of a request.
type IndexOptions struct {
	Open, Closed, Hidden              bool
	IgnoreUnavailable, AllowNoIndices bool
	ForbidAliasesToMany, ForbidClosed bool
}

// Expand sets which indices patterns take, by the words of expand_wildcards.
func (o *IndexOptions) Expand(words []string) error {
	o.Open, o.Closed, o.Hidden = false, false, false
	for _, word := range words {
		switch word {
		case "open":
			o.Open = true
		case "closed":
			o.Closed = true
		case "hidden":
			o.Hidden = true
		case "none":
			o.Open, o.Closed, o.Hidden = false, false, false
		case "all":
			o.Open, o.Closed, o.Hidden = true, true, true
		default:
			return fault.Illegal("No valid expand wildcard value [%s]", word)
		}
	}
	return nil
}
