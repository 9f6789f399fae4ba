// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// PutIndexTemplate makes or replaces a composable template. create refuses to replace.
func (c *Catalog) PutIndexTemplate(ctx context.Context, name string, t *IndexTemplate, create bool) error {
	return c.update(ctx, func(next *State) error {
		if err := next.clusterBlock(MetadataWrite, ""); err != nil {
			return err
		}
		if create && next.IndexTemplates[name] != nil {
			return fault.Illegal("index template [%s] already exists", name)
		}
		if err := next.checkIndexTemplate(name, t); err != nil {
			return err
		}
		if sameJSON(next.IndexTemplates[name], t) {
			return nil
		}
		before := next.withoutTemplate()
		next.IndexTemplates[name] = t
		return next.checkStreams(before, name, t)
	})
}

// checkIndexTemplate refuses a template that could not be applied, or would compete with another.
func (s *State) checkIndexTemplate(name string, t *IndexTemplate) error {
	if t.priority() < 0 {
		return fault.Validation("index template priority must be >= 0")
	}
	if t.Template != nil && slices.Contains(t.Patterns, "*") {
		if _, hidden := t.Template.Settings["index.hidden"]; hidden {
			return fault.Validation("global composable templates may not specify the setting index.hidden")
		}
	}
	var missing []string
	for _, component := range t.ComposedOf {
		if s.ComponentTemplates[component] == nil {
			missing = append(missing, component)
		}
	}
	if len(missing) > 0 {
		return invalidTemplate(name, fmt.Sprintf("index template [%s] specifies component templates [%s] that do not exist", name, strings.Join(missing, ", ")))
	}
	if err := s.checkPriority(name, t); err != nil {
		return err
	}
	if err := s.checkTemplate(name, t.Patterns, t.Template); err != nil {
		return err
	}
	if err := s.checkComposition(name, t); err != nil {
		parts := ""
		if len(t.ComposedOf) > 0 {
			parts = "with component templates [" + strings.Join(t.ComposedOf, ", ") + "] "
		}
		e := fault.Illegal("composable template [%s] template after composition %sis invalid", name, parts)
		e.CausedBy = fault.Of(err)
		return e
	}
	return nil
}

// Overlapping are the other templates whose patterns could match the same names, by name.
func (s *State) Overlapping(name string, patterns []string) []string {
	var out []string
	for other, t := range s.IndexTemplates {
		if other != name && overlap(t.Patterns, patterns) {
			out = append(out, other)
		}
	}
	slices.Sort(out)
	return out
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(p string) bool {
		return slices.ContainsFunc(b, func(q string) bool { return wire.Overlap(p, q) })
	})
}

// checkPriority refuses a second template of the same priority for the same names.
func (s *State) checkPriority(name string, t *IndexTemplate) error {
	var same, described []string
	for _, other := range s.Overlapping(name, t.Patterns) {
		if o := s.IndexTemplates[other]; o.priority() == t.priority() {
			same = append(same, other)
			described = append(described, fmt.Sprintf("%s => [%s]", other, strings.Join(o.Patterns, ", ")))
		}
	}
	if len(same) == 0 {
		return nil
	}
	return fault.Illegal("index template [%s] has index patterns [%s] matching patterns from existing templates [%s] with patterns (%s) that have the same priority [%d], multiple index templates may not match during index creation, please use a different priority",
		name, strings.Join(t.Patterns, ", "), strings.Join(same, ","), strings.Join(described, ","), t.priority())
}

// withoutTemplate are the data streams that no template makes, by name.
func (s *State) withoutTemplate() []string {
	var out []string
	for _, stream := range slices.Sorted(maps.Keys(s.DataStreams)) {
		if _, t := s.matchTemplate(stream, false); t == nil || t.DataStream == nil {
			out = append(out, stream)
		}
	}
	return out
}

// checkStreams refuses a template with which data streams that had one no longer have one that makes them.
func (s *State) checkStreams(before []string, name string, t *IndexTemplate) error {
	lost := slices.DeleteFunc(s.withoutTemplate(), func(stream string) bool { return slices.Contains(before, stream) })
	if len(lost) == 0 {
		return nil
	}
	priority, without := "null", ""
	if t.Priority != nil {
		priority = strconv.FormatInt(*t.Priority, 10)
	}
	if t.DataStream == nil {
		without = "and no data stream configuration "
	}
	return fault.Illegal("composable template [%s] with index patterns [%s], priority [%s] %swould cause data streams [%s] to no longer match a data stream template",
		name, strings.Join(t.Patterns, ", "), priority, without, strings.Join(lost, ", "))
}

