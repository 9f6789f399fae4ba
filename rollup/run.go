// SPDX-License-Identifier: Apache-2.0

package rollup

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/rollup/dimension"
	"github.com/opensteward/steward/wire"
)

// errStandby ends a run because another process leads now, errChanged because somebody changed the job's documents.
var (
	errStandby = errors.New("another process leads")
	errChanged = errors.New("the job was changed meanwhile")
)

// run is one run of one job.
type run struct {
	*Runner
	job      *Job
	progress *Progress
	src      *source
	groups   []dimension.Dimension // as the source has them
	groupers []grouper
	outputs  []output
	fields   []string // of the outputs
	target   string
	dates    map[string]bool // fields of the target that hold dates
	pending  []*bucket
	limits   limits
}

// limits are the settings of a run.
type limits struct {
	pause time.Duration // between tries of a write that a busy cluster did not take
	tries int
}

// runJob runs a job once, as far as there is something to do. It returns the job as it is stored afterwards, nil if
// there is none. An error means that it is to be tried again.
func (r *Runner) runJob(ctx context.Context, k *Kind, id string) (*Job, error) {
	job, _, err := r.store.job(ctx, k, id)
	if err != nil || job == nil {
		return nil, ignoreMissing(err)
	}
	if !job.Enabled {
		return job, nil
	}
	x := &run{Runner: r, job: job}
	if x.limits, err = r.limits(ctx, k); err != nil {
		return job, err
	}
	if x.progress, err = r.store.progress(ctx, job); err != nil {
		return job, err
	}
	err = x.work(ctx)
	if f, ok := errors.AsType[*failure](err); ok {
		err = x.fail(ctx, f.reason)
	}
	if fault.HasStatus(err, http.StatusConflict) {
		err = errChanged
	}
	return x.job, err
}

// ignoreMissing lets the missing config index mean that there is no job.
func ignoreMissing(err error) error {
	if fault.Is(err, "index_not_found_exception") {
		return nil
	}
	return err
}

// work does what there is to do.
func (x *run) work(ctx context.Context) error {
	if over, err := x.begin(ctx); over || err != nil {
		return err
	}
	var err error
	if x.src, err = openSource(ctx, x.client, x.job.Source); err != nil {
		return refusal(err, "")
	}
	if err := x.validate(ctx); err != nil {
		return err
	}
	if x.groupers, err = newGroupers(x.groups); err != nil {
		words := ""
		if x.job.Kind == Transform {
			words = "Failed to search data in source indices"
		}
		return refusal(err, words)
	}
	for _, o := range x.outputs {
		x.fields = with(x.fields, o.field)
	}
	fields := slices.Clone(x.fields)
	for _, d := range x.groups {
		fields = with(fields, d.SourceField)
	}
	x.src.want(fields)
	if ready, err := x.init(ctx); !ready || err != nil {
		return err
	}
	if x.job.Kind == Rollup {
		return x.rollup(ctx)
	}
	return x.transform(ctx)
}

// begin decides by the status whether there is anything to do. A job that is over is disabled: the process may have died
// before it was.
func (x *run) begin(ctx context.Context) (over bool, err error) {
	if x.progress == nil {
		return false, nil
	}
	switch x.progress.Status {
	case StatusStopped, StatusFailed:
		return true, x.disable(ctx)
	case StatusFinished:
		if !x.job.Continuous {
			return true, x.disable(ctx)
		}
	}
	return false, nil
}

// validate fails a job whose source does not have what it asks for, and notes what to read of it.
func (x *run) validate(ctx context.Context) error {
	x.groups, x.outputs = x.job.Groups, x.job.outputs(false)
	if x.job.Kind == Transform {
		if issues := x.job.issues(x.src); len(issues) > 0 {
			return failed("Failed validation - [" + strings.Join(issues, ", ") + "]")
		}
		return nil
	}
	if len(x.src.indices) == 0 {
		return failed("No indices found for [" + x.job.Source + "]")
	}
	for i := range x.src.indices {
		idx := &x.src.indices[i]
		var issues []string
		for _, name := range x.job.sourceFields() {
			if idx.mapping.field(name) == nil {
				issues = with(issues, "missing field "+name)
			}
		}
		if len(issues) > 0 {
			return failed("Invalid mappings for index [" + idx.name + "] because [" + strings.Join(issues, ", ") + "]")
		}
	}
	tier, err := x.src.tiered(ctx)
	if err != nil || !tier {
		return err
	}
	for i := range x.src.indices {
		if err := x.job.fits(&x.src.indices[i]); err != nil {
			return err
		}
	}
	x.groups, x.outputs = x.job.tierGroups(), x.job.outputs(true)
	return nil
}

