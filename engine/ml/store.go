// SPDX-License-Identifier: Apache-2.0

package ml

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/engine/documents"
	"github.com/opensteward/steward/engine/query"
	"github.com/opensteward/steward/engine/shard"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/setting"
)

// Collection is one sort of documents: the name of the index that they are in.
type Collection string

// The collections.
const (
	Connectors  Collection = ".plugins-ml-connector"
	Models      Collection = ".plugins-ml-model"
	ModelGroups Collection = ".plugins-ml-model-group"
	Tasks       Collection = ".plugins-ml-task"
	Agents      Collection = ".plugins-ml-agent"
	// Config has no documents here: the key that ML Commons keeps in it is in no index. Clients look whether it is there.
	Config Collection = ".plugins-ml-config"
)

// Hidden are the fields of the documents that a search does not show.
func (c Collection) Hidden() []string {
	switch c {
	case Connectors:
		return []string{"credential"}
	case Models:
		return []string{"content", "model_content", "ui_metadata", "connector.credential"}
	}
	return nil
}

const (
	named    = `{"type":"text","fields":{"keyword":{"type":"keyword","ignore_above":256}}}`
	moment   = `{"type":"date","format":"strict_date_time||epoch_millis"}`
	word     = `{"type":"keyword"}`
	anything = `{"type":"object","enabled":false}`
)

// mappings are the fields of each collection that can be searched.
var mappings = map[Collection]string{
	Connectors: `"name":` + named + `,"version":` + word + `,"description":{"type":"text"},"protocol":` + word +
		`,"parameters":` + anything + `,"credential":` + anything + `,"actions":` + anything + `,"client_config":` + anything,
	Models: `"name":` + named + `,"model_group_id":` + word + `,"algorithm":` + word + `,"model_version":` + word +
		`,"description":{"type":"text"},"model_format":` + word + `,"model_state":` + word + `,"connector_id":` + word +
		`,"model_content_hash_value":` + word + `,"last_registered_time":` + moment + `,"last_deployed_time":` + moment +
		`,"last_undeployed_time":` + moment + `,"planning_worker_nodes":` + word + `,"deploy_to_all_nodes":{"type":"boolean"}` +
		`,"is_hidden":{"type":"boolean"},"is_enabled":{"type":"boolean"},"planning_worker_node_count":{"type":"integer"}` +
		`,"current_worker_node_count":{"type":"integer"},"model_config":` + anything + `,"connector":` + anything +
		`,"interface":` + anything + `,"guardrails":` + anything,
	ModelGroups: `"name":` + named + `,"description":{"type":"text"},"latest_version":{"type":"integer"}`,
	Tasks: `"model_id":` + word + `,"task_type":` + word + `,"function_name":` + word + `,"state":` + word +
		`,"worker_node":` + word + `,"create_time":` + moment + `,"last_update_time":` + moment +
		`,"error":{"type":"text"},"is_async":{"type":"boolean"}`,
	Agents: `"name":` + named + `,"type":` + word + `,"description":{"type":"text"},"app_type":` + word +
		`,"llm":` + anything + `,"model":` + anything + `,"tools":` + anything + `,"parameters":` + anything + `,"memory":` + anything +
		`,"is_hidden":{"type":"boolean"},"context_management_name":` + word + `,"context_management":` + anything,
	Config: `"config_type":` + word + `,"ml_configuration":{"type":"flat_object"},"create_time":` + moment,
}

func (c Collection) mapping() json.RawMessage {
	return json.RawMessage(`{"dynamic":false,"_meta":{"schema_version":1},"properties":{` + mappings[c] +
		`,"created_time":` + moment + `,"last_updated_time":` + moment + `}}`)
}

// Written is what became of a document, for an answer.
type Written struct {
	Index *catalog.Index
	documents.Outcome
}

// existing is a collection's index; nil if nothing was ever written.
func (s *Service) existing(c Collection) *catalog.Index {
	return s.o.Catalog.State().Indices[string(c)]
}

// index is a collection's index, made if it is not there.
func (s *Service) index(ctx context.Context, c Collection) (*catalog.Index, error) {
	if index := s.existing(c); index != nil {
		return index, nil
	}
	index, err := s.o.Catalog.CreateIndex(ctx, string(c), catalog.NewIndex{
		Settings: catalog.SettingsChange{Set: setting.Values{
			"index.number_of_shards": "1", "index.auto_expand_replicas": "0-1",
		}},
		Mappings: c.mapping(), ActiveShards: 1,
	})
	if fault.Is(err, "resource_already_exists_exception") {
		return s.existing(c), nil
	}
	return index, err
}

