// SPDX-License-Identifier: Apache-2.0

package rollup

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

// get answers one job or, without an id, a page of them.
func (h handlers) get(r *rest.Request) (rest.Action, error) {
	id, f := r.Path("id"), form(r)
	p, err := h.readPage(r)
	if err != nil {
		return nil, err
	}
	if id == "" {
		return func(ctx context.Context) (*rest.Response, error) { return h.list(ctx, p, f) }, nil
	}
	return func(ctx context.Context) (*rest.Response, error) {
		j, doc, err := h.store.job(ctx, h.kind, id)
		if err != nil {
			return nil, err
		}
		if j == nil {
			return nil, h.notFound()
		}
		return rest.OK(wire.Obj("_id", doc.ID, "_version", doc.Number, "_seq_no", doc.SeqNo, "_primary_term", doc.PrimaryTerm,
			h.kind.Name, j.JSON(f))), nil
	}, nil
}

// page is what the list parameters ask for.
type page struct {
	from, size              int
	search, sortField, sort string
}

func (h handlers) readPage(r *rest.Request) (p page, err error) {
	p.search = strings.TrimSpace(r.Param("search", ""))
	p.from, p.size = r.Int("from", 0), r.Int("size", 20)
	p.sortField = r.Param("sortField", h.kind.Name+"."+h.kind.id+".keyword")
	p.sort = strings.ToLower(r.Param("sortDirection", "asc"))
	switch {
	case p.sort != "asc" && p.sort != "desc":
		err = fault.Illegal("No enum constant org.opensearch.search.sort.SortOrder.%s", strings.ToUpper(p.sort))
	case p.size < 0:
		err = fault.Illegal("[size] parameter cannot be negative, found [%d]", p.size)
	case p.from < 0:
		err = fault.Illegal("[from] parameter cannot be negative, found [%d]", p.from)
	}
	return p, err
}

func (h handlers) list(ctx context.Context, p page, f Form) (*rest.Response, error) {
	if err := h.o.Client.Refresh(ctx, ConfigIndex); err != nil {
		return nil, err
	}
	filters := []any{wire.Obj("exists", wire.Obj("field", h.kind.Name))}
	if p.search != "" {
		field := h.kind.Name + "." + h.kind.id + ".keyword"
		filters = append(filters, wire.Obj("wildcard", wire.Obj(field, wire.Obj("value", "*"+p.search+"*"))))
	}
	body := wire.Obj("from", p.from, "size", p.size, "track_total_hits", true,
		"sort", []any{wire.Obj(p.sortField, wire.Obj("order", p.sort))}, "query", wire.Obj("bool", wire.Obj("filter", filters)))
	res, err := h.o.Client.Search(ctx, ConfigIndex, body, nil)
	if err != nil {
		return nil, noConfigIndex(err)
	}
	jobs := []wire.Object{}
	for _, doc := range res.Hits {
		j, err := readJob(h.kind, doc)
		if err != nil {
			continue
		}
		jobs = append(jobs, wire.Obj("_id", doc.ID, "_seq_no", doc.SeqNo, "_primary_term", doc.PrimaryTerm, h.kind.Name, j.JSON(f)))
	}
	return rest.OK(wire.Obj("total_"+h.kind.Name+"s", res.Total, h.kind.Name+"s", jobs)), nil
}

// delete deletes a rollup, or several transforms.
func (h handlers) delete(r *rest.Request) (rest.Action, error) {
	id := r.Path("id")
	if h.kind == Transform {
		force := r.Bool("force", false)
		return func(ctx context.Context) (*rest.Response, error) {
			return h.deleteTransforms(ctx, strings.Split(id, ","), force)
		}, nil
	}
	refresh := r.Refresh("true")
	return func(ctx context.Context) (*rest.Response, error) {
		j, _, err := h.store.job(ctx, h.kind, id)
		if err != nil {
			return nil, err
		}
		if j == nil {
			return nil, fault.Status(http.StatusNotFound, "Rollup %s is not found", id)
		}
		done, err := h.o.Client.Write(ctx, opensearch.Write{Op: opensearch.OpDelete, Index: ConfigIndex, ID: id}, refresh)
		if err != nil {
			return nil, noConfigIndex(err)
		}
		h.o.Changed()
		return rest.OK(done.Raw), nil
	}, nil
}

// deleteTransforms deletes transforms that are disabled, or all of them by force. The answer is the bulk request's.
func (h handlers) deleteTransforms(ctx context.Context, ids []string, force bool) (*rest.Response, error) {
	var enabled, others []string
	for _, id := range ids {
		j, doc, err := h.store.job(ctx, h.kind, id)
		switch {
		case fault.Is(err, "index_not_found_exception"):
			return nil, fault.Status(http.StatusBadRequest, "Cluster missing system index %s, cannot execute the request", ConfigIndex)
		case err != nil:
			return nil, err
		case doc.Found && j == nil:
			others = append(others, id)
		case j != nil && j.Enabled && !force:
			enabled = append(enabled, id)
		}
	}
	switch {
	case len(others) > 0:
		return nil, fault.Status(http.StatusBadRequest, "Cannot find transforms [%s]", strings.Join(others, ", "))
	case len(enabled) > 0:
		return nil, fault.Status(http.StatusConflict,
			"[%s] transform(s) are enabled, please disable them before deleting them or set force flag", strings.Join(enabled, ", "))
	}
	var body []byte
	for _, id := range ids {
		line, err := wire.Marshal(wire.Obj("delete", wire.Obj("_index", ConfigIndex, "_id", id)))
		if err != nil {
			return nil, err
		}
		body = append(append(body, line...), '\n')
	}
	var answer json.RawMessage
	err := h.o.Client.Do(ctx, opensearch.Call{
		Method: http.MethodPost, Path: "/_bulk", Query: map[string][]string{"refresh": {"true"}}, Body: body, NDJSON: true,
	}, &answer)
	if err != nil {
		return nil, err
	}
	h.o.Changed()
	return rest.OK(answer), nil
}