func (j *Job) sourceFields() []string {
	var out []string
	for _, d := range j.Groups {
		out = append(out, d.SourceField)
	}
	for _, m := range j.Metrics {
		out = append(out, m.SourceField)
	}
	return out
}

// issues are what keeps a transform's groups from being made of its source.
func (j *Job) issues(s *source) []string {
	if len(s.indices) == 0 {
		return []string{"No specified source index exist in the cluster"}
	}
	var issues []string
	for _, idx := range s.indices {
		for _, d := range j.Groups {
			f := idx.mapping.field(d.SourceField)
			ok := f != nil && f.Type != ""
			switch {
			case !ok:
			case d.Kind == dimension.DateHistogram:
				ok = f.Type == "date"
			case d.Kind == dimension.Histogram:
				ok = slices.Contains(numberTypes, f.Type)
			default:
				ok = f.Type != "text"
			}
			if !ok {
				issues = append(issues, fmt.Sprintf("Cannot find field [%s] that can be grouped as [%s] in [%s].", d.SourceField, d.Kind, idx.name))
			}
		}
	}
	return issues
}

// init makes the progress of a job that has none, and takes a failed rollup up again. It is not ready if a continuous
// rollup has no document to begin with.
func (x *run) init(ctx context.Context) (ready bool, err error) {
	next := &Progress{Kind: x.job.Kind, JobID: x.job.ID, Status: StatusInit, ID: x.newProgressID(), Continuous: x.job.Kind == Transform && x.job.Continuous}
	switch {
	case x.progress == nil:
		next.Updated = x.now().UnixMilli()
	case x.progress.Status == StatusRetry:
		next = x.progress.at(StatusStarted, "", x.now())
	default:
		return true, nil
	}
	if x.job.Kind == Rollup && x.job.Continuous && next.Window == nil {
		first, ok, err := x.src.earliest(ctx, x.dateField(), nil)
		if err != nil || !ok {
			return false, refusal(err, "")
		}
		start := x.groupers[0].dates.floor(first)
		next.Window = &Window{start, x.groupers[0].dates.next(start)}
	}
	return true, x.save(ctx, next)
}

// newProgressID is the id of the progress of this version of the job, so that a process that died right after it was
// written is followed by one that finds it.
func (x *run) newProgressID() string {
	return hashID(fmt.Sprintf("%s#%s#%d#%d", x.job.Kind.metadata(), x.job.ID, x.job.Updated, x.job.Version.SeqNo))
}

// save stores progress, and the job's reference to it.
func (x *run) save(ctx context.Context, p *Progress) error {
	if _, held := x.lease.Held(); !held {
		return errStandby
	}
	saved, err := x.store.putProgress(ctx, p)
	if err != nil {
		return err
	}
	x.progress = saved
	if x.job.MetadataID == nil || *x.job.MetadataID != saved.ID {
		job := *x.job
		job.MetadataID = &saved.ID
		updated, err := x.store.putJob(ctx, &job)
		if err != nil {
			return err
		}
		x.job = updated
	}
	return nil
}

// fail stores why the job cannot work, and disables it.
func (x *run) fail(ctx context.Context, reason string) error {
	p := x.progress
	if p == nil {
		p = &Progress{Kind: x.job.Kind, JobID: x.job.ID, ID: x.newProgressID()}
	}
	if _, held := x.lease.Held(); !held {
		return errStandby
	}
	saved, err := x.store.putProgress(ctx, p.at(StatusFailed, reason, x.now()))
	if err != nil {
		return err
	}
	x.progress = saved
	x.log.Warn("job failed", "kind", x.job.Kind.Name, "id", x.job.ID, "reason", reason)
	return x.disable(ctx)
}

func (x *run) disable(ctx context.Context) error {
	job, err := x.store.putJob(ctx, x.job.Disable(x.progress.ID))
	if err == nil {
		x.job = job
	}
	return err
}

func (x *run) now() time.Time { return x.clock.Now() }

// collect groups the documents of a query in one pass.
func (x *run) collect(ctx context.Context, query any, after []any, within *Window, only map[string]bool) (*grouping, error) {
	var g *grouping
	begin := func() {
		g = &grouping{groupers: x.groupers, fields: x.fields, after: after, within: within, only: only, limit: maxBuckets}
	}
	if err := x.src.scan(ctx, query, begin, func(d *document) { g.add(d) }); err != nil {
		words := ""
		if x.job.Kind == Transform {
			words = "Failed to search data in source indices"
		}
		return nil, refusal(err, words)
	}
	return g, nil
}

