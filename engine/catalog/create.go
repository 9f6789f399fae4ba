// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/opensteward/steward/engine/mapping"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/setting"
)

// NewIndex is a request for an index.
type NewIndex struct {
	Settings SettingsChange
	// Mappings is nil for none.
	Mappings json.RawMessage
	Aliases  map[string]Alias
	// ActiveShards is the number of copies of each shard that the caller waits for; one that no index of these settings
	// can have is refused. See [ParseActiveShards] and [Index.Acknowledges].
	ActiveShards int
}

// CreateIndex makes an index, with what templates give to its name, which may be a date-math name.
func (c *Catalog) CreateIndex(ctx context.Context, provided string, r NewIndex) (*Index, error) {
	name, err := wire.ResolveDateMath(provided, c.clock.Now())
	if err != nil {
		return nil, err
	}
	var index *Index
	err = c.withShards(ctx, func(next *State) (*Index, error) {
		if t, tmpl := next.matchTemplate(name, false); t != "" && tmpl.DataStream != nil {
			return nil, fault.Illegal("cannot create index with name [%s], because it matches with template [%s] that creates data streams only, use create data stream api instead", name, t)
		}
		made, err := c.build(next, name, provided, r, nil)
		if err == nil {
			index, err = made, made.checkActive(r.ActiveShards)
		}
		return made, err
	})
	if err != nil {
		return nil, err
	}
	return index, nil
}

// checkActive refuses to wait for more copies of a shard than there will ever be.
func (i *Index) checkActive(wait int) error {
	if copies := 1 + i.Replicas(); wait > copies {
		return fault.Illegal("invalid wait_for_active_shards[%d]: cannot be greater than number of shard copies [%d]", wait, copies)
	}
	return nil
}

// Acknowledges reports whether the one node has as many active copies of each shard as are waited for.
func (i *Index) Acknowledges(wait int) bool {
	return wait == 0 || wait == 1 || wait == AllShards && i.Replicas() == 0
}

// withShards makes a change that adds one index: its shards are made before the change is durable, and removed if it
// fails.
func (c *Catalog) withShards(ctx context.Context, fn func(next *State) (*Index, error)) error {
	c.change.Lock()
	defer c.change.Unlock()
	var made *Index
	err := c.updateLocked(ctx, func(next *State) error {
		index, err := fn(next)
		if err != nil || index == nil {
			return err
		}
		if err := c.shards.Create(ctx, index); err != nil {
			return err
		}
		made = index
		return nil
	})
	if err != nil && made != nil {
		err = errors.Join(err, c.shards.Delete(context.WithoutCancel(ctx), made))
	}
	return err
}

// origin is what makes an index other than a request for its name.
type origin struct {
	// templateName is the name that templates are looked up by, if it is not the index's own.
	templateName string
	// stream is the data stream that the index backs, or "", and its template.
	stream   string
	template *IndexTemplate
	// settings are those of the server, over everything else.
	settings setting.Values
	// timestamp is the data stream's field.
	timestamp string
	// hidden is true for an index that its request hides: templates for every name are not for it.
	hidden bool
	// bare is true for an index that no template is for.
	bare bool
}

