// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"context"
	_ "embed"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/setting"
)

// The history's indices: the alias that records are written to, the first index behind it, whose name moves with the
// date when it is rolled over, and all of them.
const (
	historyAlias = ".opendistro-ism-managed-index-history-write"
	historyFirst = "<.opendistro-ism-managed-index-history-{now/d{yyyy.MM.dd}}-1>"
	historyAll   = ".opendistro-ism-managed-index-history*"
)

// historyVersion is the schema version of history_mapping.json, the plugin's.
const historyVersion = 7

//go:embed history_mapping.json
var historyMapping []byte

// historySettings are the settings of the history.
type historySettings struct {
	enabled          bool
	maxDocs          int64
	maxAge           time.Duration
	maxAgeText       string // as it is set
	check            time.Duration
	retention        time.Duration
	shards, replicas int64
}

func viewHistorySettings(v setting.View) historySettings {
	const prefix = pluginPrefix + "history."
	return historySettings{
		enabled: v.Bool(prefix + "enabled"),
		maxDocs: v.Int(prefix + "max_docs"),
		maxAge:  v.Duration(prefix + "max_age"), maxAgeText: v.Text(prefix + "max_age"),
		check:     v.Duration(prefix + "rollover_check_period"),
		retention: v.Duration(prefix + "rollover_retention_period"),
		shards:    v.Int(prefix + "number_of_shards"),
		replicas:  v.Int(prefix + "number_of_replicas"),
	}
}

func (s *sweep) readHistorySettings() {
	h := &s.history
	now := viewHistorySettings(setting.View{Registry: s.opts.Registry, Values: s.settings.values})
	if now == h.settings {
		return
	}
	h.settings = now
	if !now.enabled {
		h.pending = nil
	}
	h.upkeep.plan(now)
}

// body is that of a new index of the history.
func (h historySettings) body() wire.Object {
	return wire.Obj(
		"settings", wire.Obj("index.hidden", true, "index.number_of_shards", h.shards, "index.number_of_replicas", h.replicas),
		"mappings", json.RawMessage(historyMapping))
}

// openHistory makes sure that the write alias exists, and that the index behind it has today's mapping.
func (s *sweep) openHistory(ctx context.Context) error {
	h := &s.history
	found, err := s.lookHistory(ctx)
	if err == nil && !found {
		body := h.settings.body()
		body.Add("aliases", wire.Obj(historyAlias, wire.Object{}))
		err = s.opts.Client.CreateIndex(ctx, historyFirst, body)
		h.upkeep.created(s.now, h.settings)
	}
	if fault.Is(err, "resource_already_exists_exception") {
		err = s.aliasHistory(ctx) // somebody was faster, or has taken the alias away
	}
	h.open = err == nil
	return err
}

// lookHistory looks for the write alias, and brings the mapping of an older index behind it up to date.
func (s *sweep) lookHistory(ctx context.Context) (found bool, err error) {
	var answer map[string]struct {
		Mappings struct {
			Meta struct {
				Version int `json:"schema_version"`
			} `json:"_meta"`
		} `json:"mappings"`
	}
	c := s.opts.Client
	call := opensearch.Call{
		Method: http.MethodGet, Path: opensearch.Path(historyAlias, "_mapping"),
		Query: url.Values{"ignore_unavailable": {"true"}, "expand_wildcards": {"all"}},
	}
	if err := c.Do(ctx, call, &answer); err != nil {
		return false, err
	}
	for name, index := range answer {
		if index.Mappings.Meta.Version < historyVersion {
			call := opensearch.Call{Method: http.MethodPut, Path: opensearch.Path(name, "_mapping"), Body: historyMapping}
			if err := c.Do(ctx, call, nil); err != nil {
				return false, err
			}
		}
	}
	return len(answer) > 0, nil
}

// aliasHistory gives the newest index of the history the write alias, if none has it.
func (s *sweep) aliasHistory(ctx context.Context) error {
	infos, err := s.opts.Client.Indices(ctx, []string{historyAll})
	if err != nil {
		return err
	}
	var newest opensearch.IndexInfo
	for _, info := range infos {
		if _, ok := info.Aliases[historyAlias]; ok {
			return nil
		}
		if info.Created.After(newest.Created) {
			newest = info
		}
	}
	if newest.Name == "" {
		return fault.IndexNotFound(historyAll, "index_expression")
	}
	_, err = s.opts.Client.UpdateAliases(ctx, []any{wire.Obj("add", wire.Obj("index", newest.Name, "alias", historyAlias))})
	return err
}
