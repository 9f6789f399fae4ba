// SPDX-License-Identifier: Apache-2.0

// Package opensearch is the seam: everything above it reaches the cluster only through this small typed client, which
// speaks OpenSearch's REST protocol over an http.RoundTripper. [InProcess] calls the embedded engine's handler;
// [Dial] goes over the network. Nothing above knows which. [PluginSettings] stands between them and a cluster that
// does not know the plugins' settings.
//
// Every failure is a *fault.Error that carries the cluster's own status, type and reason; a transport failure is a
// fault of status 503 and type "transport_exception" whose Err says what happened. The client never repeats a call by
// itself: whether a call may be sent twice is known only to its caller.
package opensearch

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// Client calls one cluster. It is safe for concurrent use.
type Client struct {
	transport http.RoundTripper
	within    time.Duration // 0: no limit but that of the context
}

// NewClient returns a client over a round-tripper.
func NewClient(transport http.RoundTripper) *Client { return &Client{transport: transport} }

// AnswerWithin is how long (real time) work in the background waits for the answer to a small request: as long as OpenSearch
// itself waits for the shards of a bulk request. A node that takes requests and never answers must not hold it up for ever.
const AnswerWithin = time.Minute

// listing is how many times as long an answer about all indices may take: there may be a hundred thousand.
const listing = 10

// Within returns a client of the same cluster that gives each call up after d, one about all indices after ten times that. A
// call that is given up has not been answered; it may have been carried out.
func (c *Client) Within(d time.Duration) *Client { return &Client{transport: c.transport, within: d} }

func (c *Client) bounded(ctx context.Context, times time.Duration) (context.Context, context.CancelFunc) {
	if c.within == 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, times*c.within)
}

// Call is one request.
type Call struct {
	Method string
	// Path is escaped already; see [Path].
	Path  string
	Query url.Values
	// Body is marshalled as JSON; a []byte or json.RawMessage is sent as it is.
	Body any
	// NDJSON marks the body as newline-delimited JSON.
	NDJSON bool
	// OpaqueID goes out as X-Opaque-Id and shows in _tasks.
	OpaqueID string
	// Header is added (a caller's own credentials, for example).
	Header http.Header
}

// Path joins segments into an escaped path: Path("a/b", "_doc", "x y") is "/a%2Fb/_doc/x%20y". Empty segments are
// left out.
func Path(segments ...string) string {
	var b strings.Builder
	for _, s := range segments {
		if s == "" {
			continue
		}
		b.WriteByte('/')
		// OpenSearch may read a plus sign in a path as a space.
		b.WriteString(strings.ReplaceAll(url.PathEscape(s), "+", "%2B"))
	}
	if b.Len() == 0 {
		return "/"
	}
	return b.String()
}

// Do sends a call and decodes a 2xx answer into out (nil: ignored; *json.RawMessage: kept). Any other status is the
// cluster's fault.
func (c *Client) Do(ctx context.Context, call Call, out any) error {
	ctx, cancel := c.bounded(ctx, 1)
	defer cancel()
	res, err := c.roundTrip(ctx, call)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode/100 != 2 {
		return c.refusal(call, res)
	}
	if out == nil {
		_, err := io.Copy(io.Discard, res.Body)
		return wrapTransport(call, err)
	}
	return wrapTransport(call, json.NewDecoder(res.Body).Decode(out))
}

// doEach sends a call whose answer is an object and calls fn for each of its members; value is good during the call only. Of
// an answer about all indices not more than one is held at a time.
func (c *Client) doEach(ctx context.Context, call Call, fn func(name string, value []byte) error) error {
	ctx, cancel := c.bounded(ctx, listing)
	defer cancel()
	res, err := c.roundTrip(ctx, call)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode/100 != 2 {
		return c.refusal(call, res)
	}
	dec := jsontext.NewDecoder(res.Body, jsontext.AllowDuplicateNames(true))
	return wrapTransport(call, eachMember(dec, func(name string) error {
		value, err := dec.ReadValue()
		if err != nil {
			return err
		}
		return fn(name, value)
	}))
}

// refusal is the fault of an answer that is not a success.
func (c *Client) refusal(call Call, res *http.Response) error {
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return transportFault(call, err)
	}
	return answerFault(res.StatusCode, res.Header, body)
}

// Send sends a call and returns status, header and the whole body, whatever the status.
func (c *Client) Send(ctx context.Context, call Call) (status int, header http.Header, body []byte, err error) {
	ctx, cancel := c.bounded(ctx, 1)
	defer cancel()
	res, err := c.roundTrip(ctx, call)
	if err != nil {
		return 0, nil, nil, err
	}
	defer res.Body.Close()
	body, err = io.ReadAll(res.Body)
	if err != nil {
		return 0, nil, nil, transportFault(call, err)
	}
	return res.StatusCode, res.Header, body, nil
}

func (c *Client) roundTrip(ctx context.Context, call Call) (*http.Response, error) {
	req, err := call.request(ctx)
	if err != nil {
		return nil, err
	}
	res, err := c.transport.RoundTrip(req)
	if err != nil {
		return nil, transportFault(call, err)
	}
	return res, nil
}

// request builds the HTTP request. Its host is replaced by whoever carries it.
func (call Call) request(ctx context.Context) (*http.Request, error) {
	body, err := call.body()
	if err != nil {
		return nil, err
	}
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, call.Method, "http://cluster", reader)
	if err != nil {
		return nil, transportFault(call, err)
	}
	req.URL.RawPath = call.Path
	if req.URL.Path, err = url.PathUnescape(call.Path); err != nil {
		return nil, transportFault(call, err)
	}
	req.URL.RawQuery = call.Query.Encode()
	for k, v := range call.Header {
		req.Header[k] = v
	}
	if body != nil && req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", call.contentType())
	}
	if call.OpaqueID != "" {
		req.Header.Set("X-Opaque-Id", call.OpaqueID)
	}
	return req, nil
}

func (call Call) contentType() string {
	if call.NDJSON {
		return "application/x-ndjson"
	}
	return "application/json"
}

func (call Call) body() ([]byte, error) {
	switch b := call.Body.(type) {
	case nil:
		return nil, nil
	case []byte:
		return b, nil
	case json.RawMessage:
		return b, nil
	default:
		return wire.Marshal(b)
	}
}

func wrapTransport(call Call, err error) error {
	if err == nil {
		return nil
	}
	return transportFault(call, err)
}

// transportFault is the fault of a call that got no whole answer.
func transportFault(call Call, err error) error {
	e := fault.New(http.StatusServiceUnavailable, "transport_exception",
		"no answer from the cluster to [%s %s]", call.Method, call.Path)
	e.Err = err
	return e
}

// Acknowledged is an answer {"acknowledged":true}.
type Acknowledged struct {
	Acknowledged bool `json:"acknowledged"`
}

func query(namesAndValues ...string) url.Values {
	q := url.Values{}
	for i := 0; i+1 < len(namesAndValues); i += 2 {
		q.Set(namesAndValues[i], namesAndValues[i+1])
	}
	return q
}
