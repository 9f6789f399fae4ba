// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire"
)

// MetadataSuffix makes a metadata document's id of an index's uuid.
const MetadataSuffix = "#metadata"

// entry is one managed index: its two documents as last seen, and when to look at it again. A zero version means that
// there is no such document, a version without a document that it cannot be read. The documents are packed, and what is
// asked of all entries at once stands beside them: see entry.go.
type entry struct {
	uuid        string
	index       string      // its name, "" until there is a document
	policy      *ism.Policy // of the job
	packedJob   string      // "" if there is none
	packedMeta  string      // "" if there is none
	jobVersion  opensearch.Version
	metaVersion opensearch.Version

	watch   *watch // nil unless its numbers are waited for
	run     *run   // nil but at native pace
	due     int64  // epoch milliseconds; good while queued
	budget  budget
	pos     int32 // place in the queue plus one; 0 if not queued
	tries   int32 // failures in a row that are not the policy's
	polls   int32 // looks in a row of a step that waits for the cluster
	blocked int32 // tries in a row of a blocked index
	running bool  // a step is under way
	called  bool  // what its step under way waits for has happened meanwhile
	stale   bool  // the index's details are to be read before the next decision
	traits
}

func (e *entry) queued() bool { return e.pos > 0 }

// storedPolicy is a policy document.
type storedPolicy struct {
	policy  *ism.Policy
	version opensearch.Version
}

// documents is the cache of the config index. It follows the index's sequence numbers: what is new is read, and where
// numbers are missing that no document we have seen explains, something was deleted and the ids are listed.
type documents struct {
	entries  map[string]*entry
	policies map[string]storedPolicy
	shared   ism.Policies
	// last is up to which sequence number each shard has been followed.
	last map[string]int64
	// own are the numbers of our own writes beyond last: they need not be read.
	own    map[int64]bool
	loaded bool
}

func newDocuments() *documents {
	return &documents{
		entries: map[string]*entry{}, policies: map[string]storedPolicy{},
		shared: ism.Policies{}, last: map[string]int64{}, own: map[int64]bool{},
	}
}

// changes is what following found out.
type changes struct {
	entries  []*entry // new or rewritten by somebody else
	removed  []*entry // their jobs are gone
	policies bool     // some policy is new, changed or gone
	jobs     bool     // some rollup or transform job is new or changed
	reset    bool     // the whole index is new or gone
	unread   []error  // of each new document that cannot be read, why
}

// follow brings the cache up to marks, the highest sequence number of each shard (nil: there is no such index).
func (d *documents) follow(ctx context.Context, c *opensearch.Client, marks map[string]int64) (changes, error) {
	switch {
	case marks == nil:
		return d.forget(), nil
	case !d.loaded || d.behind(marks):
		out := d.forget()
		out.reset = true
		return out, d.load(ctx, c, marks, &out)
	case maps.Equal(marks, d.last):
		return changes{}, nil
	}
	var out changes
	if !d.explained(marks, nil) {
		if err := d.read(ctx, c, marks, &out); err != nil {
			return out, err
		}
	}
	d.advance(marks)
	return out, nil
}

// forget empties the cache: the index does not exist (any more).
func (d *documents) forget() changes {
	out := changes{reset: d.loaded}
	for _, e := range d.entries {
		out.removed = append(out.removed, e)
	}
	*d = *newDocuments()
	return out
}

// behind reports whether the index is another one than the one that was followed, or an older state of it.
func (d *documents) behind(marks map[string]int64) bool {
	for shard, last := range d.last {
		if n, ok := marks[shard]; !ok || n < last {
			return true
		}
	}
	return false
}

func (d *documents) load(ctx context.Context, c *opensearch.Client, marks map[string]int64, out *changes) error {
	if err := c.Refresh(ctx, ConfigIndex); err != nil {
		return err
	}
	if err := c.Scan(ctx, ConfigIndex, nil, func(doc opensearch.Document) error {
		d.apply(doc, out)
		return nil
	}); err != nil {
		return err
	}
	d.loaded, out.policies = true, true
	d.advance(marks)
	return nil
}

// read takes in what others wrote, and finds what they deleted.
func (d *documents) read(ctx context.Context, c *opensearch.Client, marks map[string]int64, out *changes) error {
	if err := c.Refresh(ctx, ConfigIndex); err != nil {
		return err
	}
	from := int64(-1)
	for shard := range marks {
		if last, ok := d.last[shard]; ok && (from < 0 || last < from) {
			from = last
		}
	}
	seen := map[int64]bool{}
	query := map[string]any{"range": map[string]any{"_seq_no": map[string]any{"gt": from}}}
	err := c.Scan(ctx, ConfigIndex, query, func(doc opensearch.Document) error {
		seen[doc.SeqNo] = true
		d.apply(doc, out)
		return nil
	})
	if err != nil || d.explained(marks, seen) {
		return err
	}
	return d.list(ctx, c, out)
}

// explained reports whether every number up to marks is one of our own writes or of a document in seen. With
// several shards numbers do not tell: nothing is explained then.
func (d *documents) explained(marks map[string]int64, seen map[int64]bool) bool {
	if len(marks) != 1 {
		return false
	}
	for shard, to := range marks {
		for n := d.last[shard] + 1; n <= to; n++ {
			if !d.own[n] && !seen[n] {
				return false
			}
		}
	}
	return true
}

