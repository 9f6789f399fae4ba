// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/ism/ismapi"
	"github.com/opensteward/steward/ism/manager"
	"github.com/opensteward/steward/opensearch"
)

// answering answers requests of one kind itself and passes on all others.
type answering struct {
	next   http.RoundTripper
	method string
	suffix string // of the path
	status int
	answer string
}

// RoundTrip is part of http.RoundTripper.
func (a *answering) RoundTrip(r *http.Request) (*http.Response, error) {
	if a.method != r.Method || !strings.HasSuffix(r.URL.Path, a.suffix) {
		return a.next.RoundTrip(r)
	}
	return &http.Response{
		StatusCode: a.status, Request: r, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(bytes.NewReader([]byte(a.answer))), ContentLength: int64(len(a.answer)),
	}, nil
}

const (
	blocks  = `{"error":{"root_cause":[],"type":"cluster_block_exception","reason":"blocked by: [FORBIDDEN/6/cluster read-only (api)];"},"status":403}`
	refused = `{"_id":"x","status":503,"error":{"type":"unavailable_shards_exception","reason":"no shard"}}`
	gone    = `{"_id":"x","status":200,"result":"deleted"}`
	written = `{"_id":"x","status":200,"result":"updated"}`
)

func items(op string, list ...string) string {
	var out []string
	for _, item := range list {
		out = append(out, `{"`+op+`":`+item+`}`)
	}
	return `{"errors":true,"items":[` + strings.Join(out, ",") + `]}`
}

