// SPDX-License-Identifier: Apache-2.0

package provision

import (
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"net/http"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/flow"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire"
)

// The plugin's indices. Its third one, which holds a master key in clear text, is not made: keys stay outside what they
// protect.
const (
	TemplateIndex = ".plugins-flow-framework-templates"
	StateIndex    = ".plugins-flow-framework-state"
)

// mappingVersion is the schema version of both mappings: that of the plugin whose fields they have.
const mappingVersion = 4

//go:embed mappings/templates.json
var templateMapping []byte

//go:embed mappings/state.json
var stateMapping []byte

// ensureIndices makes both indices, or brings one that a write made by itself up to its mapping.
func ensureIndices(ctx context.Context, c *opensearch.Client) error {
	if err := ensureIndex(ctx, c, TemplateIndex, templateMapping); err != nil {
		return flowError(err, fault.Of(err).Status, "No response to create global_context index")
	}
	if err := ensureIndex(ctx, c, StateIndex, stateMapping); err != nil {
		return flowError(err, fault.Of(err).Status, "No response to create workflow_state index")
	}
	return nil
}

func ensureIndex(ctx context.Context, c *opensearch.Client, name string, mapping []byte) error {
	var stored map[string]struct {
		Mappings struct {
			Meta struct {
				Version int `json:"schema_version"`
			} `json:"_meta"`
		}
	}
	path := opensearch.Path(name, "_mapping")
	err := c.Do(ctx, opensearch.Call{Method: http.MethodGet, Path: path}, &stored)
	switch {
	case fault.Is(err, "index_not_found_exception"):
		err = c.CreateIndex(ctx, name, wire.Obj(
			"settings", wire.Obj("index.number_of_shards", 1, "index.auto_expand_replicas", "0-1"),
			"mappings", json.RawMessage(mapping)))
		if fault.Is(err, "resource_already_exists_exception") {
			return nil
		}
		return err
	case err != nil || stored[name].Mappings.Meta.Version >= mappingVersion:
		return err
	}
	return c.Do(ctx, opensearch.Call{Method: http.MethodPut, Path: path, Body: mapping}, nil)
}

// newID is an id as OpenSearch makes them: 20 characters of URL-safe base64.
func newID() string {
	raw := make([]byte, 15)
	_, _ = rand.Read(raw) // never fails
	return base64.RawURLEncoding.EncodeToString(raw)
}

// storedTemplate is a template as it lies in the index, credentials sealed.
type storedTemplate struct {
	*flow.Template
	version opensearch.Version
}

// Errors of a template that is not there.
func errNoTemplates(id string) error {
	return flow.Errorf(http.StatusNotFound, "Failed to retrieve template (%s).", id)
}

func errNoTemplate(id string) error {
	return flow.Errorf(http.StatusNotFound, "Failed to retrieve template (%s) from global context.", id)
}

// errNoIndex is returned where the index of a document does not exist; each API has its own words for that.
var errNoIndex = fault.New(http.StatusNotFound, "index_not_found_exception", "no such index")

func (s *Service) readTemplate(ctx context.Context, id string) (storedTemplate, error) {
	doc, err := s.client.Get(ctx, TemplateIndex, id, "")
	switch {
	case fault.Is(err, "index_not_found_exception"):
		return storedTemplate{}, errNoIndex
	case err != nil:
		return storedTemplate{}, flowError(err, http.StatusInternalServerError, "Failed to retrieve template (%s) from global context.", id)
	case !doc.Found:
		return storedTemplate{}, errNoTemplate(id)
	}
	t, err := flow.Parse(doc.Source)
	if err != nil {
		return storedTemplate{}, flowError(err, http.StatusInternalServerError, "Failed to retrieve template (%s) from global context.", id)
	}
	return storedTemplate{t, doc.Version}, nil
}

// writeTemplate stores a template over the version that was read; a zero version creates it.
func (s *Service) writeTemplate(ctx context.Context, id string, t *flow.Template, over opensearch.Version) error {
	w := opensearch.Write{Op: opensearch.OpIndex, Index: TemplateIndex, ID: id, If: over, Source: t}
	if over == (opensearch.Version{}) {
		w.Op = opensearch.OpCreate
	}
	_, err := s.client.Write(ctx, w, "")
	return err
}

// storedState is a state document; found is false if there is none.
type storedState struct {
	State
	version opensearch.Version
	found   bool
}

func (s *Service) readState(ctx context.Context, id string) (storedState, error) {
	doc, err := s.client.Get(ctx, StateIndex, id, "")
	if fault.Is(err, "index_not_found_exception") {
		return storedState{}, nil
	}
	if err != nil || !doc.Found {
		return storedState{}, err
	}
	st := storedState{version: doc.Version, found: true}
	if err := json.Unmarshal(doc.Source, &st.State); err != nil {
		return storedState{}, flowError(err, http.StatusInternalServerError, "Failed to parse workflowState: %s", id)
	}
	return st, nil
}

// writeState stores a state over the version that was read; a zero version creates it.
func (s *Service) writeState(ctx context.Context, st *storedState) error {
	w := opensearch.Write{Op: opensearch.OpIndex, Index: StateIndex, ID: st.WorkflowID, If: st.version, Source: st.State}
	if !st.found {
		w.Op = opensearch.OpCreate
	}
	written, err := s.client.Write(ctx, w, "")
	if err == nil {
		st.version, st.found = written.Version, true
	}
	return err
}

func isConflict(err error) bool { return fault.HasStatus(err, http.StatusConflict) }

// conflictTries is how often a conditional write is made anew from what was written in between (the plugin's figure).
const conflictTries = 5

// again runs fn until it does not meet a conflicting write any more.
func again(fn func() error) (err error) {
	for range conflictTries {
		if err = fn(); !isConflict(err) {
			return err
		}
	}
	return err
}
