// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/setting"
)

// Template is what a template gives to an index: the "template" object of index and component templates.
type Template struct {
	// Settings are flat, with the "index." prefix; nil if the template has none.
	Settings setting.Values `json:"settings,omitempty"`
	// Mappings is the mapping as it was given, under no type name; nil if the template has none.
	Mappings json.RawMessage `json:"mappings,omitempty"`
	// Aliases are nil if the template has none.
	Aliases map[string]Alias `json:"aliases,omitempty"`
}

// ComponentTemplate is a building block of index templates.
type ComponentTemplate struct {
	Template Template        `json:"template"`
	Version  *int64          `json:"version,omitempty"`
	Meta     json.RawMessage `json:"_meta,omitempty"`
}

// IndexTemplate is a composable index template.
type IndexTemplate struct {
	Patterns []string `json:"index_patterns"`
	// Template is nil if the index template has none of its own.
	Template *Template `json:"template,omitempty"`
	// ComposedOf are component templates, the later over the earlier; nil if it was not said.
	ComposedOf []string            `json:"composed_of,omitempty"`
	Priority   *int64              `json:"priority,omitempty"`
	Version    *int64              `json:"version,omitempty"`
	Meta       json.RawMessage     `json:"_meta,omitempty"`
	DataStream *DataStreamTemplate `json:"data_stream,omitempty"`
}

// DataStreamTemplate makes new names that match a template data streams.
type DataStreamTemplate struct {
	// TimestampField is "@timestamp" unless the template says otherwise.
	TimestampField string `json:"timestamp_field"`
}

// LegacyTemplate is a template of the older kind (_template). All that match a name are applied, those of a higher order
// over those of a lower one, and none if a composable template matches.
type LegacyTemplate struct {
	Patterns []string `json:"index_patterns"`
	Order    int      `json:"order"`
	Version  *int64   `json:"version,omitempty"`
	Template Template `json:"template"`
}

// priority is 0 where none was given.
func (t *IndexTemplate) priority() int64 {
	if t.Priority == nil {
		return 0
	}
	return *t.Priority
}

// matchTemplate finds the composable template of a new index: the matching one of the highest priority. A template that
// matches every name is passed over for a hidden index.
func (s *State) matchTemplate(name string, hidden bool) (string, *IndexTemplate) {
	best, found := "", (*IndexTemplate)(nil)
	for candidate, t := range s.IndexTemplates {
		if !wire.MatchAny(t.Patterns, name) || (hidden && slices.Contains(t.Patterns, "*")) {
			continue
		}
		if found == nil || t.priority() > found.priority() || (t.priority() == found.priority() && candidate < best) {
			best, found = candidate, t
		}
	}
	return best, found
}

// templatesFor are the templates of a new index, the later over the earlier.
func (s *State) templatesFor(name string, from *origin) []Template {
	if from.bare {
		return nil
	}
	if from.template != nil {
		return s.composed(from.template)
	}
	if from.templateName != "" {
		name = from.templateName
	}
	if _, t := s.matchTemplate(name, from.hidden); t != nil {
		return s.composed(t)
	}
	var legacy []*LegacyTemplate
	for _, key := range slices.Sorted(maps.Keys(s.LegacyTemplates)) {
		if t := s.LegacyTemplates[key]; wire.MatchAny(t.Patterns, name) && (!from.hidden || !slices.Contains(t.Patterns, "*")) {
			legacy = append(legacy, t)
		}
	}
	slices.SortStableFunc(legacy, func(a, b *LegacyTemplate) int { return cmp.Compare(a.Order, b.Order) })
	out := make([]Template, len(legacy))
	for i, t := range legacy {
		out[i] = t.Template
	}
	return out
}

// composed are the component templates of an index template and its own.
func (s *State) composed(t *IndexTemplate) []Template {
	var out []Template
	for _, name := range t.ComposedOf {
		if c := s.ComponentTemplates[name]; c != nil {
			out = append(out, c.Template)
		}
	}
	if t.Template != nil {
		out = append(out, *t.Template)
	}
	return out
}

