// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/engine/documents"
	"github.com/opensteward/steward/engine/shard"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

func (s *Server) documentRoutes(rt *rest.Router) {
	rt.Handle("PUT", "/{index}/_doc/{id}", s.indexDocument)
	rt.Handle("POST", "/{index}/_doc/{id}", s.indexDocument)
	rt.Handle("POST", "/{index}/_doc", s.indexDocument)
	rt.Handle("PUT", "/{index}/_create/{id}", s.indexDocument)
	rt.Handle("POST", "/{index}/_create/{id}", s.indexDocument)
	rt.Handle("GET", "/{index}/_doc/{id}", s.getDocument)
	rt.Handle("GET", "/{index}/_source/{id}", s.getSource)
	rt.Handle("DELETE", "/{index}/_doc/{id}", s.deleteDocument)
	rt.Handle("POST", "/{index}/_update/{id}", s.updateDocument)
	rt.Handle("GET", "/_mget", s.multiGet)
	rt.Handle("POST", "/_mget", s.multiGet)
	rt.Handle("GET", "/{index}/_mget", s.multiGet)
	rt.Handle("POST", "/{index}/_mget", s.multiGet)
	for _, method := range []string{"POST", "PUT"} {
		rt.Handle(method, "/_bulk", s.bulk)
		rt.Handle(method, "/{index}/_bulk", s.bulk)
	}
}

