// SPDX-License-Identifier: Apache-2.0

package opensearch_test

import (
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/opensteward/steward/opensearch"
)

func dial(t *testing.T, o opensearch.DialOptions) http.RoundTripper {
	t.Helper()
	transport, err := opensearch.Dial(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = transport.(io.Closer).Close() })
	return transport
}

func TestNoCallIsEverRepeated(t *testing.T) {
	var calls atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1); r.URL.Query().Has("drop") {
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	t.Cleanup(server.Close)
	client := opensearch.NewClient(dial(t, opensearch.DialOptions{URLs: []string{server.URL}}))
	for name, path := range map[string]string{"a 503": "/logs/_rollover", "a dropped connection": "/logs/_rollover"} {
		t.Run(name, func(t *testing.T) {
			calls.Store(0)
			call := opensearch.Call{Method: http.MethodPost, Path: path}
			if name != "a 503" {
				call.Query = map[string][]string{"drop": {""}}
			}
			if err := client.Do(t.Context(), call, nil); err == nil {
				t.Error("no error")
			}
			if calls.Load() != 1 {
				t.Errorf("sent %d times", calls.Load())
			}
		})
	}
}

func TestCredentialsComeFromOptionsOrURL(t *testing.T) {
	var got string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, set := r.BasicAuth()
		got = ""
		if set {
			got = user + ":" + password
		}
		_, _ = io.WriteString(w, "{}")
	}))
	t.Cleanup(server.Close)
	withUser := strings.Replace(server.URL, "http://", "http://url:secret@", 1)
	own := http.Header{}
	own.Set("Authorization", "Basic bWU6bWluZQ==")
	nobody := http.Header{}
	opensearch.Anonymous(nobody)
	cases := []struct {
		name   string
		o      opensearch.DialOptions
		header http.Header
		want   string
	}{
		{"none", opensearch.DialOptions{URLs: []string{server.URL}}, nil, ""},
		{"options", opensearch.DialOptions{URLs: []string{server.URL}, Username: "u", Password: "p"}, nil, "u:p"},
		{"URL", opensearch.DialOptions{URLs: []string{withUser}}, nil, "url:secret"},
		{"the caller's own", opensearch.DialOptions{URLs: []string{withUser}}, own, "me:mine"},
		{"an anonymous caller's", opensearch.DialOptions{URLs: []string{withUser}, Username: "u", Password: "p"}, nobody, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			client := opensearch.NewClient(dial(t, c.o))
			if err := client.Do(t.Context(), opensearch.Call{Method: "GET", Path: "/", Header: c.header}, nil); err != nil {
				t.Fatal(err)
			}
			if got != c.want {
				t.Errorf("the cluster saw %q, want %q", got, c.want)
			}
		})
	}
}

func TestTheClustersCertificateIsChecked(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "{}") }))
	t.Cleanup(server.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	block := &pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}
	if err := os.WriteFile(ca, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name string
		o    opensearch.DialOptions
		ok   bool
	}{
		{"unknown authority", opensearch.DialOptions{}, false},
		{"named authority", opensearch.DialOptions{CACertificate: ca}, true},
		{"not checked", opensearch.DialOptions{InsecureSkipVerify: true}, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			c.o.URLs = []string{server.URL}
			err := opensearch.NewClient(dial(t, c.o)).Do(t.Context(), opensearch.Call{Method: "GET", Path: "/"}, nil)
			if (err == nil) != c.ok {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestAnotherNodeIsAskedWhenOneIsDown(t *testing.T) {
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "{}") }))
	t.Cleanup(up.Close)
	down := httptest.NewServer(http.NotFoundHandler())
	down.Close()
	client := opensearch.NewClient(dial(t, opensearch.DialOptions{URLs: []string{down.URL, up.URL}}))
	failed := 0
	for range 10 {
		if err := client.Do(t.Context(), opensearch.Call{Method: "GET", Path: "/"}, nil); err != nil {
			failed++
		}
	}
	if failed > 2 {
		t.Errorf("%d of 10 calls went to the node that is down", failed)
	}
}

func TestBadClusterURLsAreRefusedWithoutTheirPassword(t *testing.T) {
	for _, url := range []string{"localhost:9200", "ftp://h", "http://", "http://u:secret@h:x", "ftp://u:secret@h"} {
		_, err := opensearch.Dial(opensearch.DialOptions{URLs: []string{url}})
		if err == nil {
			t.Errorf("%s was taken", url)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("the error shows the password: %v", err)
		}
	}
}
