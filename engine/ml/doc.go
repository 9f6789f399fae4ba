// SPDX-License-Identifier: Apache-2.0

// Package ml is the part of ML Commons that workflows and pipelines need: connectors, model groups, models, tasks,
// agents and the list of tools, with the documents, refusals and texts of the plugin.
//
// Everything is a document in the indices that ML Commons uses, so it is as durable as any document, and searchable.
// A connector's credentials are encrypted where they are stored, leave this package only in the calls to the service
// they are for, and are masked in what that service answers.
//
// A remote model really calls its endpoint when it predicts: [Service.Predict], and [Service.Embed] for processors. The
// endpoint has to match the trusted endpoints when the connector is made and again when it is called, and may not be at
// a link-local address; private addresses need a setting. Local models are records: they register and deploy, and fail
// when they are asked to predict, because there is nothing here that could run them.
//
// A change is done when its call returns; tasks are recorded as they ended, and nothing runs in the background.
package ml

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"sync"
	"time"

	"github.com/opensteward/steward/clock"
	"github.com/opensteward/steward/egress"
	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/engine/documents"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/secret"
)

// callTimeout bounds a call to a remote service whose connector sets no time-out for reading.
const callTimeout = 30 * time.Second

// Options of a service.
type Options struct {
	Catalog *catalog.Catalog
	Docs    *documents.Store
	Clock   clock.Clock
	// Keys encrypt credentials. Without them no connector can be made or called.
	Keys *secret.Keyring
	// Node is the id of the node that models are deployed to.
	Node string
}

// Service keeps connectors, models and agents, and calls remote models. It is safe for concurrent use.
type Service struct {
	o Options
	// open calls any address but the dangerous ones; guarded refuses private ones too.
	open, guarded *http.Client
	// uses is held while a resource begins to use another, and alone while one is deleted that may be in use.
	uses sync.RWMutex
	// names is held while a model group is looked for by its name and made.
	names sync.Mutex
}

// New returns a service. Indices are made when they are first written to.
func New(o Options) *Service {
	return &Service{
		o:       o,
		open:    egress.NewClient(egress.Rules{}, maxTimeout),
		guarded: egress.NewClient(egress.Rules{Deny: private}, maxTimeout),
	}
}

// now is the time as documents show it: milliseconds.
func (s *Service) now() int64 { return s.o.Clock.Now().UnixMilli() }

// newID is a document id as the server makes them: 20 characters.
func newID() string {
	var b [15]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func notFound(format string, args ...any) error {
	return fault.Status(http.StatusNotFound, format, args...)
}
