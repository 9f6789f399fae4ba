// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"strings"

	"github.com/cbroglie/mustache"

	"github.com/opensteward/steward/fault"
)

// maxRendered is how long a rendered text may be, in bytes; a step of the rendering counts as some. Sections within
// sections over long lists would go on for years, maybe without writing a byte.
const (
	maxRendered = 16 << 20
	stepBytes   = 16
)

func tooLong() error {
	return fault.New(400, "script_exception", "a template renders more than [%d] bytes, or takes more steps", maxRendered)
}

// effort counts what a rendering takes before it begins: a step for each tag and for each turn of a section, and the bytes
// of values.
type effort struct{ left int }

func (e *effort) take(bytes int) error {
	if e.left -= bytes; e.left < 0 {
		return tooLong()
	}
	return nil
}

// spend goes through what a template writes in a context, the innermost first.
func (e *effort) spend(tags []mustache.Tag, chain []any) error {
	for _, tag := range tags {
		v := lookUp(chain, tag.Name())
		if err := e.take(stepBytes); err != nil {
			return err
		}
		switch tag.Type() {
		case mustache.Section:
			items, isList := v.(printedList)
			if !isList {
				items = printedList{v}
			}
			if err := e.take(stepBytes * len(items)); err != nil {
				return err
			}
			for _, item := range items {
				if err := e.spend(tag.Tags(), append([]any{item}, chain...)); err != nil {
					return err
				}
			}
		case mustache.InvertedSection:
			if err := e.spend(tag.Tags(), chain); err != nil {
				return err
			}
		default:
			if err := e.take(len(shownText(v))); err != nil {
				return err
			}
		}
	}
	return nil
}

// lookUp is what a name means in a context; nil if nothing.
func lookUp(chain []any, name string) any {
	if name == "." {
		return chain[0]
	}
	first, rest, deeper := strings.Cut(name, ".")
	for _, context := range chain {
		members, _ := context.(printedMap)
		v, found := members[first]
		switch {
		case found && deeper:
			return lookUp([]any{v}, rest)
		case found:
			return v
		}
	}
	return nil
}

// boundedText is a text that does not grow beyond [maxRendered].
type boundedText struct{ strings.Builder }

// Write fails when the text becomes too long.
func (t *boundedText) Write(b []byte) (int, error) {
	if t.Len()+len(b) > maxRendered {
		return 0, tooLong()
	}
	return t.Builder.Write(b)
}