func (d *documents) advance(marks map[string]int64) {
	d.last = maps.Clone(marks)
	for n := range d.own {
		for _, to := range marks {
			if n <= to {
				delete(d.own, n)
			}
		}
	}
	if len(d.own) == 0 {
		d.own = map[int64]bool{} // an emptied map keeps its memory
	}
}

// list reads the ids of all documents and drops from the cache what is not among them.
func (d *documents) list(ctx context.Context, c *opensearch.Client, out *changes) error {
	ids := map[string]bool{}
	if err := scanIDs(ctx, c, func(id string) { ids[id] = true }); err != nil {
		return err
	}
	for id := range d.policies {
		if !ids[id] {
			delete(d.policies, id)
			out.policies = true
		}
	}
	for uuid, e := range d.entries {
		if e.metaVersion != (opensearch.Version{}) && !ids[uuid+MetadataSuffix] {
			e.setMeta(nil, opensearch.Version{})
			out.entries = append(out.entries, e)
		}
		if e.jobVersion != (opensearch.Version{}) && !ids[uuid] {
			e.setJob(nil, opensearch.Version{})
			out.removed = append(out.removed, e)
		}
		d.dropEmpty(e)
	}
	return nil
}

// idPage is how many ids one search lists (index.max_result_window).
const idPage = 10_000

// scanIDs calls fn for the id of every document of the config index, perhaps more than once.
func scanIDs(ctx context.Context, c *opensearch.Client, fn func(id string)) error {
	after := int64(-1)
	for {
		body := wire.Obj("size", idPage, "_source", false, "track_total_hits", false,
			"sort", []any{wire.Obj("_seq_no", "asc")}, "search_after", []int64{after})
		res, err := c.Search(ctx, ConfigIndex, body, nil)
		if err != nil {
			return err
		}
		for _, doc := range res.Hits {
			fn(doc.ID)
			// Shards count on their own: the last number may belong to several documents.
			after = max(after, doc.SeqNo-1)
		}
		if len(res.Hits) < idPage {
			return nil
		}
	}
}

func (d *documents) dropEmpty(e *entry) {
	if e.jobVersion == (opensearch.Version{}) && e.metaVersion == (opensearch.Version{}) {
		delete(d.entries, e.uuid)
	}
}

// apply takes in one document, unless the cache has it already. A document that cannot be read is left alone: its index
// is not managed until somebody mends it.
func (d *documents) apply(doc opensearch.Document, out *changes) {
	var kinds struct {
		Policy   json.RawMessage `json:"policy"`
		Job      json.RawMessage `json:"managed_index"`
		Metadata json.RawMessage `json:"managed_index_metadata"`
		// Others run these.
		Rollup    json.RawMessage `json:"rollup"`
		Transform json.RawMessage `json:"transform"`
	}
	if json.Unmarshal(doc.Source, &kinds) != nil {
		return
	}
	switch {
	case kinds.Policy != nil:
		d.applyPolicy(doc, out)
	case kinds.Job != nil:
		d.applyJob(doc, out)
	case kinds.Metadata != nil:
		d.applyMetadata(doc, out)
	case kinds.Rollup != nil, kinds.Transform != nil:
		out.jobs = true
	}
}

func (c *changes) cannotRead(doc opensearch.Document, err error) {
	c.unread = append(c.unread, fmt.Errorf("document %s: %w", doc.ID, err))
}

func (d *documents) applyPolicy(doc opensearch.Document, out *changes) {
	if d.policies[doc.ID].version == doc.Version {
		return
	}
	out.policies = true
	p, err := ism.ReadPolicy(doc.ID, doc.Source)
	if err != nil {
		out.cannotRead(doc, err)
		delete(d.policies, doc.ID)
		return
	}
	d.policies[doc.ID] = storedPolicy{policy: p, version: doc.Version}
}

func (d *documents) applyJob(doc opensearch.Document, out *changes) {
	e := d.entry(doc.ID)
	if e.jobVersion == doc.Version {
		return
	}
	job, err := d.shared.ReadJob(doc.Source)
	if err != nil {
		out.cannotRead(doc, err)
		if e.hasJob() {
			out.removed = append(out.removed, e)
		}
		e.setJob(nil, doc.Version)
		return
	}
	e.setJob(job, doc.Version)
	out.entries = append(out.entries, e)
}

func (d *documents) applyMetadata(doc opensearch.Document, out *changes) {
	e := d.entry(strings.TrimSuffix(doc.ID, MetadataSuffix))
	if e.metaVersion == doc.Version {
		return
	}
	meta, err := ism.ReadMetadata(doc.Source)
	if err != nil {
		out.cannotRead(doc, err)
		e.setMeta(nil, doc.Version)
		return
	}
	e.setMeta(meta, doc.Version)
	out.entries = append(out.entries, e)
}

func (d *documents) entry(uuid string) *entry {
	e := d.entries[uuid]
	if e == nil {
		e = &entry{uuid: uuid}
		d.entries[uuid] = e
	}
	return e
}

// wrote notes the sequence number of a write of our own.
func (d *documents) wrote(w opensearch.Written) { d.own[w.SeqNo] = true }

// match is the policy whose template claims an index or data stream of this name with the highest priority, of equals
// the one written last; nil if none does.
func (d *documents) match(name string, created time.Time) *storedPolicy {
	var best *storedPolicy
	highest := 0
	for _, p := range d.policies {
		priority, ok := p.policy.TemplatePriority(name, created)
		if !ok {
			continue
		}
		if best == nil || priority > highest || priority == highest && p.version.SeqNo > best.version.SeqNo {
			best, highest = &p, priority
		}
	}
	return best
}
