// SPDX-License-Identifier: Apache-2.0

package query

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/opensteward/steward/engine/shard"
)

func TestEverythingIsWhatAWalkThroughAllDocumentsFinds(t *testing.T) {
	docs := make([]string, 640)
	for i := range docs {
		docs[i] = `{"r":[{"k":"a"},{}]}`
	}
	target := newTarget(t, "a", `{"properties":{"r":{"type":"nested","properties":{"k":{"type":"keyword"}}}}}`, docs...)
	s := target.Shards[0].(*shard.Shard)
	change := func(op shard.Op, from, to int) {
		for i := from; i < to; i++ {
			if _, err := s.Apply(context.Background(), []shard.Operation{{Op: op, ID: fmt.Sprint(i + 1), Source: []byte(`{}`)}}); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Refresh(); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name   string
		change func()
	}{
		{"as they were written", func() {}},
		{"the first were deleted", func() { change(shard.OpDelete, 0, 3) }},
		{"so many were changed that it gives up", func() { change(shard.OpIndex, 3, 40) }},
	} {
		c.change()
		for _, page := range []string{`"size":5`, `"from":2,"size":3`, `"size":0`, `"size":5,"sort":["_doc"]`, `"size":5,"sort":[{"_doc":"desc"}]`, `"size":5,"sort":["_doc"],"search_after":[7]`, `"size":300`} {
			got, all, err := run(t, `{"query":{"match_all":{}},`+page+`}`, target)
			want, walked, wantErr := run(t, `{"query":{"bool":{"must":[{"match_all":{}}]}},`+page+`}`, target)
			if err != nil || wantErr != nil || !slices.Equal(got, want) || all.Total != walked.Total || (all.MaxScore == nil) != (walked.MaxScore == nil) {
				t.Errorf("%s, %s: %v (%v), %v, want %v", c.name, page, got, all, err, want)
			}
		}
		counted, _, err := Count(context.Background(), []Target{target}, nil, now)
		_, walked, runErr := run(t, `{"size":0,"query":{"bool":{"must":[{"match_all":{}}]}}}`, target)
		if err != nil || runErr != nil || counted != walked.Total {
			t.Errorf("%s: counted %d, %v", c.name, counted, err)
		}
	}
}
