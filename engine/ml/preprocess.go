// SPDX-License-Identifier: Apache-2.0

package ml

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// texts are what one call of a remote model is asked about; one may be missing (null).
type texts []*string

// preProcessor makes parameters of texts.
type preProcessor struct {
	// batch is how many texts go into one call; 0 means all.
	batch int
	apply func(in batch) map[string]any
	// ranks is true if the texts are to be compared with a query.
	ranks bool
	// missing is said where there is no first text; "" means that none is needed.
	missing string
}

// batch is what a pre-processor makes parameters of.
type batch struct {
	texts texts
	query string // of a function for ranks
	// values are the parameters of the connector and of the request.
	values map[string]string
}

// preProcessors are the functions that ML Commons knows by name, and one by a name that it had before.
var preProcessors = map[string]*preProcessor{
	"connector.pre_process.openai.embedding":             {apply: listAs("input")},
	defaultPreProcess:                                    {apply: listAs("input")},
	"connector.pre_process.cohere.embedding":             {apply: listAs("texts")},
	"connector.pre_process.cohere.multimodal_embedding":  {apply: listAs("images"), missing: "No image provided"},
	"connector.pre_process.bedrock.embedding":            {batch: 1, apply: titan},
	"connector.pre_process.bedrock.multimodal_embedding": textAndImage,
	"connector.pre_process.multimodal.embedding":         textAndImage,
	"connector.pre_process.bedrock.nova.text_embedding":  {batch: 1, apply: titan},
	"connector.pre_process.bedrock.nova.image_embedding": {batch: 1, apply: eachAs("inputImage"), missing: "No input image provided"},
	"connector.pre_process.bedrock.nova.video_embedding": {batch: 1, apply: eachAs("inputVideo"), missing: "No input video provided"},
	"connector.pre_process.bedrock.nova.audio_embedding": {batch: 1, apply: eachAs("inputAudio"), missing: "No input audio provided"},
	"connector.pre_process.cohere.rerank":                {apply: ranked, ranks: true},
	"connector.pre_process.default.rerank":               {apply: ranked, ranks: true},
	"connector.pre_process.bedrock.rerank":               {apply: sources, ranks: true},
}

// defaultPreProcess is what an action without a function does to texts.
const defaultPreProcess = "connector.pre_process.default.embedding"

var textAndImage = &preProcessor{batch: 2, apply: eachAs("inputText", "inputImage"), missing: "No input text or image provided"}

// listAs makes one parameter of all texts.
func listAs(name string) func(batch) map[string]any {
	return func(in batch) map[string]any { return map[string]any{name: in.texts} }
}

// eachAs makes a parameter of each text, as many as there are names; none of a missing one.
func eachAs(names ...string) func(batch) map[string]any {
	return func(in batch) map[string]any {
		out := map[string]any{}
		for i, text := range in.texts {
			if i < len(names) && text != nil {
				out[names[i]] = *text
			}
		}
		return out
	}
}

// titanDimensions is the length of the vectors of Amazon's models where nothing else is asked for.
const titanDimensions = 1024

// titan makes the parameters of Amazon's models for texts, which take one at a time.
func titan(in batch) map[string]any {
	out := eachAs("inputText")(in)
	n, err := strconv.Atoi(in.values["dimensions"])
	if err != nil {
		n = titanDimensions
	}
	out["dimensions"] = n
	return out
}

// ranked makes the parameters of texts that are to be compared with a query.
func ranked(in batch) map[string]any {
	return map[string]any{"query": in.query, "documents": in.texts, "top_n": len(in.texts)}
}

// sources makes the parameters of Amazon's service for ranks.
func sources(in batch) map[string]any {
	documents := make([]any, len(in.texts))
	for i, text := range in.texts {
		documents[i] = wire.Obj("type", "INLINE",
			"inlineDocumentSource", wire.Obj("type", "TEXT", "textDocument", wire.Obj("text", text)))
	}
	query := wire.Obj("type", "TEXT", "textQuery", wire.Obj("text", in.query))
	return map[string]any{"queries": []any{query}, "sources": documents, "numberOfResults": len(in.texts)}
}

// check refuses texts that the function cannot work with.
func (p *preProcessor) check(in Input) error {
	switch {
	case p.ranks && in.Query == nil:
		return fault.Illegal("This pre_process_function can only support TextSimilarityInputDataSet")
	case !p.ranks && in.Query != nil:
		return fault.Illegal("This pre_process_function can only support TextDocsInputDataSet")
	case p.missing != "" && (len(in.Texts) == 0 || len(in.Texts) == 1 && in.Texts[0] == nil):
		return fault.Illegal("%s", p.missing)
	}
	return nil
}

// calls are the parameters of each call for texts: values, and those that the function makes.
func (p *preProcessor) calls(in Input, values map[string]string) ([]map[string]string, error) {
	if err := p.check(in); err != nil {
		return nil, err
	}
	size, err := p.batchSize(values, len(in.Texts))
	if err != nil {
		return nil, err
	}
	var calls []map[string]string
	for part := range slices.Chunk(in.Texts, size) {
		b := batch{texts: part, values: values}
		if in.Query != nil {
			b.query = *in.Query
		}
		made, err := p.parameters(b)
		if err != nil {
			return nil, err
		}
		call := maps.Clone(values)
		maps.Copy(call, made)
		calls = append(calls, call)
	}
	return calls, nil
}

// parameters makes the parameters of one call, as they stand in its body: texts for between quotation marks, also those
// that are JSON themselves.
func (p *preProcessor) parameters(in batch) (map[string]string, error) {
	out := map[string]string{}
	for name, v := range p.apply(in) {
		if text, ok := v.(string); ok {
			out[name] = inQuotes(text)
			continue
		}
		body, err := wire.Marshal(v)
		if err != nil {
			return nil, err
		}
		out[name] = string(body)
	}
	return out, nil
}

// batchSize is how many texts go into one call.
func (p *preProcessor) batchSize(values map[string]string, all int) (int, error) {
	size := max(all, 1)
	if p.batch > 0 {
		size = p.batch
	}
	text, ok := values["input_docs_processed_step_size"]
	if !ok || strings.Contains(text, "${") {
		return size, nil
	}
	step, err := strconv.Atoi(text)
	if err != nil || step <= 0 {
		return 0, fault.Illegal("Invalid parameter: input_docs_processed_step_size. It must be positive integer.")
	}
	return step, nil
}
