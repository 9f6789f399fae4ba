// SPDX-License-Identifier: Apache-2.0

package opensearch

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire/setting"
)

// IndexInfo is what the control plane knows about an index.
type IndexInfo struct {
	Name       string
	UUID       string
	Created    time.Time
	Open       bool
	Hidden     bool
	DataStream string // the data stream it backs, or ""
	Aliases    map[string]Alias
	Settings   map[string]string // flat, with "index." prefix, plugin settings included
}

// Alias is one alias of an index.
type Alias struct {
	Write  *bool           `json:"is_write_index,omitempty"`
	Hidden *bool           `json:"is_hidden,omitempty"`
	Filter json.RawMessage `json:"filter,omitempty"`
	Index  string          `json:"index_routing,omitempty"`
	Search string          `json:"search_routing,omitempty"`
}

// lenient makes a request see whatever exists under these names: open, closed and hidden, unknown names ignored.
func lenient(more ...string) url.Values {
	q := query(more...)
	q.Set("expand_wildcards", "all")
	q.Set("ignore_unavailable", "true")
	return q
}

// indexAnswer is one index of a GET /{index}.
type indexAnswer struct {
	Aliases    map[string]Alias           `json:"aliases"`
	Settings   map[string]json.RawMessage `json:"settings"`
	DataStream string                     `json:"data_stream"`
	Mappings   struct {
		Meta map[string]json.RawMessage `json:"_meta"`
	} `json:"mappings"`
}

// Indices reads the named indices (nil: all, hidden and closed included), settings and aliases and data streams, in a
// fixed number of requests. A name that does not exist is left out. Plugin settings that a cluster keeps in an index's
// mapping (see [PluginSettings]) stand among the settings.
func (c *Client) Indices(ctx context.Context, names []string) (map[string]IndexInfo, error) {
	out := map[string]IndexInfo{}
	err := c.EachIndex(ctx, names, func(info IndexInfo) { out[info.Name] = info })
	return out, err
}

// EachIndex is as Indices, but calls fn for each index, so that not all need be held at a time.
func (c *Client) EachIndex(ctx context.Context, names []string, fn func(IndexInfo)) error {
	return c.inChunks(ctx, names, func(expression string) error {
		call := Call{
			Method: http.MethodGet, Path: Path(expression),
			Query: lenient("flat_settings", "true",
				"filter_path", "*.aliases,*.settings,*.data_stream,*.mappings._meta."+metaName),
		}
		return c.doEach(ctx, call, func(name string, value []byte) error {
			var a indexAnswer
			if err := json.Unmarshal(value, &a); err != nil {
				return err
			}
			fn(a.info(name))
			return nil
		})
	})
}

func (a indexAnswer) info(name string) IndexInfo {
	settings := settingTexts(a.Settings)
	for k, v := range metaSettings(a.Mappings.Meta[metaName]) {
		if _, set := settings[k]; !set {
			settings[k] = v
		}
	}
	info := IndexInfo{
		Name: name, UUID: settings["index.uuid"], DataStream: a.DataStream, Aliases: a.Aliases, Settings: settings,
		Hidden: settings["index.hidden"] == "true",
		// OpenSearch sets this when it closes an index and drops it when it opens it again.
		Open: settings["index.verified_before_close"] != "true",
	}
	if ms, err := strconv.ParseInt(settings["index.creation_date"], 10, 64); err == nil {
		info.Created = time.UnixMilli(ms).UTC()
	}
	return info
}

// metaSettings are the flat settings, with "index." prefix, that a mapping's _meta keeps.
func metaSettings(meta json.RawMessage) setting.Values {
	if meta == nil {
		return nil
	}
	var flat setting.Values
	if json.Unmarshal(meta, &flat) != nil {
		return nil
	}
	return flat
}

// allBut is the expression of all indices but some.
func allBut(without []string) string {
	if len(without) == 0 {
		return "_all"
	}
	return "*,-" + strings.Join(without, ",-")
}