// newID is a document id as the server makes them: 20 characters.
func newID() string {
	var b [15]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// writeOptions are what all writes of documents share.
type writeOptions struct {
	refresh      string
	requireAlias bool
}

func readWriteOptions(r *rest.Request) (o writeOptions, err error) {
	o.refresh, o.requireAlias = r.Refresh("false"), r.Bool("require_alias", false)
	r.Duration("timeout", 0)
	return o, writeShards(r.Param("wait_for_active_shards", "1"))
}

// writeShards refuses to wait for copies that can never be there: there is one node.
func writeShards(text string) error {
	switch text {
	case "0", "1", "":
		return nil
	}
	return fault.New(http.StatusServiceUnavailable, "unavailable_shards_exception",
		"[wait_for_active_shards: %s] cannot be met: the embedded engine keeps one copy of each shard", text)
}

// condition reads if_seq_no, if_primary_term, version and version_type into an operation.
func condition(r *rest.Request, op *shard.Operation) error {
	seqNo, term, version := r.Long("if_seq_no", -2), r.Long("if_primary_term", 0), r.Long("version", -3)
	return setCondition(op, seqNo, term, version, r.Param("version_type", ""))
}

// setCondition takes unassigned values (-2, 0, -3, "") for absent ones.
func setCondition(op *shard.Operation, seqNo, term, version int64, versionType string) error {
	switch versionType {
	case "", "internal":
		if version != -3 {
			return fault.Validation("internal versioning can not be used for optimistic concurrency control. Please use `if_seq_no` and `if_primary_term` instead")
		}
	case "external", "external_gt":
		op.VersionType, op.Version = shard.External, version
	case "external_gte":
		op.VersionType, op.Version = shard.ExternalGTE, version
	default:
		return fault.Illegal("No version type match [%s]", versionType)
	}
	if op.VersionType != shard.Internal && version < 0 {
		return fault.Validation("illegal version value [" + strconv.FormatInt(version, 10) + "] for version type [" + strings.ToUpper(versionType) + "]")
	}
	switch {
	case seqNo == -2 && term == 0:
		return nil
	case seqNo < 0 && seqNo != -2:
		return fault.Illegal("sequence numbers must be non negative. got [%d].", seqNo)
	case term < 0:
		return fault.Illegal("primary term must be non negative. got [%d]", term)
	case seqNo == -2:
		return fault.Validation("ifSeqNo is unassigned, but primary term is [" + strconv.FormatInt(term, 10) + "]")
	case term == 0:
		return fault.Validation("ifSeqNo is set, but primary term is [0]")
	case op.VersionType != shard.Internal:
		return fault.Validation("compare and write operations can not use versioning")
	}
	op.Conditional, op.IfSeqNo, op.IfPrimaryTerm = true, seqNo, term
	return nil
}

func (s *Server) indexDocument(r *rest.Request) (rest.Action, error) {
	name := r.Path("index")
	op := shard.Operation{Op: shard.OpIndex, ID: r.Path("id"), Routing: r.Param("routing", "")}
	opType := r.Param("op_type", "")
	auto := op.ID == ""
	switch {
	case opType != "" && opType != "index" && opType != "create":
		return nil, fault.Illegal("opType must be 'create' or 'index', found: [%s]", opType)
	case strings.Contains(r.Pattern, "/_create/") || opType == "create" || (auto && opType == ""):
		op.Op = shard.OpCreate
	}
	if auto {
		op.ID = newID()
	}
	if err := condition(r, &op); err != nil {
		return nil, err
	}
	if op.Op == shard.OpCreate && op.VersionType != shard.Internal {
		return nil, fault.Validation("create operations only support internal versioning. use index instead")
	}
	o, err := readWriteOptions(r)
	if err != nil {
		return nil, err
	}
	if op.Source, err = r.RequireBody(); err != nil {
		return nil, err
	}
	w := write{name: name, op: &op, auto: auto, pipeline: r.Param("pipeline", "")}
	return func(ctx context.Context) (*rest.Response, error) {
		if keep, err := s.process(ctx, &w); err != nil || !keep {
			return rest.OK(droppedAnswer(&w)), err
		}
		create := op.Op == shard.OpCreate
		index, routing, err := s.writeTarget(ctx, w.name, o.requireAlias, create, op)
		if err != nil {
			return nil, err
		}
		op.Routing = routing
		return s.writeOne(ctx, index, op, o.refresh)
	}, nil
}

// writeTarget is the index that a write goes to, which is made if it may be, and the routing that its alias gives. A
// delete makes an index only to remember the version that its caller counts.
func (s *Server) writeTarget(ctx context.Context, name string, requireAlias, create bool, op shard.Operation) (*catalog.Index, string, error) {
	var t catalog.Target
	var err error
	if op.Op == shard.OpDelete && op.VersionType == shard.Internal {
		t, err = s.Catalog.DeleteTarget(ctx, name, requireAlias)
	} else {
		t, err = s.Catalog.WriteTarget(ctx, name, requireAlias, create)
	}
	if err != nil {
		return nil, "", err
	}
	routing := op.Routing
	if routing == "" {
		routing = t.Routing
	} else if t.Routing != "" && t.Routing != routing {
		return nil, "", fault.Illegal("Alias [%s] has index routing associated with it [%s], and was provided with routing value [%s], rejecting operation", name, t.Routing, routing)
	}
	return t.Index, routing, nil
}

// writeOne writes one operation and answers as the document APIs do.
func (s *Server) writeOne(ctx context.Context, index *catalog.Index, op shard.Operation, refresh string) (*rest.Response, error) {
	outcomes, err := s.Docs.Write(ctx, index, []shard.Operation{op})
	if err != nil {
		return nil, err
	}
	out := outcomes[0]
	if out.Err != nil {
		return nil, out.Err
	}
	if err := s.refreshAfter(index, refresh, out.Shard); err != nil {
		return nil, err
	}
	res := &rest.Response{Status: writeStatus(out), Body: writeAnswer(index, out, refresh)}
	res.Header = created(index, out)
	return res, nil
}

// created says where a new document is.
func created(index *catalog.Index, out documents.Outcome) http.Header {
	if writeStatus(out) != http.StatusCreated {
		return nil
	}
	return http.Header{"Location": {"/" + url.PathEscape(index.Name) + "/_doc/" + url.PathEscape(out.ID)}}
}

// refreshAfter makes a write visible where the request waits for that: waiting for the next refresh and making one at
// once look the same.
func (s *Server) refreshAfter(index *catalog.Index, refresh string, shards ...int) error {
	if refresh == "false" {
		return nil
	}
	return s.Docs.RefreshShards(index, shards)
}

func writeStatus(out documents.Outcome) int {
	switch out.Result {
	case "created":
		return http.StatusCreated
	case "not_found":
		return http.StatusNotFound
	}
	return http.StatusOK
}

// writeAnswer is the answer to one write, in bulk items too.
func writeAnswer(index *catalog.Index, out documents.Outcome, refresh string) wire.Object {
	o := wire.Obj("_index", index.Name, "_id", out.ID, "_version", out.Version, "result", out.Result)
	o.AddIf(refresh == "true" && out.Result != "noop", "forced_refresh", true)
	shards := writtenShards(index)
	if out.Result == "noop" {
		shards = wire.Obj("total", 0, "successful", 0, "failed", 0)
	}
	o.Add("_shards", shards)
	o.Add("_seq_no", out.SeqNo)
	o.Add("_primary_term", out.PrimaryTerm)
	return o
}

// writtenShards are the copies that a write is for: the one that is kept and the replicas that nothing holds.
func writtenShards(index *catalog.Index) wire.Object {
	return wire.Obj("total", 1+index.Replicas(), "successful", 1, "failed", 0)
}

func (s *Server) deleteDocument(r *rest.Request) (rest.Action, error) {
	name := r.Path("index")
	op := shard.Operation{Op: shard.OpDelete, ID: r.Path("id"), Routing: r.Param("routing", "")}
	if err := condition(r, &op); err != nil {
		return nil, err
	}
	o, err := readWriteOptions(r)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (*rest.Response, error) {
		index, routing, err := s.writeTarget(ctx, name, o.requireAlias, false, op)
		if err != nil {
			return nil, err
		}
		op.Routing = routing
		return s.writeOne(ctx, index, op, o.refresh)
	}, nil
}
