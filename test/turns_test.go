// SPDX-License-Identifier: Apache-2.0

package test

import (
	"fmt"
	"testing"
)

// TestIndicesThatWaitForOneNodeShrinkOneAfterTheOtherWithoutAPause: who is done hands the node on, so that no time passes.
func TestIndicesThatWaitForOneNodeShrinkOneAfterTheOtherWithoutAPause(t *testing.T) {
	p := onStage(t)
	p.Must("PUT", "/_plugins/_ism/policies/shrink", []byte(`{"policy":{"description":"","default_state":"a","states":[
		{"name":"a","actions":[{"shrink":{"num_new_shards":1,"force_unsafe":true}}],"transitions":[]}],
		"ism_template":[{"index_patterns":["wide-*"]}]}}`), nil)
	const many = 8
	for n := range many {
		p.Must("PUT", fmt.Sprintf("/wide-%d", n), []byte(`{"settings":{"index.number_of_shards":2,"index.number_of_replicas":0}}`), nil)
	}
	p.pass(0)
	for n := range many {
		if name := fmt.Sprintf("wide-%d", n); !p.Exists(name + "_shrunken") {
			t.Errorf("%s is not shrunk: %s", name, p.Explain(name))
		}
	}
}
