// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/opensteward/steward/engine/query"
	"github.com/opensteward/steward/fault"
)

// adHocID is the id of a search pipeline that stands in the request itself.
const adHocID = "_ad_hoc_pipeline"

// SearchPipeline changes a search before it runs and its hits afterwards.
type SearchPipeline struct {
	requests, responses []*searchStep
	// results work on the scores of hybrid queries. There are none here, so they have nothing to do; they are checked and
	// kept.
	results []*searchStep
}

// searchStep is a processor of a search pipeline: request or response is set.
type searchStep struct {
	ignoreFailure bool
	request       func(run *SearchRun, r *query.Request) error
	response      func(run *SearchRun, res *query.Response) error
}

// SearchRun is one search on its way through a pipeline.
type SearchRun struct {
	pipeline *SearchPipeline
	// sizes are what oversampling multiplied, by the name that later processors know them by.
	sizes map[string]int
	// ext is what the search says to processors; nil if nothing.
	ext  json.RawMessage
	rank Ranker
}

// Run begins a search. rank may be nil where there are no models.
func (p *SearchPipeline) Run(rank Ranker) *SearchRun {
	return &SearchRun{pipeline: p, sizes: map[string]int{}, rank: rank}
}

// Request lets the pipeline change the search.
func (run *SearchRun) Request(r *query.Request) error {
	run.ext = r.Ext
	for _, s := range run.pipeline.requests {
		if err := s.request(run, r); err != nil && !s.ignoreFailure {
			return err
		}
	}
	return nil
}

// Response lets the pipeline change the hits.
func (run *SearchRun) Response(res *query.Response) error {
	for _, s := range run.pipeline.responses {
		if err := s.response(run, res); err != nil && !s.ignoreFailure {
			return err
		}
	}
	return nil
}

// searchFactory reads a processor's parameters.
type searchFactory func(c *config) *searchStep

func requestFactories() map[string]searchFactory {
	return map[string]searchFactory{
		"filter_query": newFilterQuery, "oversample": newOversample, "neural_query_enricher": newQueryEnricher,
		"agentic_query_translator": newQueryTranslator,
		"ml_inference":             kept("ml_inference", inferenceParameters...),
		"neural_sparse_two_phase_processor": kept("neural_sparse_two_phase_processor",
			"", "enabled", "two_phase_parameter"),
	}
}

func responseFactories() map[string]searchFactory {
	return map[string]searchFactory{
		"truncate_hits": newTruncateHits, "rename_field": newRenameField, "sort": newSortHits, "split": newSplitHits, "collapse": newCollapse,
		"agentic_context": newAgenticContext, "retrieval_augmented_generation": newGeneration,
		"ml_inference": kept("ml_inference", inferenceParameters...),
		"rerank":       newRerank,
	}
}

func resultFactories() map[string]searchFactory {
	return map[string]searchFactory{"normalization-processor": newNormalization, "score-ranker-processor": newScoreRanker}
}

// SearchTypes are the processors that search pipelines may have, by name.
func SearchTypes() (requests, responses, results []string) {
	return slices.Sorted(maps.Keys(requestFactories())), slices.Sorted(maps.Keys(responseFactories())), slices.Sorted(maps.Keys(resultFactories()))
}

// ParseSearch reads a search pipeline.
func ParseSearch(id string, body *Object) (*SearchPipeline, error) {
	c := &config{values: body}
	c.optional("description", "")
	c.number("version", 0)
	p := &SearchPipeline{}
	for _, part := range []struct {
		name      string
		factories map[string]searchFactory
		into      *[]*searchStep
	}{
		{"request_processors", requestFactories(), &p.requests},
		{"response_processors", responseFactories(), &p.responses},
		{"phase_results_processors", resultFactories(), &p.results},
	} {
		list := c.list(part.name)
		if c.err != nil {
			return nil, c.err
		}
		var err error
		if *part.into, err = parseSearchSteps(part.name, list, part.factories); err != nil {
			return nil, err
		}
	}
	if names := c.unread(); len(names) > 0 {
		return nil, fault.Parse("pipeline [%s] doesn't support one or more provided configuration parameters %s", id, bracketed(names))
	}
	return p, nil
}

// ParseAdHoc reads the search pipeline of a request.
func ParseAdHoc(body []byte) (*SearchPipeline, error) {
	o, err := ParseObject(body)
	if err != nil {
		return nil, err
	}
	return ParseSearch(adHocID, o)
}

func parseSearchSteps(name string, list *List, factories map[string]searchFactory) ([]*searchStep, error) {
	if list == nil {
		return nil, nil
	}
	var out []*searchStep
	for _, item := range list.items {
		o, ok := item.(*Object)
		if !ok {
			return nil, wrong("", "", name, "property isn't a map, but of type [%s]", javaType(item))
		}
		for _, m := range o.members {
			one, err := parseSearchStep(m.Name, m.Value, factories)
			if err != nil {
				return nil, err
			}
			out = append(out, one)
		}
	}
	return out, nil
}

func parseSearchStep(typ string, body any, factories map[string]searchFactory) (*searchStep, error) {
	newStep, known := factories[typ]
	if !known && typ == "script" {
		return nil, fault.Unsupported("the search processor [script]")
	}
	if !known {
		return nil, fault.Illegal("Invalid processor type %s", typ)
	}
	values, ok := body.(*Object)
	if !ok {
		return nil, wrong(typ, "", "", "property isn't a map, but of type [%s]", javaType(body))
	}
	general := &config{values: values}
	tag := general.optional("tag", "")
	ignoreFailure := general.flag("ignore_failure", false)
	general.optional("description", "")
	if general.err != nil {
		return nil, general.err
	}
	c := &config{typ: typ, tag: tag, values: values, read: general.read}
	one := newStep(c)
	if c.err != nil {
		return nil, c.err
	}
	if names := c.unread(); len(names) > 0 {
		if tag != "" {
			typ += ":" + tag
		}
		return nil, fault.Parse("processor [%s] doesn't support one or more provided configuration parameters: %s", typ, bracketed(names))
	}
	one.ignoreFailure = ignoreFailure
	return one, nil
}

// inferenceParameters are those of ml_inference.
var inferenceParameters = []string{
	"model_id", "function_name", "full_response_path", "model_config", "model_input", "input_map", "output_map", "query_template",
	"ignore_missing", "max_prediction_tasks", "override", "one_to_one", "optional_input_map", "optional_output_map", "ext",
}

// kept is a processor that is stored, because templates create it, and fails by name when it runs: it needs a model or an
// agent at search time. The first parameter has to be there, unless it is "".
func kept(typ string, parameters ...string) searchFactory {
	return func(c *config) *searchStep {
		for i, name := range parameters {
			if i == 0 && name != "" {
				c.text(name)
			} else {
				c.take(name)
			}
		}
		return refusing(typ)
	}
}

// refusing is a processor that fails by name when it runs.
func refusing(typ string) *searchStep {
	refuse := fault.Unsupported("running the search processor [" + typ + "]")
	return &searchStep{
		request:  func(*SearchRun, *query.Request) error { return refuse },
		response: func(*SearchRun, *query.Response) error { return refuse },
	}
}
