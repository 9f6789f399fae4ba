// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"cmp"
	"slices"
	"strings"
)

// What a name needs to be suggested in the place of an unknown one (OpenSearch's figures).
const (
	NameSimilarity    = 0.5 // of parameters, fields and metrics
	SettingSimilarity = 0.7
)

// DidYouMean suggests names, behind what joins them to the sentence: "did you mean [size]?" or "did you mean any of
// [a, b]?"; "" without any.
func DidYouMean(join string, near []string) string {
	switch len(near) {
	case 0:
		return ""
	case 1:
		return join + "did you mean [" + near[0] + "]?"
	default:
		return join + "did you mean any of [" + strings.Join(near, ", ") + "]?"
	}
}

// Similar are the candidates whose similarity to name exceeds least, the most similar first.
func Similar(name string, candidates []string, least float64) []string {
	type scored struct {
		name  string
		score float64
	}
	var near []scored
	for _, c := range candidates {
		if s := similarity(name, c); s > least {
			near = append(near, scored{c, s})
		}
	}
	slices.SortFunc(near, func(a, b scored) int {
		return cmp.Or(cmp.Compare(b.score, a.score), strings.Compare(a.name, b.name))
	})
	names := make([]string, len(near))
	for i, c := range near {
		names[i] = c.name
	}
	return names
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
