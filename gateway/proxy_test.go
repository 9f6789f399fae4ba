// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward/gateway"
	"github.com/opensteward/steward/opensearch"
)

// rawBackend answers every request on a connection of its own with these bytes, and delivers what it got.
func rawBackend(t *testing.T, answer string) (url string, requests <-chan string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	got := make(chan string, 10)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			got <- readRaw(conn)
			_, _ = io.WriteString(conn, answer)
			_ = conn.Close()
		}
	}()
	return "http://" + listener.Addr().String(), got
}

// readRaw reads one request as it stands on the wire.
func readRaw(conn net.Conn) string {
	var b strings.Builder
	in := bufio.NewReader(conn)
	length, chunked := 0, false
	for {
		line, err := in.ReadString('\n')
		b.WriteString(line)
		if err != nil {
			return b.String()
		}
		_, _ = fmt.Sscanf(line, "Content-Length: %d", &length)
		chunked = chunked || line == "Transfer-Encoding: chunked\r\n"
		if line == "\r\n" {
			break
		}
	}
	if chunked {
		for !strings.HasSuffix(b.String(), "0\r\n\r\n") {
			line, err := in.ReadString('\n')
			b.WriteString(line)
			if err != nil {
				return b.String()
			}
		}
		return b.String()
	}
	_, _ = io.CopyN(&b, in, int64(length))
	return b.String()
}

