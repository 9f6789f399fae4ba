// SPDX-License-Identifier: Apache-2.0

package rollup

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire"
)

// Status is where a job stands.
type Status string

// The statuses.
const (
	StatusInit     Status = "init"
	StatusStarted  Status = "started"
	StatusStopped  Status = "stopped"
	StatusFinished Status = "finished"
	StatusFailed   Status = "failed"
	StatusRetry    Status = "retry" // a rollup that failed and was started again
)

// Progress is a job's metadata document: what has been done.
type Progress struct {
	Kind *Kind
	// ID is that of the document, JobID the job's, which is the document's routing too.
	ID, JobID string
	// AfterKey is the key of the last bucket that was written, in the order of the dimensions; nil between windows.
	AfterKey []any
	// keyNames are the names of AfterKey's parts.
	keyNames []string
	Updated  int64
	Status   Status
	Failure  *string
	Stats    Stats
	// Window is the next window of a continuous rollup.
	Window *Window
	// Checkpoints are up to which sequence number each shard ("[index][0]") has been transformed.
	Checkpoints map[string]int64
	// Continuous is set for a continuous transform, LastTimestamp once it has run.
	Continuous    bool
	LastTimestamp *int64

	Version opensearch.Version
}

// Window is a span of time in epoch milliseconds, its end not included.
type Window struct{ Start, End int64 }

// Stats count a job's work over all its runs. Times are in milliseconds.
type Stats struct{ Pages, Documents, Indexed, IndexMillis, SearchMillis int64 }

// ReadProgress reads a stored metadata document. Members that it does not know are left out.
func ReadProgress(k *Kind, id string, source []byte) (*Progress, error) {
	var doc map[string]struct {
		RollupID    string          `json:"rollup_id"`
		TransformID string          `json:"transform_id"`
		AfterKey    json.RawMessage `json:"after_key"`
		Time        int64           `json:"last_updated_time"`
		At          int64           `json:"last_updated_at"`
		Window      *struct {
			Start int64 `json:"next_window_start_time"`
			End   int64 `json:"next_window_end_time"`
		} `json:"continuous"`
		Status  Status           `json:"status"`
		Failure *string          `json:"failure_reason"`
		Stats   map[string]int64 `json:"stats"`
		Shards  map[string]int64 `json:"shard_id_to_global_checkpoint"`
		Stat    *struct {
			Last *int64 `json:"last_timestamp"`
		} `json:"continuous_stats"`
	}
	if err := json.Unmarshal(source, &doc); err != nil {
		return nil, fmt.Errorf("read %s: %w", k.metadata(), err)
	}
	d, ok := doc[k.metadata()]
	if !ok {
		return nil, fmt.Errorf("document %s is no %s", id, k.metadata())
	}
	p := &Progress{
		Kind: k, ID: id, JobID: d.RollupID + d.TransformID, Updated: d.Time + d.At, Status: d.Status, Failure: d.Failure,
		Stats: Stats{
			d.Stats["pages_processed"], d.Stats["documents_processed"], d.Stats[k.indexed],
			d.Stats["index_time_in_millis"], d.Stats["search_time_in_millis"],
		},
		Checkpoints: d.Shards,
	}
	if d.Window != nil {
		p.Window = &Window{d.Window.Start, d.Window.End}
	}
	if d.Stat != nil {
		p.Continuous, p.LastTimestamp = true, d.Stat.Last
	}
	if len(d.AfterKey) > 0 && string(d.AfterKey) != "null" {
		return p, p.readKey(d.AfterKey)
	}
	return p, nil
}

// readKey reads {"ts.date_histogram":1,"host.terms":"a"}, keeping the order.
func (p *Progress) readKey(body json.RawMessage) error {
	return wire.ReadObject(body, func(parser *wire.Parser, name string) error {
		text, err := parser.Raw()
		if err != nil {
			return err
		}
		v, err := keyValue(text)
		p.AfterKey, p.keyNames = append(p.AfterKey, v), append(p.keyNames, name)
		return err
	})
}

// JSON is the metadata without its wrapper. behind is how many documents each source index is ahead; nil leaves it out,
// and with it what is stored only.
func (p *Progress) JSON(f Form, behind map[string]int64) wire.Object {
	o := wire.Obj(p.Kind.id, p.JobID)
	if p.AfterKey != nil {
		key := wire.Object{}
		for i, v := range p.AfterKey {
			key.Add(p.keyNames[i], keyJSON(v))
		}
		o.Add("after_key", key)
	}
	addTime(&o, f, p.Kind.metaUpdated, &p.Updated)
	if p.Window != nil {
		w := wire.Object{}
		addTime(&w, f, "next_window_start_time", &p.Window.Start)
		addTime(&w, f, "next_window_end_time", &p.Window.End)
		o.Add("continuous", w)
	}
	o = append(o, wire.Obj("status", p.Status, "failure_reason", p.Failure, "stats", wire.Obj(
		"pages_processed", p.Stats.Pages, "documents_processed", p.Stats.Documents, p.Kind.indexed, p.Stats.Indexed,
		"index_time_in_millis", p.Stats.IndexMillis, "search_time_in_millis", p.Stats.SearchMillis))...)
	o.AddIf(f == Stored && p.Checkpoints != nil, "shard_id_to_global_checkpoint", p.Checkpoints)
	if p.Continuous {
		stats := wire.Object{}
		if p.LastTimestamp != nil {
			addTime(&stats, f, "last_timestamp", p.LastTimestamp)
		}
		stats.AddIf(behind != nil, "documents_behind", behind)
		o.Add("continuous_stats", stats)
	}
	return o
}

// MarshalJSON is the stored document.
func (p *Progress) MarshalJSON() ([]byte, error) {
	return wire.Obj(p.Kind.metadata(), p.JSON(Stored, nil)).MarshalJSON()
}

// at returns a copy with another status.
func (p *Progress) at(status Status, failure string, now time.Time) *Progress {
	out := *p
	out.Status, out.Failure, out.Updated = status, nil, now.UnixMilli()
	if failure != "" {
		out.Failure = &failure
	}
	return &out
}
