// SPDX-License-Identifier: Apache-2.0

package action

import (
	"context"
	"encoding/json"
	"sync/atomic"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/rollup"
)

// LockIndex is the job scheduler's index of locks. A shrink locks its node there under the plugin's id, so that two
// shrinks never fill one node.
const LockIndex = ".opendistro-job-scheduler-lock"

// lockIndexBody makes the index as the job scheduler does.
var lockIndexBody = json.RawMessage(`{"settings":{"index.number_of_shards":1,"index.auto_expand_replicas":"0-1","index.hidden":true},
"mappings":{"dynamic":"strict","properties":{"job_index_name":{"type":"keyword"},"job_id":{"type":"keyword"},
"lock_time":{"type":"date","format":"epoch_second"},"lock_duration_seconds":{"type":"long"},"released":{"type":"boolean"}}}}`)

// lockRecord is the document of a lock.
type lockRecord struct {
	JobIndex string `json:"job_index_name"`
	JobID    string `json:"job_id"`
	Time     int64  `json:"lock_time"` // epoch seconds
	Duration int64  `json:"lock_duration_seconds"`
	Released bool   `json:"released"`
}

func lockJob(node string) string { return "shrink-node_name-" + node }

func lockID(node string) string { return rollup.ConfigIndex + "-" + lockJob(node) }

// lockSeconds is how long a lock holds that is not renewed: three runs of the plugin and half an hour, or three hours if
// the plugin would not run.
func lockSeconds(interval time.Duration) int64 {
	if interval <= 0 {
		return 3 * 60 * 60
	}
	return 3*int64(interval/time.Second) + 30*60
}

// lastLock is the last instant given to a lock.
var lastLock atomic.Int64

// lockInstant is the second that a new lock is dated: now, or a little later if it has been given away. So no two locks of
// this process have the same, and after a crash a lock can be told by it.
func lockInstant(now time.Time) int64 {
	const many = 3600 // further ahead is the last lock of another clock
	for {
		last, t := lastLock.Load(), now.Unix()
		if last >= t && last-t < many {
			t = last + 1
		}
		if lastLock.CompareAndSwap(last, t) {
			return t
		}
	}
}

// lock takes the lock of the plan's node, or renews the one that it holds, and notes it in the plan. It returns false if
// somebody else has it. The plan is stored before the lock is written: so a lock that was written before a crash is known
// again.
func (e *Env) lock(ctx context.Context, p *shrinkPlan) (bool, error) {
	doc, err := e.Client.Get(ctx, LockIndex, lockID(p.Node), "")
	if fault.Is(err, "index_not_found_exception") {
		if err := e.Client.CreateIndex(ctx, LockIndex, lockIndexBody); err != nil && !fault.Is(err, "resource_already_exists_exception") {
			return false, err
		}
		doc, err = opensearch.Document{}, nil
	}
	if err != nil {
		return false, err
	}
	var now lockRecord
	if doc.Found {
		if err := json.Unmarshal(doc.Source, &now); err != nil {
			return false, err
		}
	}
	ours := doc.Found && !now.Released && (doc.Version == p.lockVersion() || now.Time == p.LockTime)
	until := now.Time + now.Duration
	switch {
	case ours && e.Now.Unix() < until-now.Duration/2:
		p.LockSeqNo, p.LockPrimaryTerm, p.LockTime, p.LockDuration = doc.SeqNo, doc.PrimaryTerm, now.Time, now.Duration
		return true, nil
	case doc.Found && !ours && !now.Released && e.Now.Unix() <= until:
		return false, nil
	}
	p.LockTime, p.LockDuration = lockInstant(e.Now), lockSeconds(e.Interval)
	if err := e.Intentions.Store(ctx, Intention{Shrink: p}); err != nil {
		return false, err
	}
	return e.writeLock(ctx, p, doc)
}

func (e *Env) writeLock(ctx context.Context, p *shrinkPlan, was opensearch.Document) (bool, error) {
	w := opensearch.Write{
		Op: opensearch.OpCreate, Index: LockIndex, ID: lockID(p.Node),
		Source: lockRecord{JobIndex: rollup.ConfigIndex, JobID: lockJob(p.Node), Time: p.LockTime, Duration: p.LockDuration},
	}
	if was.Found {
		w.Op, w.If = opensearch.OpIndex, was.Version
	}
	done, err := e.Client.Write(ctx, w, "")
	if fault.Is(err, "version_conflict_engine_exception") {
		return false, nil
	}
	p.LockSeqNo, p.LockPrimaryTerm = done.SeqNo, done.PrimaryTerm
	return err == nil, err
}

// unlock gives the plan's lock back. One that is no longer the plan's stays.
func (e *Env) unlock(ctx context.Context, p *shrinkPlan) error {
	_, err := e.Client.Write(ctx, p.unlocks(), "")
	if err != nil && Unanswered(err) {
		return err
	}
	return nil
}

// unlocks is the write that gives the plan's lock back. It is refused if the lock is no longer the plan's.
func (p *shrinkPlan) unlocks() opensearch.Write {
	return opensearch.Write{Op: opensearch.OpDelete, Index: LockIndex, ID: lockID(p.Node), If: p.lockVersion()}
}

// Unlock is the write that gives back the node that the shrink of an index has locked, as its metadata says; false if it has
// none. The lock may be another's by now: the write is refused then.
func Unlock(meta *ism.Metadata) (w opensearch.Write, has bool) {
	if meta.Action == nil || meta.Action.Properties == nil || meta.Action.Properties.Shrink == nil {
		return w, false
	}
	p := &shrinkPlan{}
	if json.Unmarshal(meta.Action.Properties.Shrink, p) != nil {
		return w, false
	}
	return p.unlocks(), true
}
