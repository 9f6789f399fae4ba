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

// Merged is what a template and its components give together.
func (s *State) Merged(t *IndexTemplate) (Template, error) {
	from := &origin{template: t}
	if t.DataStream != nil {
		from.timestamp = t.DataStream.TimestampField
	}
	out := Template{Settings: setting.Values{}, Aliases: map[string]Alias{}}
	for _, part := range s.composed(t) {
		maps.Copy(out.Settings, part.Settings)
		maps.Copy(out.Aliases, part.Aliases)
	}
	m, err := s.newMapping("", nil, out.Settings, from)
	if err != nil {
		return out, err
	}
	out.Mappings, err = wire.Marshal(m)
	return out, err
}

// checkTemplate refuses settings, mappings and aliases that no index could have.
func (s *State) checkTemplate(t *Template) error {
	change := SettingsChange{Set: t.Settings}
	if err := s.env.checkIndexSettings(change); err != nil {
		return err
	}
	if err := refusePrivate(change); err != nil {
		return err
	}
	for alias := range t.Aliases {
		if err := s.checkAliasName(alias); err != nil {
			return err
		}
	}
	return nil
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
		if err := checkTemplateName(name, nil); err != nil {
			return err
		}
		if err := next.checkTemplate(&t.Template); err != nil {
			return err
		}
		if _, err := next.Merged(&IndexTemplate{Template: &t.Template}); err != nil {
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
	for name, t := range s.IndexTemplates {
		if !slices.Contains(t.ComposedOf, component) {
			continue
		}
		if _, err := s.Merged(t); err != nil {
			return badComposition(name, err)
		}
	}
	return nil
}

func badComposition(name string, err error) error {
	mappings := fault.Illegal("invalid composite mappings for [%s]", name)
	mappings.CausedBy = fault.Of(err)
	e := fault.Illegal("composable template [%s] template after composition is invalid", name)
	e.CausedBy = mappings
	return e
}

func sameJSON(a, b any) bool {
	x, err := wire.Marshal(a)
	y, err2 := wire.Marshal(b)
	return err == nil && err2 == nil && string(x) == string(y)
}

// checkTemplateName collects what is wrong with a template's name and patterns.
func checkTemplateName(name string, patterns []string) error {
	var wrong []string
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
	if len(wrong) == 0 {
		return nil
	}
	return invalidTemplate(name, fault.Numbered(wrong...))
}

func invalidTemplate(name, cause string) error {
	return fault.New(400, "invalid_index_template_exception", "index_template [%s] invalid, cause [%s]", name, cause)
}

// DeleteComponentTemplate deletes the component templates that a name or pattern means.
func (c *Catalog) DeleteComponentTemplate(ctx context.Context, pattern string) error {
	return c.update(ctx, func(next *State) error {
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
		return next.clusterBlock(MetadataWrite, "")
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
