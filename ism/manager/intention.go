// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"context"
	"encoding/json"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/ism/action"
	"github.com/opensteward/steward/lease"
	"github.com/opensteward/steward/opensearch"
)

// intentionPrefix begins the ids of intentions in [lease.Index]; the index's uuid follows.
const intentionPrefix = "intention-"

// intentionRecord is the document of an intention. It is valid for one start of one action in one state.
type intentionRecord struct {
	Index  string           `json:"index"`
	Step   string           `json:"step"`
	State  string           `json:"state"`
	Start  int64            `json:"action_start"` // epoch milliseconds
	Fence  int64            `json:"fence"`
	Action action.Intention `json:"what"`
}

// intentions keeps the intention of one step. It is used by that step's goroutine alone.
type intentions struct {
	client *opensearch.Client
	uuid   string
	now    intentionRecord // as this step would write it
	// version is that of the document as it was last seen, zero if there is none.
	version opensearch.Version
	noIndex bool
}

// Load is part of action.Intentions.
func (i *intentions) Load(ctx context.Context) (*action.Intention, error) {
	doc, err := i.client.Get(ctx, lease.Index, intentionPrefix+i.uuid, "")
	if fault.Is(err, "index_not_found_exception") {
		i.noIndex = true
		return nil, nil
	}
	if err != nil || !doc.Found {
		return nil, err
	}
	i.version = doc.Version
	r, err := parseIntention(doc.Source)
	if err != nil {
		return nil, nil // of another version of this program; it is replaced
	}
	if r.Step != i.now.Step || r.State != i.now.State || r.Start != i.now.Start {
		return nil, nil // left over from an earlier step
	}
	return &r.Action, nil
}

func parseIntention(source json.RawMessage) (intentionRecord, error) {
	var body struct {
		Intention intentionRecord `json:"intention"`
	}
	err := json.Unmarshal(source, &body)
	return body.Intention, err
}

// Store is part of action.Intentions.
func (i *intentions) Store(ctx context.Context, what action.Intention) error {
	if i.noIndex {
		if err := lease.EnsureIndex(ctx, i.client); err != nil {
			return err
		}
	}
	i.now.Action = what
	done, err := i.client.Write(ctx, intentionWrite(i.uuid, i.now, i.version), "")
	if err == nil {
		i.version = done.Version
	}
	return err
}

func intentionWrite(uuid string, r intentionRecord, was opensearch.Version) opensearch.Write {
	w := opensearch.Write{
		Op: opensearch.OpIndex, Index: lease.Index, ID: intentionPrefix + uuid, If: was,
		Source: map[string]any{"intention": r},
	}
	if was == (opensearch.Version{}) {
		w.Op = opensearch.OpCreate
	}
	return w
}

// open reports whether a document is there to be deleted.
func (i *intentions) open() bool { return i.version != (opensearch.Version{}) }

// close deletes the intention with the step's result. One that the next leader has written meanwhile stays.
func (i *intentions) close() write { return dropIntention(i.uuid, i.version) }

// dropIntention deletes the intention of an index, whatever its version if was is zero.
func dropIntention(uuid string, was opensearch.Version) write {
	return write{op: opensearch.Write{Op: opensearch.OpDelete, Index: lease.Index, ID: intentionPrefix + uuid, If: was}}
}

// adoptIntentions returns the writes that put the intentions of these entries under a new fencing number, so that
// nobody who saw them before can replace them.
func adoptIntentions(ctx context.Context, c *opensearch.Client, entries []*entry, fence int64) ([]write, error) {
	keys := make([]opensearch.Key, len(entries))
	for n, e := range entries {
		keys[n] = opensearch.Key{ID: intentionPrefix + e.uuid}
	}
	docs, err := c.MultiGet(ctx, lease.Index, keys)
	if err != nil {
		return nil, err
	}
	var writes []write
	for n, doc := range docs {
		if !doc.Found {
			continue
		}
		r, err := parseIntention(doc.Source)
		if err != nil {
			continue
		}
		r.Fence = fence
		writes = append(writes, write{op: intentionWrite(entries[n].uuid, r, doc.Version)})
	}
	return writes, nil
}
