// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/opensteward/steward/wire"
)

// expectation is one line below "expect": a member of explain and its value.
type expectation struct {
	line int
	path string
	// after is how long after the start the instant is that value names; only with instant.
	after   time.Duration
	instant bool
	absent  bool
	value   any
}

func expect(w []string, b block) (func(*player) error, error) {
	list, err := b.expectations()
	return func(p *player) error {
		return p.Eventually(func() error { return p.compareExplain(w[0], list) })
	}, err
}

func expectIn(w []string, b block) (func(*player) error, error) {
	list, err := b.expectations()
	return func(p *player) error {
		return p.Eventually(func() error {
			answer, err := p.call(http.MethodGet, w[0], nil)
			if err != nil {
				return err
			}
			entry, err := decode(answer)
			if err != nil {
				return err
			}
			return p.compare(answer, entry, list)
		})
	}, err
}

// expectations are the lines below.
func (b block) expectations() ([]expectation, error) {
	names, values, err := b.pairs()
	if err != nil {
		return nil, err
	}
	list := make([]expectation, len(names))
	for i, name := range names {
		if list[i], err = newExpectation(name, values[i]); err != nil {
			return nil, err
		}
		list[i].line = b.body[i].line
	}
	return list, nil
}

func newExpectation(path, value string) (e expectation, err error) {
	e.path = path
	text, instant := strings.CutPrefix(value, "@")
	switch {
	case value == "absent":
		e.absent = true
	case instant:
		e.instant = true
		e.after, err = duration(text)
	default:
		if e.value, err = decode([]byte(value)); err != nil {
			e.value, err = value, nil
		}
	}
	return e, err
}

// decode reads JSON; numbers stay as they are written.
func decode(text []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err = d.Decode(&v); err == nil && d.More() {
		err = errors.New("more than one value")
	}
	return v, err
}

// member is one member of a JSON object.
func member(text []byte, name string) (any, error) {
	v, err := decode(text)
	if err != nil {
		return nil, err
	}
	found, _ := find(v, name)
	return found, nil
}

// find is what a path names. Names may have dots themselves.
func find(v any, path string) (any, bool) {
	object, ok := v.(map[string]any)
	if !ok {
		return nil, false
	}
	if found, ok := object[path]; ok {
		return found, true
	}
	for i, c := range path {
		if c != '.' {
			continue
		}
		if below, ok := object[path[:i]]; ok {
			if found, ok := find(below, path[i+1:]); ok {
				return found, true
			}
		}
	}
	return nil, false
}

// compareExplain looks at explain once.
func (p *player) compareExplain(index string, list []expectation) error {
	answer, err := p.call(http.MethodGet, api+"explain/"+index, nil)
	if err != nil {
		return err
	}
	entry, err := member(answer, index)
	if err != nil || entry == nil {
		return fmt.Errorf("explain shows no such index: %s", answer)
	}
	return p.compare(answer, entry, list)
}

// compare lists all in which a part of an answer differs from what is expected.
func (p *player) compare(answer []byte, entry any, list []expectation) error {
	var wrong []error
	for _, e := range list {
		want := e.value
		if e.instant {
			want = json.Number(fmt.Sprint(p.start.Add(e.after).UnixMilli()))
		}
		got, found := find(entry, e.path)
		if p.late && e.instant && later(got, want) {
			continue
		}
		if found == e.absent || !e.absent && !same(got, want) {
			wrong = append(wrong, fmt.Errorf("line %d: %s is %s, want %s", e.line, e.path, p.show(got, found), p.show(want, !e.absent)))
		}
	}
	if len(wrong) > 0 {
		wrong = append(wrong, fmt.Errorf("all of it: %s", answer))
	}
	return errors.Join(wrong...)
}

// same reports whether a value is the one that is expected. In a text, * fits anything.
func same(got, want any) bool {
	g, isG := got.(string)
	w, isW := want.(string)
	if isG && isW {
		return wire.Match(w, g)
	}
	list, isList := want.(map[string]any)
	members, is := got.(map[string]any)
	if !isList || !is || len(list) != len(members) {
		return reflect.DeepEqual(got, want)
	}
	for name := range list {
		if _, found := members[name]; !found || !same(members[name], list[name]) {
			return false
		}
	}
	return true
}

// later reports whether both are instants and the first is later.
func later(got, want any) bool {
	g, isG := got.(json.Number)
	w, isW := want.(json.Number)
	if !isG || !isW {
		return false
	}
	a, errA := g.Int64()
	b, errB := w.Int64()
	return errA == nil && errB == nil && a > b
}

// show prints a value; an instant after the start also as the time since.
func (p *player) show(v any, found bool) string {
	if !found {
		return "absent"
	}
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	if n, ok := v.(json.Number); ok {
		if ms, err := n.Int64(); err == nil && ms >= p.start.UnixMilli() {
			return fmt.Sprintf("%s (@%s)", text, time.UnixMilli(ms).Sub(p.start))
		}
	}
	return string(text)
}

func expectNone(w []string, _ block) (func(*player) error, error) {
	return func(p *player) error {
		return p.Eventually(func() error {
			status, _, err := p.Do(http.MethodHead, "/"+w[0], nil)
			if err == nil && status != http.StatusNotFound {
				err = fmt.Errorf("it exists: %d", status)
			}
			return err
		})
	}, nil
}
