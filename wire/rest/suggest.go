// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"strings"

	"github.com/opensteward/steward/wire"
)

// minSimilarity is what a name needs to be suggested (OpenSearch's figure).
const minSimilarity = 0.5

// suggestion is ` -> did you mean [size]?` or ` -> did you mean any of [a, b]?`, or "" if no candidate is similar.
func suggestion(name string, candidates []string) string {
	switch near := wire.Similar(name, candidates, minSimilarity); len(near) {
	case 0:
		return ""
	case 1:
		return " -> did you mean [" + near[0] + "]?"
	default:
		return " -> did you mean any of [" + strings.Join(near, ", ") + "]?"
	}
}