// build adds an index to a draft. provided is its name as it was given.
func (c *Catalog) build(next *State, name, provided string, r NewIndex, from *origin) (*Index, error) {
	if from == nil {
		from = &origin{}
	}
	from.hidden = r.Settings.Set["index.hidden"] == "true"
	if err := next.env.checkIndexSettings(r.Settings); err != nil {
		return nil, err
	}
	if err := next.checkNewName(name, from.stream != ""); err != nil {
		return nil, err
	}
	if err := refusePrivate(r.Settings); err != nil {
		return nil, err
	}
	settings, err := c.newSettings(next, name, provided, r, from)
	if err != nil {
		return nil, err
	}
	if err := checkNewSettings(settings); err != nil {
		return nil, err
	}
	m, err := next.newMapping(name, r.Mappings, settings, from)
	if err != nil {
		return nil, err
	}
	shards, err := strconv.Atoi(settings["index.number_of_shards"])
	if err != nil {
		return nil, err
	}
	slots, err := routingShards(settings, shards)
	if err != nil {
		return nil, err
	}
	index := &Index{
		Name: name, UUID: settings["index.uuid"], Settings: settings, Mapping: m, DataStream: from.stream,
		Rollovers: map[string]RolloverInfo{}, Version: 1, MappingVersion: 1, SettingsVersion: 1, AliasesVersion: 1,
		RoutingShards: slots,
	}
	if index.Aliases, err = next.newAliases(index, r.Aliases, from); err != nil {
		return nil, err
	}
	next.Indices[name] = index
	next.indexAliases()
	return index, next.checkAliases(slices.Sorted(maps.Keys(index.Aliases)))
}

// checkNewName refuses a bad or taken name, and what the cluster blocks.
func (s *State) checkNewName(name string, backing bool) error {
	if err := wire.CheckIndexName(name); err != nil {
		return err
	}
	if s.ClusterSetting("cluster.blocks.create_index") == "true" {
		return fault.New(http.StatusForbidden, "index_create_block_exception", "blocked by: [FORBIDDEN/10/cluster create-index blocked (api)];")
	}
	if err := s.clusterBlock(MetadataWrite, name); err != nil {
		return err
	}
	if err := s.checkTaken(name); err != nil {
		return err
	}
	if s.DataStreams[name] != nil {
		return fault.Illegal("index [%s] conflicts with data stream", name)
	}
	if !backing {
		return s.checkNotBacking(name)
	}
	return nil
}

// checkTaken refuses the name of an index or alias.
func (s *State) checkTaken(name string) error {
	switch {
	case s.Indices[name] != nil:
		return alreadyExists(s.Indices[name])
	case s.aliases[name] != nil:
		return invalidName(name, "already exists as alias")
	}
	return nil
}

// checkNotBacking refuses the name of an index that a data stream will make.
func (s *State) checkNotBacking(name string) error {
	at := strings.LastIndexByte(name, '-')
	stream, isBacking := strings.CutPrefix(name[:max(at, 0)], ".ds-")
	d := s.DataStreams[stream]
	if !isBacking || d == nil {
		return nil
	}
	if n, err := strconv.ParseInt(name[at+1:], 10, 64); err != nil || n <= d.Generation {
		return nil
	}
	return fault.IllegalState("data stream [%s] could create backing indices that conflict with 1 existing index(s) or alias(s) including '%s'", stream, name)
}

func invalidName(name, why string) error {
	return fault.New(400, "invalid_index_name_exception", "Invalid index name [%s], %s", name, why).
		With("index", name).With("index_uuid", "_na_")
}

// alreadyExists is the 400 for a name that an index has.
func alreadyExists(index *Index) error {
	return fault.New(400, "resource_already_exists_exception", "index [%s/%s] already exists", index.Name, index.UUID).
		With("index", index.Name).With("index_uuid", index.UUID)
}

// refusePrivate refuses settings that only the server sets.
func refusePrivate(change SettingsChange) error {
	var wrong []string
	for _, key := range privateKeys(change) {
		wrong = append(wrong, "private index setting ["+key+"] can not be set explicitly")
	}
	if len(wrong) == 0 {
		return nil
	}
	return fault.New(400, "validation_exception", "%s", fault.Numbered(wrong...))
}

// checkNewSettings refuses what is valid by itself but not for a new index.
func checkNewSettings(settings setting.Values) error {
	if settings["index.soft_deletes.enabled"] == "false" {
		return fault.Illegal("Creating indices with soft-deletes disabled is no longer supported. Please do not specify a value for setting [index.soft_deletes.enabled].")
	}
	wait, err := ParseActiveShards(settings["index.write.wait_for_active_shards"])
	if copies := 1 + (&Index{Settings: settings}).Replicas(); err == nil && wait > copies {
		return fault.Illegal("invalid index.write.wait_for_active_shards[%d]: cannot be greater than number of shard copies [%d]", wait, copies)
	}
	return nil
}

