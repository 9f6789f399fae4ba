// SPDX-License-Identifier: Apache-2.0

package steward

import (
	"context"

	"github.com/opensteward/steward/gateway"
	"github.com/opensteward/steward/ism/manager"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/rollup"
	"github.com/opensteward/steward/wire/setting"
)

// openJobs prepares the runner of rollup and transform jobs, which the reconciler tells of new ones.
func (s *Steward) openJobs(back backend, client *opensearch.Client) {
	o := rollup.Options{
		Client: client, Clock: s.o.Clock, Lease: back.lease, Logger: s.log, Paced: s.o.Pace == PaceNative,
		Settings: func(ctx context.Context) (setting.View, error) { return s.manager.Settings(ctx) },
		Wrote:    func(seqNo int64) { s.manager.Wrote(seqNo) },
		Ended:    func(id string) { s.manager.JobEnded(id) },
	}
	if !s.o.embedded() {
		s.nativeJobs = client.AskPlugin(rollup.Plugin)
		o.Native = s.nativeJobs
	}
	s.jobs = rollup.New(o)
	s.searches = rollup.NewSearches(back.transport, s.nativeJobs)
}

// jobsChanged tells whom it concerns that jobs were changed.
func (s *Steward) jobsChanged() {
	s.searches.Changed()
	s.jobs.Wake()
}

// rollupAPI serves /_plugins/_rollup and /_plugins/_transform, unless the cluster has the plugin.
func (s *Steward) rollupAPI(client *opensearch.Client) gateway.API {
	api := rollup.NewAPI(rollup.APIOptions{
		Client: client, Clock: s.o.Clock, Native: s.nativeJobs, Changed: s.jobsChanged, Version: s.version(), Logger: s.log,
		Ensure: func(ctx context.Context) error { return manager.EnsureConfigIndex(ctx, client) },
	})
	return gateway.API{Match: api.Match, Handler: api}
}
