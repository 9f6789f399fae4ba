// SPDX-License-Identifier: Apache-2.0

package opensearch

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// The functions below change ordered JSON objects whose values are json.RawMessage as read, or wire.Object and Go
// values as set. They leave their arguments as they are.

// raw is the member as JSON; nil if it is absent.
func raw(o wire.Object, name string) json.RawMessage {
	for _, m := range o {
		if m.Name != name {
			continue
		}
		if text, is := m.Value.(json.RawMessage); is {
			return text
		}
		text, err := wire.Marshal(m.Value)
		if err != nil {
			return nil
		}
		return text
	}
	return nil
}

func has(o wire.Object, name string) bool {
	return slices.ContainsFunc(o, func(m wire.Member) bool { return m.Name == name })
}

// object is a member that is an object; empty if it is absent or null.
func object(o wire.Object, name string) (wire.Object, error) {
	for _, m := range o {
		if inner, is := m.Value.(wire.Object); is && m.Name == name {
			return inner, nil
		}
	}
	text := raw(o, name)
	inner, err := parsed(text)
	if err != nil {
		return nil, fault.Illegal("[%s] must be an object", name)
	}
	return inner, nil
}

// parsed reads an object; nothing and null are an empty one.
func parsed(text json.RawMessage) (wire.Object, error) {
	if text == nil || string(text) == "null" {
		return wire.Object{}, nil
	}
	return members(text)
}

// set replaces a member, or inserts it before the first whose name is greater.
func set(o wire.Object, name string, value any) wire.Object {
	out := slices.Clone(o)
	for i := range out {
		if out[i].Name == name {
			out[i].Value = value
			return out
		}
	}
	at := slices.IndexFunc(out, func(m wire.Member) bool { return m.Name > name })
	if at < 0 {
		at = len(out)
	}
	return slices.Insert(out, at, wire.Member{Name: name, Value: value})
}

func without(o wire.Object, name string) wire.Object {
	return slices.DeleteFunc(slices.Clone(o), func(m wire.Member) bool { return m.Name == name })
}

// placed sets a setting under its dotted name, or nested.
func placed(o wire.Object, name string, value any, flat bool) wire.Object {
	first, rest, nested := strings.Cut(name, ".")
	if flat || !nested {
		return set(o, name, value)
	}
	inner, err := object(o, first)
	if err != nil {
		return set(o, name, value)
	}
	return set(o, first, placed(inner, rest, value, false))
}

// take removes from nested or dotted settings those that own names, and what is empty without them.
func take(o wire.Object, prefix string, own func(key string) (name string, ours bool)) (rest wire.Object, out taken) {
	out = taken{}
	rest = wire.Object{}
	for _, m := range o {
		text := raw(o, m.Name)
		key := prefix + m.Name
		if name, ours := own(key); ours {
			out[name] = text
			continue
		}
		inner, err := members(text)
		if err != nil {
			rest = append(rest, m)
			continue
		}
		left, found := take(inner, key+".", own)
		maps.Copy(out, found)
		switch {
		case len(found) == 0:
			rest = append(rest, m)
		case len(left) > 0:
			rest = append(rest, wire.Member{Name: m.Name, Value: left})
		}
	}
	return rest, out
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
