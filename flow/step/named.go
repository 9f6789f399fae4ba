// SPDX-License-Identifier: Apache-2.0

package step

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/flow"
	"github.com/opensteward/steward/opensearch"
)

// named is a kind of resource that is put, read and deleted under a name of its caller's choice, with one body.
type named struct {
	kind  string // as it is called: "ingest pipeline"
	input string // that names it, and the type of its resource
	// path of one resource, before its name
	path []string
	// body makes the body of the configurations; nil takes them as they are. Without configurations there is none.
	body func(configurations string) string
	// find finds the resource's body in the answer to reading it; nil takes the member of its name.
	find func(answer json.RawMessage, id string) json.RawMessage
	// equal reports whether a resource that is there has what a body asks for.
	equal func(there, body string) bool
	// over are the parameters of a write over what is there, as its answer tells it; nil for none.
	over func(answer json.RawMessage) url.Values
	// own is true if this program serves it, and not the cluster.
	own bool
}

// namedNote is what the making of a named resource notes before it writes.
type namedNote struct {
	// Ours is true if there was none, or if it is to be written over.
	Ours bool `json:"ours"`
}

// step is the name of the step that does something to a resource: "create_ingest_pipeline".
func (n named) step(verb string) string { return verb + "_" + underscored(n.kind) }

func (n named) client(env Env) *opensearch.Client {
	if n.own {
		return env.Own
	}
	return env.Client
}

func (n named) at(id string) string {
	return opensearch.Path(append(n.path[:len(n.path):len(n.path)], id)...)
}

// inputs are the name and the body of a resource, checked.
func (n named) inputs(in flow.Inputs, verb string) (id, body string, err error) {
	id = text(in, n.input)
	if err := single(n.input, id); err != nil {
		return "", "", err
	}
	if !in.Has("configurations") {
		return id, "", nil
	}
	body = text(in, "configurations")
	if n.body != nil {
		body = n.body(body)
	}
	if !json.Valid([]byte(body)) {
		return "", "", failed(http.StatusBadRequest, nil, "Failed step %s", n.step(verb))
	}
	return id, body, nil
}

// check refuses a name that could mean more than one resource, and a body that is no JSON.
func (n named) check(_ Env, in flow.Inputs) error {
	_, _, err := n.inputs(in, "create")
	return err
}

// create makes a resource. One that is there already is adopted if it is equal, and else left alone: the step fails.
func (n named) create(ctx context.Context, env Env, in flow.Inputs) (Result, error) {
	id, body, err := n.inputs(in, "create")
	if err != nil {
		return Result{}, err
	}
	made := Result{Outputs: flow.Outputs{n.input: id}}
	there, err := n.get(ctx, env, id)
	if err != nil {
		return Result{}, safe(err, "Failed step %s", n.step("create"))
	}
	if there.found() {
		take, err := existing(in, n.equal(there.body, body), n.kind, id)
		if err != nil || take {
			made.Adopted = take
			return made, err
		}
	}
	if err := env.Note(ctx, namedNote{Ours: true}); err != nil {
		return Result{}, err
	}
	return made, n.put(ctx, env, id, body, "create", there)
}

// look takes a resource for the one of an attempt if it is what the attempt wrote.
func (n named) look(ctx context.Context, env Env, in flow.Inputs, note json.RawMessage) (Result, error) {
	id, body, err := n.inputs(in, "create")
	if err != nil {
		return Result{}, err
	}
	var noted namedNote
	if note == nil || json.Unmarshal(note, &noted) != nil || !noted.Ours {
		return Result{}, ErrNotMade
	}
	there, err := n.get(ctx, env, id)
	switch {
	case err != nil:
		return Result{}, safe(err, "Failed step %s", n.step("create"))
	case !there.found() || !n.equal(there.body, body):
		return Result{}, ErrNotMade
	}
	return Result{Outputs: flow.Outputs{n.input: id}}, nil
}

// update writes over a resource.
func (n named) update(ctx context.Context, env Env, in flow.Inputs) (Result, error) {
	id, body, err := n.inputs(in, "update")
	if err != nil {
		return Result{}, err
	}
	var there namedThere
	if n.over != nil {
		if there, err = n.get(ctx, env, id); err != nil {
			return Result{}, safe(err, "Failed step %s", n.step("update"))
		}
	}
	return Result{Outputs: flow.Outputs{n.input: id}}, n.put(ctx, env, id, body, "update", there)
}

// put writes a resource, over the one that is there if there is one.
func (n named) put(ctx context.Context, env Env, id, body, verb string, there namedThere) error {
	call := opensearch.Call{Method: http.MethodPut, Path: n.at(id)}
	if n.over != nil && there.found() {
		call.Query = n.over(there.answer)
	}
	if body != "" {
		call.Body = json.RawMessage(body)
	}
	if err := n.client(env).Do(ctx, call, nil); err != nil {
		return safe(err, "Failed step %s", n.step(verb))
	}
	return nil
}

// namedThere is a resource that is there; the zero value is none.
type namedThere struct {
	body   string
	answer json.RawMessage
}

func (t namedThere) found() bool { return t.answer != nil }

func (n named) get(ctx context.Context, env Env, id string) (namedThere, error) {
	var answer json.RawMessage
	err := n.client(env).Do(ctx, opensearch.Call{Method: http.MethodGet, Path: n.at(id)}, &answer)
	if fault.HasStatus(err, http.StatusNotFound) {
		return namedThere{}, nil
	}
	if err != nil {
		return namedThere{}, err
	}
	find := n.find
	if find == nil {
		find = member
	}
	there := find(answer, id)
	if there == nil {
		return namedThere{}, nil
	}
	return namedThere{string(there), answer}, nil
}

// member is the member of an answer that has the resource's name.
func member(answer json.RawMessage, id string) json.RawMessage {
	var byName map[string]json.RawMessage
	if json.Unmarshal(answer, &byName) != nil {
		return nil
	}
	return byName[id]
}

func (n named) exists(ctx context.Context, env Env, in flow.Inputs) (bool, error) {
	there, err := n.get(ctx, env, text(in, n.input))
	return there.found(), err
}

func (n named) remove(ctx context.Context, env Env, in flow.Inputs) (Result, error) {
	id := text(in, n.input)
	if err := single(n.input, id); err != nil {
		return Result{}, err
	}
	err := n.client(env).Do(ctx, opensearch.Call{Method: http.MethodDelete, Path: n.at(id)}, nil)
	if err != nil && !fault.HasStatus(err, http.StatusNotFound) {
		return Result{}, safe(err, "Failed to delete the %s %s", n.kind, id)
	}
	return Result{Outputs: flow.Outputs{n.input: id}}, nil
}

// making is the step that makes a resource of this kind; optional are inputs that it reads besides its own.
func (n named) making(optional ...string) Step {
	return Step{Optional: append(optional, keep...), Run: n.create, Look: n.look, Check: n.check, Exists: n.exists}
}
