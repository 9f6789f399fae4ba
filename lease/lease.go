// SPDX-License-Identifier: Apache-2.0

// Package lease decides which of several processes before one cluster may act, and owns the hidden index in which
// the leader keeps what is Steward's alone.
//
// A [Lease] is the right to act, with a fencing number that grows with every new leader. An [Elector] wins and keeps
// it by conditional writes to one document: the holder measures its lease on its own monotonic clock, from the
// instant the request that won or renewed it was sent; a follower takes over when the document's sequence number has
// stood still for the whole duration on the follower's clock. No timestamp is ever compared between machines.
// [Always] is the lease of a process that is alone by construction.
//
// Everything here runs on real time.
package lease

// Lease is the right to act. Implementations are safe for concurrent use.
type Lease interface {
	// Held reports whether this process may act at this instant, and the fencing number it acts under. The answer
	// is good for one call that starts now; ask again before the next.
	Held() (fence int64, ok bool)
}

// Always is held from the start and for ever, under fencing number 1: an exclusive lock elsewhere (the data
// directory's) already keeps everybody else out.
type Always struct{}

// Held is true.
func (Always) Held() (int64, bool) { return 1, true }
