// SPDX-License-Identifier: Apache-2.0

package recorded

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// Values that no two servers share need only be of the same kind.
var (
	word      = regexp.MustCompile(`[A-Za-z0-9_-]+`)
	bigNumber = regexp.MustCompile(`\b\d{9,}\b`)
	ownKeys   = regexp.MustCompile(`(_time|_date|_seq_no|_primary_term|^took|^_version|_in_millis|^timestamp|^uuid|_uuid|^max_score|^_score|^schema_version)$`)
	seqNo     = regexp.MustCompile(`seqNo \[[^\]]*\]( and primary term \[\d+\])?`)
	current   = regexp.MustCompile(`\(current version \[\d+\]\)`)
	allowed   = regexp.MustCompile(`allowed: \[([A-Z, ]*)\]`)
	date      = regexp.MustCompile(`\b\d{4}\.\d\d\.\d\d\b`)
	recordID  = regexp.MustCompile(`^[A-Za-z0-9_-]{22}-\d+$`) // where the plugin has an id of the cluster's choice
	snapshots = regexp.MustCompile(`\d{4}\.\d\d\.\d\d-\d\d:\d\d:\d\d\.\d{3}`)
	javaHash  = regexp.MustCompile(`@[0-9a-f]{5,8}\b`)
)

// Difference says where two JSON values differ, or "". Sequence numbers, versions, times and the like need only be there.
func Difference(want, got any) string { return comparison{ownKeys}.difference("", "", want, got) }

// ExactDifference is Difference with sequence numbers, versions and scores compared too. servers are the keys whose
// values are each server's own.
func ExactDifference(servers *regexp.Regexp, want, got any) string {
	return comparison{servers}.difference("", "", want, got)
}

// comparison compares all but the values of some keys.
type comparison struct{ own *regexp.Regexp }

func (c comparison) difference(path, key string, want, got any) string {
	if c.own.MatchString(key) && !composite(want) {
		if (want == nil) == (got == nil) && !composite(got) {
			return ""
		}
		return fmt.Sprintf("%s: want something like %v, got %v", path, want, got)
	}
	switch w := want.(type) {
	case map[string]any:
		if g, ok := got.(map[string]any); ok {
			return c.objectDifference(path, normalKeys(w), normalKeys(g))
		}
	case []any:
		if g, ok := got.([]any); ok {
			if key == "failed_indices" {
				w, g = inOrder(w), inOrder(g)
			}
			return c.listDifference(path, w, g)
		}
	case string:
		if g, ok := got.(string); ok && normal(w) == normal(g) {
			return ""
		}
	case json.Number:
		if g, ok := got.(json.Number); ok && (w == g || (len(w) > 9 && len(g) > 9)) {
			return ""
		}
	default:
		if reflect.DeepEqual(want, got) {
			return ""
		}
	}
	return fmt.Sprintf("%s: want %s, got %s", path, text(want), text(got))
}

// inOrder sorts the entries of failed_indices by their reasons and names: the plugin's order is that of a hash table.
func inOrder(list []any) []any {
	entry := func(v any) string {
		o, _ := v.(map[string]any)
		return fmt.Sprint(o["index_name"], o["reason"])
	}
	return slices.SortedFunc(slices.Values(list), func(a, b any) int { return strings.Compare(entry(a), entry(b)) })
}

func (c comparison) objectDifference(path string, want, got map[string]any) string {
	for k := range want {
		if _, ok := got[k]; !ok {
			return fmt.Sprintf("%s.%s: missing, want %s", path, k, text(want[k]))
		}
	}
	for k := range got {
		if _, ok := want[k]; !ok {
			return fmt.Sprintf("%s.%s: unexpected %s", path, k, text(got[k]))
		}
	}
	for k := range want {
		if d := c.difference(path+"."+k, k, want[k], got[k]); d != "" {
			return d
		}
	}
	return ""
}

func (c comparison) listDifference(path string, want, got []any) string {
	if len(want) != len(got) {
		return fmt.Sprintf("%s: want %d items, got %d: %s", path, len(want), len(got), text(got))
	}
	for i := range want {
		if d := c.difference(fmt.Sprintf("%s[%d]", path, i), "", want[i], got[i]); d != "" {
			return d
		}
	}
	return ""
}

func composite(v any) bool {
	switch v.(type) {
	case map[string]any, []any:
		return true
	}
	return false
}

func normalKeys(m map[string]any) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		if strings.ToLower(k) != k { // no name of a member has capitals; uuids do
			k = maskIDs(k)
		}
		out[date.ReplaceAllString(k, "DATE")] = v
	}
	return out
}

func normal(s string) string {
	s = snapshots.ReplaceAllString(s, "TIME")
	s = seqNo.ReplaceAllString(s, "seqNo [N]")
	s = current.ReplaceAllString(s, "(current version [N])")
	s = javaHash.ReplaceAllString(s, "@hash")
	s = date.ReplaceAllString(recordID.ReplaceAllString(s, "ID"), "DATE")
	s = allowed.ReplaceAllStringFunc(s, func(m string) string {
		methods := strings.Split(allowed.FindStringSubmatch(m)[1], ", ")
		slices.Sort(methods)
		return "allowed: [" + strings.Join(methods, ", ") + "]"
	})
	return bigNumber.ReplaceAllString(maskIDs(s), "N")
}

// maskIDs replaces what looks like a generated id: 19 to 22 characters, among them a capital, a digit, _ or -.
func maskIDs(s string) string {
	return word.ReplaceAllStringFunc(s, func(id string) string {
		if len(id) >= 19 && len(id) <= 22 && strings.ContainsAny(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") {
			return "ID"
		}
		return id
	})
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	if len(b) > 200 {
		b = append(b[:200], "..."...)
	}
	return string(b)
}
