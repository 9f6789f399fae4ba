// SPDX-License-Identifier: Apache-2.0

package opensearch

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// taken are settings that were taken out of a body: full name to value as it was written.
type taken map[string]json.RawMessage

// put is a change of settings: a nil value resets.
func (t taken) changes(dropNulls bool) wire.Object {
	var out wire.Object
	for _, name := range sortedKeys(t) {
		switch text := settingTexts(t)[name]; {
		case string(t[name]) != "null":
			out.Add(name, text)
		case !dropNulls:
			out.Add(name, nil)
		}
	}
	return out
}

// validate refuses a bad value the way the plugin's own cluster does.
func (p *pluginSettings) validate(t taken) error {
	texts := settingTexts(t)
	for _, name := range sortedKeys(t) {
		def, _ := p.registry.Lookup(name)
		def.Key = name
		if text, set := texts[name]; set {
			if err := def.Validate(text); err != nil {
				return fault.Of(err)
			}
		}
	}
	return nil
}

// create sends the body of a new index or template with our settings moved to its mapping.
func (p *pluginSettings) create(req *http.Request, body []byte, template bool) (*http.Response, error) {
	whole, err := members(body)
	if err != nil {
		return nil, fault.Parse("the settings are not a JSON object")
	}
	inner := whole
	if template {
		if inner, err = object(whole, "template"); err != nil {
			return nil, err
		}
	}
	settings, err := object(inner, "settings")
	if err != nil {
		return nil, err
	}
	rest, ours := p.takeIndex(settings)
	if err := p.validate(ours); err != nil {
		return nil, err
	}
	inner = set(inner, "settings", rest)
	if inner, err = withMeta(inner, ours.changes(true)); err != nil {
		return nil, err
	}
	if template {
		whole = set(whole, "template", inner)
	} else {
		whole = inner
	}
	return p.send(req, whole)
}

// withMeta adds settings to mappings._meta of the body of an index.
func withMeta(body, changes wire.Object) (wire.Object, error) {
	if len(changes) == 0 {
		return body, nil
	}
	mappings, err := object(body, "mappings")
	if err != nil {
		return nil, err
	}
	meta, err := object(mappings, "_meta")
	if err != nil {
		return nil, err
	}
	return set(body, "mappings", set(mappings, "_meta", set(meta, metaName, changes))), nil
}

// putIndexSettings changes the settings of existing indices: the rest first, which may be refused, then _meta.
func (p *pluginSettings) putIndexSettings(req *http.Request, body []byte) (*http.Response, error) {
	settings, err := members(body)
	if err != nil {
		return nil, fault.Parse("the settings are not a JSON object")
	}
	if wrapped, err := object(settings, "settings"); err == nil && has(settings, "settings") {
		settings = wrapped
	}
	rest, ours := p.takeIndex(settings)
	if err := p.validate(ours); err != nil {
		return nil, err
	}
	metas, err := p.metas(req.Context(), req, indexExpression(req))
	if err != nil {
		return nil, err
	}
	if len(rest) > 0 {
		if res, err := p.send(req, rest); err != nil || res.StatusCode != http.StatusOK {
			return res, err
		}
	}
	names, err := p.indexNames(req)
	if err != nil {
		return nil, err
	}
	keep := req.URL.Query().Has("preserve_existing") && req.URL.Query().Get("preserve_existing") != "false"
	for _, name := range names {
		if err := p.putMeta(req.Context(), req, name, metas[name], ours.changes(false), keep); err != nil {
			return nil, err
		}
	}
	return jsonResponse(req, Acknowledged{true})
}

// indexExpression is the escaped index part of a settings request: "/logs-*", or "/_all".
func indexExpression(req *http.Request) string {
	if seg := segments(req.URL.EscapedPath()); seg[0] != "_settings" {
		return "/" + seg[0]
	}
	return "/_all"
}

// indexNames are the indices that a settings request means, those without any _meta too.
func (p *pluginSettings) indexNames(req *http.Request) ([]string, error) {
	c, header := p.client(req)
	q := indexOptions(req)
	q.Set("filter_path", "*.settings.index.uuid")
	var answer map[string]json.RawMessage
	call := Call{Method: http.MethodGet, Path: indexExpression(req) + "/_settings/index.uuid", Query: q, Header: header}
	if err := c.Do(req.Context(), call, &answer); err != nil {
		return nil, err
	}
	return sortedKeys(answer), nil
}

