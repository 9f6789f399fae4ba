// SPDX-License-Identifier: Apache-2.0

package rollup

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/rollup/dimension"
	"github.com/opensteward/steward/wire"
)

// tierGroups are the dimensions of a job as a rollup index has them.
func (j *Job) tierGroups() []dimension.Dimension {
	groups := slices.Clone(j.Groups)
	for i := range groups {
		groups[i].SourceField += "." + groups[i].Kind
	}
	return groups
}

// tiered reports whether the source is made of rollup indices. One that is so in part cannot be read.
func (s *source) tiered(ctx context.Context) (bool, error) {
	names := make([]string, len(s.indices))
	for i, idx := range s.indices {
		names[i] = idx.name
	}
	infos, err := s.client.Indices(ctx, names)
	if err != nil {
		return false, refusal(err, "")
	}
	rolled := ""
	plain := false
	for _, name := range names {
		if isRollupIndex(infos[name]) {
			rolled = name
		} else {
			plain = true
		}
	}
	if rolled != "" && plain {
		return false, failed("Source index [" + rolled + "] is a rollup index and others of [" + strings.Join(names, ",") +
			"] are not: rolling them up together is not supported")
	}
	return rolled != "", nil
}

// fits refuses a source that is rolled up too coarsely, or without what the job asks for. As in the plugin its first
// job speaks for all.
func (j *Job) fits(idx *sourceIndex) error {
	first, err := firstJob(idx.mapping.Meta.Rollups)
	switch {
	case err != nil:
		return refusal(err, "")
	case first == nil:
		return failed("Source rollup index has no rollup jobs")
	}
	theirs, ours := interval(first.Groups[0]), interval(j.Groups[0])
	if a, b := millis(theirs), millis(ours); a > 0 && b > 0 && (b%a != 0 || b <= a) {
		return failed("Target interval [" + ours + "] must be an exact multiple of source interval [" + theirs + "]")
	}
	var fields, metricFields, kinds []string
	for _, d := range j.Groups {
		if !slices.ContainsFunc(first.Groups, func(e dimension.Dimension) bool { return e.SourceField == d.SourceField && e.Kind == d.Kind }) {
			fields = with(fields, d.SourceField)
		}
	}
	for _, m := range j.Metrics {
		at := slices.IndexFunc(first.Metrics, func(n dimension.Metric) bool { return n.SourceField == m.SourceField })
		if at < 0 {
			metricFields = with(metricFields, m.SourceField)
			continue
		}
		for _, kind := range m.Kinds {
			if !slices.Contains(first.Metrics[at].Kinds, kind) {
				kinds = with(kinds, kind)
			}
		}
	}
	switch {
	case fields != nil:
		return failed("Cannot rollup on dimension fields [" + strings.Join(fields, ", ") + "] that don't exist in source rollup")
	case metricFields != nil:
		return failed("Cannot rollup on metric fields [" + strings.Join(metricFields, ", ") + "] that don't exist in source rollup")
	case kinds != nil:
		return failed("Target rollup requests metrics [" + strings.Join(kinds, ", ") + "] that are not available in source rollup")
	}
	return nil
}

// with is a list with one more text, each once.
func with(list []string, text string) []string {
	if slices.Contains(list, text) {
		return list
	}
	return append(list, text)
}

// firstJob is the first job of a rollup index's _meta; nil if there is none.
func firstJob(rollups json.RawMessage) (*Job, error) {
	if len(rollups) == 0 || string(rollups) == "null" {
		return nil, nil
	}
	var first *Job
	err := wire.ReadObject(rollups, func(p *wire.Parser, id string) error {
		body, err := p.Raw()
		if err != nil || first != nil {
			return err
		}
		whole, err := wire.Marshal(wire.Obj(Rollup.Name, body))
		if err == nil {
			first, err = Parse(Rollup, id, whole, time.UnixMilli(1<<52), false)
		}
		return err
	})
	return first, err
}

// interval is the interval of a date histogram as it is written.
func interval(d dimension.Dimension) string {
	if d.FixedInterval != nil {
		return *d.FixedInterval
	}
	return *d.CalendarInterval
}

// calendarMillis are the lengths of calendar units by which intervals are compared: those of java.time's ChronoUnit.
var calendarMillis = map[byte]int64{
	'y': 31556952_000, 'q': 7889238_000, 'M': 2629746_000, 'w': 604800_000, 'd': 86400_000, 'h': 3600_000, 'm': 60_000, 's': 1000,
}

// millis is how long an interval is, whichever of the two kinds; 0 if that cannot be told.
func millis(text string) int64 {
	if unit, ok := calendarUnits[text]; ok {
		return calendarMillis[unit]
	}
	length, err := wire.ParseDuration(text, "parseIntervalToMillis")
	if err != nil {
		return 0
	}
	return length.Value().Milliseconds()
}

// isRollupIndex reports whether an index is a target of rollups.
func isRollupIndex(info opensearch.IndexInfo) bool {
	return info.Settings[rollupIndex] == "true" || info.Settings[oldRollupIndex] == "true"
}