// SettingsChanged makes the index [Config] when a setting of ML Commons is given a value, as a sign that it is in use.
func (s *Service) SettingsChanged(ctx context.Context, set setting.Values) error {
	for key := range set {
		if strings.HasPrefix(key, prefix) {
			_, err := s.index(ctx, Config)
			return err
		}
	}
	return nil
}

// insert stores a new document under an id.
func (s *Service) insert(ctx context.Context, c Collection, id string, doc any) error {
	source, err := wire.Marshal(doc)
	if err != nil {
		return err
	}
	index, err := s.index(ctx, c)
	if err != nil {
		return err
	}
	outcomes, err := s.o.Docs.Write(ctx, index, []shard.Operation{{Op: shard.OpCreate, ID: id, Source: source}})
	if err != nil {
		return err
	}
	if outcomes[0].Err != nil {
		return outcomes[0].Err
	}
	return s.o.Docs.RefreshShards(index, []int{outcomes[0].Shard})
}

// read reads a document; false if there is none.
func (s *Service) read(c Collection, id string, into any) (bool, error) {
	index := s.existing(c)
	if index == nil {
		return false, nil
	}
	doc, ok, _, err := s.o.Docs.Get(index, id, "")
	if err != nil || !ok {
		return false, err
	}
	if err := json.Unmarshal(doc.Source, into); err != nil {
		return false, fmt.Errorf("document %s of %s: %w", id, c, err)
	}
	return true, nil
}

// errUnchanged is returned by who changes a document that it may stay as it is.
var errUnchanged = errors.New("unchanged")

// writeTries is how often a change of a document begins again because somebody else changed it meanwhile.
const writeTries = 10

// change replaces a document by what fn makes of it, and reports what became of it. fn may run several times.
func change[T any](ctx context.Context, s *Service, c Collection, id string, missing error, fn func(doc *T) error) (Written, error) {
	index := s.existing(c)
	if index == nil {
		return Written{}, missing
	}
	out, err := s.o.Docs.Update(ctx, index, shard.Operation{ID: id}, writeTries, func(current *shard.Document) ([]byte, error) {
		if current == nil {
			return nil, missing
		}
		var doc T
		if err := json.Unmarshal(current.Source, &doc); err != nil {
			return nil, fmt.Errorf("document %s of %s: %w", id, c, err)
		}
		switch err := fn(&doc); {
		case errors.Is(err, errUnchanged):
			return nil, nil
		case err != nil:
			return nil, err
		}
		return wire.Marshal(doc)
	})
	if err == nil {
		err = out.Err
	}
	if err != nil {
		return Written{}, err
	}
	return Written{index, out}, s.o.Docs.RefreshShards(index, []int{out.Shard})
}

// remove deletes a document. One that is not there has the result not_found.
func (s *Service) remove(ctx context.Context, c Collection, id string) (Written, error) {
	index, err := s.index(ctx, c)
	if err != nil {
		return Written{}, err
	}
	outcomes, err := s.o.Docs.Write(ctx, index, []shard.Operation{{Op: shard.OpDelete, ID: id}})
	if err != nil {
		return Written{}, err
	}
	if outcomes[0].Err != nil {
		return Written{}, outcomes[0].Err
	}
	return Written{index, outcomes[0]}, s.o.Docs.RefreshShards(index, []int{outcomes[0].Shard})
}

// everything is the most that is looked at (a search's limit).
const everything = query.MaxResultWindow

// find lists the ids of the documents of which a field has exactly this value, at most so many.
func (s *Service) find(ctx context.Context, c Collection, field, value string, most int) ([]string, error) {
	return s.matches(ctx, c, wire.Obj("term", wire.Obj(field, wire.Obj("value", value))), most)
}

// matches lists the ids of the documents that a query finds, at most so many.
func (s *Service) matches(ctx context.Context, c Collection, q wire.Object, most int) ([]string, error) {
	index := s.existing(c)
	if index == nil {
		return nil, nil
	}
	target, release, err := s.o.Docs.Target(index, nil, nil)
	if err != nil {
		return nil, err
	}
	defer release()
	text, err := wire.Marshal(q)
	if err != nil {
		return nil, err
	}
	req := query.NewRequest()
	req.Size, req.Source.Off = most, true
	if req.Query, err = query.Parse(text); err != nil {
		return nil, err
	}
	res, err := query.Execute(ctx, []query.Target{target}, req, s.o.Clock.Now())
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(res.Hits))
	for i := range res.Hits {
		ids[i] = res.Hits[i].ID
	}
	return ids, nil
}
