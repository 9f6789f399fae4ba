// SPDX-License-Identifier: Apache-2.0

package rest_test

import (
	"strings"
	"testing"

	"github.com/opensteward/steward/engine"
)

func TestVectorsAreCheckedAndKept(t *testing.T) {
	s := start(t, engine.Options{})
	s.do("PUT", "/v", `{"settings":{"index.knn":true,"index.number_of_replicas":0},"mappings":{"properties":{
		"v":{"type":"knn_vector","dimension":"3","method":{"engine":"lucene","space_type":"l2","name":"hnsw","parameters":{}}},
		"b":{"type":"knn_vector","dimension":2,"data_type":"byte"},"f":{"type":"rank_features"},"t":{"type":"text"}}}}`)
	if got := s.text("/v/_mapping?filter_path=*.*.*.v"); got != `{"v":{"mappings":{"properties":{"v":{"type":"knn_vector","dimension":3,"method":{"engine":"lucene","space_type":"l2","name":"hnsw","parameters":{}}}}}}}` {
		t.Error(got)
	}
	s.do("PUT", "/v/_doc/1?refresh=true", `{"v":[0.5,-1,3],"b":[1,-128],"f":{"a":1.5,"b":"2"},"t":"x"}`)
	if got := s.text("/v/_search?q=t:x&filter_path=hits.hits._source.v"); got != `{"hits":{"hits":[{"_source":{"v":[0.5,-1,3]}}]}}` {
		t.Error(got)
	}
	if got := s.text("/v/_search?q=_exists_:v&filter_path=hits.total.value"); got != `{"hits":{"total":{"value":1}}}` {
		t.Error(got)
	}
	for _, c := range []struct{ name, method, path, body, text string }{
		{"too few numbers", "PUT", "/v/_doc/2", `{"v":[1,2]}`, "Vector dimension mismatch. Expected: 3, Given: 2"},
		{"a byte that is none", "PUT", "/v/_doc/2", `{"b":[1,128]}`, "KNN vector values are not within in the byte range [-128, 127]"},
		{"a text", "PUT", "/v/_doc/2", `{"v":["x",2,3]}`, "failed to parse field [v] of type [knn_vector] in document with id '2'. Preview of field's value: 'null'"},
		{"a feature without weight", "PUT", "/v/_doc/2", `{"f":{"a":0}}`, "featureValue must be a positive normal float, got: 0.0 for feature a on field f"},
		{"features that are none", "PUT", "/v/_doc/2", `{"f":[1]}`, "expected a START_OBJECT but got: START_ARRAY"},
		{"a search for a vector's numbers", "POST", "/v/_search", `{"query":{"term":{"v":1}}}`, "KNN vector do not support exact searching, use KNN queries instead: [v]"},
		{"a search for a feature", "POST", "/v/_search", `{"query":{"match":{"f":"a"}}}`, "Queries on [rank_features] fields are not supported"},
		{"a search for neighbours", "POST", "/v/_search", `{"query":{"knn":{"v":{"vector":[1,2,3],"k":1}}}}`, "[knn]"},
		{"another dimension", "PUT", "/v/_mapping", `{"properties":{"v":{"type":"knn_vector","dimension":4}}}`, "Cannot update parameter [dimension] from [3] to [4]"},
		{"no dimension", "PUT", "/w", `{"mappings":{"properties":{"v":{"type":"knn_vector"}}}}`, "Dimension value missing for vector: v"},
		{"a dimension of nothing", "PUT", "/w", `{"mappings":{"properties":{"v":{"type":"knn_vector","dimension":0}}}}`, "Dimension value must be greater than 0 for vector: v"},
		{"another method", "PUT", "/w", `{"mappings":{"properties":{"v":{"type":"knn_vector","dimension":1,"method":{"name":"magic"}}}}}`, "Invalid method name: magic"},
		{"another space", "PUT", "/w", `{"mappings":{"properties":{"v":{"type":"knn_vector","dimension":1,"space_type":"outer"}}}}`, "space_type"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := s.call(c.method, c.path, c.body)
			if w.Code != 400 || !strings.Contains(w.Body.String(), c.text) {
				t.Errorf("%d %s\nwant 400 and %s", w.Code, w.Body, c.text)
			}
		})
	}
}
