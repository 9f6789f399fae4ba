// SPDX-License-Identifier: Apache-2.0

package opensearch

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/setting"
)

// get sends a request whose answer may have to show settings.
func (p *pluginSettings) get(req *http.Request, where place) (*http.Response, error) {
	if !p.wants(req, where) || !p.isBare(req) {
		return p.next.RoundTrip(req)
	}
	out := req.Clone(req.Context())
	out.Header.Del("Accept-Encoding")
	filters := p.ownFilters(out, where)
	res, err := p.next.RoundTrip(out)
	if err != nil {
		return nil, err
	}
	switch where {
	case inClusterSettings:
		res = p.showCluster(req, res, where)
	case inIndexSettings:
		res = rewrite(req, res, func(body wire.Object) any { return p.showIndexSettings(req, body) })
	default:
		return rewrite(req, res, func(body wire.Object) any { return showIndices(req, body) }), nil
	}
	if filters == nil {
		return res, nil
	}
	return rewrite(req, res, func(body wire.Object) any { return filtered(body, filters) }), nil
}

// wants reports whether an answer could show one of our settings.
func (p *pluginSettings) wants(req *http.Request, where place) bool {
	if where != inIndexSettings {
		return true
	}
	wanted := wantedSettings(req)
	return slices.ContainsFunc(p.registry.All(), func(d setting.Definition) bool {
		return matchesAny(wanted, d.Key) || matchesAny(wanted, d.Fallback)
	})
}

func matchesAny(patterns []string, name string) bool {
	return name != "" && slices.ContainsFunc(patterns, func(pattern string) bool { return wire.Match(pattern, name) })
}

// ownFilters takes a filter_path that asks for plugins' settings away from the cluster, which keeps them elsewhere, and
// returns it. Other filters stay: nothing they let through is changed here.
func (p *pluginSettings) ownFilters(req *http.Request, where place) []string {
	q := req.URL.Query()
	filter := q.Get("filter_path")
	if where == inIndex || !strings.Contains(filter, "plugins") && !strings.Contains(filter, "opendistro") {
		return nil
	}
	q.Del("filter_path")
	req.URL.RawQuery = q.Encode()
	return strings.Split(filter, ",")
}

func filtered(body wire.Object, filters []string) any {
	text, err := wire.Marshal(body)
	if err != nil {
		return nil
	}
	if text, err = wire.FilterPath(text, filters); err != nil {
		return nil
	}
	return json.RawMessage(text)
}

// rewrite applies fn to a JSON object that is the answer of success; fn returns nil to leave it as it is.
func rewrite(req *http.Request, res *http.Response, fn func(wire.Object) any) *http.Response {
	if res.StatusCode != http.StatusOK || !strings.HasPrefix(res.Header.Get("Content-Type"), "application/json") ||
		res.Header.Get("Content-Encoding") != "" {
		return res
	}
	body, err := io.ReadAll(res.Body)
	rest := res.Body
	res.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(body), rest), rest}
	whole, parseErr := members(body)
	if err != nil || parseErr != nil {
		return res
	}
	changed := fn(whole)
	if changed == nil {
		return res
	}
	text, err := wire.Marshal(changed)
	if err != nil {
		return res
	}
	if q := req.URL.Query(); q.Has("pretty") && q.Get("pretty") != "false" {
		text = wire.Indent(text)
	}
	_ = rest.Close()
	res.Body = io.NopCloser(bytes.NewReader(text))
	res.ContentLength = int64(len(text))
	res.TransferEncoding = nil
	res.Header.Set("Content-Length", strconv.Itoa(len(text)))
	return res
}

// showCluster shows our settings in the sections of a _cluster/settings answer.
func (p *pluginSettings) showCluster(req *http.Request, res *http.Response, where place) *http.Response {
	if res == nil || where != inClusterSettings {
		return res
	}
	return rewrite(req, res, func(body wire.Object) any {
		found := false
		for _, section := range []string{"persistent", "transient"} {
			settings, err := object(body, section)
			if err != nil {
				continue
			}
			rest, ours := take(settings, "", func(key string) (string, bool) {
				name, below := strings.CutPrefix(key, metadataPrefix)
				name, known := p.ownsCluster(name)
				return name, below && known
			})
			if len(ours) == 0 {
				continue
			}
			found = true
			for _, name := range sortedKeys(ours) {
				rest = placed(rest, name, ours[name], isFlat(req))
			}
			body = set(body, section, rest)
		}
		if !found {
			return nil
		}
		return body
	})
}

// showIndexSettings adds what mappings keep to a GET _settings answer.
func (p *pluginSettings) showIndexSettings(req *http.Request, body wire.Object) any {
	metas, err := p.metas(req.Context(), req, indexExpression(req))
	if err != nil {
		return nil // the index may be gone by now; what the cluster said stands
	}
	wanted := wantedSettings(req)
	found := false
	for _, index := range sortedKeys(metas) {
		meta, err := parsed(metas[index])
		if err != nil {
			continue
		}
		kept := raw(meta, metaName)
		values := metaSettings(kept)
		for name := range values {
			if !matchesAny(wanted, name) {
				delete(values, name)
			}
		}
		if len(values) > 0 {
			found = true
			body = addSettings(body, index, values, isFlat(req))
		}
	}
	if !found {
		return nil
	}
	return body
}

// wantedSettings are the names and patterns of GET {index}/_settings/{name}.
func wantedSettings(req *http.Request) []string {
	seg := segments(req.URL.EscapedPath())
	last, err := url.PathUnescape(seg[len(seg)-1])
	if err != nil || last == "_settings" || last == "_all" {
		return []string{"*"}
	}
	return strings.Split(last, ",")
}

// showIndices adds what mappings keep to the settings of a GET {index} answer.
func showIndices(req *http.Request, body wire.Object) any {
	found := false
	for _, m := range body {
		index, err := parsed(m.Value.(json.RawMessage))
		if err != nil || !has(index, "settings") {
			continue
		}
		mappings, _ := object(index, "mappings")
		meta, _ := object(mappings, "_meta")
		kept := raw(meta, metaName)
		if values := metaSettings(kept); len(values) > 0 {
			found = true
			body = addSettings(body, m.Name, values, isFlat(req))
		}
	}
	if !found {
		return nil
	}
	return body
}

func addSettings(body wire.Object, index string, values setting.Values, flat bool) wire.Object {
	entry, _ := object(body, index)
	settings, _ := object(entry, "settings")
	for _, name := range sortedKeys(values) {
		settings = placed(settings, name, values[name], flat)
	}
	return set(body, index, set(entry, "settings", settings))
}

func isFlat(req *http.Request) bool {
	q := req.URL.Query()
	return q.Has("flat_settings") && q.Get("flat_settings") != "false"
}