// write indexes the documents of buckets, and counts them in stats.
func (x *run) write(ctx context.Context, list []*bucket, stats *Stats) error {
	writes := make([]opensearch.Write, len(list))
	for i, b := range list {
		key := x.shown(b.key)
		writes[i] = opensearch.Write{Op: opensearch.OpIndex, Index: x.target, ID: x.job.documentID(key), Source: x.document(b, key)}
		if at := x.job.routing(); at >= 0 && b.key[at] != nil {
			writes[i].Routing = javaText(b.key[at])
		}
		stats.Documents += b.documents
	}
	stats.Indexed += int64(len(list))
	began := time.Now()
	refused, err := x.store.bulk(ctx, writes, x.limits.pause, x.limits.tries)
	stats.IndexMillis += begunMillis(began)
	if refused != nil {
		reason := refused.Reason
		if x.job.Kind == Transform {
			reason = "Failed to index the documents"
		}
		return failed(reason)
	}
	return err
}

// shown is a key as the target has it: dates in the format of their dimension, if that has one.
func (x *run) shown(key []any) []any {
	for i, g := range x.groupers {
		if ms, is := key[i].(int64); is && g.Format != nil && g.dates != nil {
			key = slices.Clone(key)
			key[i] = wire.FormatDate(time.UnixMilli(ms).In(g.dates.zone), *g.Format)
		}
	}
	return key
}

// document is the target document of a bucket with this key.
func (x *run) document(b *bucket, key []any) wire.Object {
	var o wire.Object
	if x.job.Kind == Rollup {
		o = wire.Obj("rollup._id", x.job.ID, "_doc_count", b.documents, "rollup._schema_version", x.job.SchemaVersion)
	} else {
		o = wire.Obj("transform._id", x.job.ID, "transform._doc_count", b.documents)
	}
	for i, name := range x.job.keyNames() {
		o.Add(name, keyJSON(key[i]))
	}
	for _, out := range x.outputs {
		v := b.sums[slices.Index(x.fields, out.field)].result(out.kind)
		if f, ok := v.(dimension.Double); ok && x.dates[out.name] && out.kind != dimension.Sum && out.kind != doubleCount {
			v = int64(f)
		}
		o.Add(out.name, v)
	}
	return o
}

// flush writes the first n pending buckets as one page, and then the progress that follows from next.
func (x *run) flush(ctx context.Context, n int, next func(p *Progress, last []any)) error {
	page := x.pending[:n]
	p := x.progress.at(StatusStarted, "", x.now())
	if x.job.Kind == Rollup || !x.job.Continuous { // a continuous transform counts what it looks through for changes
		p.Stats.Pages++
	}
	if err := x.write(ctx, page, &p.Stats); err != nil {
		return err
	}
	p.Stats.SearchMillis += x.src.millis
	x.src.millis = 0
	last := page[n-1].key
	p.AfterKey, p.keyNames = last, x.job.keyNames()
	if next != nil {
		next(p, last)
	}
	x.pending = x.pending[n:]
	if err := x.save(ctx, p); err != nil {
		return err
	}
	return x.look(ctx)
}

// look takes in what was changed of the job since it was read: the size of its pages counts from the next one.
func (x *run) look(ctx context.Context) error {
	now, _, err := x.store.job(ctx, x.job.Kind, x.job.ID)
	switch {
	case err != nil:
		return err
	case now == nil || !now.Enabled || value(now.EnabledAt) != value(x.job.EnabledAt) || !equalPointers(now.MetadataID, x.job.MetadataID):
		return errChanged
	}
	x.job = now
	return nil
}

// flushPages writes whole pages of what is pending.
func (x *run) flushPages(ctx context.Context, next func(p *Progress, last []any)) error {
	for len(x.pending) >= x.job.PageSize {
		if err := x.flush(ctx, x.job.PageSize, next); err != nil {
			return err
		}
	}
	return nil
}

// finish writes what is left and ends a job that runs once.
func (x *run) finish(ctx context.Context) error {
	if err := x.flushPages(ctx, nil); err != nil {
		return err
	}
	if n := len(x.pending); n > 0 {
		if err := x.flush(ctx, n, nil); err != nil {
			return err
		}
	}
	p := x.progress.at(StatusFinished, "", x.now())
	p.AfterKey = nil
	p.Stats.Pages++ // the one that found nothing more
	p.Stats.SearchMillis += x.src.millis
	if err := x.save(ctx, p); err != nil {
		return err
	}
	return x.disable(ctx)
}
