// SPDX-License-Identifier: Apache-2.0

package ism

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// Template attaches a policy to new indices whose names match.
type Template struct {
	IndexPatterns []string
	Priority      int
	// LastUpdated is in epoch milliseconds. Only indices created after it are attached.
	LastUpdated int64
}

// parseTemplates reads one template, a list of them, or null.
func parseTemplates(p *wire.Parser, now int64) ([]Template, error) {
	if p.Token() == wire.Null {
		return nil, nil
	}
	list := []Template{}
	one := func() error {
		t, err := parseTemplate(p, now)
		list = append(list, t)
		return err
	}
	if p.Token() == wire.StartObject {
		err := one()
		return list, err
	}
	err := p.Array(one)
	return list, err
}

func parseTemplate(p *wire.Parser, now int64) (Template, error) {
	t := Template{LastUpdated: now}
	err := p.Object(func(name string) (err error) {
		switch name {
		case "index_patterns":
			t.IndexPatterns = []string{}
			err = p.Array(func() error {
				s, err := p.Text()
				t.IndexPatterns = append(t.IndexPatterns, s)
				return err
			})
		case "priority":
			if p.Token() != wire.Null {
				t.Priority, err = p.Int()
			}
		case "last_updated_time":
			err = epochMillis(p, &t.LastUpdated)
		default:
			err = invalidField(name, "ISMTemplate")
		}
		return err
	})
	switch {
	case err != nil:
		return t, err
	case t.Priority < 0:
		return t, fault.Illegal("Requires priority to be >= 0")
	case len(t.IndexPatterns) == 0:
		return t, fault.Illegal("Requires at least one index pattern")
	}
	return t, nil
}

func (t Template) json(human bool) wire.Object {
	o := wire.Obj("index_patterns", t.IndexPatterns, "priority", t.Priority)
	addTime(&o, t.LastUpdated, human)
	return o
}

// indexManagement is the error of the template checks.
func indexManagement(class, reason string) error {
	e := fault.New(400, "index_management_exception", "%s", reason)
	e.CausedBy = fault.New(400, "exception", "%s: %s", class, reason)
	return e
}

const (
	validationException = "org.opensearch.common.ValidationException"
	illegalArgument     = "java.lang.IllegalArgumentException"
)

// CheckTemplates refuses template patterns that OpenSearch could not match: 400 index_management_exception.
func (p *Policy) CheckTemplates() error {
	if p.Templates == nil {
		return nil
	}
	var messages []string
	includes := false
	for _, t := range p.Templates {
		for _, pattern := range t.IndexPatterns {
			includes = includes || !strings.HasPrefix(pattern, "-")
			messages = append(messages, patternMessages(pattern)...)
		}
	}
	if !includes {
		messages = append(messages, "index_patterns must contain at least one inclusion pattern (patterns cannot be all exclusions)")
	}
	if len(messages) == 0 {
		return nil
	}
	return indexManagement(validationException, fault.Numbered(messages...))
}

func patternMessages(pattern string) []string {
	bare, exclusion := strings.CutPrefix(pattern, "-")
	if exclusion && bare == "" {
		return []string{fmt.Sprintf("index_pattern [%s] must have content after '-' exclusion prefix", pattern)}
	}
	var messages []string
	say := func(bad bool, what string) {
		if bad {
			messages = append(messages, fmt.Sprintf("index_pattern [%s] %s", pattern, what))
		}
	}
	say(strings.Contains(bare, "#"), "must not contain a '#'")
	say(strings.Contains(bare, ":"), "must not contain a ':'")
	say(strings.HasPrefix(bare, "_"), "must not start with '_'")
	say(strings.ContainsAny(bare, ` ",\<|>/?`), `must not contain the following characters [ , ", *, \, <, |, ,, >, /, ?]`)
	return messages
}

// CheckTemplateConflicts refuses templates that overlap others of the same priority, in this policy or in others.
func (p *Policy) CheckTemplateConflicts(others []*Policy) error {
	for i, t := range p.Templates {
		var later []string
		for _, u := range p.Templates[i+1:] {
			if u.Priority == t.Priority {
				later = append(later, u.IndexPatterns...)
			}
		}
		if overlap(t.IndexPatterns, later) {
			return indexManagement(illegalArgument, fmt.Sprintf(
				"New policy %s has an ISM template with index pattern %s matching this policy's other ISM templates with index patterns %s, please use different priority",
				p.ID, javaList(t.IndexPatterns), javaList(later)))
		}
	}
	for _, t := range p.Templates {
		for _, other := range others {
			if other.ID == p.ID {
				continue
			}
			for _, u := range other.Templates {
				if u.Priority == t.Priority && overlap(t.IndexPatterns, u.IndexPatterns) {
					return indexManagement(illegalArgument, fmt.Sprintf(
						"New policy %s has an ISM template with index pattern %s matching existing policy templates, please use a different priority than %d",
						p.ID, javaList(t.IndexPatterns), t.Priority))
				}
			}
		}
	}
	return nil
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(x string) bool {
		return slices.ContainsFunc(b, func(y string) bool { return wire.Overlap(x, y) })
	})
}

func javaList(items []string) string { return "[" + strings.Join(items, ", ") + "]" }

// matches reports whether the template attaches an index of this name (or data stream) that was created at an instant.
// One created in the millisecond in which the template was stored counts as newer.
func (t Template) matches(name string, created time.Time) bool {
	if created.UnixMilli() < t.LastUpdated {
		return false
	}
	included := false
	for _, pattern := range t.IndexPatterns {
		if bare, exclusion := strings.CutPrefix(pattern, "-"); exclusion {
			if wire.Match(bare, name) {
				return false
			}
			continue
		}
		included = included || wire.Match(pattern, name)
	}
	return included
}

// TemplatePriority is the highest priority with which the policy's templates attach an index; ok is false if none does.
func (p *Policy) TemplatePriority(name string, created time.Time) (priority int, ok bool) {
	for _, t := range p.Templates {
		if t.matches(name, created) && (!ok || t.Priority > priority) {
			priority, ok = t.Priority, true
		}
	}
	return priority, ok
}