// refusals are what the APIs over indices answer when something stands in the way. Metadata is what the first index's
// says before ("" for no job).
var refusals = []struct {
	name         string
	managed      bool
	meta         *ism.Metadata
	broken       answering
	method, path string
	body         string
	status       int
	want         string // part of the answer
}{
	{
		name: "deleting a policy that does not exist", method: "DELETE", path: "/policies/PREFIX-none", status: 404,
		want: `"type":"status_exception","reason":"Policy PREFIX-none is not found"`,
	},
	{
		name: "adding a policy that does not exist", method: "POST", path: "/add/PREFIX-000001", body: `{"policy_id":"PREFIX-none"}`, status: 404,
		want: `"type":"status_exception","reason":"Could not find policy=PREFIX-none"`,
	},
	{
		name: "changing to a policy that does not exist", managed: true, method: "POST", path: "/change_policy/PREFIX-000001", body: `{"policy_id":"PREFIX-none"}`, status: 404,
		want: `"type":"status_exception","reason":"Could not find policy=PREFIX-none"`,
	},
	{
		name: "adding a policy that cannot be written", method: "POST", path: "/add/PREFIX-000001", body: `{"policy_id":"PREFIX"}`, status: 200,
		broken: answering{method: "POST", suffix: "/_bulk", status: 200, answer: items("create", refused)},
		want:   `"reason":"Failed to add policy due to: no shard"`,
	},
	{
		name: "adding a policy while the cluster is blocked", method: "POST", path: "/add/PREFIX-000001", body: `{"policy_id":"PREFIX"}`, status: 200,
		broken: answering{method: "POST", suffix: "/_bulk", status: 403, answer: blocks},
		want:   `"reason":"Failed to add policy due to ClusterBlockingException: blocked by: [FORBIDDEN/6/cluster read-only (api)];"`,
	},
	{
		name: "removing a policy where there is none", method: "POST", path: "/remove/PREFIX-000001", status: 200,
		want: `"reason":"This index does not have a policy to remove"`,
	},
	{
		name: "removing a policy whose job cannot be deleted", managed: true, method: "POST", path: "/remove/PREFIX-000001", status: 200,
		broken: answering{method: "POST", suffix: "/_bulk", status: 200, answer: items("delete", refused, gone)},
		want:   `{"updated_indices":0,"failures":true,`,
	},
	{
		name: "removing a policy says so", managed: true, method: "POST", path: "/remove/PREFIX-000001", status: 200,
		broken: answering{method: "POST", suffix: "/_bulk", status: 200, answer: items("delete", refused, gone)},
		want:   `"reason":"Failed to remove policy"`,
	},
	{
		name: "removing a policy whose metadata cannot be deleted", managed: true, method: "POST", path: "/remove/PREFIX-000001", status: 200,
		broken: answering{method: "POST", suffix: "/_bulk", status: 200, answer: items("delete", gone, refused)},
		want:   `"reason":"Failed to clean metadata due to: no shard"`,
	},
	{
		name: "removing a policy while the cluster is blocked", managed: true, method: "POST", path: "/remove/PREFIX-000001", status: 200,
		broken: answering{method: "POST", suffix: "/_bulk", status: 403, answer: blocks},
		want:   `"reason":"Failed to remove policy due to ClusterBlockingException: blocked by: [FORBIDDEN/6/cluster read-only (api)];"`,
	},
	{
		name: "removing a policy whose index's setting is not acknowledged", managed: true, method: "POST", path: "/remove/PREFIX-000001", status: 500,
		broken: answering{method: "PUT", suffix: "/_settings", status: 200, answer: `{"acknowledged":false}`},
		want:   `"type":"index_management_exception","reason":"Failed to remove policy because ISM auto_manage setting update requests are not fully acknowledged."`,
	},
	{
		name: "removing a policy whose index's setting is refused", managed: true, method: "POST", path: "/remove/PREFIX-000001", status: 500,
		broken: answering{method: "PUT", suffix: "/_settings", status: 403, answer: blocks},
		want:   `"type":"index_management_exception","reason":"Failed to remove policy because ISM auto_manage setting update requests failed with exception:"`,
	},
	{
		name: "changing the policy of an index without one", method: "POST", path: "/change_policy/PREFIX-000001", body: `{"policy_id":"PREFIX"}`, status: 200,
		want: `"reason":"This index is not being managed"`,
	},
	{
		name: "changing the policy of an index between two states", managed: true, meta: &ism.Metadata{TransitionTo: "s"},
		method: "POST", path: "/change_policy/PREFIX-000001", body: `{"policy_id":"PREFIX"}`, status: 200,
		want: `"reason":"Cannot change policy while transitioning to new state"`,
	},
	{
		name: "changing a policy that cannot be written", managed: true, method: "POST", path: "/change_policy/PREFIX-000001", body: `{"policy_id":"PREFIX"}`, status: 200,
		broken: answering{method: "POST", suffix: "/_bulk", status: 200, answer: items("index", refused)},
		want:   `"reason":"no shard"`,
	},
	{
		name: "retrying an index without a policy", method: "POST", path: "/retry/PREFIX-000001", status: 200,
		want: `"reason":"This index is not being managed."`,
	},
	{
		name: "retrying an index that has not begun", managed: true, method: "POST", path: "/retry/PREFIX-000001", status: 200,
		want: `"reason":"This index has no metadata information"`,
	},
	{
		name: "retrying an index that has not failed", managed: true, meta: &ism.Metadata{}, method: "POST", path: "/retry/PREFIX-000001", status: 200,
		want: `"reason":"This index is not in failed state."`,
	},
	{
		name: "retrying an index whose job cannot be enabled", managed: true, meta: &ism.Metadata{Retry: ism.RetryInfo{Failed: true}},
		method: "POST", path: "/retry/PREFIX-000001", status: 200,
		broken: answering{method: "POST", suffix: "/_bulk", status: 200, answer: items("index", refused, written)},
		want:   `"reason":"no shard"`,
	},
	{
		name: "retrying an index whose metadata cannot be written", managed: true, meta: &ism.Metadata{Retry: ism.RetryInfo{Failed: true}},
		method: "POST", path: "/retry/PREFIX-000001", status: 200,
		broken: answering{method: "POST", suffix: "/_bulk", status: 200, answer: items("index", written, refused)},
		want:   `"reason":"Failed to update metadata for index PREFIX-000001"`,
	},
	{
		name: "retrying while the cluster is blocked", managed: true, meta: &ism.Metadata{Retry: ism.RetryInfo{Failed: true}},
		method: "POST", path: "/retry/PREFIX-000001", status: 200,
		broken: answering{method: "POST", suffix: "/_bulk", status: 403, answer: blocks},
		want:   `"reason":"Failed to update due to ClusterBlockException. blocked by: [FORBIDDEN/6/cluster read-only (api)];"`,
	},
	{
		name: "a policy whose sequence number is negative", method: "PUT", path: "/policies/PREFIX?if_seq_no=-1&if_primary_term=1", status: 400,
		body: `{"policy":{"description":"","default_state":"s","states":[{"name":"s"}]}}`,
		want: `"reason":"sequence numbers must be non negative. got [-1]."`,
	},
	{
		name: "a policy whose primary term is negative", method: "PUT", path: "/policies/PREFIX?if_seq_no=1&if_primary_term=-1", status: 400,
		body: `{"policy":{"description":"","default_state":"s","states":[{"name":"s"}]}}`,
		want: `"reason":"primary term must be non negative. got [-1]"`,
	},
	{
		name: "two parameters that nobody knows", method: "GET", path: "/policies?foo=1&bar=2", status: 400,
		want: `"reason":"request [/_plugins/_ism/policies] contains unrecognized parameters: [bar], [foo]"`,
	},
}

