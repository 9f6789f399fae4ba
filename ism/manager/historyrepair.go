// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// A leader that died may have stored metadata without the record of it. The one that comes next looks which sequence
// numbers the newest records have: what is newer than all of them, and has none, gets it now.

// repairHistory keeps records of metadata that has none although it was stored by a leader before this one.
func (s *sweep) repairHistory(ctx context.Context) error {
	h := &s.history
	if !h.settings.enabled {
		return nil
	}
	from, kept, err := s.newestRecorded(ctx)
	if err != nil || !kept {
		return err
	}
	var missing []*entry
	for _, e := range s.docs.entries {
		if !e.hasMeta() || e.metaVersion.SeqNo <= from {
			continue
		}
		if meta := e.meta(); meta.Recorded() && !meta.RetryPending() {
			missing = append(missing, e)
		}
	}
	for chunk := range slices.Chunk(missing, maxBatch) {
		there, err := s.recorded(ctx, chunk)
		if err != nil {
			return err
		}
		for _, e := range chunk {
			if !there[recordID(e.uuid, e.metaVersion.SeqNo)] {
				h.add(e, e.meta(), e.metaVersion.SeqNo, s.now)
			}
		}
	}
	return nil
}

// newestRecorded is the highest sequence number of metadata that the newest records are of, -1 if the config index
// counts from the beginning again or over several shards. kept is false where the history has records, but none that
// says so: the plugin's own.
func (s *sweep) newestRecorded(ctx context.Context) (from int64, kept bool, err error) {
	body := wire.Obj("size", maxBatch, "_source", false, "track_total_hits", false,
		"sort", []any{wire.Obj("managed_index_meta_data.history_timestamp", wire.Obj("order", "desc", "unmapped_type", "date"))})
	res, err := s.opts.Client.Search(ctx, historyAll, body, nil)
	if fault.Is(err, "index_not_found_exception") || err == nil && len(res.Hits) == 0 {
		return -1, true, nil
	}
	if err != nil {
		return 0, false, err
	}
	from = -1
	for _, doc := range res.Hits {
		at := strings.LastIndexByte(doc.ID, '-')
		if n, err := strconv.ParseInt(doc.ID[at+1:], 10, 64); err == nil && at > 0 {
			from, kept = max(from, n), true
		}
	}
	for _, last := range s.docs.last {
		if from > last || len(s.docs.last) > 1 {
			from = -1
		}
	}
	return from, kept, nil
}

// recorded are the ids of the records that exist of these entries' metadata.
func (s *sweep) recorded(ctx context.Context, entries []*entry) (map[string]bool, error) {
	ids := make([]string, len(entries))
	for i, e := range entries {
		ids[i] = recordID(e.uuid, e.metaVersion.SeqNo)
	}
	body := wire.Obj("size", len(ids), "_source", false, "query", wire.Obj("ids", wire.Obj("values", ids)))
	res, err := s.opts.Client.Search(ctx, historyAll, body, nil)
	if fault.Is(err, "index_not_found_exception") {
		return nil, nil
	}
	there := map[string]bool{}
	for _, doc := range res.Hits {
		there[doc.ID] = true
	}
	return there, err
}
