// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/setting"
)

// endpoint is a webhook that answers as its script says, and then with 200.
type endpoint struct {
	*httptest.Server
	mu     sync.Mutex
	script []http.HandlerFunc
	got    []string // method, path, content type, body
}

func newEndpoint(t *testing.T, script ...http.HandlerFunc) *endpoint {
	e := &endpoint{script: script}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		e.mu.Lock()
		e.got = append(e.got, strings.Join([]string{r.Method, r.URL.RequestURI(), r.Header.Get("Content-Type"), string(body)}, " "))
		var answer http.HandlerFunc
		if len(e.script) > 0 {
			answer, e.script = e.script[0], e.script[1:]
		}
		e.mu.Unlock()
		if answer != nil {
			answer(w, r)
		}
	}))
	t.Cleanup(e.Close)
	return e
}

func (e *endpoint) calls() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.got
}

// answers is a scripted answer.
func answers(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// cut ends the connection without an answer.
func cut(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

func TestBodiesOfMessages(t *testing.T) {
	for _, c := range []struct {
		name string
		to   Destination
		m    Message
		want string
	}{
		{"Slack gets JSON", Destination{Kind: Slack}, Message{Text: `a "b"`}, `POST /in application/json {"text":"a \"b\""}`},
		{"Slack gets a title", Destination{Kind: Slack}, Message{Title: "T", Text: "m"}, `POST /in application/json {"text":"T\n\nm"}`},
		{"Chime gets JSON", Destination{Kind: Chime}, Message{Title: "T", Text: "m"}, `POST /in application/json {"Content":"T\n\nm"}`},
		{"HTML comes first", Destination{Kind: Chime}, Message{Title: "T", Text: "m", HTML: "<p>"}, `POST /in application/json {"Content":"<p>"}`},
		{"a webhook gets the text", Destination{Kind: Webhook}, Message{Title: "T", Text: `{"x":1}`, HTML: "<p>"}, `POST /in application/json {"x":1}`},
		{"a webhook has a method", Destination{Kind: Webhook, Method: "PATCH"}, Message{Text: "m"}, `PATCH /in application/json m`},
		{"a webhook has headers of its own", Destination{Kind: Webhook, Header: wire.Obj("content-type", "text/plain", "X", "y")}, Message{Text: "m"}, `POST /in text/plain m`},
		{"a webhook has exactly these headers", Destination{Kind: Webhook, Header: wire.Obj("X", "y")}, Message{Text: "m"}, `POST /in  m`},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newEndpoint(t)
			c.to.URL = e.URL + "/in"
			if err := newTestSender(nil, nil).Send(t.Context(), c.to, c.m); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{c.want}, e.calls()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAMessageIsRepeatedUntilItIsTaken(t *testing.T) {
	for _, c := range []struct {
		name   string
		script []http.HandlerFunc
		calls  int
		cause  string // "" if it is delivered
	}{
		{"taken at once", nil, 1, ""},
		{"created counts", []http.HandlerFunc{answers(201, "")}, 1, ""},
		{"a server's failure passes", []http.HandlerFunc{answers(500, "oops"), answers(503, "")}, 3, ""},
		{"a busy server is asked again", []http.HandlerFunc{answers(429, "slow down")}, 2, ""},
		{"a cut connection is tried again", []http.HandlerFunc{cut, cut}, 3, ""},
		{"a client's mistake is final", []http.HandlerFunc{answers(400, "invalid_payload")}, 1, "Failed: Failed to send message Failed: invalid_payload"},
		{"a redirect is not followed", []http.HandlerFunc{answers(302, "", "Location", "/other")}, 1, "Failed: Failed to send message Failed: "},
		{"four tries are all", []http.HandlerFunc{answers(503, "a"), answers(503, "b"), answers(503, "c"), answers(503, "d")}, 4, "Failed: Failed to send message Failed: d"},
		{"what would take too long is not waited for", []http.HandlerFunc{answers(429, "later", "Retry-After", "3600")}, 1, "Failed: Failed to send message Failed: later"},
		{"a long answer is cut", []http.HandlerFunc{answers(400, strings.Repeat("x", 10_000))}, 1, "Failed: Failed to send message Failed: " + strings.Repeat("x", maxAnswer)},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newEndpoint(t, c.script...)
			err := newTestSender(nil, nil).Send(t.Context(), Destination{Kind: Webhook, URL: e.URL}, Message{Text: "m"})
			cause := ""
			if err != nil {
				cause = fault.Of(err).Reason
			}
			if cause != c.cause || len(e.calls()) != c.calls {
				t.Errorf("%d calls, cause %q", len(e.calls()), cause)
			}
		})
	}
}

func TestAnEndpointThatHangsIsGivenUp(t *testing.T) {
	free := make(chan struct{})
	hang := func(http.ResponseWriter, *http.Request) { <-free }
	e := newEndpoint(t, hang, hang, hang, hang)
	defer close(free)
	s := newTestSender(nil, setting.Values{settingConnectTimeout: "0", settingSocketTimeout: "0"}) // a second is the least
	began := time.Now()
	_, text, err := s.deliver(t.Context(), Destination{Kind: Slack, URL: e.URL}, Message{Text: "m"}, once)
	if err != nil || text != "Failed to send message no answer in time" || time.Since(began) > 10*time.Second {
		t.Errorf("%q %v after %v", text, err, time.Since(began))
	}
}

func TestAnEndpointThatHungAMomentAgoIsTriedBriefly(t *testing.T) {
	var s slow
	now := time.Now()
	for _, c := range []struct {
		name string
		do   func()
		at   time.Duration
		want bool
	}{
		{"at first", func() {}, 0, false},
		{"after it hung", func() { s.note("h", false, now) }, 0, true},
		{"another one", func() { s.note("h", true, now); s.note("i", false, now) }, 0, false},
		{"half a minute later", func() { s.note("h", false, now) }, slowFor, false},
		{"when it has answered", func() { s.note("h", false, now); s.note("h", true, now) }, 0, false},
	} {
		c.do()
		if got := s.is("h", now.Add(c.at)); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	e := newEndpoint(t, answers(503, ""), nil)
	sender := newTestSender(nil, nil)
	d := Destination{Kind: Slack, URL: e.URL}
	sender.slow.note(d.host(), false, time.Now())
	if err := sender.Send(t.Context(), d, Message{Text: "m"}); err == nil || len(e.calls()) != 1 {
		t.Errorf("%v after %d calls", err, len(e.calls()))
	}
	if err := sender.Send(t.Context(), d, Message{Text: "m"}); err != nil {
		t.Error(err)
	}
}

func TestSendingEndsWithItsContext(t *testing.T) {
	free := make(chan struct{})
	defer close(free)
	ctx, cancel := context.WithCancel(t.Context())
	e := newEndpoint(t, func(http.ResponseWriter, *http.Request) { cancel(); <-free })
	err := newTestSender(nil, nil).Send(ctx, Destination{Kind: Slack, URL: e.URL}, Message{Text: "m"})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v: it is not known whether it was sent", err)
	}
}

func TestMessagesGoOnlyWhereTheyMay(t *testing.T) {
	for _, c := range []struct {
		name, allowed, denied string
		delivered             bool
	}{
		{"anywhere by default", "*", "", true},
		{"to the address that is listed", "127.0.0.1", "", true},
		{"to the prefix that is listed", "*.example.com,127.0.0.0/8", "", true},
		{"not to what is not listed", "hooks.slack.com", "", false},
		{"not to the address that is denied", "*", "127.0.0.1", false},
		{"not to what is denied though it is allowed", "127.0.0.1", "127.0.0.0/8", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newEndpoint(t)
			s := newTestSender(nil, setting.Values{settingAllowedHosts: c.allowed, settingDeniedHosts: c.denied})
			err := s.Send(t.Context(), Destination{Kind: Slack, URL: e.URL}, Message{Text: "m"})
			if (err == nil) != c.delivered || len(e.calls()) == 1 != c.delivered {
				t.Fatalf("%v, %d calls", err, len(e.calls()))
			}
			if want := "Failed: Failed to send notification: dial tcp 127.0.0.1:"; err != nil && !strings.HasPrefix(fault.Of(err).Reason, want) {
				t.Error(err)
			}
		})
	}
}

func TestTheMetadataServiceIsOutOfReach(t *testing.T) {
	err := newTestSender(nil, nil).Send(t.Context(), Destination{Kind: Webhook, URL: "http://169.254.169.254/latest/meta-data"}, Message{Text: "m"})
	if err == nil || !strings.Contains(err.Error(), "destination not allowed: 169.254.169.254") {
		t.Error(err)
	}
}

func TestNoErrorTellsTheURL(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // an address that nobody listens on
	if err != nil {
		t.Fatal(err)
	}
	closed := listener.Addr().String()
	_ = listener.Close()
	e := newEndpoint(t, answers(404, "no_team"))
	for _, url := range []string{
		"http://" + closed + "/secret", e.URL + "/secret", "http://169.254.1.1/secret", "gopher://h/secret", "http://h:port/secret", "http://\x7f/secret",
	} {
		err := newTestSender(nil, nil).Send(t.Context(), Destination{Kind: Slack, URL: url}, Message{Text: "m"})
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", url, err)
		}
	}
}

