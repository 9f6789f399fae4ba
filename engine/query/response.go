// SPDX-License-Identifier: Apache-2.0

package query

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/opensteward/steward/engine/shard"
	"github.com/opensteward/steward/wire"
)

// Response is the outcome of a search.
type Response struct {
	Took   time.Duration
	Shards int
	Total  int64
	// MaxScore is nil where the page is sorted by something else, or empty.
	MaxScore *Score
	Hits     []Hit
	failures []failure
	request  *Request
}

// Hit is one document of the page.
type Hit struct {
	Index string
	shard.Document
	Score  *Score
	Sort   []any
	Source json.RawMessage // what the request wants of it; nil if nothing
	// Fields are the doc values that the request wants, by field.
	Fields wire.Object
}

// A Fetcher reads documents by id from a shard of a target, each by its place, in the order of ids. One that is gone
// has ID "".
type Fetcher func(target, shard int, ids []string) ([]shard.Document, error)

// page adds the documents of a page to the hits.
func (c *collector) page(targets []Target, page []candidate, fetch Fetcher, res *Response) error {
	r := c.request
	docs, err := fetch.all(page)
	if err != nil {
		return err
	}
	for i, cand := range page {
		if docs[i].ID == "" {
			continue // deleted since the last refresh
		}
		hit := Hit{Index: targets[cand.target].Index, Document: docs[i]}
		if err := c.show(&hit, cand); err != nil {
			return err
		}
		if err := hit.docValues(&targets[cand.target], r.DocValues); err != nil {
			return err
		}
		if (len(r.Sort) == 0 || r.TrackScores) && (res.MaxScore == nil || *hit.Score > *res.MaxScore) {
			res.MaxScore = hit.Score
		}
		res.Hits = append(res.Hits, hit)
	}
	return nil
}

// all reads the documents of candidates, one transaction a shard.
func (f Fetcher) all(page []candidate) ([]shard.Document, error) {
	type place struct{ target, shard int }
	groups := map[place][]int{}
	for i, cand := range page {
		at := place{cand.target, cand.shard}
		groups[at] = append(groups[at], i)
	}
	out := make([]shard.Document, len(page))
	for at, members := range groups {
		ids := make([]string, len(members))
		for i, m := range members {
			ids[i] = page[m].id
		}
		docs, err := f(at.target, at.shard, ids)
		if err != nil {
			return nil, fmt.Errorf("fetch: %w", err)
		}
		for i, m := range members {
			out[m] = docs[i]
		}
	}
	return out, nil
}

// show fills in score, sort values and source.
func (c *collector) show(hit *Hit, cand candidate) (err error) {
	r := c.request
	for i, s := range r.Sort {
		hit.Sort = append(hit.Sort, s.json(c.kinds[i], c.dates[i], cand.keys[i]))
	}
	if r.shows() {
		score := Score(cand.score)
		hit.Score = &score
	}
	if r.sourceShown() {
		hit.Source, err = r.Source.Filter(hit.Document.Source)
	}
	return err
}

// Filter is the part of a source that is wanted.
func (s Source) Filter(source []byte) (json.RawMessage, error) {
	if len(s.Includes)+len(s.Excludes) == 0 {
		return source, nil
	}
	expressions := slices.Clone(s.Includes)
	for _, e := range s.Excludes {
		expressions = append(expressions, "-"+e)
	}
	return wire.FilterPath(source, expressions)
}

// JSON is the search answer. scrollID is "" unless the search can be continued.
func (r *Response) JSON(scrollID string) wire.Object {
	hits := wire.Object{}
	if r.request.TrackTotal >= 0 {
		total, relation := r.Total, "eq"
		if total > r.request.TrackTotal {
			total, relation = r.request.TrackTotal, "gte"
		}
		hits.Add("total", wire.Obj("value", total, "relation", relation))
	}
	best := r.MaxScore
	if r.Shards == 0 {
		best = new(Score) // OpenSearch's answer when there was nothing to search
	}
	hits.Add("max_score", best)
	list := make([]wire.Object, len(r.Hits))
	for i := range r.Hits {
		list[i] = r.hit(&r.Hits[i])
	}
	hits.Add("hits", list)
	o := wire.Object{}
	o.AddIf(scrollID != "", "_scroll_id", scrollID)
	o = append(o, wire.Obj("took", r.Took.Milliseconds(), "timed_out", false)...)
	if n := r.request.TerminateAfter; n > 0 {
		o.Add("terminated_early", r.Total >= int64(n))
	}
	return append(o, wire.Obj("_shards", r.shards(), "hits", hits)...)
}

func (r *Response) shards() wire.Object {
	failed := 0
	for _, f := range r.failures {
		failed += f.shards
	}
	o := wire.Obj("total", r.Shards, "successful", r.Shards-failed, "skipped", 0, "failed", failed)
	o.AddIf(failed > 0, "failures", shardFailures(r.failures))
	return o
}

func (r *Response) hit(h *Hit) wire.Object {
	o := wire.Obj("_index", h.Index)
	o.AddIf(!r.request.nothingStored(), "_id", h.ID)
	o.AddIf(r.request.Version, "_version", h.Version)
	if r.request.SeqNo {
		o.Add("_seq_no", h.SeqNo)
		o.Add("_primary_term", h.PrimaryTerm)
	}
	o.Add("_score", h.Score)
	o.AddIf(h.Routing != "", "_routing", h.Routing)
	o.AddIf(h.Source != nil, "_source", h.Source)
	o.AddIf(len(h.Fields) > 0, "fields", h.Fields)
	o.AddIf(h.Sort != nil, "sort", h.Sort)
	return o
}
