// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire/regex"
)

// Renaming replaces what a regular expression matches, as Java's replaceAll does.
type Renaming struct {
	pattern     *regexp.Regexp
	replacement string
}

var javaGroup = regexp.MustCompile(`\\(.)|\$(\d+)|\$\{(\w+)\}|\$`)

// NewRenaming compiles a pattern with its replacement, in which $1 stands for a group and \ quotes.
func NewRenaming(pattern, replacement string) (*Renaming, error) {
	re, err := regex.Compile(pattern)
	if err != nil {
		return nil, err
	}
	r := &Renaming{pattern: re}
	for at := 0; ; {
		m := javaGroup.FindStringSubmatchIndex(replacement[at:])
		if m == nil {
			r.replacement += replacement[at:]
			return r, nil
		}
		r.replacement += replacement[at : at+m[0]]
		one := replacement[at+m[0] : at+m[1]]
		at += m[1]
		switch group := strings.Trim(one, "${}"); {
		case one[0] == '\\' && one[1] == '$':
			r.replacement += "$$"
		case one[0] == '\\':
			r.replacement += one[1:]
		case one == "$":
			return nil, fault.Illegal("Illegal group reference")
		default:
			if n, err := strconv.Atoi(group); err == nil && n > re.NumSubexp() {
				return nil, fault.New(http.StatusInternalServerError, "index_out_of_bounds_exception", "No group %d", n)
			}
			r.replacement += "${" + group + "}"
		}
	}
}

func (r *Renaming) apply(name string) string {
	if r == nil {
		return name
	}
	return r.pattern.ReplaceAllString(name, r.replacement)
}
