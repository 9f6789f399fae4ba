// SPDX-License-Identifier: Apache-2.0

package flowapi

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/flow/provision"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

// hidden are the fields that no search shows: who made a workflow, and secrets.
var hidden = []string{"user", "workflows.provision.nodes.user_inputs.credential", "workflows.*.nodes.user_inputs.credential"}

func (a *API) searchTemplates(r *rest.Request) (rest.Action, error) {
	return a.search(r, provision.TemplateIndex)
}

func (a *API) searchStates(r *rest.Request) (rest.Action, error) {
	return a.search(r, provision.StateIndex)
}

// search passes a search on to one of the plugin's indices, as it came; what every search here has is added as
// parameters. What was written before the search is found by it.
func (a *API) search(r *rest.Request, index string) (rest.Action, error) {
	body, err := searchBody(r)
	if err != nil {
		return nil, err
	}
	query, err := a.forced(r.HTTP.Context(), body)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (*rest.Response, error) {
		if err := a.client.Refresh(ctx, index); err != nil {
			return nil, err
		}
		var answer json.RawMessage
		call := opensearch.Call{Method: http.MethodPost, Path: opensearch.Path(index, "_search"), Query: query, Body: body}
		if err := a.client.Do(ctx, call, &answer); err != nil {
			return nil, searchFailed(err, index)
		}
		var late struct {
			TimedOut bool `json:"timed_out"`
		}
		res := rest.OK(answer)
		if json.Unmarshal(answer, &late) == nil && late.TimedOut {
			res.Status = http.StatusRequestTimeout
		}
		return res, nil
	}, nil
}

// searchBody is the body, or the parameter that stands for it.
func searchBody(r *rest.Request) (json.RawMessage, error) {
	body, err := r.Body()
	if err != nil || body != nil {
		return body, err
	}
	source := r.Param("source", "")
	if source == "" {
		return nil, fault.Parse("request body or source parameter is required")
	}
	switch kind := r.Param("source_content_type", ""); kind {
	case "":
		return nil, fault.New(http.StatusInternalServerError, "illegal_state_exception", "source and source_content_type parameters are required")
	case "application/json":
		return json.RawMessage(source), nil
	case "application/yaml":
		return wire.FromYAML([]byte(source))
	default:
		return nil, fault.New(http.StatusInternalServerError, "illegal_state_exception", "Unknown value for source_content_type [%s]", kind)
	}
}

// forced are the parameters of every search here: versions, a time limit, and which fields are left out.
func (a *API) forced(ctx context.Context, body json.RawMessage) (url.Values, error) {
	timeout, err := a.service.RequestTimeout(ctx)
	if err != nil {
		return nil, err
	}
	var given struct {
		Source json.RawMessage `json:"_source"`
	}
	_ = json.Unmarshal(body, &given) // what cannot be read is refused by whom it is passed on to
	q := url.Values{"version": {"true"}, "seq_no_primary_term": {"true"}, "timeout": {wire.HumanDuration(timeout)}}
	includes, excludes := sourceFilter(given.Source)
	if len(includes) > 0 {
		q.Set("_source_includes", strings.Join(includes, ","))
	}
	q.Set("_source_excludes", strings.Join(excludes, ","))
	return q, nil
}

// sourceFilter adds the hidden fields to what a search leaves out of documents. A search that names what it wants loses
// ui_metadata too, as with the plugin.
func sourceFilter(given json.RawMessage) (includes, excludes []string) {
	excludes = slices.Clone(hidden)
	given = bytes.TrimSpace(given)
	if len(given) == 0 {
		return nil, excludes
	}
	excludes = append(excludes, "ui_metadata")
	var filter struct {
		Includes, Include, Excludes, Exclude texted
	}
	if given[0] == '{' {
		_ = json.Unmarshal(given, &filter) // members of other kinds are none
	} else {
		_ = json.Unmarshal(given, &filter.Includes) // true and false name nothing
	}
	return append(filter.Includes, filter.Include...), append(append(excludes, filter.Excludes...), filter.Exclude...)
}

// texted is a list of texts that may be written as one text.
type texted []string

// UnmarshalJSON is part of json.Unmarshaler.
func (t *texted) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*t = texted{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(t))
}

// searchFailed words the failure of a search where the index does not exist: nobody named it.
func searchFailed(err error, index string) error {
	if !fault.Is(err, "index_not_found_exception") {
		return err
	}
	cause := fault.IndexNotFound(index, "index_or_alias")
	e := fault.Status(http.StatusNotFound, "Failed to search indices [%s]", index)
	e.Roots, e.CausedBy = []*fault.Error{cause}, cause
	return e
}
