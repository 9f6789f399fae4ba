// SPDX-License-Identifier: Apache-2.0

package step

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/flow"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire"
)

// aliasInput is the type of an alias as a resource. Its id is "index/alias": the alias of one index.
const aliasInput = "alias_name"

// createAlias gives an index an alias. One that is there already is adopted.
func createAlias(ctx context.Context, env Env, in flow.Inputs) (Result, error) {
	name, alias, err := aliasInputs(in)
	if err != nil {
		return Result{}, err
	}
	made := aliasMade(name, alias)
	there, err := hasAlias(ctx, env, name, alias)
	if err != nil {
		return Result{}, safe(err, "Failed to create the alias %s", alias)
	}
	if there {
		made.Adopted = true
		return made, nil
	}
	if err := env.Note(ctx, namedNote{Ours: true}); err != nil {
		return Result{}, err
	}
	return made, addAlias(ctx, env, in, name, alias, "Failed to create the alias %s")
}

// updateAlias gives an alias other properties.
func updateAlias(ctx context.Context, env Env, in flow.Inputs) (Result, error) {
	name, alias, err := aliasInputs(in)
	if err != nil {
		return Result{}, err
	}
	return aliasMade(name, alias), addAlias(ctx, env, in, name, alias, "Failed to update the alias %s")
}

// addAlias puts an alias on an index, in place of one of the same name.
func addAlias(ctx context.Context, env Env, in flow.Inputs, name, alias, failure string) error {
	body := wire.Obj("index", name, "alias", alias)
	if in.Has("configurations") {
		var more map[string]json.RawMessage
		if json.Unmarshal([]byte(text(in, "configurations")), &more) != nil {
			return failed(http.StatusBadRequest, nil, failure, alias)
		}
		for member, v := range more {
			body.Add(member, v)
		}
	}
	if _, err := env.Client.UpdateAliases(ctx, []any{wire.Obj("add", body)}); err != nil {
		return safe(err, failure, alias)
	}
	return nil
}

func checkAlias(_ Env, in flow.Inputs) error {
	_, _, err := aliasInputs(in)
	return err
}

func aliasInputs(in flow.Inputs) (name, alias string, err error) {
	name, alias = text(in, "index_name"), text(in, aliasInput)
	if err := index(name); err != nil {
		return "", "", err
	}
	return name, alias, single(aliasInput, alias)
}

func aliasMade(name, alias string) Result {
	return Result{Outputs: flow.Outputs{aliasInput: name + "/" + alias}}
}

// lookAlias takes an alias for the one of an attempt that noted that there was none.
func lookAlias(ctx context.Context, env Env, in flow.Inputs, note json.RawMessage) (Result, error) {
	name, alias, err := aliasInputs(in)
	if err != nil {
		return Result{}, err
	}
	if note == nil {
		return Result{}, ErrNotMade
	}
	there, err := hasAlias(ctx, env, name, alias)
	switch {
	case err != nil:
		return Result{}, safe(err, "Failed to create the alias %s", alias)
	case !there:
		return Result{}, ErrNotMade
	}
	return aliasMade(name, alias), nil
}

func aliasExists(ctx context.Context, env Env, in flow.Inputs) (bool, error) {
	name, alias, err := aliasInputs(in)
	if err != nil {
		return false, nil // for the step to refuse
	}
	return hasAlias(ctx, env, name, alias)
}

func hasAlias(ctx context.Context, env Env, name, alias string) (bool, error) {
	err := env.Client.Do(ctx, opensearch.Call{Method: http.MethodGet, Path: opensearch.Path(name, "_alias", alias)}, nil)
	if fault.HasStatus(err, http.StatusNotFound) {
		return false, nil
	}
	return err == nil, err
}

// deleteAlias takes an alias from its index.
func deleteAlias(ctx context.Context, env Env, in flow.Inputs) (Result, error) {
	id := text(in, aliasInput)
	name, alias, ok := strings.Cut(id, "/")
	if !ok || single(aliasInput, alias) != nil || index(name) != nil {
		return Result{}, failed(http.StatusBadRequest, nil, "Input [%s] does not name the alias of one index: [%s]", aliasInput, id)
	}
	err := env.Client.Do(ctx, opensearch.Call{Method: http.MethodDelete, Path: opensearch.Path(name, "_alias", alias)}, nil)
	if err != nil && !fault.HasStatus(err, http.StatusNotFound) {
		return Result{}, safe(err, "Failed to delete the alias %s", id)
	}
	return aliasMade(name, alias), nil
}
