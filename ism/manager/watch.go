// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"time"

	"github.com/opensteward/steward/ism"
)

// How often an index's numbers are read while a size or document condition waits for them: every watchFast during the
// first watchFirst of the step and whenever they grow, half as often each time they do not, down to watchSlow; and
// when they grow fast enough to reach a threshold earlier, at that time, but not more often than watchFloor.
const (
	watchFast  = 5 * time.Second
	watchFirst = time.Minute
	watchSlow  = 5 * time.Minute
	watchFloor = time.Second
)

// watch paces the reading of one index's numbers.
type watch struct {
	step  time.Time // start of the step that waits
	read  time.Time // when the numbers were read last
	docs  int64
	bytes int64
	every time.Duration
}

// numbers are what a watch compares: documents and bytes now, and how large a part of the nearest threshold is
// reached (0 if unknown).
type numbers struct {
	docs, bytes int64
	reached     float64
}

// next returns when to read again after a reading at now.
func (w *watch) next(now, step time.Time, n numbers) time.Time {
	fresh := !w.step.Equal(step) || w.read.IsZero()
	grew := !fresh && (n.docs > w.docs || n.bytes > w.bytes)
	switch {
	case fresh, grew, now.Sub(step) < watchFirst:
		w.every = watchFast
	default:
		w.every = min(2*w.every, watchSlow)
	}
	if grew && now.After(w.read) {
		w.every = max(min(w.every, w.untilReached(now, n)), watchFloor)
	}
	w.step, w.read, w.docs, w.bytes = step, now, n.docs, n.bytes
	return alignUp(now.Add(w.every), min(w.every, watchFast))
}

// untilReached is when the nearest threshold will be reached if the numbers go on growing as they did.
func (w *watch) untilReached(now time.Time, n numbers) time.Duration {
	if n.reached <= 0 || n.reached >= 1 {
		return watchFast
	}
	rate := max(growth(w.docs, n.docs), growth(w.bytes, n.bytes)) // as a part of what there is now
	if rate <= 0 {
		return watchFast
	}
	took := now.Sub(w.read)
	return time.Duration((1 - n.reached) / n.reached / rate * float64(took))
}

func growth(was, is int64) float64 {
	if is <= was || is == 0 {
		return 0
	}
	return float64(is-was) / float64(is)
}

// alignUp moves t to the next whole multiple of step, so that indices that wait alike are read in one request.
func alignUp(t time.Time, step time.Duration) time.Time {
	if aligned := t.Truncate(step); !aligned.Equal(t) {
		return aligned.Add(step)
	}
	return t
}

// reached is the largest part of a threshold that is reached without being exceeded, among those that the index's
// current action or its state's transitions compare with its numbers; 0 if there is none.
func reached(p *ism.Policy, meta *ism.Metadata, st ism.Stats) float64 {
	if meta == nil || meta.State == nil || meta.Action == nil {
		return 0
	}
	state := p.State(meta.State.Name)
	if state == nil {
		return 0
	}
	largest := 0.0
	compare := func(is, threshold int64) {
		if part := float64(is) / float64(threshold); part < 1 {
			largest = max(largest, part)
		}
	}
	if n := meta.Action.Index; n >= 0 && n < len(state.Actions) {
		if r := state.Actions[n].Rollover; r != nil {
			for _, g := range append(r.AnyOf[:len(r.AnyOf):len(r.AnyOf)], r.Flat) {
				compareRollover(g, st, compare)
			}
		}
		return largest
	}
	for _, t := range state.Transitions {
		switch c := t.Conditions; {
		case c == nil:
		case c.MinDocCount != nil:
			compare(st.Docs, *c.MinDocCount)
		case c.MinSize != nil:
			compare(st.PrimaryBytes, c.MinSize.Value())
		}
	}
	return largest
}

func compareRollover(g ism.RolloverGroup, st ism.Stats, compare func(is, threshold int64)) {
	if g.MinDocCount != nil {
		compare(st.Docs, *g.MinDocCount)
	}
	if g.MinSize != nil {
		compare(st.PrimaryBytes, g.MinSize.Value())
	}
	if g.MinPrimaryShardSize != nil {
		compare(st.MaxShardSize, g.MinPrimaryShardSize.Value())
	}
}