// privateKeys are the settings of a change that only the server sets.
func privateKeys(change SettingsChange) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(change.Set)), func(key string) bool {
		return scopeOf(setting.Definition{Key: key}) != private
	})
}

// newSettings merges the settings of templates, request and server, the later over the earlier.
func (c *Catalog) newSettings(next *State, name, provided string, r NewIndex, from *origin) (setting.Values, error) {
	settings := setting.Values{}
	for _, t := range next.templatesFor(name, from) {
		maps.Copy(settings, t.Settings)
	}
	for _, key := range r.Settings.Reset {
		for has := range settings {
			if wire.Match(key, has) {
				delete(settings, has)
			}
		}
	}
	maps.Copy(settings, r.Settings.Set)
	maps.Copy(settings, from.settings)
	defaults := setting.Values{
		"index.number_of_shards":   "1",
		"index.number_of_replicas": next.ClusterSetting("cluster.default_number_of_replicas"),
		"index.replication.type":   "DOCUMENT",
		"index.creation_date":      strconv.FormatInt(c.clock.Now().UnixMilli(), 10),
		"index.version.created":    VersionID(next.env.version),
		"index.provided_name":      provided,
		"index.uuid":               newUUID(),
	}
	for key, value := range defaults {
		if _, given := settings[key]; !given {
			settings[key] = value
		}
	}
	if from.stream != "" {
		settings["index.hidden"] = "true"
	}
	expand(settings)
	return settings, next.checkShardLimit(settings)
}

// checkShardLimit refuses an index whose shards the one node would have too many of (cluster.max_shards_per_node).
func (s *State) checkShardLimit(settings setting.Values) error {
	limit, err := strconv.Atoi(s.ClusterSetting("cluster.max_shards_per_node"))
	if err != nil {
		return nil
	}
	count := func(i *Index) int { return i.Shards() * (1 + i.Replicas()) }
	open := 0
	for _, index := range s.Indices {
		if !index.Closed {
			open += count(index)
		}
	}
	add := count(&Index{Settings: settings})
	if open+add <= limit {
		return nil
	}
	return fault.New(400, "validation_exception", "%s", fault.Numbered(
		"this action would add ["+strconv.Itoa(add)+"] total LOCAL_ONLY shards, but this cluster currently has ["+strconv.Itoa(open)+
			"]/["+strconv.Itoa(limit)+"] maximum LOCAL_ONLY shards open"))
}

// newMapping merges the mappings of templates and request.
func (s *State) newMapping(name string, request json.RawMessage, settings setting.Values, from *origin) (*mapping.Mapping, error) {
	m := mapping.Empty().WithLimits(limitsOf(settings))
	var err error
	for _, t := range s.templatesFor(name, from) {
		if t.Mappings == nil {
			continue
		}
		if m, err = m.MergeTemplate(t.Mappings); err != nil {
			return nil, failedMapping(err)
		}
	}
	if from.timestamp != "" {
		if m, err = m.MergeTemplate(timestampMapping(m, from.timestamp)); err != nil {
			return nil, err
		}
	}
	if request != nil {
		if m, err = m.MergeTemplate(request); err != nil {
			return nil, failedMapping(err)
		}
	}
	return m, nil
}

// failedMapping says of a mapping that cannot be parsed that it is the index's.
func failedMapping(err error) error {
	cause := fault.Of(err)
	if cause.Type != "mapper_parsing_exception" || strings.HasPrefix(cause.Reason, "Failed to parse mapping") {
		return err
	}
	e := fault.New(400, "mapper_parsing_exception", "Failed to parse mapping [_doc]: %s", cause.Reason)
	e.CausedBy, e.Roots = cause, []*fault.Error{cause}
	return e
}

