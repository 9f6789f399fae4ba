// SPDX-License-Identifier: Apache-2.0

package ismapi

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/wire/setting"
)

// awareness begins the cluster settings that spread copies over zones and the like.
const awareness = "cluster.routing.allocation.awareness."

// balanced refuses replicas that the cluster cannot spread evenly, where it insists on that.
func balanced(p *ism.Policy, v setting.Values) error {
	copies := awarenessValues(v)
	var wrong []string
	for _, s := range p.States {
		for _, a := range s.Actions {
			if r := a.ReplicaCount; r != nil && (r.NumberOfReplicas+1)%copies != 0 {
				wrong = append(wrong, fmt.Sprintf("expected total copies needs to be a multiple of total awareness attributes [%d]", copies))
			}
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return fault.New(http.StatusBadRequest, "validation_exception", "%s", fault.Numbered(wrong[0]))
}

// awarenessValues is the largest number of values that an awareness attribute is forced to have; 1 unless copies have to
// be balanced.
func awarenessValues(v setting.Values) int {
	most := 1
	if v[awareness+"balance"] != "true" {
		return most
	}
	for attribute := range strings.SplitSeq(v[awareness+"attributes"], ",") {
		if values := v[awareness+"force."+strings.TrimSpace(attribute)+".values"]; values != "" {
			most = max(most, len(strings.Split(values, ",")))
		}
	}
	return most
}