// DeleteIndexTemplate deletes the composable templates that a name or pattern means.
func (c *Catalog) DeleteIndexTemplate(ctx context.Context, pattern string) error {
	return c.update(ctx, func(next *State) error {
		if err := next.clusterBlock(MetadataWrite, ""); err != nil {
			return err
		}
		names, err := templateNames(next.IndexTemplates, pattern)
		if err != nil {
			return err
		}
		var used []string
		for stream := range next.DataStreams {
			if t, _ := next.matchTemplate(stream, false); slices.Contains(names, t) {
				used = append(used, stream)
			}
		}
		if len(used) > 0 {
			slices.Sort(used)
			return fault.Illegal("unable to remove composable templates [%s] as they are in use by a data streams [%s]", strings.Join(names, ", "), strings.Join(used, ", "))
		}
		for _, name := range names {
			delete(next.IndexTemplates, name)
		}
		return nil
	})
}

// Simulation is what a new index would get.
type Simulation struct {
	// Template is nil if no template matches.
	Template *Template
	// Overlapping are the templates whose patterns overlap and that do not count, with their patterns.
	Overlapping []Overlap
}

// Overlap is one template of a simulation.
type Overlap struct {
	Name     string
	Patterns []string
}

// SimulateIndex tells what an index of this name would get. with, if it is not nil, counts as a template of its own.
func (s *State) SimulateIndex(name string, with *IndexTemplate) (Simulation, error) {
	draft := s
	given := simulatedName()
	if with != nil {
		draft = s.clone()
		if err := draft.checkIndexTemplate(given, with); err != nil {
			return Simulation{}, err
		}
		draft.IndexTemplates[given] = with
	}
	winner, t := draft.matchTemplate(name, false)
	if t == nil {
		return Simulation{}, nil
	}
	merged, err := draft.merged(t)
	if err != nil {
		return Simulation{}, err
	}
	return Simulation{&merged, draft.overlaps(winner, t.Patterns)}, nil
}

// simulatedName is one that no template has.
func simulatedName() string { return "simulate_template_" + strings.ToLower(newUUID()) }

// overlaps are the templates, the older kind included, that do not count because of one.
func (s *State) overlaps(winner string, patterns []string) []Overlap {
	var out []Overlap
	for _, other := range s.Overlapping(winner, patterns) {
		out = append(out, Overlap{other, s.IndexTemplates[other].Patterns})
	}
	for name, t := range s.LegacyTemplates {
		if overlap(t.Patterns, patterns) {
			out = append(out, Overlap{name, t.Patterns})
		}
	}
	slices.SortFunc(out, func(a, b Overlap) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// SimulateTemplate tells what a stored template gives, or with one that is not stored.
func (s *State) SimulateTemplate(name string, with *IndexTemplate) (Simulation, error) {
	t := with
	if name == "" {
		name = simulatedName()
	}
	if with == nil {
		if t = s.IndexTemplates[name]; t == nil {
			return Simulation{}, fault.Illegal("unable to simulate template [%s] that does not exist", name)
		}
	} else if err := s.checkIndexTemplate(name, with); err != nil {
		return Simulation{}, err
	}
	merged, err := s.merged(t)
	if err != nil {
		return Simulation{}, err
	}
	return Simulation{&merged, s.overlaps(name, t.Patterns)}, nil
}

// PutLegacyTemplate makes or replaces a template of the older kind.
func (c *Catalog) PutLegacyTemplate(ctx context.Context, name string, t *LegacyTemplate, create bool) error {
	if len(t.Patterns) == 0 {
		return fault.Validation("index patterns are missing")
	}
	return c.update(ctx, func(next *State) error {
		if err := next.clusterBlock(MetadataWrite, ""); err != nil {
			return err
		}
		if create && next.LegacyTemplates[name] != nil {
			return fault.Illegal("index_template [%s] already exists", name)
		}
		if err := next.checkTemplate(name, t.Patterns, &t.Template); err != nil {
			return err
		}
		if _, err := next.merged(&IndexTemplate{Template: &t.Template}); err != nil {
			return err
		}
		if !sameJSON(next.LegacyTemplates[name], t) {
			next.LegacyTemplates[name] = t
		}
		return nil
	})
}

// DeleteLegacyTemplate deletes the templates of the older kind that a name or pattern means.
func (c *Catalog) DeleteLegacyTemplate(ctx context.Context, pattern string) error {
	return c.update(ctx, func(next *State) error {
		if err := next.clusterBlock(MetadataWrite, ""); err != nil {
			return err
		}
		names, err := templateNames(next.LegacyTemplates, pattern)
		if err != nil {
			return err
		}
		for _, name := range names {
			delete(next.LegacyTemplates, name)
		}
		return nil
	})
}
