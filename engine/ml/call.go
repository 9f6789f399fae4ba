// SPDX-License-Identifier: Apache-2.0

package ml

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/opensteward/steward/egress"
	"github.com/opensteward/steward/fault"
)

// private are the addresses that a connector may only call if a setting says so.
var private = []netip.Prefix{
	netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("10.0.0.0/8"),
	netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("fc00::/7"),
}

// maxAnswer is the longest answer of a service that is taken, in bytes.
const maxAnswer = 8 << 20

// call sends one request of a connector and returns the service's answer, with the secrets in it masked. values are the
// parameters of the call.
func (s *Service) call(ctx context.Context, id string, c *Connector, a *Action, values map[string]string) ([]byte, error) {
	payload, err := a.payload(values)
	if err != nil {
		return nil, err
	}
	target := fill(a.URL, "parameters", values)
	if err := s.checkURL(target); err != nil {
		return nil, err
	}
	secrets, err := s.unseal(id, c.Credential)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.Client.timeout())
	defer cancel()
	req, err := a.request(ctx, target, payload)
	if err != nil {
		return nil, err
	}
	for name, v := range a.Headers {
		req.Header.Set(name, fill(fill(v, "parameters", values), "credential", secrets))
	}
	if c.Protocol == protocolAWS {
		signAWS(req, []byte(payload), c.awsCredential(secrets), s.o.Clock.Now())
	}
	return s.send(req, masked(secrets))
}

// methods are those that a connector may use.
var methods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete}

// request is the HTTP request of an action, without headers that hold secrets.
func (a *Action) request(ctx context.Context, target, payload string) (*http.Request, error) {
	method := strings.ToUpper(a.Method)
	if !slices.Contains(methods, method) {
		return nil, fault.Illegal("unsupported http method")
	}
	u, err := url.Parse(target)
	switch {
	case err != nil || u.Host == "":
		return nil, fault.Illegal("Encountered error when trying to create uri from endpoint in ml connector. Please update the endpoint in connection configuration: ")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fault.Illegal("Protocol is not http or https: %s", u.Scheme)
	}
	var body io.Reader
	if method == http.MethodPost || method == http.MethodPut {
		body = strings.NewReader(payload)
	}
	req, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		return nil, fault.Illegal("Encountered error when trying to create uri from endpoint in ml connector. Please update the endpoint in connection configuration: ")
	}
	req.Header.Set("Content-Type", "application/json")
	return req, nil
}

// send makes the call.
func (s *Service) send(req *http.Request, mask func([]byte) []byte) ([]byte, error) {
	client := s.guarded
	if s.enabled(privateAddresses) {
		client = s.open
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, callFault(req, err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return nil, callFault(req, err)
	}
	if len(answer) > maxAnswer {
		return nil, fault.Status(http.StatusBadGateway, "Error from remote service: the answer is longer than %d bytes", maxAnswer)
	}
	answer = mask(answer)
	switch {
	case res.StatusCode >= http.StatusBadRequest:
		return nil, fault.Status(res.StatusCode, "Error from remote service: %s", answer)
	case res.StatusCode/100 != 2: // a redirect, which is not followed
		return nil, fault.Status(http.StatusBadGateway, "Error from remote service: status %d", res.StatusCode)
	}
	if len(answer) == 0 {
		return nil, fault.Status(http.StatusBadRequest, "No response from model")
	}
	return answer, nil
}

// callFault words a call that got no answer. The error's own text is for the log: it may hold the URL.
func callFault(req *http.Request, err error) error {
	if errors.Is(err, egress.ErrRefused) {
		return privateHost(req.URL.Hostname())
	}
	status := http.StatusBadGateway
	what := "cannot be reached"
	if errors.Is(err, context.DeadlineExceeded) {
		status, what = http.StatusGatewayTimeout, "did not answer in time"
	}
	e := fault.Status(status, "Error communicating with remote model: %s %s", req.URL.Host, what)
	var failed *url.Error
	if errors.As(err, &failed) {
		err = failed.Err
	}
	e.Err = err
	return e
}

// shortestSecret is the length from which a credential is looked for in answers: shorter ones, such as the 123 of a
// template, would be found where there is no secret.
const shortestSecret = 8

// masked hides credentials in the answer of a service, which may repeat them.
func masked(secrets map[string]string) func([]byte) []byte {
	longestFirst := func(a, b string) int { return len(b) - len(a) } // one may begin with another
	var pairs []string
	for _, v := range slices.SortedFunc(maps.Values(secrets), longestFirst) {
		if len(v) >= shortestSecret {
			pairs = append(pairs, v, "***")
		}
	}
	replacer := strings.NewReplacer(pairs...)
	return func(answer []byte) []byte { return []byte(replacer.Replace(string(answer))) }
}
