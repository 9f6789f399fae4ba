// SPDX-License-Identifier: Apache-2.0

package rest_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// actionWith is a connector whose action has these functions; "" has none.
func actionWith(t *testing.T, url, body, pre, post string) string {
	t.Helper()
	action := map[string]string{"action_type": "predict", "method": "POST", "url": url, "request_body": body}
	if pre != "" {
		action["pre_process_function"] = "connector.pre_process." + pre
	}
	if post != "" {
		action["post_process_function"] = "connector.post_process." + post
	}
	text, err := json.Marshal(map[string]any{
		"name": "c", "version": "1", "protocol": "http", "credential": map[string]string{"key": planted}, "actions": []any{action},
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestEachPreProcessFunctionMakesItsParameters calls a service through every function that ML Commons knows by name.
func TestEachPreProcessFunctionMakesItsParameters(t *testing.T) {
	const (
		two     = `{"text_docs":["a","b"]}`
		list    = `{"x":${parameters.%s}}`
		titan   = `{"t":"${parameters.inputText}","d":${parameters.dimensions}}`
		twoOf   = `{"t":"${parameters.inputText:-null}","i":"${parameters.inputImage:-null}"}`
		ranks   = `{"q":"${parameters.query}","d":${parameters.documents},"n":${parameters.top_n}}`
		sources = `{"q":${parameters.queries},"s":${parameters.sources},"n":${parameters.numberOfResults}}`
		ranked  = `{"query_text":"q","text_docs":["a","b"]}`
	)
	s := mlServer(t)
	for _, c := range []struct {
		function, template, input string
		sent                      []string
		refusal                   string
	}{
		{"openai.embedding", fmt.Sprintf(list, "input"), two, []string{`{"x":["a","b"]}`}, ""},
		{"default.embedding", fmt.Sprintf(list, "input"), two, []string{`{"x":["a","b"]}`}, ""},
		{"", fmt.Sprintf(list, "input"), two, []string{`{"x":["a","b"]}`}, ""},
		{"cohere.embedding", fmt.Sprintf(list, "texts"), two, []string{`{"x":["a","b"]}`}, ""},
		{"cohere.multimodal_embedding", fmt.Sprintf(list, "images"), two, []string{`{"x":["a","b"]}`}, ""},
		{"cohere.multimodal_embedding", fmt.Sprintf(list, "images"), `{"text_docs":[]}`, nil, "No image provided"},
		{"bedrock.embedding", titan, two, []string{`{"t":"a","d":1024}`, `{"t":"b","d":1024}`}, ""},
		{"bedrock.nova.text_embedding", titan, `{"text_docs":["a"],"parameters":{"dimensions":256}}`, []string{`{"t":"a","d":256}`}, ""},
		{"bedrock.multimodal_embedding", twoOf, two, []string{`{"t":"a","i":"b"}`}, ""},
		{"bedrock.multimodal_embedding", twoOf, `{"text_docs":[null,"b"]}`, []string{`{"t":null,"i":"b"}`}, ""},
		{"bedrock.multimodal_embedding", twoOf, `{"text_docs":["a"]}`, []string{`{"t":"a","i":null}`}, ""},
		{"bedrock.multimodal_embedding", twoOf, `{"text_docs":[null]}`, nil, "No input text or image provided"},
		{"multimodal.embedding", twoOf, two, []string{`{"t":"a","i":"b"}`}, ""},
		{"bedrock.nova.image_embedding", `{"x":"${parameters.inputImage}"}`, two, []string{`{"x":"a"}`, `{"x":"b"}`}, ""},
		{"bedrock.nova.image_embedding", `{"x":"${parameters.inputImage}"}`, `{"text_docs":[]}`, nil, "No input image provided"},
		{"bedrock.nova.video_embedding", `{"x":"${parameters.inputVideo}"}`, two, []string{`{"x":"a"}`, `{"x":"b"}`}, ""},
		{"bedrock.nova.video_embedding", `{"x":"${parameters.inputVideo}"}`, `{"text_docs":[]}`, nil, "No input video provided"},
		{"bedrock.nova.audio_embedding", `{"x":"${parameters.inputAudio}"}`, two, []string{`{"x":"a"}`, `{"x":"b"}`}, ""},
		{"bedrock.nova.audio_embedding", `{"x":"${parameters.inputAudio}"}`, `{"text_docs":[]}`, nil, "No input audio provided"},
		{"cohere.rerank", ranks, ranked, []string{`{"q":"q","d":["a","b"],"n":2}`}, ""},
		{"default.rerank", ranks, ranked, []string{`{"q":"q","d":["a","b"],"n":2}`}, ""},
		{
			"bedrock.rerank", sources, ranked,
			[]string{`{"q":[{"type":"TEXT","textQuery":{"text":"q"}}],"s":[{"type":"INLINE","inlineDocumentSource":{"type":"TEXT","textDocument":{"text":"a"}}},` +
				`{"type":"INLINE","inlineDocumentSource":{"type":"TEXT","textDocument":{"text":"b"}}}],"n":2}`},
			"",
		},
		{"bedrock.rerank", sources, two, nil, "This pre_process_function can only support TextSimilarityInputDataSet"},
		{"openai.embedding", fmt.Sprintf(list, "input"), ranked, nil, "This pre_process_function can only support TextDocsInputDataSet"},
		{"openai.embedding", fmt.Sprintf(list, "input"), `{"parameters":{"input":["as it is"]}}`, []string{`{"x":["as it is"]}`}, ""},
	} {
		t.Run(c.function+" "+c.input, func(t *testing.T) {
			service := serve(t, `{}`)
			m := s.model(actionWith(t, service.URL+"/x", c.template, c.function, ""))
			w := s.call("POST", "/_plugins/_ml/models/"+m+"/_predict", c.input)
			if c.refusal != "" {
				wants(t, w, 400, reason("illegal_argument_exception", c.refusal, "400"))
			} else if w.Code != 200 {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			if diff := cmp.Diff(c.sent, service.bodies); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestEachPostProcessFunctionReadsItsAnswer reads what services answer with every function that ML Commons knows by name.
func TestEachPostProcessFunctionReadsItsAnswer(t *testing.T) {
	vector := func(kind string) string {
		return `{"name":"sentence_embedding","data_type":"` + kind + `","shape":[2],"data":[1,2]}`
	}
	const ranks = `{"name":"similarity","data_type":"FLOAT32","shape":[1],"data":[0.5]},{"name":"similarity","data_type":"FLOAT32","shape":[1],"data":[0.9]}`
	s := mlServer(t)
	for _, c := range []struct{ function, answer, output, refusal string }{
		{"openai.embedding", `{"data":[{"embedding":[1,2]},{"embedding":[1,2]}]}`, vector("FLOAT32") + "," + vector("FLOAT32"), ""},
		{"cohere.embedding", `{"embeddings":[[1,2]]}`, vector("FLOAT32"), ""},
		{"cohere.embedding", `{"embeddings":[1,2]}`, "", "Post process function input is not a List of List."},
		{"cohere.embedding", `{"embeddings":{}}`, "", "Post process function input is not a List."},
		{"cohere_v2.embedding.float", `{"embeddings":{"float":[[1,2]]}}`, vector("FLOAT32"), ""},
		{"cohere_v2.embedding.int8", `{"embeddings":{"int8":[[1,2]]}}`, vector("INT8"), ""},
		{"cohere_v2.embedding.uint8", `{"embeddings":{"uint8":[[1,2]]}}`, vector("UINT8"), ""},
		{"cohere_v2.embedding.binary", `{"embeddings":{"binary":[[1,2]]}}`, vector("BINARY"), ""},
		{"cohere_v2.embedding.ubinary", `{"embeddings":{"ubinary":[[1,2]]}}`, vector("UBINARY"), ""},
		{"bedrock.embedding", `{"embedding":[1,2]}`, vector("FLOAT32"), ""},
		{"bedrock.embedding", `{"embedding":["x"]}`, "", "The embedding should be a non-empty List containing Float values."},
		{"bedrock_v2.embedding.float", `{"embeddingsByType":{"float":[1,2]}}`, vector("FLOAT32"), ""},
		{"bedrock_v2.embedding.binary", `{"embeddingsByType":{"binary":[1,2]}}`, vector("BINARY"), ""},
		{"bedrock.nova.embedding", `{"embeddings":[{"embedding":[1,2]}]}`, vector("FLOAT32"), ""},
		{"default.embedding", `[[1,2]]`, vector("FLOAT32"), ""},
		{"cohere.rerank", `{"results":[{"index":1,"relevance_score":0.9},{"index":0,"relevance_score":0.5}]}`, ranks, ""},
		{"bedrock.rerank", `{"results":[{"index":1,"relevanceScore":0.9},{"index":0,"relevanceScore":0.5}]}`, ranks, ""},
		{"bedrock.rerank", `{"results":[{"index":1}]}`, "", "The rerank result should contain index and relevanceScore."},
		{"default.rerank", `[{"index":1,"relevance_score":0.9},{"index":0,"relevance_score":0.5}]`, ranks, ""},
		{"bedrock.batch_job_arn", `{"jobArn":"arn:x/y"}`, `{"name":"response","dataAsMap":{"jobArn":"arn:x/y","processedJobArn":"arn:x%2Fy"}}`, ""},
		{"bedrock.batch_job_arn", `{"job":1}`, "", "job arn is missing."},
		{"bedrock.batch_job_arn", `[]`, "", "Post process function input is not a Map."},
		{
			"mlcommons.passthrough", `{"inference_results":[{"output":[{"name":"n","data_type":"FLOAT32","shape":[1],"data":[3]},{"result":"text","dataAsMap":{"a":[1]}}],"status_code":200}]}`,
			`{"name":"n","data_type":"FLOAT32","shape":[1],"data":[3]},{"name":"output","result":"text","dataAsMap":{"a":[1]}}`, "",
		},
		{"mlcommons.passthrough", `{"other":1}`, `{"name":"response","dataAsMap":{"other":1}}`, ""},
		{"mlcommons.passthrough", `[1]`, "", "Post process function input must be a Map or List"},
	} {
		t.Run(c.function+" "+c.answer, func(t *testing.T) {
			m := s.model(actionWith(t, serve(t, c.answer).URL+"/x", `{}`, "", c.function))
			w := s.call("POST", "/_plugins/_ml/models/"+m+"/_predict", `{"parameters":{}}`)
			if c.refusal != "" {
				wants(t, w, 400, reason("illegal_argument_exception", c.refusal, "400"))
				return
			}
			wants(t, w, 200, `{"inference_results":[{"output":[`+c.output+`],"status_code":200}]}`)
		})
	}
}

// TestAFunctionThatIsNoneOfMLCommonsIsRefusedByName makes connectors with functions that cannot run here.
func TestAFunctionThatIsNoneOfMLCommonsIsRefusedByName(t *testing.T) {
	s := mlServer(t)
	for _, c := range []struct{ pre, post, text string }{
		{"nobody.embedding", "", "the pre_process_function [connector.pre_process.nobody.embedding] is not supported by the embedded engine"},
		{"", "nobody.embedding", "the post_process_function [connector.post_process.nobody.embedding] is not supported by the embedded engine"},
	} {
		wants(t, s.call("POST", "/_plugins/_ml/connectors/_create", actionWith(t, "http://127.0.0.1/x", "{}", c.pre, c.post)), 400,
			reason("illegal_argument_exception", c.text, "400"))
	}
	script := strings.Replace(actionWith(t, "http://127.0.0.1/x", "{}", "x", ""), "connector.pre_process.x", "StringBuilder b = new StringBuilder(); return b;", 1)
	wants(t, s.call("POST", "/_plugins/_ml/connectors/_create", script), 400,
		reason("illegal_argument_exception", "a script as pre_process_function of a connector is not supported by the embedded engine", "400"))
}

// TestHitsAreRankedByAModel sends the texts of hits, and the text of the search's ext, to a service that ranks them.
func TestHitsAreRankedByAModel(t *testing.T) {
	s := mlServer(t)
	service := serve(t, `{"results":[{"index":0,"relevance_score":0.25},{"index":1,"relevance_score":0.75}]}`)
	body := `{"q":"${parameters.query}","d":${parameters.documents}}`
	m := s.model(actionWith(t, service.URL+"/x", body, "cohere.rerank", "cohere.rerank"))
	s.do("PUT", "/i/_doc/1?refresh=true", `{"n":1,"title":"one","tags":["a","b"]}`)
	s.do("PUT", "/i/_doc/2?refresh=true", `{"n":2,"inner":{"title":"two"}}`)
	search := `{"sort":["n"],"_source":["n"],"ext":{"rerank":{"query_context":{"query_text":"say \"it\""}}},` +
		`"search_pipeline":{"response_processors":[{"rerank":{"ml_opensearch":{"model_id":"` + m + `"},"context":{"document_fields":["title","tags","inner.title"]}}}]}}`
	if got := s.found("/i/_search", strings.Replace(search, `"_source":["n"],`, "", 1)); !strings.HasPrefix(got, `{"n":2`) {
		t.Errorf("the hits are %s", got)
	}
	if diff := cmp.Diff([]string{`{"q":"say \"it\"","d":["onea b","two"]}`}, service.bodies); diff != "" {
		t.Error(diff)
	}
	if got := s.found("/i/_search", strings.Replace(search, "query_text", "query_text_path", 1)); got != "[query_text_path] of a query_context is not supported by the embedded engine" {
		t.Errorf("a path: %s", got)
	}
	if got := s.found("/i/_search", strings.Replace(search, m, "nobody", 1)); got != "Failed to find model with the provided model id: nobody" {
		t.Errorf("no model: %s", got)
	}
}
