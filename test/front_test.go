// SPDX-License-Identifier: Apache-2.0

package test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire"
)

// stewardOptions are options for a second program where the first one is, or was.
func stewardOptions(t *testing.T, first *Running) steward.Options {
	t.Helper()
	o := steward.Options{Listen: "127.0.0.1:0", Logger: logger(t), Data: first.Data()}
	if url := os.Getenv(ClusterVariable); url != "" {
		o.Cluster = steward.Cluster{URLs: []string{url}, InsecureSkipVerify: true}
	}
	return o
}

// needCluster skips a test that is about a real cluster.
func needCluster(t *testing.T) {
	t.Helper()
	if !OnCluster() {
		t.Skip(ClusterVariable + " names no cluster")
	}
}

// behind is a client of the cluster that does not go through the program.
func behind(t *testing.T) *opensearch.Client {
	t.Helper()
	transport, err := opensearch.Dial(opensearch.DialOptions{URLs: []string{os.Getenv(ClusterVariable)}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = transport.(io.Closer).Close() })
	return opensearch.NewClient(transport)
}

func TestASecondStewardStandsByAndTakesOver(t *testing.T) {
	needCluster(t)
	first := Program(t)
	first.Eventually("the first one leads", func() (bool, string) { return first.status().Leader, "" })
	second := Start(t, stewardOptions(t, first), first.Prefix)
	if second.status().Leader {
		t.Fatal("both lead")
	}
	// The standby serves the API; the leader does the work.
	second.Must("PUT", "/_plugins/_ism/policies/"+second.Prefix, policy(second.Name("-*"),
		state("hot", "", wire.Obj("index_priority", wire.Obj("priority", 5)))), nil)
	fence := first.status().Fence
	first.Stop()
	second.Eventually("the second one leads, under a higher number", func() (bool, string) {
		s := second.status()
		return s.Leader && s.Fence > fence, ""
	})
	index := second.Name("-1")
	second.Must("PUT", "/"+index, nil, nil)
	second.Eventually("the policy has run", func() (bool, string) {
		info, err := second.Client.Indices(t.Context(), []string{index})
		return err == nil && info[index].Settings["index.priority"] == "5", second.Explain(index)
	})
}

func TestWhatHappensBehindItsBackIsNoticed(t *testing.T) {
	needCluster(t)
	p, cluster := Program(t), behind(t)
	p.Must("PUT", "/_plugins/_ism/policies/"+p.Prefix, policy(p.Name("-*"),
		state("hot", "end", wire.Obj("rollover", wire.Obj("min_doc_count", 1))), state("end", "")), nil)
	// Without a rollover_alias setting, which this cluster refuses, the only write alias counts.
	first, alias := p.Name("-000001"), p.Name("-alias")
	body := wire.Obj("aliases", wire.Obj(alias, wire.Obj("is_write_index", true)))
	if err := cluster.CreateIndex(t.Context(), first, body); err != nil {
		t.Fatal(err)
	}
	w := opensearch.Write{Op: opensearch.OpIndex, Index: alias, Source: wire.Obj("n", 1)}
	if _, err := cluster.Write(t.Context(), w, "true"); err != nil {
		t.Fatal(err)
	}
	p.Eventually("it was rolled over", func() (bool, string) {
		names, err := cluster.IndexNames(context.Background())
		_, rolled := names[p.Name("-000002")]
		return err == nil && rolled, p.Explain(first)
	})
}

// raw sends one request on a connection of its own and returns the whole answer as it stands on the wire, without the
// headers that belong to the connection.
func raw(t *testing.T, server, request string) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	method, _, _ := strings.Cut(request, " ")
	res, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString(res.Status + "\n")
	res.Header.Del("Connection")
	_ = res.Header.Write(&b)
	b.Write(body)
	return b.String()
}

func TestAnswersOfTheClusterComeThroughByteForByte(t *testing.T) {
	needCluster(t)
	p, cluster := Program(t), os.Getenv(ClusterVariable)
	index := p.Name("")
	p.Must("PUT", "/"+index, nil, nil)
	p.Must("PUT", "/"+index+"/_doc/a%2Fb%20c?refresh=true", wire.Obj("text", strings.Repeat("long ", 5000)), nil)
	body := `{"query":{"match_all":{}}}`
	cases := map[string]string{
		"an encoded path":       "GET /" + index + "/_doc/a%2Fb%20c HTTP/1.1\r\n",
		"a compressed answer":   "GET /" + index + "/_doc/a%2Fb%20c HTTP/1.1\r\nAccept-Encoding: gzip\r\n",
		"HEAD":                  "HEAD /" + index + " HTTP/1.1\r\n",
		"HEAD of nothing":       "HEAD /" + index + "-none HTTP/1.1\r\n",
		"an error":              "GET /" + index + "-none HTTP/1.1\r\n",
		"a wrong method":        "DELETE /_search HTTP/1.1\r\n",
		"two slashes":           "GET //" + index + "/_mapping HTTP/1.1\r\n",
		"a raw query":           "GET /_cat/indices/" + index + "?v;h=index,docs.count HTTP/1.1\r\n",
		"plain text":            "GET /_cat/aliases/" + index + "?v HTTP/1.1\r\n",
		"YAML":                  "GET /" + index + "/_settings?format=yaml HTTP/1.1\r\n",
		"a deprecation warning": "GET /_cat/master HTTP/1.1\r\n",
		"an opaque id":          "GET / HTTP/1.1\r\nX-Opaque-Id: mine\r\n",
		"all indices":           "GET /_all/_mapping?filter_path=" + index + " HTTP/1.1\r\n",
		"a wrong content type":  "POST /_search HTTP/1.1\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}",
		"a chunked body": "POST /" + index + "/_count HTTP/1.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" +
			"1a\r\n" + body + "\r\n0\r\n\r\n",
		"a body that is announced": "POST /" + index + "/_count HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 26\r\n\r\n" + body,
	}
	for name, request := range cases {
		t.Run(name, func(t *testing.T) {
			head, rest, hasBody := strings.Cut(request, "\r\n\r\n")
			if !hasBody {
				head = strings.TrimSuffix(head, "\r\n")
			}
			whole := head + "\r\nHost: any\r\nConnection: close\r\n\r\n" + rest
			if diff := cmp.Diff(raw(t, cluster, whole), raw(t, p.URL(), whole)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