// merged is what a template and its components give together. A data stream's own field is not part of it.
func (s *State) merged(t *IndexTemplate) (Template, error) {
	from := &origin{template: t}
	if t.DataStream != nil {
		from.timestamp = t.DataStream.TimestampField
	}
	out := Template{Settings: setting.Values{}, Aliases: map[string]Alias{}}
	for _, part := range s.composed(t) {
		maps.Copy(out.Settings, part.Settings)
		maps.Copy(out.Aliases, part.Aliases)
	}
	if _, err := s.newMapping("", nil, out.Settings, from); err != nil {
		return out, err
	}
	from.timestamp = "" // a data stream's own field is not shown
	m, err := s.newMapping("", nil, out.Settings, from)
	if err != nil || len(m.JSON()) == 0 {
		return out, err
	}
	out.Mappings, err = wire.Marshal(m)
	return out, err
}

// checkTemplate refuses a name, patterns, settings and aliases that no template could have. t may be nil.
func (s *State) checkTemplate(name string, patterns []string, t *Template) error {
	wrong := wrongNames(name, patterns)
	if t != nil {
		more, err := s.env.wrongSettings(patterns, t.Settings)
		if err != nil {
			return err
		}
		wrong = append(wrong, more...)
	}
	if len(wrong) > 0 {
		return invalidTemplate(name, fault.Numbered(wrong...))
	}
	if t == nil {
		return nil
	}
	for _, alias := range slices.Sorted(maps.Keys(t.Aliases)) {
		if err := checkAliasText(alias); err != nil {
			return err
		}
		if slices.Contains(patterns, alias) {
			return fault.Illegal("alias [%s] cannot be the same as any pattern in [%s]", alias, strings.Join(patterns, ", "))
		}
	}
	return nil
}

// wrongSettings collects what is wrong with a template's settings. Unknown settings are an error by themselves.
func (e *environment) wrongSettings(patterns []string, settings setting.Values) (wrong []string, err error) {
	if err := e.checkIndexSettings(SettingsChange{Set: settings}); err != nil {
		if !fault.Is(err, "illegal_argument_exception") {
			return nil, err
		}
		wrong = append(wrong, fault.Of(err).Reason)
		if others, ok := fault.Of(err).Field("suppressed").([]*fault.Error); ok {
			for _, other := range others {
				wrong = append(wrong, other.Reason)
			}
		}
	}
	for _, key := range privateKeys(SettingsChange{Set: settings}) {
		wrong = append(wrong, "private index setting ["+key+"] can not be set explicitly")
	}
	if _, hidden := settings["index.hidden"]; hidden && slices.Contains(patterns, "*") {
		wrong = append(wrong, "global templates may not specify the setting index.hidden")
	}
	return wrong, nil
}

// PutComponentTemplate makes or replaces a component template. create refuses to replace.
func (c *Catalog) PutComponentTemplate(ctx context.Context, name string, t *ComponentTemplate, create bool) error {
	return c.update(ctx, func(next *State) error {
		if err := next.clusterBlock(MetadataWrite, ""); err != nil {
			return err
		}
		if create && next.ComponentTemplates[name] != nil {
			return fault.Illegal("component template [%s] already exists", name)
		}
		if err := next.checkTemplate(name, nil, &t.Template); err != nil {
			return err
		}
		if _, err := next.merged(&IndexTemplate{Template: &t.Template}); err != nil {
			return err
		}
		if sameJSON(next.ComponentTemplates[name], t) {
			return nil
		}
		next.ComponentTemplates[name] = t
		return next.checkUsers(name)
	})
}

// checkUsers refuses a component template with which a template that is composed of it is no longer valid.
func (s *State) checkUsers(component string) error {
	for _, name := range slices.Sorted(maps.Keys(s.IndexTemplates)) {
		t := s.IndexTemplates[name]
		if !slices.Contains(t.ComposedOf, component) {
			continue
		}
		if err := s.checkComposition(name, t); err != nil {
			e := fault.Illegal("updating component template [%s] results in invalid composable template [%s] after templates are merged", component, name)
			e.CausedBy = fault.Of(err)
			return e
		}
	}
	return nil
}

