// SPDX-License-Identifier: Apache-2.0

package steward

import (
	"github.com/opensteward/steward/flow/flowapi"
	"github.com/opensteward/steward/flow/provision"
	"github.com/opensteward/steward/flow/usecase"
	"github.com/opensteward/steward/gateway"
	"github.com/opensteward/steward/opensearch"
)

// openWorkflows begins to finish workflows that were left, and to take new ones.
func (s *Steward) openWorkflows(back backend, client *opensearch.Client) {
	s.workflows = provision.New(provision.Options{
		Client: client, Own: opensearch.NewClient(opensearch.InProcess(s.ismAPI(client).Handler)), Clock: s.o.Clock, Lease: back.lease, Keys: s.keyring, Settings: s.manager.Settings,
		Alone: s.o.embedded(), Logger: s.log,
	})
	s.background("workflows", s.workflows.Run)
}

// flowAPI serves /_plugins/_flow_framework.
func (s *Steward) flowAPI(client *opensearch.Client) gateway.API {
	api := flowapi.New(flowapi.Options{
		Client: client, Service: s.workflows, UseCase: usecase.Build, Version: s.version(), Logger: s.log,
	})
	return gateway.API{Match: api.Match, Handler: api}
}
