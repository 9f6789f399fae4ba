// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"maps"
	"slices"
	"time"
)

// sorted are the keys of a map in order.
func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// orEmpty is the list as JSON shows it: empty, not null.
func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// instant is a time as ISO 8601 with milliseconds.
func instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