// checkComposition refuses a template whose parts do not go together, or with an alias that is called as an index is.
func (s *State) checkComposition(name string, t *IndexTemplate) error {
	merged, err := s.merged(t)
	if err != nil {
		e := fault.Illegal("invalid composite mappings for [%s]", name)
		e.CausedBy = fault.Of(err)
		return e
	}
	for _, alias := range slices.Sorted(maps.Keys(merged.Aliases)) {
		if err := s.checkAliasName(alias); err != nil {
			return err
		}
	}
	return nil
}

func sameJSON(a, b any) bool {
	x, err := wire.Marshal(a)
	y, err2 := wire.Marshal(b)
	return err == nil && err2 == nil && string(x) == string(y)
}

// wrongNames collects what is wrong with a template's name and patterns.
func wrongNames(name string, patterns []string) (wrong []string) {
	add := func(bad bool, format string, args ...any) {
		if bad {
			wrong = append(wrong, fmt.Sprintf(format, args...))
		}
	}
	add(strings.Contains(name, " "), "name must not contain a space")
	add(strings.Contains(name, ","), "name must not contain a ','")
	add(strings.Contains(name, "#"), "name must not contain a '#'")
	add(strings.Contains(name, "*"), "name must not contain a '*'")
	add(strings.HasPrefix(name, "_"), "name must not start with '_'")
	add(strings.ToLower(name) != name, "name must be lower cased")
	for _, p := range patterns {
		add(strings.Contains(p, " "), "index_patterns [%s] must not contain a space", p)
		add(strings.Contains(p, ","), "index_pattern [%s] must not contain a ','", p)
		add(strings.Contains(p, "#"), "index_pattern [%s] must not contain a '#'", p)
		add(strings.Contains(p, ":"), "index_pattern [%s] must not contain a ':'", p)
		add(strings.HasPrefix(p, "_"), "index_pattern [%s] must not start with '_'", p)
		add(strings.ContainsAny(p, `\/?"<>| ,`), "index_pattern [%s] must not contain the following characters [ , \", *, \\, <, |, ,, >, /, ?]", p)
	}
	return wrong
}

func invalidTemplate(name, cause string) error {
	return fault.New(400, "invalid_index_template_exception", "index_template [%s] invalid, cause [%s]", name, cause)
}

// DeleteComponentTemplate deletes the component templates that a name or pattern means.
func (c *Catalog) DeleteComponentTemplate(ctx context.Context, pattern string) error {
	return c.update(ctx, func(next *State) error {
		if err := next.clusterBlock(MetadataWrite, ""); err != nil {
			return err
		}
		names, err := templateNames(next.ComponentTemplates, pattern)
		if err != nil {
			return err
		}
		var users []string
		for user, t := range next.IndexTemplates {
			if slices.ContainsFunc(t.ComposedOf, func(n string) bool { return slices.Contains(names, n) }) {
				users = append(users, user)
			}
		}
		if len(users) > 0 {
			slices.Sort(users)
			return fault.Illegal("component templates [%s] cannot be removed as they are still in use by index templates [%s]", strings.Join(names, ", "), strings.Join(users, ", "))
		}
		for _, name := range names {
			delete(next.ComponentTemplates, name)
		}
		return nil
	})
}

// templateNames are the names that a name or pattern means; 404 index_template_missing_exception if there are none. "*"
// may mean none.
func templateNames[T any](all map[string]*T, pattern string) ([]string, error) {
	var names []string
	for name := range all {
		if wire.Match(pattern, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if len(names) == 0 && pattern != "*" {
		return nil, fault.New(404, "index_template_missing_exception", "index_template [%s] missing", pattern)
	}
	return names, nil
}
