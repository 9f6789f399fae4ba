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
