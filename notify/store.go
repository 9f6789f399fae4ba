// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"context"
	_ "embed"
	"encoding/json"
	"net/http"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire"
)

// Index holds the channels, as the plugin does.
const Index = ".opensearch-notifications-config"

// configMapping has what the supported kinds need. It has no schema version, so that a plugin that is installed later
// puts its own mapping over it.
//
//go:embed config_mapping.json
var configMapping []byte

var indexSettings = map[string]any{
	"index.hidden": true, "index.number_of_shards": 1, "index.auto_expand_replicas": "0-2",
}

// channel is a stored configuration.
type channel struct {
	id               string
	version          opensearch.Version
	created, updated int64           // epoch milliseconds
	access           json.RawMessage // kept as it is
	config           json.RawMessage // as it was stored
}

func parseChannel(doc opensearch.Document) (channel, error) {
	var body struct {
		Metadata struct {
			Updated int64           `json:"last_updated_time_ms"`
			Created int64           `json:"created_time_ms"`
			Access  json.RawMessage `json:"access"`
		} `json:"metadata"`
		Config json.RawMessage `json:"config"`
	}
	err := json.Unmarshal(doc.Source, &body)
	m := body.Metadata
	return channel{doc.ID, doc.Version, m.Created, m.Updated, m.Access, body.Config}, err
}

// document is the channel as it is stored.
func (c channel) document() wire.Object {
	access := c.access
	if access == nil {
		access = json.RawMessage("[]")
	}
	return wire.Obj(
		"metadata", wire.Obj("last_updated_time_ms", c.updated, "created_time_ms", c.created, "access", access),
		"config", c.config)
}

// json is the channel in a list of configurations.
func (c channel) json() wire.Object {
	return wire.Obj("config_id", c.id, "last_updated_time_ms", c.updated, "created_time_ms", c.created, "config", c.config)
}

// brief is what every stored configuration has.
type brief struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	Kind        string `json:"config_type"`
	Enabled     *bool  `json:"is_enabled"`
}

func (c channel) brief() brief {
	var b brief
	_ = json.Unmarshal(c.config, &b) // what does not parse has no name and no kind
	return b
}

func (b brief) enabled() bool { return b.Enabled == nil || *b.Enabled }

// create stores a new channel. The cluster chooses the id unless one is given; one that exists is 409.
func (s *store) create(ctx context.Context, id string, c channel) (string, error) {
	body := map[string]any{"settings": indexSettings, "mappings": json.RawMessage(configMapping)}
	if err := s.client.CreateIndex(ctx, Index, body); err != nil && !fault.Is(err, "resource_already_exists_exception") {
		return "", err
	}
	w := opensearch.Write{Op: opensearch.OpIndex, Index: Index, ID: id, Source: c.document()}
	if id != "" {
		w.Op = opensearch.OpCreate
	}
	done, err := s.client.Write(ctx, w, "")
	return done.ID, statusFault(err)
}

// statusFault is a conflict as the plugin reports it.
func statusFault(err error) error {
	if fault.Is(err, "version_conflict_engine_exception") {
		return fault.Status(http.StatusConflict, "%s", fault.Of(err).Reason)
	}
	return err
}

type store struct{ client *opensearch.Client }

// get reads channels in real time, in the order of ids; those that are not there are left out.
func (s *store) get(ctx context.Context, ids ...string) ([]channel, error) {
	keys := make([]opensearch.Key, len(ids))
	for i, id := range ids {
		keys[i] = opensearch.Key{ID: id}
	}
	docs, err := s.client.MultiGet(ctx, Index, keys)
	if err != nil {
		return nil, err
	}
	var out []channel
	for _, doc := range docs {
		if !doc.Found {
			continue
		}
		c, err := parseChannel(doc)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// updateTries is how often an update begins again because somebody else was faster.
const updateTries = 5

// update replaces a channel by what change makes of it.
func (s *store) update(ctx context.Context, id string, change func(*channel) error) error {
	var conflict error
	for range updateTries {
		found, err := s.get(ctx, id)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return notFound(id)
		}
		c := found[0]
		if err := change(&c); err != nil {
			return err
		}
		w := opensearch.Write{Op: opensearch.OpIndex, Index: Index, ID: id, If: c.version, Source: c.document()}
		if _, conflict = s.client.Write(ctx, w, ""); !fault.HasStatus(conflict, http.StatusConflict) {
			return conflict
		}
	}
	return statusFault(conflict)
}

// remove deletes channels and returns the status of each.
func (s *store) remove(ctx context.Context, ids []string) ([]int, error) {
	writes := make([]opensearch.Write, len(ids))
	for i, id := range ids {
		writes[i] = opensearch.Write{Op: opensearch.OpDelete, Index: Index, ID: id}
	}
	results, err := s.client.Bulk(ctx, writes)
	if err != nil {
		return nil, err
	}
	out := make([]int, len(results))
	for i, r := range results {
		switch {
		case r.Err != nil:
			out[i] = fault.Of(r.Err).Status
		case r.Result == "deleted":
			out[i] = http.StatusOK
		default:
			out[i] = http.StatusNotFound
		}
	}
	return out, nil
}

// search finds channels. Without the index there are none.
func (s *store) search(ctx context.Context, body wire.Object) (total int64, list []channel, err error) {
	if err := s.client.Refresh(ctx, Index); err != nil {
		return 0, nil, noIndex(err)
	}
	res, err := s.client.Search(ctx, Index, body, nil)
	if err != nil {
		return 0, nil, noIndex(err)
	}
	for _, doc := range res.Hits {
		c, err := parseChannel(doc)
		if err != nil {
			return 0, nil, err
		}
		list = append(list, c)
	}
	return res.Total, list, nil
}

// noIndex makes it no error that the index does not exist.
func noIndex(err error) error {
	if fault.Is(err, "index_not_found_exception") {
		return nil
	}
	return err
}

func notFound(id string) error {
	return fault.Status(http.StatusNotFound, "NotificationConfig %s not found", id)
}