func TestAnEmptyMessageIsNotSent(t *testing.T) {
	s := newTestSender(nil, nil)
	if err := s.Send(t.Context(), Destination{Kind: Slack, URL: "http://h"}, Message{Title: "T"}); fault.Of(err).Reason != "Message content is missing" {
		t.Error(err)
	}
	if err := s.SendToChannel(t.Context(), "x", Message{}); fault.Of(err).Reason != "text message part is null or empty" {
		t.Error(err)
	}
}

// hook creates a webhook channel that leads to e.
func (w *world) hook(e *endpoint) {
	w.must("POST", "/configs", `{"config_id":"h","config":{"name":"Hook","config_type":"webhook","webhook":{"url":"`+e.URL+`/in"}}}`)
}

func TestATestMessageTellsWhatBecameOfIt(t *testing.T) {
	e := newEndpoint(t, answers(200, "ok"), answers(200, ""), answers(500, "busy"))
	w := newWorld(t)
	w.hook(e)
	delivered := func(text string) string {
		return `{"event_source":{"title":"Test Message Title-h","reference_id":"h","severity":"info","tags":[]},` +
			`"status_list":[{"config_id":"h","config_type":"webhook","config_name":"Hook","email_recipient_status":[],` +
			`"delivery_status":{"status_code":"200","status_text":"` + text + `"}}]}`
	}
	if diff := cmp.Diff(delivered("ok"), w.must("POST", "/feature/test/h", "")); diff != "" {
		t.Error(diff)
	}
	old := w.response("GET", "/feature/test/h", "")
	if diff := cmp.Diff(delivered("{}"), strings.TrimSpace(old.Body.String())); diff != "" {
		t.Error(diff)
	}
	warning := `299 OpenSearch-3.4.0-unknown "[GET /_plugins/_notifications/feature/test/{config_id}] is deprecated! Use [POST /_plugins/_notifications/feature/test/{config_id}] instead."`
	if got := old.Header().Get("Warning"); got != warning {
		t.Error(got)
	}
	status, answer := w.call("POST", "/feature/test/h", "")
	failed := `"type":"status_exception","reason":"{\"event_status_list\": [{\"config_id\":\"h\",\"config_type\":\"webhook\",\"config_name\":\"Hook\",\"email_recipient_status\":[],` +
		`\"delivery_status\":{\"status_code\":\"500\",\"status_text\":\"Failed to send message Failed: busy\"}}]}"}`
	if status != http.StatusInternalServerError || !strings.Contains(answer, failed) {
		t.Errorf("%d %s", status, answer)
	}
	want := "POST /in application/json Test message content body for config id h"
	if diff := cmp.Diff([]string{want, want, want}, e.calls()); diff != "" {
		t.Error(diff)
	}
}

