// SPDX-License-Identifier: Apache-2.0

package rollup

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/rollup/dimension"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
	"github.com/opensteward/steward/wire/schedule"
)

// The values of if_seq_no and if_primary_term that mean "not given".
const (
	noSeqNo       = -2
	noPrimaryTerm = 0
)

// put creates a job, or replaces the version that the caller has seen.
func (h handlers) put(r *rest.Request) (rest.Action, error) {
	id := r.Path("id")
	if id == "" {
		return nil, h.missingID()
	}
	seqNo, primaryTerm := r.Long("if_seq_no", noSeqNo), r.Long("if_primary_term", noPrimaryTerm)
	body, err := r.RequireBody()
	if err != nil {
		return nil, err
	}
	now := h.now()
	isNew := seqNo == noSeqNo || primaryTerm == noPrimaryTerm
	j, err := Parse(h.kind, id, body, now, isNew)
	if err != nil {
		return nil, err
	}
	j.Updated, j.User = now.UnixMilli(), nil
	refresh := r.Refresh("true")
	f := form(r)
	if !isNew {
		j.Version = opensearch.Version{SeqNo: seqNo, PrimaryTerm: primaryTerm}
	}
	return func(ctx context.Context) (*rest.Response, error) {
		if isNew {
			return h.create(ctx, j, refresh, f)
		}
		return h.update(ctx, j, refresh, f)
	}, nil
}

func (h handlers) create(ctx context.Context, j *Job, refresh string, f Form) (*rest.Response, error) {
	done, err := Create(ctx, h.o.Client, h.o.Ensure, j, refresh)
	if err != nil {
		return nil, err
	}
	h.o.Changed()
	res := h.stored(j, done, f)
	res.Status = http.StatusCreated
	res.Header = http.Header{"Location": {h.kind.prefix + "/" + url.PathEscape(j.ID)}}
	return res, nil
}

// Create stores a new job: 409 if there is one of its id, 404 or 400 if a transform's source does not fit. ensure makes
// the config index.
func Create(ctx context.Context, c *opensearch.Client, ensure func(context.Context) error, j *Job, refresh string) (opensearch.Written, error) {
	if err := ensure(ctx); err != nil {
		return opensearch.Written{}, err
	}
	j.SchemaVersion = SchemaVersion
	check := checkTarget
	if j.Kind == Transform {
		check = checkSource
	}
	if err := check(ctx, c, j); err != nil {
		return opensearch.Written{}, err
	}
	return c.Write(ctx, opensearch.Write{Op: opensearch.OpCreate, Index: ConfigIndex, ID: j.ID, Source: j}, refresh)
}

// checkTarget refuses a rollup whose target is a pattern.
func checkTarget(ctx context.Context, c *opensearch.Client, j *Job) error {
	target, err := Resolve(ctx, c, j.Target, map[string]any{"source_index": j.Source})
	if f, ok := errors.AsType[*failure](err); ok {
		return fault.Status(http.StatusBadRequest, "%s", f.reason)
	}
	if strings.ContainsAny(target, "*?") {
		err = fault.Status(http.StatusBadRequest, "target_index value is invalid: %s", j.Target)
	}
	return err
}

// checkSource refuses a transform whose groups cannot be made of its source, or whose query is none.
func checkSource(ctx context.Context, c *opensearch.Client, j *Job) error {
	s, err := openSource(ctx, c, j.Source)
	if err != nil {
		return err
	}
	switch issues := j.issues(s); {
	case len(s.indices) == 0:
		return fault.Status(http.StatusNotFound, "%s", issues[0])
	case len(issues) > 0:
		return fault.Status(http.StatusBadRequest, "%s", strings.Join(issues, " "))
	}
	_, err = c.Search(ctx, s.indices[0].name, wire.Obj("size", 0, "query", j.Query), nil)
	if fault.HasStatus(err, http.StatusBadRequest) && !fault.Is(err, "search_phase_execution_exception") {
		return err
	}
	return nil
}

