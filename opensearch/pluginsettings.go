// SPDX-License-Identifier: Apache-2.0

package opensearch

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire/setting"
)

// metaName is the member of a mapping's _meta that keeps the plugins' index settings where the cluster refuses them,
// flat and with their full names. Templates, rollover and mapping updates carry _meta.
const metaName = "index_state_management"

// metadataPrefix is where a cluster keeps the plugins' cluster settings it refuses: it takes any name below it.
const metadataPrefix = "cluster.metadata."

// maxSettingsBody is the size in bytes beyond which a body is passed on without a look at it.
const maxSettingsBody = 16 << 20

// PluginSettings returns a round-tripper that lets the settings of registry be used on a cluster that does not have
// the plugins they belong to.
//
// A request goes out unchanged first. Only when the cluster's answer is the 400 that refuses one of these settings are
// they validated and taken out of the body, and the rest is sent: index settings go to the mapping's _meta, cluster
// settings below cluster.metadata. Answers of GET _settings, GET {index} and _cluster/settings show them in their
// place again. On a cluster that has the index management plugin nothing is changed at all.
//
// Not covered: the settings that shrink, split and clone give to their target are refused by the cluster.
func PluginSettings(next http.RoundTripper, registry *setting.Registry) http.RoundTripper {
	return &pluginSettings{next: next, registry: registry}
}

type pluginSettings struct {
	next     http.RoundTripper
	registry *setting.Registry

	mu     sync.Mutex
	bare   bool
	probed time.Time
}

