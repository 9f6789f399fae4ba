// SPDX-License-Identifier: Apache-2.0

package ml

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// preProcessor makes parameters of texts.
type preProcessor struct {
	// batch is how many texts go into one call; 0 means all.
	batch int
	apply func(texts []string) map[string]any
	// ranks is true if the texts are to be compared with a query.
	ranks bool
}

// preProcessors are the functions that ML Commons knows by name, for texts.
var preProcessors = map[string]*preProcessor{
	"connector.pre_process.cohere.embedding":     {apply: listAs("texts")},
	"connector.pre_process.openai.embedding":     {apply: listAs("input")},
	defaultPreProcess:                            {apply: listAs("input")},
	"connector.pre_process.bedrock.embedding":    {batch: 1, apply: oneAs("inputText")},
	"connector.pre_process.multimodal.embedding": {batch: 2, apply: oneAs("inputText", "inputImage")},
	"connector.pre_process.cohere.rerank":        {apply: ranked, ranks: true},
	"connector.pre_process.default.rerank":       {apply: ranked, ranks: true},
}

// defaultPreProcess is what an action without a function does to texts.
const defaultPreProcess = "connector.pre_process.default.embedding"

// listAs makes one parameter of all texts.
func listAs(name string) func([]string) map[string]any {
	return func(texts []string) map[string]any { return map[string]any{name: texts} }
}

// oneAs makes a parameter of each text, as many as there are.
func oneAs(names ...string) func([]string) map[string]any {
	return func(texts []string) map[string]any {
		out := map[string]any{}
		for i, text := range texts {
			if i < len(names) {
				out[names[i]] = text
			}
		}
		return out
	}
}

// ranked makes the parameters of texts that are to be compared with a query, which is a parameter of its own.
func ranked(texts []string) map[string]any {
	return map[string]any{"documents": texts, "top_n": len(texts)}
}

// postProcessors are the functions that ML Commons knows by name, for vectors and ranks, with the path at which they
// find them.
var postProcessors = map[string]string{
	"connector.post_process.openai.embedding":            "$.data[*].embedding",
	"connector.post_process.cohere.embedding":            "$.embeddings",
	"connector.post_process.cohere_v2.embedding.float":   "$.embeddings.float",
	"connector.post_process.cohere_v2.embedding.int8":    "$.embeddings.int8",
	"connector.post_process.cohere_v2.embedding.uint8":   "$.embeddings.uint8",
	"connector.post_process.cohere_v2.embedding.binary":  "$.embeddings.binary",
	"connector.post_process.cohere_v2.embedding.ubinary": "$.embeddings.ubinary",
	"connector.post_process.bedrock.embedding":           "$.embedding",
	"connector.post_process.bedrock_v2.embedding.float":  "$.embeddingsByType.float",
	"connector.post_process.bedrock_v2.embedding.binary": "$.embeddingsByType.binary",
	"connector.post_process.bedrock.nova.embedding":      "$.embeddings[*].embedding",
	"connector.post_process.default.embedding":           "$[*]",
	"connector.post_process.cohere.rerank":               "$.results",
	"connector.post_process.bedrock.rerank":              "$.results",
	"connector.post_process.default.rerank":              "$[*]",
}

// scores are the names of the member with the rank, of the functions for ranks.
var scores = map[string]string{
	"connector.post_process.cohere.rerank":  "relevance_score",
	"connector.post_process.bedrock.rerank": "relevanceScore",
	"connector.post_process.default.rerank": "relevance_score",
}

// dataTypes are the kinds of numbers by what a path says; anything else is FLOAT32.
var dataTypes = []string{"INT8", "UINT8", "UBINARY", "BINARY"}

func dataType(path string) string {
	for _, t := range dataTypes {
		if strings.HasSuffix(strings.ToUpper(path), "."+t) {
			return t
		}
	}
	return "FLOAT32"
}

// parameters makes the parameters of one call of texts, as they stand in its body: texts for between quotation marks,
// also those that are JSON themselves.
func (p *preProcessor) parameters(texts []string) (map[string]string, error) {
	out := map[string]string{}
	for name, v := range p.apply(texts) {
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

// tensors makes what a model answers of what its service answered.
func (a *Action) tensors(answer []byte, filter string) ([]Tensor, error) {
	if a.PostProcess != nil {
		if filter == "" {
			filter = postProcessors[*a.PostProcess]
		}
		found, err := readPath(answer, filter)
		if err != nil {
			return nil, err
		}
		if score := scores[*a.PostProcess]; score != "" {
			return ranks(found, score)
		}
		return vectors(found, dataType(filter))
	}
	var response any = json.RawMessage(answer)
	if filter != "" {
		found, err := readPath(answer, filter)
		if err != nil {
			return nil, err
		}
		response = found
	}
	return mapTensor(response)
}

// mapTensor is the tensor of an answer that no function reads: an object as it is, anything else as its only member.
func mapTensor(response any) ([]Tensor, error) {
	body, err := wire.Marshal(response)
	if err != nil {
		text, isText := response.(json.RawMessage)
		if !isText {
			return nil, err
		}
		body, err = wire.Marshal(string(text)) // an answer that is no JSON
		if err != nil {
			return nil, err
		}
	}
	if !bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) {
		if body, err = wire.Marshal(wire.Obj("response", json.RawMessage(body))); err != nil {
			return nil, err
		}
	}
	return []Tensor{{Name: "response", Map: body}}, nil
}

// vectors makes a tensor of each vector: found is one, or a list of them.
func vectors(found any, kind string) ([]Tensor, error) {
	rows, ok := found.([]any)
	if !ok {
		return nil, fault.Illegal("Post process function result is not a list.")
	}
	if len(rows) > 0 {
		if _, nested := rows[0].([]any); !nested {
			rows = []any{rows}
		}
	}
	out := make([]Tensor, 0, len(rows))
	for _, row := range rows {
		values, ok := row.([]any)
		if !ok {
			return nil, fault.Illegal("The embedding should be a non-empty List containing Float values.")
		}
		t := Tensor{Name: "sentence_embedding", DataType: kind, Shape: []int{len(values)}}
		for _, v := range values {
			n, ok := v.(json.Number)
			if !ok {
				return nil, fault.Illegal("The embedding should be a non-empty List containing Float values.")
			}
			t.Data = append(t.Data, n)
		}
		out = append(out, t)
	}
	return out, nil
}

// ranks makes a tensor of the rank of each text, in the order of the texts.
func ranks(found any, score string) ([]Tensor, error) {
	rows, ok := found.([]any)
	if !ok {
		return nil, fault.Illegal("Post process function input is not a List.")
	}
	out := make([]Tensor, len(rows))
	for _, row := range rows {
		rank, ok := row.(map[string]any)
		if !ok {
			return nil, fault.Illegal("Post process function input is not a List of Map.")
		}
		index, hasIndex := rank["index"].(json.Number)
		value, hasScore := rank[score].(json.Number)
		if !hasIndex || !hasScore {
			return nil, fault.Illegal("The rerank result should contain index and %s.", score)
		}
		i, err := strconv.Atoi(index.String())
		if err != nil || i < 0 || i >= len(out) || out[i].Name != "" {
			return nil, fault.Illegal("the ranks of the remote service are not those of %d documents: [%s] is not one or is there twice", len(rows), index)
		}
		out[i] = Tensor{Name: "similarity", DataType: "FLOAT32", Shape: []int{1}, Data: []json.Number{value}}
	}
	return out, nil
}
