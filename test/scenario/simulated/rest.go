// SPDX-License-Identifier: Apache-2.0

package simulated

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/setting"
)

// Do answers one request, after which everything is done that can be done now.
func (c *Cluster) Do(method, path string, body []byte) (status int, answer []byte, err error) {
	path, _, _ = strings.Cut(path, "?")
	result, err := c.serve(method, strings.Split(strings.TrimPrefix(path, "/"), "/"), body)
	if err == nil {
		err = c.settle()
	}
	if err != nil {
		status, _, answer = fault.Body(err)
		return status, answer, nil
	}
	answer, err = wire.Marshal(result)
	return http.StatusOK, answer, err
}

// ServeHTTP answers a request that a step makes.
func (c *Cluster) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var result any
	if err == nil {
		result, err = c.serve(r.Method, strings.Split(strings.TrimPrefix(r.URL.Path, "/"), "/"), body)
	}
	if err != nil {
		fault.Write(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(result) // into memory
}

var acknowledged = wire.Obj("acknowledged", true)

// serve finds the one handler that a request is for.
func (c *Cluster) serve(method string, path []string, body []byte) (any, error) {
	if len(path) > 2 && path[0] == "_plugins" && path[1] == "_ism" {
		return c.servePlugin(method, path[2:], body)
	}
	call := method + " /" + path[0]
	if !strings.HasPrefix(path[0], "_") {
		call = method + " index"
	}
	if len(path) > 1 && (path[1][0] == '_' || path[0] == "_cluster") {
		call += "/" + path[1]
	}
	switch call {
	case "PUT /_cluster/settings":
		return acknowledged, c.putClusterSettings(body)
	case "PUT /_index_template":
		return acknowledged, c.putTemplate(body)
	case "PUT /_data_stream":
		_, err := c.createBacking(path[1])
		return acknowledged, err
	case "POST /_aliases":
		return acknowledged, c.updateAliases(body)
	case "PUT index":
		return acknowledged, c.createIndex(path[0], body)
	case "POST index/_rollover":
		_, err := c.rollOver(path[0])
		return acknowledged, err
	case "POST index/_bulk":
		i, err := c.writeIndex(path[0])
		if err == nil {
			i.docs += int64(bytes.Count(body, []byte("\n")) / 2)
		}
		return wire.Obj("errors", false), err
	}
	return c.serveIndex(call, path[0], body)
}

// serveIndex answers a request for one index.
func (c *Cluster) serveIndex(call, name string, body []byte) (any, error) {
	i, err := c.index(name)
	if err != nil {
		return nil, err
	}
	switch call {
	case "HEAD index":
	case "GET index":
		return wire.Obj(i.name, wire.Obj("settings", wire.Obj("index.uuid", i.uuid))), nil
	case "DELETE index":
		delete(c.indices, i.name)
	case "POST index/_open":
		i.open = true
	case "POST index/_close":
		i.open = false
	case "PUT index/_settings":
		return acknowledged, change(i.settings, body)
	default:
		return nil, fault.Unsupported(call)
	}
	return acknowledged, nil
}

// change applies settings; null removes one.
func change(settings map[string]string, body []byte) error {
	values, nulls, err := setting.Flatten(body)
	maps.Copy(settings, values)
	for _, name := range nulls {
		delete(settings, name)
	}
	return err
}

func (c *Cluster) putClusterSettings(body []byte) error {
	var request struct{ Persistent json.RawMessage }
	if err := json.Unmarshal(body, &request); err != nil {
		return err
	}
	before := c.config().Enabled
	values := maps.Clone(c.settings)
	if err := change(values, request.Persistent); err != nil {
		return err
	}
	for name, value := range values {
		d, ok := registry.Lookup(name)
		if !ok {
			return fault.New(http.StatusBadRequest, "settings_exception", "persistent setting [%s], not recognized", name)
		}
		if err := d.Validate(value); err != nil {
			return err
		}
	}
	c.settings = values
	if !before && c.config().Enabled {
		c.enable()
	}
	return nil
}

// enable switches jobs on again that were switched off with the plugin.
func (c *Cluster) enable() {
	for _, m := range c.managed {
		if !m.job.Enabled && m.meta != nil && !m.meta.Done() {
			m.job = m.job.Enable(c.now)
		}
	}
}

func (c *Cluster) putTemplate(body []byte) error {
	var request struct {
		Patterns []string `json:"index_patterns"`
		Template struct{ Settings json.RawMessage }
	}
	if err := json.Unmarshal(body, &request); err != nil {
		return err
	}
	t := template{patterns: request.Patterns, settings: map[string]string{}}
	c.templates = append(c.templates, t)
	return change(t.settings, request.Template.Settings)
}

type aliasRequest struct {
	Write *bool `json:"is_write_index"`
}

func (c *Cluster) createIndex(name string, body []byte) error {
	var request struct {
		Settings json.RawMessage
		Aliases  map[string]aliasRequest
	}
	if err := json.Unmarshal(body, &request); err != nil {
		return err
	}
	settings, aliases := map[string]string{}, map[string]*bool{}
	if err := change(settings, request.Settings); err != nil {
		return err
	}
	for alias, a := range request.Aliases {
		aliases[alias] = a.Write
	}
	_, err := c.create(name, settings, aliases)
	return err
}

func (c *Cluster) updateAliases(body []byte) error {
	var request struct {
		Actions []map[string]struct {
			Index, Alias string
			Aliases      []string
		}
	}
	if err := json.Unmarshal(body, &request); err != nil {
		return err
	}
	for _, action := range request.Actions {
		for kind, a := range action {
			i, err := c.index(a.Index)
			if err != nil {
				return err
			}
			for _, alias := range append(a.Aliases, a.Alias) {
				switch {
				case alias == "":
				case kind == "add":
					i.aliases[alias] = nil
				case kind == "remove":
					delete(i.aliases, alias)
				default:
					return fmt.Errorf("alias action %s", kind)
				}
			}
		}
	}
	return nil
}
