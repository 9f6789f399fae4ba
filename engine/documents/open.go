// SPDX-License-Identifier: Apache-2.0

package documents

import (
	"container/list"
	"sync"
)

// maxOpen is how many shards are open at a time. An open shard takes some 200 KB and a handful of open files, of which
// systems allow a process 1,024 or more; opening one takes milliseconds.
const maxOpen = 512

// openShards are the open shards, the one used last in front.
type openShards struct {
	mu   sync.Mutex
	list list.List // of *slot
}

// touch notes that a shard is open and in use, and returns those that are open beyond the limit.
func (o *openShards) touch(sl *slot) (beyond []*slot) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if sl.place == nil {
		sl.place = o.list.PushFront(sl)
	} else {
		o.list.MoveToFront(sl.place)
	}
	at := o.list.Back()
	for range o.list.Len() - maxOpen {
		beyond = append(beyond, at.Value.(*slot))
		at = at.Prev()
	}
	return beyond
}

// remove notes that a shard is closed.
func (o *openShards) remove(sl *slot) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if sl.place != nil {
		o.list.Remove(sl.place)
		sl.place = nil
	}
}
