// SPDX-License-Identifier: Apache-2.0

package step

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/flow"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire"
)

// mlPath is a path of ML Commons.
func mlPath(segments ...string) string {
	return opensearch.Path(append([]string{"_plugins", "_ml"}, segments...)...)
}

// maker makes one sort of resource that has no name of its own: ML Commons gives it an id. What an attempt has made
// whose end nobody saw is found by its name: it was not there before, has the body that the attempt sent, and nobody
// else has recorded it.
type maker struct {
	kind     string // as in paths: "connectors"
	resource string // as it is recorded: "connector_id"
}

// madeNote is what a maker notes: the ids that had exactly this name before; and the task that makes it, once known.
type madeNote struct {
	Before []string `json:"before"`
	Task   string   `json:"task,omitempty"`
}

// found is one resource of a search.
type found struct {
	ID     string          `json:"_id"`
	Source json.RawMessage `json:"_source"`
}

// longestTerm is the longest name that is indexed as a whole.
const longestTerm = 256

// manyNamesakes is how many resources of one name are looked at (a cluster's limit of a page).
const manyNamesakes = 10_000

// named are the resources of exactly this name.
func (m maker) named(ctx context.Context, c *opensearch.Client, name string) ([]found, error) {
	query := wire.Obj("term", wire.Obj("name.keyword", name))
	if len(name) > longestTerm {
		query = wire.Obj("match_phrase", wire.Obj("name", name))
	}
	var answer struct{ Hits struct{ Hits []found } }
	err := c.Do(ctx, opensearch.Call{
		Method: http.MethodPost, Path: mlPath(m.kind, "_search"),
		Body: wire.Obj("query", query, "size", manyNamesakes),
	}, &answer)
	if fault.HasStatus(err, http.StatusNotFound) {
		return nil, nil // nothing was ever made
	}
	return slices.DeleteFunc(answer.Hits.Hits, func(f found) bool {
		var source struct{ Name string }
		return json.Unmarshal(f.Source, &source) != nil || source.Name != name
	}), err
}

// prepare notes which resources have the name before one is made.
func (m maker) prepare(ctx context.Context, env Env, name string) (madeNote, error) {
	there, err := m.named(ctx, env.Client, name)
	if err != nil {
		return madeNote{}, err
	}
	note := madeNote{Before: []string{}}
	for _, f := range there {
		note.Before = append(note.Before, f.ID)
	}
	return note, env.Note(ctx, note)
}

// find is the one resource that an attempt has made; body is what it sent.
func (m maker) find(ctx context.Context, env Env, name string, body any, note madeNote) (string, error) {
	want, err := wire.Marshal(body)
	if err != nil {
		return "", err
	}
	there, err := m.named(ctx, env.Client, name)
	if err != nil {
		return "", err
	}
	var ids []string
	for _, f := range there {
		if slices.Contains(note.Before, f.ID) || !holds(f.Source, want) {
			continue
		}
		claimed, err := env.Claimed(ctx, m.resource, f.ID)
		if err != nil {
			return "", err
		}
		if !claimed {
			ids = append(ids, f.ID)
		}
	}
	switch len(ids) {
	case 0:
		return "", ErrNotMade
	case 1:
		return ids[0], nil
	}
	return "", failed(http.StatusConflict, nil, "One of [%s] may have been made by this node before it was interrupted; delete what nobody needs and provision again", strings.Join(ids, ", "))
}

// holds reports whether a stored resource has all that was sent. Numbers and texts of the same characters are the same,
// and what is empty may be left out.
func holds(stored, sent json.RawMessage) bool {
	var have, want any
	return decode(string(stored), &have) == nil && decode(string(sent), &want) == nil && covers(have, want)
}