func (h handlers) update(ctx context.Context, j *Job, refresh string, f Form) (*rest.Response, error) {
	if err := h.o.Ensure(ctx); err != nil {
		return nil, err
	}
	was, _, err := h.store.job(ctx, h.kind, j.ID)
	if err != nil {
		return nil, err
	}
	if was == nil {
		return nil, h.notFound()
	}
	if changed := was.immutable(j); len(changed) > 0 {
		return nil, fault.Status(http.StatusBadRequest, "Not allowed to modify [%s]", strings.Join(changed, ", "))
	}
	if j.Kind == Rollup {
		if err := checkTarget(ctx, h.o.Client, j); err != nil {
			return nil, err
		}
	}
	j.SchemaVersion, j.User = SchemaVersion, was.User
	j.Schedule = keepStart(j.Schedule, was.Schedule)
	done, err := h.o.Client.Write(ctx, opensearch.Write{
		Op: opensearch.OpIndex, Index: ConfigIndex, ID: j.ID, If: j.Version, Source: j,
	}, refresh)
	if err != nil {
		return nil, err
	}
	h.o.Changed()
	return h.stored(j, done, f), nil
}

// keepStart lets an interval that names no start go on from the stored one.
func keepStart(next, was schedule.Schedule) schedule.Schedule {
	if next.Interval == nil || next.Interval.Start != nil || was.Interval == nil {
		return next
	}
	return next.StartingAt(value(was.Interval.Start))
}

// immutable are the members in which a job differs from another version of it, though it must not.
func (j *Job) immutable(next *Job) []string {
	var out []string
	note := func(same bool, name string) {
		if !same {
			out = append(out, name)
		}
	}
	groups := reflect.DeepEqual(j.Groups, next.Groups)
	if j.Kind == Rollup {
		note(j.Continuous == next.Continuous, "continuous")
		note(groups, "dimensions")
		note(reflect.DeepEqual(dimension.MetricsJSON(j.Metrics), dimension.MetricsJSON(next.Metrics)), "metrics")
		note(j.Source == next.Source, "source_index")
		note(j.Target == next.Target, "target_index")
		note(bytes.Equal(j.TargetSettings, next.TargetSettings), "target_index_settings")
		note(equalPointers(j.RoutingField, next.RoutingField), "routing_field")
		return out
	}
	note(j.Source == next.Source, "source_index")
	note(j.Target == next.Target, "target_index")
	note(sameJSON(j.Query, next.Query), "data_selection_query")
	note(groups, "groups")
	note(sameAggregations(j.Aggregations, next.Aggregations), "aggregations")
	note(j.Continuous == next.Continuous, "continuous")
	return out
}

// stored is the answer to a job that was written.
func (h handlers) stored(j *Job, done opensearch.Written, f Form) *rest.Response {
	return rest.OK(wire.Obj("_id", done.ID, "_version", done.Number, "_seq_no", done.SeqNo, "_primary_term", done.PrimaryTerm,
		h.kind.Name, j.JSON(f)))
}

// start enables a job and takes up again what had stopped or failed.
func (h handlers) start(r *rest.Request) (rest.Action, error) {
	id := r.Path("id")
	if id == "" {
		return nil, fault.Validation("id is missing")
	}
	return func(ctx context.Context) (*rest.Response, error) {
		if err := Start(ctx, h.o.Client, h.kind, id, h.now()); err != nil {
			return nil, err
		}
		h.o.Changed()
		return rest.OK(opensearch.Acknowledged{Acknowledged: true}), nil
	}, nil
}

// Start sets a job's progress going again and enables the job: 404 if there is no such job. A runner that ends the job at
// the same time either sees the new progress or fails to disable the job, which has been written since it read it.
func Start(ctx context.Context, c *opensearch.Client, k *Kind, id string, now time.Time) error {
	s := &store{client: c}
	for moved := false; ; {
		j, _, err := s.job(ctx, k, id)
		switch {
		case err != nil:
			return err
		case j == nil:
			return fault.Status(http.StatusNotFound, "%s not found", k.Title)
		}
		went, err := s.goOn(ctx, j, now)
		if moved = moved || went; err != nil || j.Enabled && !moved {
			return err
		}
		if _, err = s.putJob(ctx, j.enable(now)); !fault.HasStatus(err, http.StatusConflict) {
			return err
		}
	}
}