func TestATestMessageNeedsAChannelThatIsNotMuted(t *testing.T) {
	w := threeChannels(t)
	for _, c := range []struct {
		id     string
		status int
		want   string
	}{
		{"nope", 404, `{\"config_id\":\"nope\",\"config_type\":\"none\",\"config_name\":\"invalid-config\",\"email_recipient_status\":[],\"delivery_status\":{\"status_code\":\"404\",\"status_text\":\"Channel nope not found\"}}`},
		{"dev", 423, `\"delivery_status\":{\"status_code\":\"423\",\"status_text\":\"The channel is muted\"}`},
	} {
		if status, answer := w.call("POST", "/feature/test/"+c.id, ""); status != c.status || !strings.Contains(answer, c.want) {
			t.Errorf("%d %s", status, answer)
		}
	}
}

func TestAChannelIsRepeatedToo(t *testing.T) {
	e := newEndpoint(t, answers(503, ""), cut)
	w := newWorld(t)
	w.hook(e)
	if err := w.sender.SendToChannel(t.Context(), "h", Message{Title: "T", Text: "m"}); err != nil {
		t.Error(err)
	}
	if n := len(e.calls()); n != 3 {
		t.Error(n)
	}
}

func TestAPluginBehindIsAskedForItsChannels(t *testing.T) {
	e := newEndpoint(t)
	cluster := roundTripper(func(r *http.Request) (int, string) {
		switch r.URL.Path {
		case "/_plugins/_notifications/configs/h":
			return 200, `{"config_list":[{"config_id":"h","config":{"name":"N","config_type":"webhook","webhook":{"url":"` + e.URL + `/x"}}}]}`
		case "/_cat/plugins":
			return 200, `[{"component":"opensearch-index-management"},{"component":"opensearch-notifications"}]`
		}
		return 404, `{"error":{"type":"status_exception","reason":"NotificationConfig nope not found"},"status":404}`
	})
	w := newWorldBefore(t, cluster)
	w.sender.o.Native = w.client.AskPlugin(Plugin)
	if err := w.sender.SendToChannel(t.Context(), "h", Message{Text: "m"}); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"POST /x application/json m"}, e.calls()); diff != "" {
		t.Error(diff)
	}
	if err := w.sender.SendToChannel(t.Context(), "nope", Message{Text: "m"}); !fault.HasStatus(err, http.StatusNotFound) {
		t.Error(err)
	}
}

