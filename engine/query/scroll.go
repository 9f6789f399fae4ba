// SPDX-License-Identifier: Apache-2.0

package query

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/opensteward/steward/fault"
)

// Scroll is a search whose hits are read page by page, each once. Which documents they are, and their order, is as of
// the beginning. It is not safe for concurrent use.
type Scroll struct {
	c       *collector
	targets []Target
	fetch   Fetcher
	left    []candidate
	all     Response // what every page says of the whole
}

// Begin runs a search over targets whose pages have r.Size hits. fetch reads the documents of a page when it is asked
// for. Beyond Begin the shards of the targets are not used.
func Begin(ctx context.Context, targets []Target, r *Request, fetch Fetcher, now time.Time) (*Scroll, error) {
	if err := r.checkScroll(); err != nil {
		return nil, err
	}
	r.scrolled, r.TrackTotal = true, math.MaxInt64
	c := &collector{request: r, want: math.MaxInt}
	res, err := c.search(ctx, targets, now)
	if err != nil {
		return nil, err
	}
	s := &Scroll{c: c, targets: slices.Clone(targets), fetch: fetch, left: c.kept, all: *res}
	for i := range s.targets {
		s.targets[i].Shards = nil
	}
	c.kept = nil
	return s, nil
}

// Shards is how many shards are searched.
func (s *Scroll) Shards() int { return s.all.Shards }

// Next is the next page. Documents that were deleted meanwhile are passed over: a page is short only at the end.
func (s *Scroll) Next() (*Response, error) {
	started := time.Now()
	res := s.all
	for size := s.c.request.Size; len(res.Hits) < size && len(s.left) > 0; {
		n := min(size-len(res.Hits), len(s.left))
		if err := s.c.page(s.targets, s.left[:n], s.fetch, &res); err != nil {
			return nil, err
		}
		s.left = s.left[n:]
	}
	s.all.MaxScore = res.MaxScore
	res.Took = time.Since(started)
	return &res, nil
}

// checkScroll refuses what a scroll does not have, all at once.
func (r *Request) checkScroll() error {
	var wrong []string
	if r.TrackTotal < 0 {
		wrong = append(wrong, "disabling [track_total_hits] is not allowed in a scroll context")
	}
	if r.From > 0 {
		wrong = append(wrong, "using [from] is not allowed in a scroll context")
	}
	if r.Size == 0 {
		wrong = append(wrong, "[size] cannot be [0] in a scroll context")
	}
	if len(wrong) > 0 {
		return fault.Validation(wrong...)
	}
	return nil
}
