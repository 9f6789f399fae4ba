// SPDX-License-Identifier: Apache-2.0

package step

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/flow"
	"github.com/opensteward/steward/opensearch"
)

var reindexOptions = []string{"refresh", "requests_per_second", "require_alias", "slices", "max_docs"}

// reindex copies documents and waits until all are there. Without requests_per_second it is not throttled (the plugin
// fails without it).
func reindex(ctx context.Context, env Env, in flow.Inputs) (Result, error) {
	source, dest := text(in, "source_index"), text(in, "destination_index")
	call, err := reindexCall(in, source, dest)
	if err != nil {
		return Result{}, err
	}
	call.OpaqueID = env.OpaqueID
	var answer struct{ Failures []json.RawMessage }
	if err := env.Client.Do(ctx, call, &answer); err != nil {
		return Result{}, failed(fault.Of(err).Status, err, "Failed to reindex from source %s to %s", source, dest)
	}
	if len(answer.Failures) > 0 {
		return Result{}, failed(http.StatusBadRequest, nil, "Failed to get bulk response [%s]", joined(answer.Failures))
	}
	return Result{Outputs: flow.Outputs{"reindex": map[string]string{"destination_index": dest, "source_index": source}}}, nil
}

func joined(failures []json.RawMessage) string {
	texts := make([]string, len(failures))
	for i, f := range failures {
		texts[i] = string(f)
	}
	return strings.Join(texts, ", ")
}

func reindexCall(in flow.Inputs, source, dest string) (opensearch.Call, error) {
	query := url.Values{"wait_for_completion": {"true"}}
	body := map[string]any{
		"source": map[string]any{"index": strings.Split(source, ",")},
		"dest":   map[string]any{"index": dest},
	}
	for _, name := range reindexOptions {
		if !in.Has(name) {
			continue
		}
		v := text(in, name)
		if err := checkReindexOption(name, v); err != nil {
			return opensearch.Call{}, err
		}
		switch {
		case name == "max_docs":
			body[name] = json.Number(v)
		case name == "requests_per_second" && strings.HasPrefix(v, "-"):
			query.Set(name, "-1")
		default:
			query.Set(name, v)
		}
	}
	return opensearch.Call{Method: http.MethodPost, Path: "/_reindex", Query: query, Body: body}, nil
}

func checkReindexOption(name, v string) error {
	var err error
	switch name {
	case "refresh", "require_alias":
		if _, err = boolean(v); err != nil {
			return failed(http.StatusBadRequest, err, "Failed to reindex %s", fault.Of(err).Reason)
		}
		return nil
	case "requests_per_second":
		_, err = strconv.ParseFloat(v, 32)
	default:
		_, err = strconv.ParseInt(v, 10, 32)
	}
	if err != nil {
		return failed(http.StatusBadRequest, err, "Failed to reindex For input string: \"%s\"", v)
	}
	return nil
}
