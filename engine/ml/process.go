// SPDX-License-Identifier: Apache-2.0

package ml

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// preProcessor makes parameters of texts.
type preProcessor struct {
	// batch is how many texts go into one call; 0 means all.
	batch int
	apply func(texts []string) map[string]any
}

// preProcessors are the functions that ML Commons knows by name, for texts.
var preProcessors = map[string]*preProcessor{
	"connector.pre_process.cohere.embedding":     {0, listAs("texts")},
	"connector.pre_process.openai.embedding":     {0, listAs("input")},
	defaultPreProcess:                            {0, listAs("input")},
	"connector.pre_process.bedrock.embedding":    {1, oneAs("inputText")},
	"connector.pre_process.multimodal.embedding": {2, oneAs("inputText", "inputImage")},
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

// postProcessors are the functions that ML Commons knows by name, for vectors, with the path at which they find them.
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
	"connector.post_process.default.embedding":           "$[*]",
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

// parameters makes the parameters of one call of texts.
func (p *preProcessor) parameters(texts []string) (map[string]string, error) {
	out := map[string]string{}
	for name, v := range p.apply(texts) {
		if text, ok := v.(string); ok {
			out[name] = text
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
