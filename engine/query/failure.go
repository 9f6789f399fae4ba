// SPDX-License-Identifier: Apache-2.0

package query

import (
	"errors"
	"slices"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// NodeID is the id of the one node, in shard-level parts of answers.
const NodeID = "steward-embedded-node1"

// failure is an index that could not run a search.
type failure struct {
	index  string
	shards int
	cause  *fault.Error
}

// errWhole marks an error that no other index can make up for.
var errWhole = errors.New("the search as a whole cannot run")

// ofShards reports whether an error is that of an index's shards, which others may not share.
func ofShards(err error) bool {
	f := fault.Of(err)
	of := slices.Contains([]string{"query_shard_exception", "illegal_argument_exception", "search_exception"}, f.Type)
	return of && !errors.Is(err, errWhole)
}

// shardFailure is the error of a query that an index cannot run; see Execute.
func (c *scope) shardFailure(format string, args ...any) *fault.Error {
	return fault.New(400, "query_shard_exception", format, args...).With("index", c.target.Index).With("index_uuid", c.target.UUID)
}

// notCreated is the error of a query that cannot be made for an index. A reason is its own cause if there is none.
func (c *scope) notCreated(cause error) *fault.Error {
	f := fault.Of(cause)
	if f.Status >= 500 {
		return f
	}
	e := c.shardFailure("failed to create query: %s", f.Reason)
	e.CausedBy = f
	return e
}

// allFailed is how OpenSearch words the failure of all indices of a search.
func allFailed(failures []failure) error {
	first := failures[0].cause
	out := fault.New(first.Status, "search_phase_execution_exception", "all shards failed").
		With("phase", "query").With("grouped", true).With("failed_shards", shardFailures(failures))
	for _, f := range failures {
		out.Roots = append(out.Roots, root(f.cause))
	}
	if first.Type == "illegal_argument_exception" {
		out.CausedBy = &fault.Error{Status: first.Status, Type: first.Type, Reason: first.Reason, CausedBy: first}
	}
	return out
}

// shardFailures is the list of failures as answers show it, one for each index.
func shardFailures(failures []failure) []wire.Object {
	list := make([]wire.Object, len(failures))
	for i, f := range failures {
		list[i] = wire.Obj("shard", 0, "index", f.index, "node", NodeID, "reason", f.cause)
	}
	return list
}

// root is the innermost of the server's own errors. What the parser of query strings says is none of them.
func root(f *fault.Error) *fault.Error {
	for f.CausedBy != nil && !strings.HasPrefix(f.CausedBy.Reason, "Cannot parse '") &&
		slices.Contains([]string{"parse_exception", "parsing_exception", "query_shard_exception"}, f.CausedBy.Type) {
		f = f.CausedBy
	}
	return f
}
