// SPDX-License-Identifier: Apache-2.0

package steward

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/opensteward/steward/lease"
	"github.com/opensteward/steward/opensearch"
)

// backend is what stands behind the program.
type backend struct {
	transport http.RoundTripper
	lease     lease.Lease
	maxBody   int64
}

func (s *Steward) open() (backend, error) {
	if s.o.embedded() {
		return s.openEngine()
	}
	return s.openCluster()
}

// openCluster prepares the way to the cluster and begins to campaign for the lease. The cluster may be down.
func (s *Steward) openCluster() (backend, error) {
	o, err := s.o.Cluster.dial()
	if err != nil {
		return backend{}, err
	}
	network, err := opensearch.Dial(o)
	if err != nil {
		return backend{}, err
	}
	transport := opensearch.PluginSettings(network, settings)
	s.onClose("cluster", func(context.Context) error { return transport.(io.Closer).Close() })
	elector := lease.NewElector(lease.Options{
		Client: opensearch.NewClient(transport), Holder: holder(), Logger: s.log,
	})
	s.background("election", elector.Run)
	return backend{transport: transport, lease: elector}, nil
}

// holder names this process among all that ever campaigned.
func holder() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s-%d-%s", host, os.Getpid(), rand.Text())
}

// behind names the backend without credentials.
func (o Options) behind() string {
	if o.embedded() {
		return "the embedded engine"
	}
	names := make([]string, len(o.Cluster.URLs))
	for i, text := range o.Cluster.URLs {
		names[i] = "a cluster"
		if u, err := url.Parse(text); err == nil {
			u.User = nil
			names[i] = u.String()
		}
	}
	return strings.Join(names, ", ")
}
