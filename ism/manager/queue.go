// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"container/heap"
	"time"
)

// queue orders entries by when they are due. An entry that is not in it waits for something to change.
type queue struct{ heap entryHeap }

// schedule makes e due at an instant; the zero time takes it out. Sweeps look at whole milliseconds: within one it is due at
// its end.
func (q *queue) schedule(e *entry, at time.Time) {
	if whole := at.Truncate(time.Millisecond); whole.Before(at) {
		at = whole.Add(time.Millisecond)
	}
	e.due = at.UnixMilli()
	switch {
	case at.IsZero():
		q.remove(e)
	case e.queued():
		heap.Fix(&q.heap, int(e.pos)-1)
	default:
		heap.Push(&q.heap, e)
	}
}

func (q *queue) remove(e *entry) {
	if e.queued() {
		heap.Remove(&q.heap, int(e.pos)-1)
	}
}

// next is the earliest instant at which something is due; the zero time if nothing is.
func (q *queue) next() time.Time {
	if len(q.heap) == 0 {
		return time.Time{}
	}
	return time.UnixMilli(q.heap[0].due).UTC()
}

// pop takes out what is due at now, the longest overdue first, at most limit entries.
func (q *queue) pop(now time.Time, limit int) []*entry {
	var out []*entry
	for len(q.heap) > 0 && len(out) < limit && q.heap[0].due <= now.UnixMilli() {
		out = append(out, heap.Pop(&q.heap).(*entry))
	}
	return out
}

// entryHeap implements heap.Interface. An entry's pos is its place plus one, so that zero means not queued.
type entryHeap []*entry

func (h entryHeap) Len() int           { return len(h) }
func (h entryHeap) Less(i, j int) bool { return h[i].due < h[j].due }

func (h entryHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].pos, h[j].pos = int32(i)+1, int32(j)+1
}

// Push is for container/heap.
func (h *entryHeap) Push(x any) {
	e := x.(*entry)
	*h = append(*h, e)
	e.pos = int32(len(*h))
}

// Pop is for container/heap.
func (h *entryHeap) Pop() any {
	old := *h
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	e.pos = 0
	return e
}
