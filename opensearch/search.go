// SPDX-License-Identifier: Apache-2.0

package opensearch

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// SearchResult is a page of hits.
type SearchResult struct {
	Total int64
	Hits  []Document
	Raw   json.RawMessage
}

// Search searches one index expression. body is a search body; seq_no_primary_term and version are asked for always.
// Shards that failed make it an error, as half an answer would be taken for the whole one.
func (c *Client) Search(ctx context.Context, index string, body any, q url.Values) (SearchResult, error) {
	q = maps.Clone(q)
	if q == nil {
		q = url.Values{}
	}
	q.Set("seq_no_primary_term", "true")
	q.Set("version", "true")
	if !q.Has("allow_partial_search_results") {
		q.Set("allow_partial_search_results", "false")
	}
	call := Call{Method: http.MethodPost, Path: Path(index, "_search"), Query: q, Body: body}
	status, header, raw, err := c.Send(ctx, call)
	if err != nil {
		return SearchResult{}, err
	}
	if status/100 != 2 {
		return SearchResult{}, answerFault(status, header, raw)
	}
	var answer struct {
		Hits struct {
			Total struct {
				Value int64 `json:"value"`
			} `json:"total"`
			Hits []Document `json:"hits"`
		} `json:"hits"`
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return SearchResult{}, transportFault(call, err)
	}
	for i := range answer.Hits.Hits {
		answer.Hits.Hits[i].Found = true
	}
	return SearchResult{Total: answer.Hits.Total.Value, Hits: answer.Hits.Hits, Raw: raw}, nil
}

// scanPage is the number of documents that Scan reads with one request. It must exceed the number of shards of an
// index, since that many documents can have one sequence number.
const scanPage = 1000

// Scan calls fn for every document that query (a query DSL value; nil: all) finds, in the order of _seq_no, in pages,
// and stops at fn's first error. A document written meanwhile may come twice, the second time with its new content.
func (c *Client) Scan(ctx context.Context, index string, query any, fn func(Document) error) error {
	body := wire.Obj("size", scanPage, "track_total_hits", false, "sort", []any{wire.Obj("_seq_no", "asc")})
	body.AddIf(query != nil, "query", query)
	last := int64(-1)
	seen := map[string]bool{} // the documents already given that have the sequence number last
	for {
		page := append(wire.Object(nil), body...)
		if last > 0 {
			page.Add("search_after", []int64{last - 1}) // shards number their documents on their own
		}
		res, err := c.Search(ctx, index, page, nil)
		if err != nil {
			return err
		}
		for _, d := range res.Hits {
			if d.SeqNo != last {
				last = d.SeqNo
				clear(seen)
			}
			if key := d.Index + "/" + d.ID; !seen[key] {
				seen[key] = true
				if err := fn(d); err != nil {
					return err
				}
			}
		}
		if len(res.Hits) < scanPage {
			return nil
		}
	}
}

// Refresh makes writes to an index visible to searches. A missing index is no error.
func (c *Client) Refresh(ctx context.Context, index string) error {
	call := Call{
		Method: http.MethodPost, Path: Path(index, "_refresh"),
		Query: query("expand_wildcards", "open,hidden", "filter_path", "_shards"),
	}
	var answer struct {
		Shards shardReport `json:"_shards"`
	}
	err := c.Do(ctx, call, &answer)
	if fault.Is(err, "index_not_found_exception") {
		return nil
	}
	if err != nil {
		return err
	}
	if f := answer.Shards.texts(); len(f) > 0 {
		return fault.New(http.StatusInternalServerError, "refresh_failed_engine_exception", "%s", f[0])
	}
	return nil
}