// Close closes what is behind.
func (p *pluginSettings) Close() error {
	if c, ok := p.next.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// RoundTrip sends req, and sends it again without the plugins' settings if they were refused.
func (p *pluginSettings) RoundTrip(req *http.Request) (*http.Response, error) {
	switch place := placeOf(req.Method, req.URL.EscapedPath()); {
	case place == nowhere:
		return p.next.RoundTrip(req)
	case req.Method == http.MethodGet:
		return p.get(req, place)
	default:
		return p.put(req, place)
	}
}

// place is where a request has settings.
type place int

const (
	nowhere         place = iota
	inIndex               // {"settings":..,"mappings":..}: a new index, a rollover, a legacy template
	inTemplate            // {"template":{"settings":..,"mappings":..}}
	inIndexSettings       // {..} or {"settings":{..}}
	inClusterSettings
	inMapping // {"_meta":..}, which replaces the one that keeps ours
)

// placeOf finds where a request with this escaped path has settings in its body, or in its answer if it is a GET.
func placeOf(method, path string) place {
	seg := segments(path)
	read, write := method == http.MethodGet, method == http.MethodPut || method == http.MethodPost
	switch {
	case len(seg) == 0 || (!read && !write):
		return nowhere
	case slices.Equal(seg, []string{"_cluster", "settings"}):
		return inClusterSettings
	case seg[0] == "_settings" || (len(seg) >= 2 && isIndex(seg[0]) && seg[1] == "_settings"):
		return inIndexSettings
	case len(seg) == 1 && isIndex(seg[0]) && method != http.MethodPost:
		return inIndex
	case read:
		return nowhere
	case len(seg) == 2 && isIndex(seg[0]) && (seg[1] == "_mapping" || seg[1] == "_mappings"):
		return inMapping
	case len(seg) == 2 && (seg[0] == "_index_template" || seg[0] == "_component_template"):
		return inTemplate
	case len(seg) == 2 && seg[0] == "_template", len(seg) >= 2 && isIndex(seg[0]) && seg[1] == "_rollover":
		return inIndex
	default:
		return nowhere
	}
}

func segments(path string) []string {
	return slices.DeleteFunc(strings.Split(path, "/"), func(s string) bool { return s == "" })
}

func isIndex(segment string) bool { return segment[0] != '_' || segment == "_all" }

// put sends a request whose body may hold settings.
func (p *pluginSettings) put(req *http.Request, where place) (*http.Response, error) {
	if req.Body == nil || req.Body == http.NoBody {
		return p.next.RoundTrip(req)
	}
	body, err := io.ReadAll(io.LimitReader(req.Body, maxSettingsBody+1))
	if err != nil {
		return nil, err
	}
	if where == inMapping && len(body) <= maxSettingsBody && bytes.Contains(body, []byte(`"_meta"`)) {
		defer req.Body.Close()
		return p.putMapping(req, body)
	}
	if where == inMapping || len(body) > maxSettingsBody || !p.mentioned(body) {
		return p.next.RoundTrip(withBody(req, io.MultiReader(bytes.NewReader(body), req.Body), req.Body))
	}
	defer req.Body.Close()
	first := withBody(req, bytes.NewReader(body), nil)
	first.Header = req.Header.Clone()
	first.Header.Del("Accept-Encoding")
	res, err := p.next.RoundTrip(first)
	if err != nil {
		return nil, err
	}
	if res, err = p.refused(res); res != nil || err != nil {
		return p.showCluster(req, res, where), err
	}
	p.note(true)
	return p.translate(req, where, body)
}

// mentioned reports whether a body may hold one of our settings, in whatever form.
func (p *pluginSettings) mentioned(body []byte) bool {
	for _, d := range p.registry.All() {
		if bytes.Contains(body, []byte(d.Key[strings.LastIndexByte(d.Key, '.')+1:])) {
			return true
		}
	}
	return false
}

// refused returns the answer to give, or nil if it refuses one of our settings.
func (p *pluginSettings) refused(res *http.Response) (*http.Response, error) {
	if res.StatusCode != http.StatusBadRequest {
		return res, nil
	}
	body, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err != nil {
		return nil, err
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	e := answerFault(res.StatusCode, res.Header, body)
	if e.Type != "settings_exception" && e.Type != "illegal_argument_exception" {
		return res, nil
	}
	if key, found := refusedKey(e.Reason); found {
		if _, ours := p.registry.Lookup(key); ours {
			return nil, nil
		}
	}
	return res, nil
}

// refusedKey is the setting that a cluster says it does not know.
func refusedKey(reason string) (key string, found bool) {
	before, rest, found := strings.Cut(reason, "setting [")
	if !found {
		return "", false
	}
	key, after, found := strings.Cut(rest, "]")
	unknown := before == "unknown " && strings.HasPrefix(after, " please check")
	unrecognized := (before == "persistent " || before == "transient ") && after == ", not recognized"
	return key, found && (unknown || unrecognized)
}

// translate sends a request without our settings, and puts these where the cluster keeps them.
func (p *pluginSettings) translate(req *http.Request, where place, body []byte) (*http.Response, error) {
	var res *http.Response
	var err error
	switch where {
	case inClusterSettings:
		res, err = p.putCluster(req, body)
	case inIndexSettings:
		res, err = p.putIndexSettings(req, body)
	default:
		res, err = p.create(req, body, where == inTemplate)
	}
	if e, ok := err.(*fault.Error); ok { //nolint:errorlint // only a fault that stands for an answer itself
		return FaultResponse(req, e), nil
	}
	return p.showCluster(req, res, where), err
}

// send sends req with another body.
func (p *pluginSettings) send(req *http.Request, body any) (*http.Response, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	out := withBody(req, bytes.NewReader(text), nil)
	out.ContentLength = int64(len(text))
	out.Header = req.Header.Clone()
	for _, name := range []string{"Accept-Encoding", "Content-Length", "Expect", "Transfer-Encoding"} {
		out.Header.Del(name)
	}
	return p.next.RoundTrip(out)
}

// client calls the cluster with the credentials of req.
func (p *pluginSettings) client(req *http.Request) (*Client, http.Header) {
	header := http.Header{}
	if auth, set := req.Header["Authorization"]; set {
		header["Authorization"] = auth
	}
	return NewClient(p.next), header
}

// probeEvery is how long the answer to "does the cluster have the plugin" holds.
const probeEvery = time.Minute

// isBare reports whether the cluster lacks the index management plugin, as far as that can be told.
func (p *pluginSettings) isBare(req *http.Request) bool {
	p.mu.Lock()
	bare, fresh := p.bare, time.Since(p.probed) < probeEvery
	p.mu.Unlock()
	if fresh {
		return bare
	}
	c, header := p.client(req)
	names, err := c.Plugins(req.Context(), header)
	if err != nil {
		return false
	}
	bare = !slices.Contains(names, "opensearch-index-management")
	p.note(bare)
	return bare
}

func (p *pluginSettings) note(bare bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bare, p.probed = bare, time.Now()
}

// withBody is req with another body of the same length.
func withBody(req *http.Request, body io.Reader, closer io.Closer) *http.Request {
	out := req.WithContext(req.Context())
	out.Body = struct {
		io.Reader
		io.Closer
	}{body, closerOr(closer)}
	out.GetBody = nil
	return out
}

func closerOr(c io.Closer) io.Closer {
	if c == nil {
		return io.NopCloser(nil)
	}
	return c
}

// FaultResponse is the answer with which a transport refuses a request.
func FaultResponse(req *http.Request, err error) *http.Response {
	w := &recorder{header: http.Header{}}
	fault.Write(w, err)
	return w.response(req)
}

func jsonResponse(req *http.Request, body any) (*http.Response, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	w := &recorder{header: http.Header{"Content-Type": {"application/json; charset=UTF-8"}}}
	_, _ = w.Write(text)
	return w.response(req), nil
}

// indexOptions are the parameters of req that say which indices are meant. A change of settings means closed indices
// too unless it says otherwise.
func indexOptions(req *http.Request) url.Values {
	in, out := req.URL.Query(), url.Values{}
	if req.Method != http.MethodGet {
		out.Set("expand_wildcards", "open,closed")
	}
	for _, name := range []string{"expand_wildcards", "ignore_unavailable", "allow_no_indices"} {
		if in.Has(name) {
			out.Set(name, in.Get(name))
		}
	}
	return out
}

// metas reads the _meta of the mappings of an escaped index expression, by index.
func (p *pluginSettings) metas(ctx context.Context, req *http.Request, expression string) (map[string]json.RawMessage, error) {
	c, header := p.client(req)
	q := indexOptions(req)
	q.Set("filter_path", "*.mappings._meta")
	var answer map[string]struct {
		Mappings struct {
			Meta json.RawMessage `json:"_meta"`
		} `json:"mappings"`
	}
	call := Call{Method: http.MethodGet, Path: expression + "/_mapping", Query: q, Header: header}
	if err := c.Do(ctx, call, &answer); err != nil {
		return nil, err
	}
	out := make(map[string]json.RawMessage, len(answer))
	for name, a := range answer {
		out[name] = a.Mappings.Meta
	}
	return out, nil
}