// goOn makes the progress of a job that is over one that goes on, and reports whether it did. What a runner stores
// meanwhile is looked at.
func (s *store) goOn(ctx context.Context, j *Job, now time.Time) (moved bool, err error) {
	for {
		p, err := s.progress(ctx, j)
		switch {
		case err != nil || j.MetadataID == nil || p == nil && j.Kind == Rollup:
			return false, err
		case p == nil:
			return false, fault.Status(http.StatusNotFound, "Metadata doc missing for transform [%s]", *j.MetadataID)
		}
		next := StatusStarted
		switch {
		case p.Status == StatusFailed && j.Kind == Rollup:
			next = StatusRetry
		case p.Status == StatusStarted || p.Status == StatusInit || p.Status == StatusRetry:
			return false, nil
		}
		if moved, err = s.setStatus(ctx, j, p.Version, next, nil, now); !fault.HasStatus(err, http.StatusConflict) {
			return moved, err
		}
	}
}

// setStatus changes the status of a job's progress, if that still has the version.
func (s *store) setStatus(ctx context.Context, j *Job, v opensearch.Version, status Status, reason *string, now time.Time) (bool, error) {
	members := wire.Obj("status", status)
	members.AddIf(j.Kind == Rollup || status == StatusStarted, "failure_reason", reason)
	members.Add(j.Kind.metaUpdated, now.UnixMilli())
	done, err := s.client.Write(ctx, opensearch.Write{
		Op: opensearch.OpUpdate, Index: ConfigIndex, ID: *j.MetadataID, Routing: j.ID, If: v, Source: wire.Obj(j.Kind.metadata(), members),
	}, "")
	return done.Result == "updated" || done.Result == "noop", err
}

// stop ends a job: first its progress, which the runner respects, then the job itself.
func (h handlers) stop(r *rest.Request) (rest.Action, error) {
	id := r.Path("id")
	if id == "" {
		return nil, h.missingID()
	}
	return func(ctx context.Context) (*rest.Response, error) {
		j, doc, err := h.store.job(ctx, h.kind, id)
		if err != nil {
			return nil, err
		}
		if j == nil {
			return nil, h.notFound()
		}
		ok, err := h.stopProgress(ctx, j)
		if err != nil || !ok {
			return rest.OK(opensearch.Acknowledged{}), err
		}
		k, ms := h.kind, h.now().UnixMilli()
		members := wire.Obj("enabled", false, k.enabledAt, nil, k.updated, ms)
		done, err := h.o.Client.Write(ctx, opensearch.Write{
			Op: opensearch.OpUpdate, Index: ConfigIndex, ID: id, If: doc.Version, Source: wire.Obj(k.Name, members),
		}, "true")
		if err != nil {
			return nil, err
		}
		h.o.Changed()
		return rest.OK(opensearch.Acknowledged{Acknowledged: done.Result == "updated" || done.Result == "noop"}), nil
	}, nil
}

func (h handlers) stopProgress(ctx context.Context, j *Job) (ok bool, err error) {
	for {
		p, err := h.store.progress(ctx, j)
		if err != nil || p == nil {
			return err == nil, err
		}
		next, reason := p.Status, (*string)(nil)
		switch p.Status {
		case StatusStarted, StatusInit:
			next = StatusStopped
		case StatusRetry:
			text := "Stopped a rollup that was in retry, rolling back to failed status"
			next, reason = StatusFailed, &text
		}
		if ok, err = h.store.setStatus(ctx, j, p.Version, next, reason, h.now()); !fault.HasStatus(err, http.StatusConflict) {
			return ok, err
		}
	}
}
