// SPDX-License-Identifier: Apache-2.0

package ismapi

import (
	"context"
	"slices"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/ism/manager"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

// The APIs over managed indices name indices alike and answer alike.

// target is one index that a request means, with its documents as they were read.
type target struct {
	opensearch.IndexInfo
	job         *ism.Job
	jobVersion  opensearch.Version
	meta        *ism.Metadata
	metaVersion opensearch.Version
}

// named are the index expressions of a request.
type named struct {
	expressions []string
	// wrong is what is refused of them once the whole request has been read; nil if nothing is.
	wrong error
}

// then makes an action of one for the expressions.
func (n named) then(do func(ctx context.Context, expressions []string) (*rest.Response, error)) rest.Action {
	return func(ctx context.Context) (*rest.Response, error) {
		if n.wrong != nil {
			return nil, n.wrong
		}
		return do(ctx, n.expressions)
	}
}

// readIndices reads the index expressions and the type of a request. missing is what a request without any is told;
// verb completes the refusal of several names with a type of index ("add policy to").
func readIndices(r *rest.Request, missing, verb string) (named, error) {
	expression := strings.TrimRight(r.Path("index"), ",") // Java's split leaves what is empty at the end out
	n := named{expressions: strings.Split(expression, ",")}
	typ := r.Param("type", "_default")
	switch {
	case expression == "" && missing != "":
		return n, fault.Illegal("%s", missing)
	case expression == "":
		n.expressions = nil
	}
	switch {
	case typ == "_default":
	case len(n.expressions) > 1:
		n.wrong = fault.Validation("Cannot " + verb + " more than one index name/pattern when using a custom index type")
	default:
		n.wrong = fault.Illegal("Index type [type=%s] was not recognized when trying to get index metadata", typ)
	}
	return n, nil
}

// targets are the indices that expressions mean: open, closed and hidden ones, aliases and data streams resolved, our
// own left out. strict makes a name that does not exist an error.
func (a *API) targets(ctx context.Context, expressions []string, strict bool) ([]*target, error) {
	names, err := a.resolve(ctx, expressions, strict)
	if err != nil || len(names) == 0 {
		return nil, err
	}
	return a.described(ctx, names)
}

// resolve are the names of the indices that targets returns.
func (a *API) resolve(ctx context.Context, expressions []string, strict bool) ([]string, error) {
	names, err := a.client.Resolve(ctx, expressions, strict)
	return slices.DeleteFunc(names, func(n string) bool { return strings.HasPrefix(n, ".steward") }), err
}

// portion is how many indices a call that may mean very many of them has in memory at a time.
const portion = 1000

// described are the indices of these names that exist.
func (a *API) described(ctx context.Context, names []string) ([]*target, error) {
	infos, err := a.client.Indices(ctx, names)
	if err != nil {
		return nil, err
	}
	var out []*target
	for _, n := range names {
		if info, ok := infos[n]; ok {
			out = append(out, &target{IndexInfo: info})
		}
	}
	return out, nil
}

// readDocuments reads jobs and metadata of the targets, in real time and in one request.
func (a *API) readDocuments(ctx context.Context, targets []*target) error {
	keys := make([]opensearch.Key, 0, 2*len(targets))
	for _, t := range targets {
		keys = append(keys, opensearch.Key{ID: t.UUID, Routing: t.UUID}, opensearch.Key{ID: t.UUID + manager.MetadataSuffix, Routing: t.UUID})
	}
	docs, err := a.client.MultiGet(ctx, manager.ConfigIndex, keys)
	if err != nil {
		return err
	}
	known := ism.Policies{}
	for i, t := range targets {
		t.take(known, docs[2*i], docs[2*i+1])
	}
	return nil
}

// take reads the documents, as far as they exist and can be read.
func (t *target) take(known ism.Policies, job, meta opensearch.Document) {
	if job.Found {
		if j, err := known.ReadJob(job.Source); err == nil {
			t.job, t.jobVersion = j, job.Version
		}
	}
	if meta.Found {
		if m, err := ism.ReadMetadata(meta.Source); err == nil {
			t.meta, t.metaVersion = m, meta.Version
		}
	}
}

// jobWrite stores a job under the version that was read.
func (t *target) jobWrite(j *ism.Job) opensearch.Write {
	return opensearch.Write{
		Op: opensearch.OpIndex, Index: manager.ConfigIndex, ID: t.UUID, Routing: t.UUID, If: t.jobVersion, Source: j,
	}
}

// outcome is the answer of the APIs that change managed indices.
type outcome struct {
	updated int
	failed  []wire.Object
}

// fail lists an index as failed.
func (o *outcome) fail(t *target, reason string) {
	o.failed = append(o.failed, wire.Obj("index_name", t.Name, "index_uuid", t.UUID, "reason", reason))
}

// failAll lists a portion as failed: its targets, or where they could not be read, its names.
func (o *outcome) failAll(names []string, targets []*target, reason string) {
	for _, t := range targets {
		o.fail(t, reason)
	}
	if targets != nil {
		return
	}
	for _, name := range names {
		o.fail(&target{IndexInfo: opensearch.IndexInfo{Name: name}}, reason)
	}
}

// blocked lists all of the targets as failed if a block of the whole cluster is why; any other error is returned.
func (o *outcome) blocked(targets []*target, text string, err error) error {
	if !fault.Is(err, "cluster_block_exception") {
		return err
	}
	for _, t := range targets {
		o.fail(t, text+fault.Of(err).Reason)
	}
	return nil
}

func (o *outcome) response() *rest.Response {
	failed := o.failed
	if failed == nil {
		failed = []wire.Object{}
	}
	return rest.OK(wire.Obj("updated_indices", o.updated, "failures", len(failed) > 0, "failed_indices", failed))
}

// nothingNamed is the error of an expression that means no index.
func nothingNamed() error { return fault.Validation("no documents to get") }

// bulkMessage is how a failed bulk item reads in an answer.
func bulkMessage(err error) string {
	f := fault.Of(err)
	return f.Reason
}
