// SPDX-License-Identifier: Apache-2.0

//go:build whole

package steward

import (
	"github.com/opensteward/steward/ism/ismapi"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire/rest"
)

// ismAPI serves /_plugins/_ism.
func (s *Steward) ismAPI(client *opensearch.Client) *rest.Router {
	return ismapi.New(ismapi.Options{
		Client: client, Manager: s.manager, Clock: s.o.Clock, Registry: settings, Version: s.version(), Logger: s.log,
	})
}
