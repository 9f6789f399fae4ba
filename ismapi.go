// SPDX-License-Identifier: Apache-2.0

package steward

import (
	"github.com/opensteward/steward/gateway"
	"github.com/opensteward/steward/ism/ismapi"
	"github.com/opensteward/steward/opensearch"
)

// ismAPI serves /_plugins/_ism.
func (s *Steward) ismAPI(client *opensearch.Client) gateway.API {
	api := ismapi.New(ismapi.Options{
		Client: client, Manager: s.manager, Clock: s.o.Clock, Registry: settings, Version: s.version(), Logger: s.log,
	})
	return gateway.API{Match: api.Match, Handler: api}
}
