// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"context"
	"crypto/sha256"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/opensearch"
)

// How long what the cluster said about itself and about a caller is believed.
const (
	securedFor = 10 * time.Second
	grantedFor = 5 * time.Second
	deniedFor  = time.Second
)

// maxCallers bounds the memory for callers' answers.
const maxCallers = 10_000

// authinfo is where the security plugin tells callers who they are.
const authinfo = "/_plugins/_security/authinfo"

// allAccess is the role of OpenSearch's security plugin that may do anything.
const allAccess = "all_access"

// Access lets callers use our APIs by what the cluster says about their own credentials. A cluster that answers an
// anonymous GET / and does not have the security plugin lets everybody in. Before any other a caller needs the role
// all_access, one whom the plugin takes as anonymous too.
type Access struct {
	client *opensearch.Client

	mu      sync.Mutex
	secured bool
	asked   time.Time
	callers map[[sha256.Size]byte]verdict
}

type verdict struct {
	err   error
	until time.Time
}

// NewAccess returns the access rule before the cluster behind a client.
func NewAccess(client *opensearch.Client) *Access {
	return &Access{client: client, callers: map[[sha256.Size]byte]verdict{}}
}

// Check returns nil for a caller with these headers who may use our APIs; else the cluster's own 401, or a 403
// security_exception, or the failure to ask the cluster.
func (a *Access) Check(ctx context.Context, header http.Header) error {
	secured, err := a.isSecured(ctx)
	if err != nil || !secured {
		return err
	}
	credentials := http.Header{}
	credentials["Authorization"] = header["Authorization"]
	key := sha256.Sum256([]byte(strings.Join(header["Authorization"], "\n")))
	if v, known := a.recall(key); known {
		return v
	}
	err = a.ask(ctx, credentials)
	if !fault.HasStatus(err, http.StatusServiceUnavailable) {
		a.remember(key, err)
	}
	return err
}

func (a *Access) isSecured(ctx context.Context) (bool, error) {
	a.mu.Lock()
	secured, fresh := a.secured, time.Since(a.asked) < securedFor
	a.mu.Unlock()
	if fresh {
		return secured, nil
	}
	secured, err := a.askSecured(ctx)
	if err != nil {
		return false, err // a cluster in trouble says nothing about who may come in
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.secured, a.asked = secured, time.Now()
	return secured, nil
}

// askSecured asks without credentials for what everybody may see, and for what only the security plugin has.
func (a *Access) askSecured(ctx context.Context) (bool, error) {
	header := http.Header{}
	opensearch.Anonymous(header)
	for _, path := range []string{"/", authinfo} {
		err := a.client.Do(ctx, opensearch.Call{Method: http.MethodGet, Path: path, Header: header}, nil)
		switch {
		case fault.HasStatus(err, http.StatusUnauthorized), fault.HasStatus(err, http.StatusForbidden):
			return true, nil
		case path == authinfo && (opensearch.NoSuchAPI(err) || fault.HasStatus(err, http.StatusNotFound)):
			return false, nil
		case err != nil:
			return false, err
		}
	}
	return true, nil
}

func (a *Access) ask(ctx context.Context, credentials http.Header) error {
	var who struct {
		Name         string   `json:"user_name"`
		BackendRoles []string `json:"backend_roles"`
		Roles        []string `json:"roles"`
	}
	call := opensearch.Call{Method: http.MethodGet, Path: authinfo, Header: credentials}
	if err := a.client.Do(ctx, call, &who); err != nil {
		if fault.HasStatus(err, http.StatusUnauthorized) || fault.HasStatus(err, http.StatusServiceUnavailable) {
			return err
		}
		denied := fault.New(http.StatusForbidden, "security_exception",
			"no permissions for [%s]: the cluster does not tell the caller's roles", allAccess)
		denied.Err = err
		return denied
	}
	if slices.Contains(who.Roles, allAccess) {
		return nil
	}
	return fault.New(http.StatusForbidden, "security_exception",
		"no permissions for [%s] and User [name=%s, backend_roles=[%s], requestedTenant=null]",
		allAccess, who.Name, strings.Join(who.BackendRoles, ", "))
}

func (a *Access) recall(key [sha256.Size]byte) (error, bool) { //nolint:revive // the error is the value here
	a.mu.Lock()
	defer a.mu.Unlock()
	v, known := a.callers[key]
	return v.err, known && time.Now().Before(v.until)
}

func (a *Access) remember(key [sha256.Size]byte, err error) {
	ttl := grantedFor
	if err != nil {
		ttl = deniedFor
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.callers) >= maxCallers {
		clear(a.callers)
	}
	a.callers[key] = verdict{err, time.Now().Add(ttl)}
}