func covers(have, want any) bool {
	switch w := want.(type) {
	case map[string]any:
		h, ok := have.(map[string]any)
		if !ok && (have != nil || len(w) > 0) {
			return false
		}
		for name, v := range w {
			if !covers(h[name], v) {
				return false
			}
		}
		return true
	case []any:
		h, ok := have.([]any)
		if !ok || len(h) != len(w) {
			return have == nil && len(w) == 0
		}
		for i := range w {
			if !covers(h[i], w[i]) {
				return false
			}
		}
		return true
	case nil:
		return true
	default:
		if have == nil {
			return w == "" || w == false
		}
		return fmt.Sprint(have) == fmt.Sprint(w)
	}
}

// noted reads a note of a maker; false if the attempt noted nothing, and so made nothing.
func noted(raw json.RawMessage) (note madeNote, ok bool) {
	ok = raw != nil && json.Unmarshal(raw, &note) == nil
	return note, ok
}

// task is a task of ML Commons.
type task struct {
	ModelID string `json:"model_id"`
	State   string `json:"state"`
	Error   string `json:"error"`
}

// firstPoll is the pause after the first look at a task; pauses double up to [Env.Poll].
const firstPoll = 20 * time.Millisecond

// await waits until a task has ended and returns its model. label is what the plugin calls it.
func await(ctx context.Context, env Env, id, label string) (model string, err error) {
	for pause := firstPoll; ; pause = min(2*pause, max(env.Poll, firstPoll)) {
		var t task
		if err := env.Client.Do(ctx, opensearch.Call{Method: http.MethodGet, Path: mlPath("tasks", id)}, &t); err != nil {
			if ctx.Err() != nil {
				return "", ctx.Err()
			}
			return "", failed(http.StatusBadRequest, err, "%s failed", label)
		}
		switch t.State {
		case "COMPLETED":
			return t.ModelID, nil
		case "FAILED", "COMPLETED_WITH_ERROR":
			return "", failed(http.StatusBadRequest, nil, "%s failed with error : %s", label, t.Error)
		case "CANCELLED":
			return "", failed(http.StatusRequestTimeout, nil, "%s task was cancelled.", label)
		}
		if err := sleep(ctx, pause); err != nil {
			return "", err
		}
	}
}

// sleep is a pause between two looks.
func sleep(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// body collects the members of a request.
type body struct {
	wire.Object
	err error
}

// texts adds the inputs that are given, as texts.
func (b *body) texts(in flow.Inputs, names ...string) {
	for _, name := range names {
		if in.Has(name) {
			b.Add(name, text(in, name))
		}
	}
}

// flags adds the inputs that are given, as true or false.
func (b *body) flags(in flow.Inputs, names ...string) {
	for _, name := range names {
		v, err := wants(in, name)
		if err != nil {
			b.err = err
			return
		}
		b.AddIf(in.Has(name), name, v)
	}
}

// lists adds the inputs that are given, as lists of texts.
func (b *body) lists(in flow.Inputs, names ...string) {
	for _, name := range names {
		switch v, _ := in.Get(name); v := v.(type) {
		case flow.Texts:
			b.Add(name, []string(v))
		case nil:
		default:
			b.Add(name, []string{text(in, name)})
		}
	}
}

// objects adds the inputs that are given, as objects: maps as they are, JSON texts as what they say.
func (b *body) objects(in flow.Inputs, names ...string) {
	for _, name := range names {
		v, ok := in.Get(name)
		if !ok {
			continue
		}
		o, err := object(v)
		if err != nil {
			b.err = failed(http.StatusBadRequest, err, "[%s] must be a key-value map.", name)
			return
		}
		b.Add(name, o)
	}
}

// object is an input as a JSON object.
func object(v any) (any, error) {
	switch v := v.(type) {
	case flow.Map:
		return flow.Input{Value: v}.JSON(), nil
	case flow.Verbatim:
		return json.RawMessage(v), nil
	case flow.JSONText:
		return object(string(v))
	case string:
		if isObject(v) {
			return json.RawMessage(v), nil
		}
	}
	return nil, errors.New("it is not an object")
}

// provisionedBy marks what was made by a workflow, as the plugin does.
func (b *body) provisionedBy() { b.Add("provisioned_by", "flow-framework") }
