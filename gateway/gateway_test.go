// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/gateway"
	"github.com/opensteward/steward/opensearch"
)

var discard = slog.New(slog.DiscardHandler)

// ism is an API that answers its own name.
var ism = gateway.API{
	Match: func(path string) bool { return strings.HasPrefix(path, "/_plugins/_ism/") },
	Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/_plugins/_ism/panic" {
			panic("broken")
		}
		_, _ = io.WriteString(w, "ism")
	}),
}

func get(t *testing.T, h http.Handler, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	req := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return w
}

func TestOurPathsAreAnsweredHereAndAllOthersPassedOn(t *testing.T) {
	backend := opensearch.InProcess(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "cluster")
	}))
	front := gateway.New(gateway.Options{APIs: []gateway.API{ism}, Backend: backend})
	for path, want := range map[string]string{
		"/_plugins/_ism/explain": "ism", "/_all/_settings": "cluster", "/": "cluster", "/_plugins/_sql": "cluster",
	} {
		if got := get(t, front, path).Body.String(); got != want {
			t.Errorf("%s is answered by %q, want %q", path, got, want)
		}
	}
}

func TestTheOpaqueIDComesBack(t *testing.T) {
	front := gateway.New(gateway.Options{APIs: []gateway.API{ism}})
	if got := get(t, front, "/_plugins/_ism/explain", "X-Opaque-Id", "me").Header().Get("X-Opaque-Id"); got != "me" {
		t.Errorf("X-Opaque-Id = %q", got)
	}
}

func TestAPanicIsA500ThatHidesItsText(t *testing.T) {
	front := gateway.New(gateway.Options{APIs: []gateway.API{ism}})
	w := get(t, front, "/_plugins/_ism/panic")
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "broken") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

// secured is a cluster with the security plugin: admin may do anything, bob reads.
func secured(requests *int) http.RoundTripper {
	return opensearch.InProcess(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*requests++
		user, password, _ := r.BasicAuth()
		if password != "right" {
			w.Header().Set("WWW-Authenticate", `Basic realm="OpenSearch Security"`)
			w.Header().Set("Content-Type", "text/plain; charset=UTF-8")
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, "Unauthorized")
			return
		}
		roles := map[string][]string{"admin": {"own_index", "all_access"}, "bob": {"readall"}}[user]
		_ = json.NewEncoder(w).Encode(map[string]any{"user_name": user, "backend_roles": []string{"x"}, "roles": roles})
	}))
}

func TestBeforeASecuredClusterOnlyAllAccessMayUseOurAPIs(t *testing.T) {
	requests := 0
	backend := secured(&requests)
	front := gateway.New(gateway.Options{
		APIs: []gateway.API{ism}, Backend: backend, Access: gateway.NewAccess(opensearch.NewClient(backend)),
	})
	basic := func(user, password string) []string {
		req := &http.Request{Header: http.Header{}}
		req.SetBasicAuth(user, password)
		return []string{"Authorization", req.Header.Get("Authorization")}
	}
	cases := []struct {
		name         string
		header       []string
		status       int
		body         string
		authenticate bool
	}{
		{"nobody", nil, 401, "Unauthorized", true},
		{"a wrong password", basic("admin", "wrong"), 401, "Unauthorized", true},
		{"an administrator", basic("admin", "right"), 200, "ism", false},
		{
			"somebody else", basic("bob", "right"), 403,
			`{"error":{"root_cause":[{"type":"security_exception","reason":"no permissions for [all_access] and User [name=bob, backend_roles=[x], requestedTenant=null]"}],` +
				`"type":"security_exception","reason":"no permissions for [all_access] and User [name=bob, backend_roles=[x], requestedTenant=null]"},"status":403}`, false,
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for range 2 { // the second answer is remembered
				w := get(t, front, "/_plugins/_ism/explain", c.header...)
				if w.Code != c.status || w.Body.String() != c.body {
					t.Errorf("got %d %s, want %d %s", w.Code, w.Body, c.status, c.body)
				}
				if asked := w.Header().Get("WWW-Authenticate") != ""; asked != c.authenticate {
					t.Errorf("WWW-Authenticate: %v", asked)
				}
			}
		})
	}
	if requests != 1+len(cases) {
		t.Errorf("the cluster was asked %d times for %d callers", requests, len(cases))
	}
}

func TestBeforeAnOpenClusterEverybodyMay(t *testing.T) {
	backend := opensearch.InProcess(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"error":"no handler found for uri [`+r.URL.Path+`] and method [GET]"}`)
		}
	}))
	access := gateway.NewAccess(opensearch.NewClient(backend))
	if err := access.Check(t.Context(), http.Header{}); err != nil {
		t.Error(err)
	}
}

func TestAnAnonymousCallerWhomTheSecurityPluginLetsReadMayNotUseOurAPIs(t *testing.T) {
	backend := opensearch.InProcess(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"user_name": "opendistro_security_anonymous", "roles": []string{"readall"}})
	}))
	access := gateway.NewAccess(opensearch.NewClient(backend))
	if err := access.Check(t.Context(), http.Header{}); !fault.HasStatus(err, http.StatusForbidden) {
		t.Errorf("got %v", err)
	}
}

// down is a cluster that does not answer.
type down struct{}

func (down) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("connection refused")
}

func TestWhileTheClusterIsInTroubleNobodyMay(t *testing.T) {
	failing := opensearch.InProcess(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	for name, cluster := range map[string]http.RoundTripper{"down": down{}, "failing": failing} {
		access := gateway.NewAccess(opensearch.NewClient(cluster))
		if err := access.Check(t.Context(), http.Header{}); !fault.HasStatus(err, http.StatusServiceUnavailable) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestIsLoopback(t *testing.T) {
	for address, want := range map[string]bool{
		"127.0.0.1:9200": true, "[::1]:0": true, "localhost:9200": true, "127.3.2.1:1": true,
		"0.0.0.0:9200": false, ":9200": false, "[::]:9200": false, "10.0.0.1:9200": false, "example.org:80": false, "9200": false,
	} {
		if got := gateway.IsLoopback(address); got != want {
			t.Errorf("IsLoopback(%q) = %v", address, got)
		}
	}
}

func TestStoppingWaitsForRequestsUnderWay(t *testing.T) {
	listener, err := gateway.Listen(t.Context(), gateway.ListenOptions{Address: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	began, finish := make(chan struct{}), make(chan struct{})
	server := gateway.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(began)
		<-finish
		_, _ = io.WriteString(w, "done")
	}), discard)
	answer := make(chan string)
	go func() {
		res, err := http.Get("http://" + listener.Addr().String())
		if err != nil {
			answer <- err.Error()
			return
		}
		defer res.Body.Close()
		body, _ := io.ReadAll(res.Body)
		answer <- string(body)
	}()
	<-began
	stopped := make(chan error)
	go func() { stopped <- server.Stop(context.Background()) }()
	if err := <-server.Done(); !errors.Is(err, http.ErrServerClosed) {
		t.Errorf("serving ended with %v", err)
	}
	close(finish)
	if got := <-answer; got != "done" {
		t.Errorf("the request under way got %q", got)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}
