// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire/rest"
)

// refused are APIs of OpenSearch that have no other place here: their methods and paths.
var refused = [][2]string{
	{"GET,POST", "/{index}/_explain/{id}"},
	{"GET,POST", "/{index}/_termvectors"},
	{"GET,POST", "/{index}/_termvectors/{id}"},
	{"GET,POST", "/_mtermvectors"},
	{"GET,POST", "/{index}/_mtermvectors"},
	{"GET,POST", "/_search/template"},
	{"GET,POST", "/{index}/_search/template"},
	{"GET,POST", "/_msearch/template"},
	{"GET,POST", "/{index}/_msearch/template"},
	{"GET,POST", "/_render/template"},
	{"GET,POST", "/_render/template/{id}"},
	{"GET,POST", "/_rank_eval"},
	{"GET,POST", "/{index}/_rank_eval"},
	{"POST", "/{index}/_search/point_in_time"},
	{"DELETE", "/_search/point_in_time"},
	{"GET,DELETE", "/_search/point_in_time/_all"},
	{"GET", "/_cat/pit_segments"},
	{"GET", "/_cat/pit_segments/{pit_id}"},
	{"GET,PUT,POST,DELETE", "/_scripts/{id}"},
	{"PUT,POST", "/_scripts/{id}/{context}"},
	{"GET,POST", "/_scripts/painless/_execute"},
	{"GET", "/_script_context"},
	{"GET", "/_script_language"},
	{"GET,POST", "/_upgrade"},
	{"GET,POST", "/{index}/_upgrade"},
	{"POST,DELETE", "/_cluster/voting_config_exclusions"},
	{"GET,PUT,DELETE", "/_cluster/routing/awareness/{attribute}/weights"},
}

func refuseRoutes(rt *rest.Router) {
	for _, api := range refused {
		for method := range strings.SplitSeq(api[0], ",") {
			rt.Handle(method, api[1], refuse)
		}
	}
}

// refuse answers for parts of OpenSearch that this engine does not have.
func refuse(r *rest.Request) (rest.Action, error) {
	return nil, fault.Unsupported("the API [" + r.HTTP.Method + " " + r.Pattern + "]")
}
