// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"fmt"
	"slices"
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
		next.IndexTemplates[name] = t
		return next.checkStreams()
	})
}

// checkIndexTemplate refuses a template that could not be applied, or would compete with another.
func (s *State) checkIndexTemplate(name string, t *IndexTemplate) error {
	if t.priority() < 0 {
		return fault.Validation("index template priority must be >= 0")
	}
	if err := checkTemplateName(name, t.Patterns); err != nil {
		return err
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
	if t.Template != nil {
		if err := s.checkTemplate(t.Template); err != nil {
			return err
		}
	}
	if _, err := s.Merged(t); err != nil {
		return badComposition(name, err)
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

// checkStreams refuses a change after which a data stream has no template.
func (s *State) checkStreams() error {
	var orphans []string
	for stream := range s.DataStreams {
		if _, t := s.matchTemplate(stream, false); t == nil || t.DataStream == nil {
			orphans = append(orphans, stream)
		}
	}
	if len(orphans) == 0 {
		return nil
	}
	slices.Sort(orphans)
	return fault.Illegal("composable template would leave data streams [%s] without a matching data stream template", strings.Join(orphans, ", "))
}

// DeleteIndexTemplate deletes the composable templates that a name or pattern means.
func (c *Catalog) DeleteIndexTemplate(ctx context.Context, pattern string) error {
	return c.update(ctx, func(next *State) error {
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
		return next.clusterBlock(MetadataWrite, "")
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
	const given = "simulate_template" // no template of that name is visible to clients
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
	merged, err := draft.Merged(t)
	if err != nil {
		return Simulation{}, err
	}
	out := Simulation{Template: &merged}
	for _, other := range draft.Overlapping(winner, t.Patterns) {
		out.Overlapping = append(out.Overlapping, Overlap{other, draft.IndexTemplates[other].Patterns})
	}
	return out, nil
}

// SimulateTemplate tells what a stored template gives, or with one that is not stored.
func (s *State) SimulateTemplate(name string, with *IndexTemplate) (Simulation, error) {
	t := with
	if with == nil {
		if t = s.IndexTemplates[name]; t == nil {
			return Simulation{}, fault.Illegal("unable to simulate template [%s] that does not exist", name)
		}
	} else if err := s.checkIndexTemplate(name, with); err != nil {
		return Simulation{}, err
	}
	merged, err := s.Merged(t)
	if err != nil {
		return Simulation{}, err
	}
	out := Simulation{Template: &merged}
	for _, other := range s.Overlapping(name, t.Patterns) {
		out.Overlapping = append(out.Overlapping, Overlap{other, s.IndexTemplates[other].Patterns})
	}
	return out, nil
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
		if err := checkTemplateName(name, t.Patterns); err != nil {
			return err
		}
		if err := next.checkTemplate(&t.Template); err != nil {
			return err
		}
		if _, err := next.Merged(&IndexTemplate{Template: &t.Template}); err != nil {
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
		names, err := templateNames(next.LegacyTemplates, pattern)
		if err != nil {
			return err
		}
		for _, name := range names {
			delete(next.LegacyTemplates, name)
		}
		return next.clusterBlock(MetadataWrite, "")
	})
}
