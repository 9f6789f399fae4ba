// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/opensearch"
)

// errLeaseLost ends a sweep: somebody else may act now.
var errLeaseLost = errors.New("the lease is lost")

// write is one document write on behalf of an entry.
type write struct {
	entry *entry // nil for a document of our own index
	op    opensearch.Write
	// meta is the metadata of which the history keeps a record once the write is made; nil for any other document.
	meta *ism.Metadata
	// stored takes over what was written, with its new version.
	stored func(opensearch.Version)
}

// metaWrite stores metadata under the version that was read, or creates it.
func metaWrite(e *entry, meta *ism.Metadata) write {
	op := opensearch.Write{
		Op: opensearch.OpIndex, Index: ConfigIndex, ID: e.uuid + MetadataSuffix, Routing: e.uuid,
		If: e.metaVersion, Source: meta,
	}
	if e.metaVersion == (opensearch.Version{}) {
		op.Op = opensearch.OpCreate
	}
	stored := func(v opensearch.Version) { e.setMeta(meta, v) }
	return write{entry: e, op: op, meta: meta, stored: stored}
}

// jobWrite stores a job under the version that was read, or creates it.
func jobWrite(e *entry, job *ism.Job) write {
	op := opensearch.Write{
		Op: opensearch.OpIndex, Index: ConfigIndex, ID: e.uuid, Routing: e.uuid, If: e.jobVersion, Source: job,
	}
	if e.jobVersion == (opensearch.Version{}) {
		op.Op = opensearch.OpCreate
	}
	return write{entry: e, op: op, stored: func(v opensearch.Version) { e.setJob(job, v) }}
}

// forgetWrites delete both documents of an entry, as far as there are any.
func forgetWrites(e *entry) []write {
	var out []write
	remove := func(id string, was opensearch.Version, stored func(opensearch.Version)) {
		if was != (opensearch.Version{}) {
			op := opensearch.Write{Op: opensearch.OpDelete, Index: ConfigIndex, ID: id, Routing: e.uuid, If: was}
			out = append(out, write{entry: e, op: op, stored: stored})
		}
	}
	remove(e.uuid, e.jobVersion, func(opensearch.Version) { e.setJob(nil, opensearch.Version{}) })
	remove(e.uuid+MetadataSuffix, e.metaVersion, func(opensearch.Version) { e.setMeta(nil, opensearch.Version{}) })
	return out
}

// store makes writes in bulk, and takes over the new versions of those that succeeded. The result are the entries of
// which some write was refused; those whose documents somebody else has changed have been read again.
func (s *sweep) store(ctx context.Context, writes []write) (refused map[*entry]bool, err error) {
	refused = map[*entry]bool{}
	var conflicts []*entry
	for chunk := range slices.Chunk(writes, maxBatch) {
		if err := s.configExists(ctx, chunk); err != nil {
			return refused, err
		}
		if err := s.stillLeading(); err != nil {
			return refused, err
		}
		results, err := s.bulk(ctx, chunk)
		if err != nil {
			return refused, err
		}
		s.noteRefusal(chunk, results)
		for i, r := range results {
			if conflict := s.stored(chunk[i], r, refused); conflict {
				conflicts = append(conflicts, chunk[i].entry)
			}
		}
	}
	return refused, s.readAgain(ctx, conflicts)
}

// bulk makes writes in one request, in which the records of the history that wait go first: what they are of is about
// to be written over.
func (s *sweep) bulk(ctx context.Context, writes []write) ([]opensearch.Written, error) {
	ops := s.recordsAlong(ctx)
	records := len(ops)
	for _, w := range writes {
		ops = append(ops, w.op)
	}
	results, err := s.opts.Client.Bulk(ctx, ops)
	if err != nil {
		s.history.unanswered(writes)
		return nil, err
	}
	if err := s.history.written(results[:records]); err != nil {
		s.history.failed()
	}
	return results[records:], nil
}

