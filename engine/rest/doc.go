// SPDX-License-Identifier: Apache-2.0

// Package rest is the embedded engine's REST API: OpenSearch's document, search, index, cluster and cat APIs over the
// catalog (metadata) and the document store. A handler reads parameters and body, calls one of the two, and shapes the
// answer as OpenSearch does.
//
// Each file registers the routes of one part of the API. What the engine does not have is refused by name. The packages
// below know no route: the tables of the cat APIs, the tasks that run, and the figures of the machine.
package rest

import (
	"context"
	"log/slog"
	"sync/atomic"

	"github.com/opensteward/steward/clock"
	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/engine/documents"
	"github.com/opensteward/steward/engine/ingest"
	"github.com/opensteward/steward/engine/rest/tasks"
	"github.com/opensteward/steward/engine/snapshot"
	"github.com/opensteward/steward/wire/rest"
	"github.com/opensteward/steward/wire/setting"
)

// Plugin is a row of _cat/plugins and of _nodes.
type Plugin struct{ Component, Version, Description string }

// Server serves the API.
type Server struct {
	Catalog *catalog.Catalog
	Docs    *documents.Store
	// Snapshots takes snapshots and brings them back.
	Snapshots *snapshot.Service
	Clock     clock.Clock
	Logger    *slog.Logger
	// Version is the version of OpenSearch that the engine speaks ("3.4.0").
	Version string
	Plugins []Plugin
	// Config are the settings that the node was started with.
	Config map[string]string
	// Address is host:port where the API is reached; "" means 127.0.0.1:9200.
	Address string
	// Dir is the data directory, for figures about its disk.
	Dir string
	// Predictor runs the models that ingest processors ask; nil if there are none.
	Predictor ingest.Predictor
	// SettingsChanged is told the cluster settings that were given a value; nil if nobody asks.
	SettingsChanged func(ctx context.Context, set setting.Values) error

	ingest          *ingest.Service
	searchPipelines *ingest.SearchPipelines
	tasks           tasks.Registry
	scrolls         scrolls
	health          atomic.Pointer[stateHealth] // as it was asked for last
	found           map[string]bool             // uuids of indices that were on disk at the start
}

// Register adds all routes to a router.
func (s *Server) Register(rt *rest.Router) {
	s.found = map[string]bool{}
	for _, i := range s.Catalog.State().Indices {
		s.found[i.UUID] = true
	}
	s.documentRoutes(rt)
	s.searchRoutes(rt)
	s.searchAboutRoutes(rt)
	s.scrollRoutes(rt)
	s.analyzeRoutes(rt)
	s.multiSearchRoutes(rt)
	s.maintenanceRoutes(rt)
	s.taskRoutes(rt)
	s.clusterRoutes(rt)
	s.statsRoutes(rt)
	s.catRoutes(rt)
	s.snapshotRoutes(rt)
	s.adminRoutes(rt)
	s.ingestRoutes(rt)
	s.absentRoutes(rt)
	refuseRoutes(rt)
}
