// SPDX-License-Identifier: Apache-2.0

package steward

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// cluster is a cluster that answers nothing but its name.
func cluster(t *testing.T) Options {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/":
		case "/_plugins/_security/authinfo":
			w.WriteHeader(http.StatusNotFound)
		default:
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = io.WriteString(w, `{"cluster_name":"fake"}`)
	}))
	t.Cleanup(server.Close)
	return Options{Listen: "127.0.0.1:0", Cluster: Cluster{URLs: []string{server.URL}}}
}

func get(t *testing.T, url string) string {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestAProgramStartsOnceAndStopsAsOftenAsYouLike(t *testing.T) {
	s, err := New(cluster(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Errorf("stopping what does not run: %v", err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := get(t, s.URL()+"/"); got != `{"cluster_name":"fake"}` {
		t.Errorf("passed on: %s", got)
	}
	if got := get(t, s.URL()+"/_plugins/_steward/status"); !strings.Contains(got, `"mode":"cluster","leader":false`) {
		t.Errorf("status: %s", got)
	}
	if err := s.Start(t.Context()); err == nil {
		t.Error("it started twice")
	}
	for range 2 {
		if err := s.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestAStopThatIsOutOfTimeStillLetsTheWorkInTheBackgroundEnd(t *testing.T) {
	s, err := New(Options{Listen: "127.0.0.1:0", Data: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Stop(over); err != nil {
		t.Error(err)
	}
}

func TestNothingIsLeftBehind(t *testing.T) {
	o := cluster(t)
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if err := s.Run(ctx, cancel); err != nil {
		t.Error(err)
	}
	if _, err := net.Dial("tcp", strings.TrimPrefix(s.URL(), "http://")); err == nil {
		t.Error("it still listens")
	}
}

func TestAnAddressThatIsTakenIsAnErrorAndOpensNothing(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	s, err := New(Options{Listen: taken.Addr().String(), Data: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "listen") {
		t.Errorf("got %v", err)
	}
}

func TestAFailedStartGivesTheAddressBack(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = free.Close()
	o := cluster(t)
	o.Listen, o.Cluster.PasswordFile = free.Addr().String(), "/does/not/exist"
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err == nil {
		t.Fatal("it started without its password")
	}
	again, err := net.Listen("tcp", o.Listen)
	if err != nil {
		t.Fatal(err)
	}
	_ = again.Close()
}

func TestItSaysWhatIsBehindWithoutCredentials(t *testing.T) {
	s, err := New(Options{Cluster: Cluster{URLs: []string{"http://u:secret@a:9200", "https://b"}}})
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Behind(); got != "http://a:9200, https://b" {
		t.Errorf("got %s", got)
	}
}