// timestampMapping gives a backing index its timestamp field, unless it is mapped.
func timestampMapping(m *mapping.Mapping, field string) json.RawMessage {
	meta := wire.Obj("enabled", true)
	if field != defaultTimestamp {
		meta.Add("timestamp_field", wire.Obj("name", field))
	}
	body := wire.Obj("_data_stream_timestamp", meta)
	if m.Field(field) == nil {
		body.Add("properties", wire.Obj(field, wire.Obj("type", "date")))
	}
	b, err := wire.Marshal(body)
	if err != nil {
		return json.RawMessage("{}")
	}
	return b
}

// newAliases merges the aliases of templates and request; the request's definition of an alias wins whole.
func (s *State) newAliases(index *Index, request map[string]Alias, from *origin) (map[string]Alias, error) {
	out := map[string]Alias{}
	for _, t := range s.templatesFor(index.Name, from) {
		maps.Copy(out, t.Aliases)
	}
	maps.Copy(out, request)
	for _, alias := range slices.Sorted(maps.Keys(out)) {
		switch err := s.checkAliasName(alias); {
		case err != nil:
			return nil, err
		case alias == index.Name:
			return nil, duplicateName(alias, index, "index")
		case s.DataStreams[alias] != nil || alias == from.stream:
			return nil, duplicateName(alias, index, "data stream")
		case strings.Contains(out[alias].IndexRouting, ","):
			return nil, fault.Illegal("alias [%s] has several index routing values associated with it", alias)
		}
	}
	return out, nil
}

// autoCreate makes the index or data stream that a write names, if it may.
func (c *Catalog) autoCreate(ctx context.Context, provided, name string) (*State, error) {
	s := c.State()
	if err := s.mayAutoCreate(name); err != nil {
		return nil, err
	}
	var err error
	if _, t := s.matchTemplate(name, false); t != nil && t.DataStream != nil {
		err = c.CreateDataStream(ctx, name)
	} else {
		_, err = c.CreateIndex(ctx, provided, NewIndex{})
	}
	if fault.Is(err, "resource_already_exists_exception") || fault.Is(err, "invalid_index_name_exception") && c.State().exists(name) {
		err = nil // another writer was faster
	}
	return c.State(), err
}

// mayAutoCreate refuses what action.auto_create_index forbids: true, false, or a list of patterns, each with + or -.
func (s *State) mayAutoCreate(name string) error {
	value := s.ClusterSetting("action.auto_create_index")
	switch value {
	case "", "true":
		return nil
	case "false":
		return fault.IndexNotFound(name, "index_expression")
	}
	refuse := func(format string, args ...any) error {
		return fault.New(404, "index_not_found_exception", "no such index [%s] and "+format, append([]any{name}, args...)...).
			With("index", name).With("index_uuid", "_na_")
	}
	for pattern := range strings.SplitSeq(value, ",") {
		pattern = strings.TrimSpace(pattern)
		bare := strings.TrimLeft(pattern, "+-")
		if !wire.Match(bare, name) {
			continue
		}
		if strings.HasPrefix(pattern, "-") {
			return refuse("[action.auto_create_index] contains [%s] which forbids automatic creation of the index", pattern)
		}
		return nil
	}
	return refuse("[action.auto_create_index] ([%s]) doesn't match", value)
}

// checkAutoCreate refuses a list of patterns that is not one.
func checkAutoCreate(_, value string) error {
	for pattern := range strings.SplitSeq(value, ",") {
		switch pattern = strings.TrimSpace(pattern); pattern {
		case "":
			return notBool(value, fault.Illegal("Can't parse [%s] for setting [action.auto_create_index] must be either [true, false, or a comma separated list of index patterns]", value))
		case "+", "-":
			return notBool(value, fault.Illegal("Can't parse [%s] for setting [action.auto_create_index] must contain an index name after [%s]", value, pattern))
		}
	}
	return nil
}

// notBool adds that a value is neither true nor false, which was tried first.
func notBool(value string, err *fault.Error) error {
	_, cause := wire.ParseBool(value)
	return suppressing(err, fault.Of(cause))
}