// errConfigGone ends a sweep: the documents that it knows are gone.
var errConfigGone = errors.New("the config index was deleted")

// configExists looks whether the config index is still there right before it is written to: a write to an index that
// was deleted would make it again, with a mapping that nobody asked for.
func (s *sweep) configExists(ctx context.Context, writes []write) error {
	if !slices.ContainsFunc(writes, func(w write) bool { return w.op.Index == ConfigIndex && w.op.Op != opensearch.OpDelete }) {
		return nil
	}
	call := opensearch.Call{Method: http.MethodHead, Path: opensearch.Path(ConfigIndex)}
	status, _, _, err := s.opts.Client.Send(ctx, call)
	if err == nil && status == http.StatusNotFound {
		err = errConfigGone
	}
	return err
}

// stored takes in the result of one write.
func (s *sweep) stored(w write, r opensearch.Written, refused map[*entry]bool) (conflict bool) {
	switch {
	case r.Err == nil:
		if w.op.Index == ConfigIndex {
			s.docs.wrote(r)
		}
		s.history.stored(w, r.SeqNo, s.now)
		if w.stored != nil {
			w.stored(r.Version)
		}
		return false
	case w.entry == nil:
		report := s.log.Warn
		if fault.HasStatus(r.Err, http.StatusConflict) || fault.HasStatus(r.Err, http.StatusNotFound) {
			report = s.log.Debug // it is somebody else's by now, or gone
		}
		report("write refused", "id", w.op.ID, "err", r.Err)
		return false
	default:
		refused[w.entry] = true
		s.log.Debug("write refused", "index", w.entry.name(), "id", w.op.ID, "err", r.Err)
		return outdated(r.Err)
	}
}

// outdated reports whether a write was refused because somebody else has written or deleted the document.
func outdated(err error) bool {
	return fault.HasStatus(err, http.StatusConflict) || fault.HasStatus(err, http.StatusNotFound)
}

// noteRefusal notes why the cluster did not take a document about an index, if so, and tells it when that is news.
func (s *sweep) noteRefusal(writes []write, results []opensearch.Written) {
	text, about := "", false
	for i, r := range results {
		about = about || writes[i].entry != nil
		if writes[i].entry != nil && r.Err != nil && !outdated(r.Err) {
			text = r.Err.Error()
			break
		}
	}
	if !about || text == s.status.Refused {
		return
	}
	s.status.Refused = text
	if text != "" {
		s.log.Warn("documents are not written; they are tried again", "err", text)
	}
}

// stillLeading is asked before every write and every effect.
func (m *Manager) stillLeading() error {
	if fence, held := m.opts.Lease.Held(); !held || m.fence != 0 && fence != m.fence {
		return errLeaseLost
	}
	return nil
}

// readAgain reads the documents of entries that somebody else has written, and only those.
func (s *sweep) readAgain(ctx context.Context, entries []*entry) error {
	if len(entries) == 0 {
		return nil
	}
	keys := make([]opensearch.Key, 0, 2*len(entries))
	for _, e := range entries {
		keys = append(keys, opensearch.Key{ID: e.uuid, Routing: e.uuid},
			opensearch.Key{ID: e.uuid + MetadataSuffix, Routing: e.uuid})
	}
	docs, err := s.opts.Client.MultiGet(ctx, ConfigIndex, keys)
	if err != nil {
		return err
	}
	var found changes
	for _, doc := range docs {
		if doc.Found {
			s.docs.apply(doc, &found)
			continue
		}
		e := s.docs.entry(strings.TrimSuffix(doc.ID, MetadataSuffix))
		if doc.ID == e.uuid {
			e.setJob(nil, opensearch.Version{})
		} else {
			e.setMeta(nil, opensearch.Version{})
		}
		s.docs.dropEmpty(e)
	}
	s.taken(found) // also one that another process has attached before we could
	for _, e := range entries {
		if s.docs.entries[e.uuid] != e || !e.hasJob() {
			s.queue.remove(e)
			s.gone = true
		}
	}
	return nil
}
