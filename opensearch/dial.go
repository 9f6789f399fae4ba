// SPDX-License-Identifier: Apache-2.0

package opensearch

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/opensearch-project/opensearch-go/v4/opensearchtransport"
)

// DialOptions say how to reach a cluster.
type DialOptions struct {
	URLs               []string // http or https; credentials may stand in the URL
	Username, Password string
	CACertificate      string // path of a PEM file
	InsecureSkipVerify bool
}

// loadEvery is how often the pool asks each node how loaded it is; an overloaded one gets no requests while there are
// others. It is the longest that opensearch-go itself chooses: its choice for a small cluster is five seconds.
const loadEvery = 30 * time.Second

// Dial returns a round-tripper over the network, with a node pool and without any retry. It speaks HTTP/1.1, leaves
// compressed answers compressed, and adds the credentials to requests that have no Authorization header; a header with
// no value (see [Anonymous]) keeps it from doing so. Its Close method ends its background work. Nothing is sent yet.
func Dial(o DialOptions) (http.RoundTripper, error) {
	if len(o.URLs) == 0 {
		return nil, errors.New("no cluster URL")
	}
	urls := make([]*url.URL, len(o.URLs))
	for i, text := range o.URLs {
		u, err := parseURL(text)
		if err != nil {
			return nil, err
		}
		urls[i] = u
	}
	user, password := o.credentials(urls)
	transport, err := o.transport()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	pool, err := opensearchtransport.New(opensearchtransport.Config{
		URLs: urls, Username: user, Password: password,
		Transport: ownAgent{transport}, DisableRetry: true, NodeStatsInterval: loadEvery, Context: ctx,
	})
	if err != nil {
		cancel()
		return nil, fmt.Errorf("dial the cluster: %w", err)
	}
	return &dialed{pool: pool, cancel: cancel, transport: transport}, nil
}

// credentials are those of the options, completed from the first URL that has any.
func (o DialOptions) credentials(urls []*url.URL) (user, password string) {
	user, password = o.Username, o.Password
	for _, u := range urls {
		if u.User != nil {
			inURL, _ := u.User.Password()
			return cmp.Or(user, u.User.Username()), cmp.Or(password, inURL)
		}
	}
	return user, password
}

func parseURL(text string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimRight(text, "/"))
	if err != nil {
		// The error would print the whole URL, and with it a password.
		return nil, errors.New("a cluster URL does not parse")
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, fmt.Errorf("cluster URL %q is not of the form http(s)://host:port", u.Redacted())
	}
	return u, nil
}

func (o DialOptions) transport() (*http.Transport, error) {
	conf := &tls.Config{InsecureSkipVerify: o.InsecureSkipVerify} //nolint:gosec // only where the operator says so
	if o.CACertificate != "" {
		pem, err := os.ReadFile(o.CACertificate)
		if err != nil {
			return nil, fmt.Errorf("read the CA certificate: %w", err)
		}
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no PEM certificate", o.CACertificate)
		}
	}
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:       conf,
		TLSHandshakeTimeout:   10 * time.Second,
		MaxIdleConnsPerHost:   64,
		IdleConnTimeout:       90 * time.Second,
		ExpectContinueTimeout: time.Second,
		DisableCompression:    true,
	}, nil
}

type dialed struct {
	pool      *opensearchtransport.Client
	cancel    context.CancelFunc
	transport *http.Transport
}

// RoundTrip sends a request to one node of the pool, once.
func (d *dialed) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := context.WithValue(req.Context(), agentKey{}, req.Header["User-Agent"])
	out := req.Clone(ctx)
	out.Host = "" // the node's own
	res, err := d.pool.Stream(out)
	if res != nil {
		return res, nil //nolint:nilerr // an answer is an answer, whatever the pool thinks of it
	}
	return nil, err
}

// Close ends background work and closes idle connections.
func (d *dialed) Close() error {
	d.cancel()
	d.transport.CloseIdleConnections()
	return d.pool.Close()
}

type agentKey struct{}

// ownAgent gives a request back the User-Agent that the pool replaces by its own.
type ownAgent struct{ next *http.Transport }

// RoundTrip sends the request.
func (a ownAgent) RoundTrip(req *http.Request) (*http.Response, error) {
	if agent, ours := req.Context().Value(agentKey{}).([]string); ours {
		req.Header["User-Agent"] = agent
		if len(agent) == 0 {
			req.Header["User-Agent"] = []string{""} // else net/http adds its own
		}
	}
	return a.next.RoundTrip(req)
}

// Anonymous marks a request's header so that [Dial] does not add its own credentials.
func Anonymous(h http.Header) {
	if _, set := h["Authorization"]; !set {
		h["Authorization"] = nil
	}
}