// front serves a gateway before a backend.
func front(t *testing.T, backend string, change ...func(*gateway.Options)) *httptest.Server {
	t.Helper()
	transport, err := opensearch.Dial(opensearch.DialOptions{URLs: []string{backend}, Username: "steward", Password: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	o := gateway.Options{Backend: transport}
	for _, fn := range change {
		fn(&o)
	}
	server := httptest.NewServer(gateway.New(o))
	t.Cleanup(func() { server.Close(); _ = transport.(io.Closer).Close() })
	return server
}

// talk sends raw bytes and reads the raw answer until the connection ends.
func talk(t *testing.T, server *httptest.Server, request string) string {
	t.Helper()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

func TestRequestsArePassedOnAsTheyCame(t *testing.T) {
	cases := []struct{ name, request, want string }{
		{
			"an encoded path", "GET /a%2Fb/_doc/x%20y HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
			"GET /a%2Fb/_doc/x%20y HTTP/1.1\r\nHost: BACKEND\r\n\r\n",
		},
		{
			"two slashes and dots", "GET //_search/../x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
			"GET //_search/../x HTTP/1.1\r\nHost: BACKEND\r\n\r\n",
		},
		{
			"characters that should be escaped", "GET /<logs-{now/d}>|x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
			"GET /<logs-{now/d}>|x HTTP/1.1\r\nHost: BACKEND\r\n\r\n",
		},
		{
			"a query with semicolons and bad escapes", "GET /i/_search?a=1;b=2&q=%zz&c HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
			"GET /i/_search?a=1;b=2&q=%zz&c HTTP/1.1\r\nHost: BACKEND\r\n\r\n",
		},
		{
			"an index expression that begins like an API", "GET /_all/_settings HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
			"GET /_all/_settings HTTP/1.1\r\nHost: BACKEND\r\n\r\n",
		},
		{
			"the client's own headers and credentials",
			"GET / HTTP/1.1\r\nHost: h\r\nUser-Agent: mine\r\nAccept-Encoding: gzip\r\nAuthorization: Basic eDp5\r\nX-Forwarded-For: a\r\nX-Opaque-Id: 7\r\nConnection: close\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: BACKEND\r\nUser-Agent: mine\r\nAccept-Encoding: gzip\r\nAuthorization: Basic eDp5\r\nX-Forwarded-For: a\r\nX-Opaque-Id: 7\r\n\r\n",
		},
		{
			"headers of the connection stay behind",
			"GET / HTTP/1.1\r\nHost: h\r\nKeep-Alive: 1\r\nX-Mine: 1\r\nConnection: close, X-Mine\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: BACKEND\r\n\r\n",
		},
		{
			"a body of known length",
			"POST /i/_doc HTTP/1.1\r\nHost: h\r\nContent-Length: 7\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n{\"a\":1}",
			"POST /i/_doc HTTP/1.1\r\nHost: BACKEND\r\nContent-Length: 7\r\nContent-Type: application/json\r\n\r\n{\"a\":1}",
		},
		{
			"a chunked body",
			"POST /_bulk HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
			"POST /_bulk HTTP/1.1\r\nHost: BACKEND\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
		},
		{
			"a GET with a body",
			"GET /_search HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
			"GET /_search HTTP/1.1\r\nHost: BACKEND\r\nContent-Length: 2\r\n\r\n{}",
		},
		{
			"HEAD", "HEAD /i HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
			"HEAD /i HTTP/1.1\r\nHost: BACKEND\r\n\r\n",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			backend, requests := rawBackend(t, ok)
			talk(t, front(t, backend), c.request)
			want := strings.ReplaceAll(c.want, "BACKEND", strings.TrimPrefix(backend, "http://"))
			if diff := cmp.Diff(sorted(want), sorted(<-requests)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// sorted is a message with its headers in order, as their order carries no meaning.
func sorted(message string) []string {
	head, body, _ := strings.Cut(message, "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	headers := http.Header{}
	for _, l := range lines[1:] {
		name, value, _ := strings.Cut(l, ": ")
		headers.Add(name, value)
	}
	var b strings.Builder
	_ = headers.Write(&b)
	return append([]string{lines[0]}, append(strings.Split(b.String(), "\r\n"), body)...)
}

func TestAnswersArePassedOnAsTheyCame(t *testing.T) {
	cases := []struct{ name, method, answer, want string }{
		{
			"no header is added", "GET", "HTTP/1.1 404 Not Found\r\nX-A: 1\r\nX-A: 2\r\nContent-Length: 3\r\n\r\nabc",
			"HTTP/1.1 404 Not Found\r\nConnection: close\r\nX-A: 1\r\nX-A: 2\r\nContent-Length: 3\r\n\r\nabc",
		},
		{
			"a compressed answer stays compressed", "GET",
			"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x00\x01",
			"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Encoding: gzip\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x00\x01",
		},
		{
			"HEAD keeps the length", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n",
			"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1234\r\n\r\n",
		},
		{
			"a refusal asks for credentials", "GET",
			"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n",
			"HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nWww-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n",
		},
		{
			"chunks and trailers", "GET",
			"HTTP/1.1 200 OK\r\nTrailer: X-T\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-T: t\r\n\r\n",
			"HTTP/1.1 200 OK\r\nConnection: close\r\nTrailer: X-T\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-T: t\r\n\r\n",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			backend, _ := rawBackend(t, c.answer)
			got := talk(t, front(t, backend), c.method+" / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
			if diff := cmp.Diff(sorted(c.want), sorted(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAnswersAreStreamed(t *testing.T) {
	rest := make(chan struct{})
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "first")
		_ = http.NewResponseController(w).Flush()
		<-rest
		_, _ = io.WriteString(w, "second")
	}))
	t.Cleanup(backend.Close)
	res, err := http.Get(front(t, backend.URL).URL)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	first := make([]byte, 5)
	if _, err := io.ReadFull(res.Body, first); err != nil || string(first) != "first" {
		t.Fatalf("read %q, %v", first, err)
	}
	close(rest)
	if second, err := io.ReadAll(res.Body); err != nil || string(second) != "second" {
		t.Errorf("then read %q, %v", second, err)
	}
}

func TestABodyIsAskedForOnlyWhenTheClusterWantsIt(t *testing.T) {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "no", http.StatusForbidden)
	}))
	t.Cleanup(backend.Close)
	got := talk(t, front(t, backend.URL),
		"POST /_bulk HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n")
	if !strings.HasPrefix(got, "HTTP/1.1 403 ") {
		t.Errorf("got %q, want a 403 without a 100 before it", got)
	}
}

func TestAnAnswerThatBreaksOffBreaksOffForTheClientToo(t *testing.T) {
	backend, _ := rawBackend(t, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
	res, err := http.Get(front(t, backend).URL)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, err := io.ReadAll(res.Body); err == nil {
		t.Errorf("read %q without an error", body)
	}
}

func TestAClusterThatIsDownIsA503(t *testing.T) {
	backend, _ := rawBackend(t, "")
	res, err := http.Get(front(t, backend).URL)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	want := `{"error":{"root_cause":[{"type":"transport_exception","reason":"no answer from the cluster"}],` +
		`"type":"transport_exception","reason":"no answer from the cluster"},"status":503}`
	if res.StatusCode != http.StatusServiceUnavailable || string(body) != want {
		t.Errorf("got %d %s", res.StatusCode, body)
	}
}

func TestTooLargeABodyIsA413(t *testing.T) {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	t.Cleanup(backend.Close)
	server := front(t, backend.URL, func(o *gateway.Options) { o.MaxBody = 10 })
	for name, body := range map[string]io.Reader{
		"known length": strings.NewReader("more than ten"), "chunked": io.MultiReader(strings.NewReader("more than ten")),
	} {
		t.Run(name, func(t *testing.T) {
			res, err := http.Post(server.URL, "application/json", body)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if res.StatusCode != http.StatusRequestEntityTooLarge {
				t.Errorf("got %s", res.Status)
			}
		})
	}
}

func TestOnlyRequestsThatMayChangeSomethingAreNoticed(t *testing.T) {
	backend := opensearch.InProcess(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	begun, noticed := 0, 0
	front := gateway.New(gateway.Options{Backend: backend, Changing: func() func() {
		begun++
		return func() { noticed++ }
	}})
	cases := []struct {
		method, path string
		want         int
	}{
		{"GET", "/logs", 0},
		{"HEAD", "/logs", 0},
		{"POST", "/logs/_search", 0},
		{"POST", "/_count", 0},
		{"PUT", "/logs", 1},
		{"DELETE", "/logs", 1},
		{"POST", "/logs/_rollover", 1},
		{"POST", "/_bulk", 1},
	}
	for _, c := range cases {
		begun, noticed = 0, 0
		front.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(c.method, c.path, nil))
		if begun != c.want || noticed != c.want {
			t.Errorf("%s %s was noticed %d times before and %d times after, want %d", c.method, c.path, begun, noticed, c.want)
		}
	}
}
