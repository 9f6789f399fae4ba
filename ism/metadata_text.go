// SPDX-License-Identifier: Apache-2.0

package ism

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// The texts below are how messages of the plugin show these objects.

// String is the plugin's text of a state.
func (s *StateMeta) String() string {
	if s == nil {
		return "null"
	}
	return fmt.Sprintf("StateMetaData(name=%s, startTime=%d)", s.Name, s.StartTime.UnixMilli())
}

// String is the plugin's text of an action.
func (a *ActionMeta) String() string {
	if a == nil {
		return "null"
	}
	last := "null"
	if a.LastRetry != nil {
		last = fmt.Sprint(*a.LastRetry)
	}
	start := "null"
	if !a.StartTime.IsZero() {
		start = fmt.Sprint(a.StartTime.UnixMilli())
	}
	return fmt.Sprintf("ActionMetaData(name=%s, startTime=%s, index=%d, failed=%v, consumedRetries=%d, lastRetryTime=%s, actionProperties=%s)",
		a.Name, start, a.Index, a.Failed, a.ConsumedRetries, last, a.Properties)
}

// String is the plugin's text of an action's properties.
func (p *Properties) String() string {
	if p == nil {
		return "null"
	}
	return fmt.Sprintf("ActionProperties(maxNumSegments=%s, snapshotName=%s, rollupId=%s, hasRollupFailed=%s, shrinkActionProperties=%s, transformActionProperties=%s)",
		orNull(p.MaxNumSegments), orNull(p.SnapshotName), orNull(p.RollupID), orNull(p.HasRollupFailed),
		textOf("ShrinkActionProperties", p.Shrink, shrinkMembers), textOf("TransformActionProperties", p.Transform, transformMembers))
}

func orNull[T any](v *T) string {
	if v == nil {
		return "null"
	}
	return fmt.Sprint(*v)
}

// Members of stored objects and the plugin's names of them, in the order of its texts.
var (
	shrinkMembers = [][2]string{
		{"node_name", "nodeName"},
		{"target_index_name", "targetIndexName"},
		{"target_num_shards", "targetNumShards"},
		{"lock_primary_term", "lockPrimaryTerm"},
		{"lock_seq_no", "lockSeqNo"},
		{"lock_epoch_second", "lockEpochSecond"},
		{"lock_duration_second", "lockDurationSecond"},
		{"original_index_settings", "originalIndexSettings"},
	}
	transformMembers = [][2]string{{"transform_id", "transformId"}}
)

// textOf is the plugin's text of a stored object: "Name(member=value, ...)", or null.
func textOf(name string, stored json.RawMessage, members [][2]string) string {
	var values map[string]json.RawMessage
	if stored == nil || json.Unmarshal(stored, &values) != nil || values == nil {
		return "null"
	}
	parts := make([]string, len(members))
	for i, m := range members {
		parts[i] = m[1] + "=" + valueText(values[m[0]])
	}
	return name + "(" + strings.Join(parts, ", ") + ")"
}

// valueText is the text of a value that is no list: of an object "{name=value, ...}".
func valueText(v json.RawMessage) string {
	var text string
	if v == nil {
		return "null"
	}
	if json.Unmarshal(v, &text) == nil && v[0] == '"' {
		return text
	}
	var o map[string]string
	if json.Unmarshal(v, &o) != nil || o == nil {
		return string(v)
	}
	parts := make([]string, 0, len(o))
	for _, name := range slices.Sorted(maps.Keys(o)) {
		parts = append(parts, name+"="+o[name])
	}
	return "{" + strings.Join(parts, ", ") + "}"
}