// roundTripper is a cluster of fixed answers.
type roundTripper func(*http.Request) (int, string)

func (fn roundTripper) RoundTrip(r *http.Request) (*http.Response, error) {
	status, body := fn(r)
	if status == 0 {
		return nil, errors.New(body)
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}, nil
}

func TestWhetherTheClusterHasThePluginIsAskedOnce(t *testing.T) {
	asked, up := 0, false
	ask := newWorldBefore(t, roundTripper(func(*http.Request) (int, string) {
		asked++
		if !up {
			return 0, "down"
		}
		return 200, `[{"component":"opensearch-notifications"}]`
	})).client.AskPlugin(Plugin)
	if ask() {
		t.Error("a cluster that does not answer has no plugin")
	}
	up = true
	for range 3 {
		if !ask() {
			t.Error("the plugin was not seen")
		}
	}
	if asked != 2 {
		t.Errorf("asked %d times", asked)
	}
}

func TestAClusterThatDoesNotAnswerIsNoFailedDelivery(t *testing.T) {
	w := newWorldBefore(t, roundTripper(func(*http.Request) (int, string) { return 0, "down" }))
	err := w.sender.SendToChannel(t.Context(), "h", Message{Text: "m"})
	if !fault.Is(err, "transport_exception") {
		t.Error(err)
	}
}
