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

// postProcessor reads an answer of a service.
type postProcessor struct {
	path string // where it looks, unless the connector has a filter of its own
	read func(found any, path string) ([]Tensor, error)
}

// postProcessors are the functions that ML Commons knows by name.
var postProcessors = map[string]*postProcessor{
	"connector.post_process.openai.embedding":            {"$.data[*].embedding", vectors},
	"connector.post_process.cohere.embedding":            {"$.embeddings", vectors},
	"connector.post_process.cohere_v2.embedding.float":   {"$.embeddings.float", vectors},
	"connector.post_process.cohere_v2.embedding.int8":    {"$.embeddings.int8", vectors},
	"connector.post_process.cohere_v2.embedding.uint8":   {"$.embeddings.uint8", vectors},
	"connector.post_process.cohere_v2.embedding.binary":  {"$.embeddings.binary", vectors},
	"connector.post_process.cohere_v2.embedding.ubinary": {"$.embeddings.ubinary", vectors},
	"connector.post_process.bedrock.embedding":           {"$.embedding", vector},
	"connector.post_process.bedrock_v2.embedding.float":  {"$.embeddingsByType.float", vector},
	"connector.post_process.bedrock_v2.embedding.binary": {"$.embeddingsByType.binary", vector},
	"connector.post_process.bedrock.nova.embedding":      {"$.embeddings[*].embedding", vectors},
	"connector.post_process.default.embedding":           {"$[*]", vectors},
	"connector.post_process.cohere.rerank":               {"$.results", ranks("relevance_score")},
	"connector.post_process.bedrock.rerank":              {"$.results", ranks("relevanceScore")},
	"connector.post_process.default.rerank":              {"$[*]", ranks("relevance_score")},
	"connector.post_process.bedrock.batch_job_arn":       {"$", batchJob},
	"connector.post_process.mlcommons.passthrough":       {"$", passedThrough},
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

// tensors makes what a model answers of what its service answered.
func (a *Action) tensors(answer []byte, filter string) ([]Tensor, error) {
	if a.PostProcess != nil {
		post := postProcessors[*a.PostProcess]
		if post == nil {
			return nil, unknownFunction("post_process_function", *a.PostProcess)
		}
		if filter == "" {
			filter = post.path
		}
		found, err := readPath(answer, filter)
		if err != nil {
			return nil, err
		}
		return post.read(found, filter)
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

// vectors makes a tensor of each vector of a list.
func vectors(found any, path string) ([]Tensor, error) {
	rows, ok := found.([]any)
	if !ok {
		return nil, errNoList()
	}
	out := make([]Tensor, 0, len(rows))
	for _, row := range rows {
		if _, ok := row.([]any); !ok {
			return nil, fault.Illegal("Post process function input is not a List of List.")
		}
		t, err := vector(row, path)
		if err != nil {
			return nil, err
		}
		out = append(out, t...)
	}
	return out, nil
}

func errNoList() error { return fault.Illegal("Post process function input is not a List.") }

// vector makes a tensor of one vector.
func vector(found any, path string) ([]Tensor, error) {
	values, ok := found.([]any)
	if !ok {
		return nil, errNoList()
	}
	t := Tensor{Name: "sentence_embedding", DataType: dataType(path), Shape: []int{len(values)}}
	for _, v := range values {
		n, ok := v.(json.Number)
		if !ok {
			return nil, fault.Illegal("The embedding should be a non-empty List containing Float values.")
		}
		t.Data = append(t.Data, n)
	}
	return []Tensor{t}, nil
}

// ranks makes a tensor of the rank of each text, in the order of the texts. score is the member that has the rank.
func ranks(score string) func(any, string) ([]Tensor, error) {
	return func(found any, _ string) ([]Tensor, error) {
		rows, ok := found.([]any)
		if !ok {
			return nil, errNoList()
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
}

// batchJob adds the name of a batch job as it stands in a URL.
func batchJob(found any, _ string) ([]Tensor, error) {
	job, ok := found.(map[string]any)
	if !ok {
		return nil, fault.Illegal("Post process function input is not a Map.")
	}
	arn, ok := job["jobArn"].(string)
	if !ok {
		return nil, fault.Illegal("job arn is missing.")
	}
	job["processedJobArn"] = strings.ReplaceAll(arn, "/", "%2F")
	return mapTensor(job)
}

// passedThrough are the tensors that a service answers which is ML Commons itself.
func passedThrough(found any, _ string) ([]Tensor, error) {
	answer, ok := found.(map[string]any)
	if !ok {
		return nil, fault.Illegal("Post process function input must be a Map or List")
	}
	results, ok := answer["inference_results"].([]any)
	if !ok {
		return mapTensor(answer)
	}
	out := []Tensor{}
	for _, result := range results {
		r, _ := result.(map[string]any)
		tensors, _ := r["output"].([]any)
		for _, tensor := range tensors {
			body, err := wire.Marshal(tensor)
			if err != nil {
				return nil, err
			}
			var t Tensor
			if err := json.Unmarshal(body, &t); err != nil {
				return nil, fault.Illegal("the remote service has answered a tensor that is none")
			}
			if t.Name == "" {
				t.Name = "output"
			}
			out = append(out, t)
		}
	}
	return out, nil
}