// explain shows the progress of jobs, by ids and patterns.
func (h handlers) explain(r *rest.Request) (rest.Action, error) {
	if r.Path("id") == "" {
		return nil, fault.Illegal("Missing %sID", h.kind.Name)
	}
	ids, f := strings.Split(r.Path("id"), ","), form(r)
	return func(ctx context.Context) (*rest.Response, error) {
		out := wire.Object{}
		jobs, err := h.named(ctx, ids)
		if fault.Is(err, "index_not_found_exception") {
			for _, id := range ids {
				if !wire.IsPattern(id) {
					out.Add(id, h.unexplained())
				}
			}
			return rest.OK(out), nil
		}
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			if !wire.IsPattern(id) && !slices.ContainsFunc(jobs, func(j *Job) bool { return j.ID == id }) {
				out.Add(id, nil)
			}
		}
		for _, j := range jobs {
			shown, err := h.explained(ctx, j, f)
			if err != nil {
				return nil, err
			}
			out.Add(j.ID, shown)
		}
		return rest.OK(out), nil
	}, nil
}

// unexplained is what stands for a job while there is no config index.
func (h handlers) unexplained() any {
	if h.kind == Transform {
		return "Failed to search transform metadata"
	}
	return nil
}

// named are the jobs of these ids and patterns, by id.
func (h handlers) named(ctx context.Context, ids []string) ([]*Job, error) {
	if !slices.ContainsFunc(ids, wire.IsPattern) {
		return h.byID(ctx, ids)
	}
	if err := h.o.Client.Refresh(ctx, ConfigIndex); err != nil {
		return nil, err
	}
	var jobs []*Job
	err := h.o.Client.Scan(ctx, ConfigIndex, wire.Obj("exists", wire.Obj("field", h.kind.Name)), func(doc opensearch.Document) error {
		if j, err := readJob(h.kind, doc); err == nil && wire.MatchAny(ids, j.ID) {
			jobs = append(jobs, j)
		}
		return nil
	})
	slices.SortFunc(jobs, func(a, b *Job) int { return strings.Compare(a.ID, b.ID) })
	return slices.CompactFunc(jobs, func(a, b *Job) bool { return a.ID == b.ID }), err
}

func (h handlers) byID(ctx context.Context, ids []string) ([]*Job, error) {
	var jobs []*Job
	for _, id := range ids {
		j, _, err := h.store.job(ctx, h.kind, id)
		if err != nil {
			return nil, err
		}
		if j != nil && !slices.ContainsFunc(jobs, func(k *Job) bool { return k.ID == id }) {
			jobs = append(jobs, j)
		}
	}
	return jobs, nil
}

// explained is what explain shows of a job.
func (h handlers) explained(ctx context.Context, j *Job, f Form) (any, error) {
	o := wire.Obj("metadata_id", j.MetadataID)
	p, err := h.store.progress(ctx, j)
	if err != nil {
		return nil, err
	}
	if p == nil {
		o.Add(h.kind.metadata(), nil)
		return o, nil
	}
	var behind map[string]int64
	if p.Continuous && p.Status != StatusFailed {
		if behind, err = p.behind(ctx, h.o.Client, j.Source); err != nil {
			return "Failed to get continuous transform stats", nil
		}
	}
	o.Add(h.kind.metadata(), p.JSON(f, behind))
	return o, nil
}

// behind is how many documents each source index has that were not transformed yet.
func (p *Progress) behind(ctx context.Context, c *opensearch.Client, expression string) (map[string]int64, error) {
	s, err := openSource(ctx, c, expression)
	if err != nil {
		return nil, err
	}
	marks, err := s.checkpoints(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string]int64{}
	for shard, mark := range marks {
		index := shard[1:strings.LastIndex(shard, "][")]
		out[index] += max(0, mark) - max(0, p.Checkpoints[shard])
	}
	return out, nil
}

// Outcome is where a job stands, for who waits for it.
type Outcome struct {
	// Exists is false if there is no such job.
	Exists bool
	// Status is "" before the first run.
	Status  Status
	Failure string
}

// Explain tells where a job stands.
func Explain(ctx context.Context, c *opensearch.Client, k *Kind, id string) (Outcome, error) {
	s := &store{client: c}
	j, _, err := s.job(ctx, k, id)
	if err != nil || j == nil {
		return Outcome{}, ignoreMissing(err)
	}
	p, err := s.progress(ctx, j)
	if err != nil || p == nil {
		return Outcome{Exists: true}, err
	}
	o := Outcome{Exists: true, Status: p.Status}
	if p.Failure != nil {
		o.Failure = *p.Failure
	}
	return o, nil
}

// sameJSON reports whether two JSON values are equal.
func sameJSON(a, b json.RawMessage) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}