// putMeta changes the settings kept in the mapping of one index. The rest of _meta stays.
func (p *pluginSettings) putMeta(ctx context.Context, req *http.Request, index string, meta json.RawMessage, changes wire.Object, keep bool) error {
	whole, err := parsed(meta)
	if err != nil {
		return err
	}
	kept, err := object(whole, metaName)
	if err != nil {
		return err
	}
	for _, change := range changes {
		switch {
		case keep && has(kept, change.Name):
		case change.Value == nil:
			kept = without(kept, change.Name)
		default:
			kept = set(kept, change.Name, change.Value)
		}
	}
	c, header := p.client(req)
	return c.Do(ctx, Call{
		Method: http.MethodPut, Path: Path(index, "_mapping"), Header: header,
		Body: wire.Obj("_meta", set(whole, metaName, kept)),
	}, nil)
}

// putCluster moves our cluster settings below cluster.metadata.
func (p *pluginSettings) putCluster(req *http.Request, body []byte) (*http.Response, error) {
	whole, err := members(body)
	if err != nil {
		return nil, fault.Parse("the settings are not a JSON object")
	}
	for _, section := range []string{"persistent", "transient"} {
		if !has(whole, section) {
			continue
		}
		settings, err := object(whole, section)
		if err != nil {
			return nil, err
		}
		rest, ours := take(settings, "", p.ownsCluster)
		if err := p.refuseFinal(section, ours); err != nil {
			return nil, err
		}
		if err := p.validate(ours); err != nil {
			return nil, err
		}
		for _, name := range sortedKeys(ours) {
			rest = set(rest, metadataPrefix+name, ours[name])
		}
		whole = set(whole, section, rest)
	}
	return p.send(req, whole)
}

// refuseFinal refuses settings that are fixed once a node has started.
func (p *pluginSettings) refuseFinal(section string, t taken) error {
	for _, name := range sortedKeys(t) {
		if def, _ := p.registry.Lookup(name); def.Final {
			return fault.New(http.StatusBadRequest, "settings_exception", "%s setting [%s], not dynamically updateable", section, name)
		}
	}
	return nil
}

func (p *pluginSettings) ownsCluster(key string) (name string, ours bool) {
	def, found := p.registry.Lookup(key)
	return key, found && !def.Index
}

// takeIndex takes our index settings out of a settings object, in whatever form they are written.
func (p *pluginSettings) takeIndex(settings wire.Object) (rest wire.Object, ours taken) {
	return take(settings, "", func(key string) (string, bool) {
		if !strings.HasPrefix(key, "index.") {
			key = "index." + key
		}
		def, found := p.registry.Lookup(key)
		return key, found && def.Index
	})
}

// putMapping sends a mapping whose _meta would replace the one that keeps our settings, and puts these back.
func (p *pluginSettings) putMapping(req *http.Request, body []byte) (*http.Response, error) {
	forward := withBody(req, bytes.NewReader(body), nil)
	whole, parseErr := members(body)
	if parseErr != nil || !p.isBare(req) {
		return p.next.RoundTrip(forward)
	}
	meta, metaErr := object(whole, "_meta")
	before, err := p.metas(req.Context(), req, "/"+segments(req.URL.EscapedPath())[0])
	if metaErr != nil || err != nil || has(meta, metaName) {
		return p.next.RoundTrip(forward)
	}
	res, err := p.next.RoundTrip(forward)
	if err != nil || res.StatusCode != http.StatusOK {
		return res, err
	}
	c, header := p.client(req)
	for _, index := range sortedKeys(before) {
		old, err := parsed(before[index])
		kept := raw(old, metaName)
		if err != nil || kept == nil {
			continue
		}
		call := Call{
			Method: http.MethodPut, Path: Path(index, "_mapping"), Header: header,
			Body: wire.Obj("_meta", set(meta, metaName, kept)),
		}
		if err := c.Do(req.Context(), call, nil); err != nil {
			_ = res.Body.Close()
			return FaultResponse(req, err), nil
		}
	}
	return res, nil
}
