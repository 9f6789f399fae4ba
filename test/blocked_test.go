// SPDX-License-Identifier: Apache-2.0

package test

import (
	"context"
	"testing"

	"github.com/opensteward/steward/wire"
)

func TestAnIndexWhoseMetadataIsBlockedHoldsUpNobodyElse(t *testing.T) {
	p := Program(t)
	hidden, other := p.Name("-hidden"), p.Name("-other")
	block := func(on bool) {
		p.Must("PUT", "/"+hidden+"/_settings", wire.Obj("index.blocks.metadata", on), nil)
	}
	p.Must("PUT", "/"+hidden, nil, nil)
	block(true)
	t.Cleanup(func() { // a cluster that others use must not keep such an index; it may be gone
		_, _ = p.Client.PutSettings(context.Background(), hidden, map[string]any{"index.blocks.metadata": false})
	})
	p.Must("PUT", "/_plugins/_ism/policies/"+p.Prefix, policy(p.Name("-*"), wire.Obj(
		"name", "hot", "actions", []any{wire.Obj("delete", wire.Object{})}, "transitions", []any{},
	)), nil)
	gone := func(index string) func() (bool, string) {
		return func() (bool, string) {
			status, answer := p.Call("HEAD", "/"+index, nil)
			return status == 404, string(answer)
		}
	}
	p.Must("PUT", "/"+other, nil, nil)
	p.Eventually("the other index is deleted by its policy", gone(other))
	late := p.Name("-late")
	p.Must("PUT", "/"+late, nil, nil)
	p.Eventually("a later index is deleted by its policy", gone(late))
	block(false)
	p.Must("POST", "/_plugins/_ism/add/"+hidden, wire.Obj("policy_id", p.Prefix), nil)
	p.Eventually("the index is deleted when it can be read again", gone(hidden))
}

// snapshots is a state whose only action is tried once.
const snapshots = `{"name":"a","actions":[{"retry":{"count":0},"snapshot":{"repository":"vault","snapshot":"s"}}],"transitions":[]}`

// TestAFailedSnapshotIsTakenWhenItsRepositoryIsAgainAsItWas: what counts is how the repository was when the index failed, not how
// it was when another one did.
func TestAFailedSnapshotIsTakenWhenItsRepositoryIsAgainAsItWas(t *testing.T) {
	p := onStage(t)
	put := func(settings string) {
		p.Must("PUT", "/_snapshot/vault", []byte(`{"type":"fs","settings":{"location":"vault"`+settings+`}}`), nil)
	}
	p.managed("log-1", snapshots)
	p.pass(0)
	put("")
	p.pass(0)
	if e := p.failed("log-1"); !e.Completed {
		t.Fatalf("the first one is not taken: %s", p.Explain("log-1"))
	}
	put(`,"readonly":true`)
	p.managed("log-2", snapshots)
	p.pass(0)
	if e := p.failed("log-2"); !e.Action.Failed {
		t.Fatalf("it was written to: %s", p.Explain("log-2"))
	}
	put("")
	p.pass(0)
	if e := p.failed("log-2"); !e.Completed {
		t.Errorf("it does not go on: %s", p.Explain("log-2"))
	}
}