// IndexNames lists all indices and their aliases, hidden and closed included, but those that are named: the cheap
// listing.
func (c *Client) IndexNames(ctx context.Context, without ...string) (map[string]map[string]Alias, error) {
	out := map[string]map[string]Alias{}
	call := Call{Method: http.MethodGet, Path: Path(allBut(without), "_alias"), Query: query("expand_wildcards", "all")}
	err := c.doEach(ctx, call, func(name string, value []byte) error {
		var a struct {
			Aliases map[string]Alias `json:"aliases"`
		}
		if err := json.Unmarshal(value, &a); err != nil {
			return err
		}
		if len(a.Aliases) == 0 {
			a.Aliases = nil
		}
		out[name] = a.Aliases
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// IndexUUIDs are the uuids of all indices by name, hidden and closed included, but those that are named.
func (c *Client) IndexUUIDs(ctx context.Context, without ...string) (map[string]string, error) {
	out := map[string]string{}
	call := Call{
		Method: http.MethodGet, Path: Path(allBut(without), "_settings", "index.uuid"),
		Query: query("expand_wildcards", "all", "flat_settings", "true", "filter_path", "*.settings"),
	}
	err := c.doEach(ctx, call, func(name string, value []byte) error {
		var a struct {
			Settings struct {
				UUID string `json:"index.uuid"`
			} `json:"settings"`
		}
		if err := json.Unmarshal(value, &a); err != nil {
			return err
		}
		out[name] = a.Settings.UUID
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Resolve turns an index expression into concrete names as the lenient lookup of the ISM APIs does: open, closed and
// hidden, aliases and data streams resolved, unknown names ignored. strict makes an unknown concrete name the 404
// index_not_found_exception. The names are sorted.
func (c *Client) Resolve(ctx context.Context, expressions []string, strict bool) ([]string, error) {
	q := lenient("filter_path", "*.settings.index.uuid")
	if strict {
		q.Set("ignore_unavailable", "false")
	}
	var names []string
	err := c.inChunks(ctx, expressions, func(expression string) error {
		var answer map[string]json.RawMessage
		call := Call{Method: http.MethodGet, Path: Path(expression, "_settings", "index.uuid"), Query: q}
		if err := c.Do(ctx, call, &answer); err != nil {
			return err
		}
		for name := range answer {
			names = append(names, name)
		}
		return nil
	})
	slices.Sort(names)
	return slices.Compact(names), err
}

// Visible are the names of the indices, open or closed, that a pattern means without asking for hidden ones; aliases
// are resolved. They are sorted.
func (c *Client) Visible(ctx context.Context, pattern string) ([]string, error) {
	var answer map[string]json.RawMessage
	call := Call{
		Method: http.MethodGet, Path: Path(pattern, "_settings", "index.uuid"),
		Query: query("expand_wildcards", "open,closed", "ignore_unavailable", "true", "filter_path", "*.settings.index.uuid"),
	}
	if err := c.Do(ctx, call, &answer); err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(answer)), nil
}

// maxExpression bounds an index expression in a path: OpenSearch refuses request lines beyond 4,096 bytes
// (http.max_initial_line_length).
const maxExpression = 3000

// inChunks calls fn with index expressions that together name what names does; nil means all indices. An expression
// with exclusions has an order that matters and stays whole.
func (c *Client) inChunks(ctx context.Context, names []string, fn func(expression string) error) error {
	if names == nil {
		return fn("_all")
	}
	if len(names) == 0 {
		return nil
	}
	if slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(n, "-") }) {
		return fn(strings.Join(names, ","))
	}
	chunk, size := []string(nil), 0
	for _, n := range names {
		cost := len(url.PathEscape(n)) + len("%2C")
		if size+cost > maxExpression && size > 0 {
			if err := fn(strings.Join(chunk, ",")); err != nil {
				return err
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			chunk, size = nil, 0
		}
		chunk, size = append(chunk, n), size+cost
	}
	return fn(strings.Join(chunk, ","))
}

// RolloverInfo reads when indices were rolled over, by target (alias or data stream), from their metadata.
func (c *Client) RolloverInfo(ctx context.Context, names []string) (map[string]map[string]time.Time, error) {
	out := map[string]map[string]time.Time{}
	err := c.inChunks(ctx, names, func(expression string) error {
		var answer struct {
			Metadata struct {
				Indices map[string]struct {
					Info map[string]struct {
						Time int64 `json:"time"`
					} `json:"rollover_info"`
				} `json:"indices"`
			} `json:"metadata"`
		}
		call := Call{
			Method: http.MethodGet, Path: Path("_cluster", "state", "metadata", expression),
			Query: lenient("filter_path", "metadata.indices.*.rollover_info.*.time"),
		}
		if err := c.Do(ctx, call, &answer); err != nil {
			return err
		}
		for name, idx := range answer.Metadata.Indices {
			out[name] = make(map[string]time.Time, len(idx.Info))
			for target, at := range idx.Info {
				out[name][target] = time.UnixMilli(at.Time).UTC()
			}
		}
		return nil
	})
	return out, err
}

// concrete refuses a name that could mean more than one index.
func concrete(name string) error {
	if name == "" || name == "_all" || strings.ContainsAny(name, "*,") {
		return fault.Illegal("[%s] is not the name of one index", name)
	}
	return nil
}
