// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"cmp"
	"slices"
	"strings"
)

// minSimilarity is what a name needs to be suggested (OpenSearch's figure).
const minSimilarity = 0.5

// suggestion is ` -> did you mean [size]?` or ` -> did you mean any of [a, b]?`, or "" if no candidate is similar.
func suggestion(name string, candidates []string) string {
	type scored struct {
		name  string
		score float64
	}
	var near []scored
	for _, c := range candidates {
		if s := similarity(name, c); s > minSimilarity {
			near = append(near, scored{c, s})
		}
	}
	if len(near) == 0 {
		return ""
	}
	slices.SortFunc(near, func(a, b scored) int {
		return cmp.Or(cmp.Compare(b.score, a.score), strings.Compare(a.name, b.name))
	})
	if len(near) == 1 {
		return " -> did you mean [" + near[0].name + "]?"
	}
	names := make([]string, len(near))
	for i, c := range near {
		names[i] = c.name
	}
	return " -> did you mean any of [" + strings.Join(names, ", ") + "]?"
}

// similarity is 1 minus the edit distance over the longer length.
func similarity(a, b string) float64 {
	longest := max(len(a), len(b))
	if longest == 0 {
		return 1
	}
	return 1 - float64(distance(a, b))/float64(longest)
}

// distance is the Levenshtein distance.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substitute := diagonal
			if a[i] != b[j] {
				substitute++
			}
			diagonal = row[j+1]
			row[j+1] = min(substitute, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
