// SPDX-License-Identifier: Apache-2.0

package steward

import (
	"context"

	"github.com/opensteward/steward/engine"
	"github.com/opensteward/steward/lease"
	"github.com/opensteward/steward/opensearch"
)

// maxBody is the limit of a request body to the embedded engine in bytes: OpenSearch's own default
// (http.max_content_length). A real cluster has a limit of its own.
const maxBody = 100 << 20

// openEngine opens the embedded engine.
func (s *Steward) openEngine() (backend, error) {
	e, err := engine.Open(engine.Options{
		Dir: s.o.Data, Clock: s.o.Clock, Settings: pluginSettings(), Config: s.o.Settings, Keys: s.keyring, Version: s.version(), Address: s.listening,
		Logger: s.log, Plugins: []engine.Plugin{
			{Component: "opensearch-flow-framework", Version: s.version() + ".0", Description: "Flow Framework"},
			{Component: "opensearch-index-management", Version: s.version() + ".0", Description: "Index State Management"},
			{Component: "opensearch-job-scheduler", Version: s.version() + ".0", Description: "Job Scheduler: runs the jobs of index management by their schedules"},
			{Component: "opensearch-ml", Version: s.version() + ".0", Description: "ML Commons"},
		},
	})
	if err != nil {
		return backend{}, err
	}
	s.onClose("engine", func(context.Context) error { return e.Close() })
	s.keepTime = e.KeepTime
	return backend{transport: opensearch.InProcess(e), lease: lease.Always{}, maxBody: maxBody}, nil
}

// Check walks through everything stored in a data directory that is not in use, and reports every inconsistency as a
// sentence.
func Check(ctx context.Context, dir string) (findings []string, err error) {
	return engine.Check(ctx, dir)
}