func TestWhatStandsInTheWayIsToldForEachIndex(t *testing.T) {
	for _, c := range refusals {
		t.Run(c.name, func(t *testing.T) {
			rt := backend(t)
			w := newWorld(t, rt, `{"policy":{"description":"","default_state":"s","states":[{"name":"s","actions":[],"transitions":[]}]}}`)
			idle := func(rt http.RoundTripper) *console { // nothing moves
				client := opensearch.NewClient(rt)
				m := manager.New(manager.Options{Client: client, Registry: registry})
				return &console{w, ismapi.New(ismapi.Options{Client: client, Manager: m, Registry: registry, Version: "3.4.0"})}
			}
			if c.managed {
				idle(rt).want("POST", "/add/PREFIX-000001", `{"policy_id":"PREFIX"}`, 200, one)
			}
			if c.meta != nil {
				c.meta.Index, c.meta.UUID = w.first(), w.uuid
				_, err := w.client.Write(t.Context(), opensearch.Write{
					Op: opensearch.OpIndex, Index: manager.ConfigIndex, ID: w.uuid + "#metadata", Routing: w.uuid, Source: c.meta,
				}, "")
				w.do(err)
			}
			broken := c.broken
			broken.next = rt
			if status, body := idle(&broken).call(c.method, c.path, c.body); status != c.status || !strings.Contains(body, c.want) {
				t.Errorf("%d %s\nwant %d %s", status, body, c.status, c.want)
			}
		})
	}
}

func TestRemovingAPolicyLiftsTheBlocksOfItsIndexForAsLongAsItTakes(t *testing.T) {
	c := newWorld(t, backend(t), waitsLong).open()
	c.explained("the policy to wait", func(e map[string]any) bool { return e["step"] != nil })
	const autoManage = "index.plugins.index_state_management.auto_manage"
	blocks := []string{"index.blocks.read_only", "index.blocks.read_only_allow_delete"}
	for _, block := range blocks {
		c.do(c.putSettings(c.first(), map[string]any{block: true}))
	}
	c.want("POST", "/remove/PREFIX-000001", "", 200, one)
	infos, err := c.client.Indices(t.Context(), []string{c.first()})
	c.do(err)
	for name, want := range map[string]string{blocks[0]: "true", blocks[1]: "true", autoManage: "false"} {
		if got := infos[c.first()].Settings[name]; got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	for _, block := range blocks {
		c.do(c.putSettings(c.first(), map[string]any{block: nil}))
	}
}
