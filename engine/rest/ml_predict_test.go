// SPDX-License-Identifier: Apache-2.0

package rest_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// model registers a remote model over a new connector.
func (s server) model(connector string) string {
	s.t.Helper()
	c := s.made("POST", "/_plugins/_ml/connectors/_create", connector, "connector_id")
	return s.made("POST", "/_plugins/_ml/models/_register?deploy=true", `{"name":"m","function_name":"remote","connector_id":"`+c+`"}`, "model_id")
}

func TestPredictions(t *testing.T) {
	plain := func(request string, more string) string {
		return `{"name":"c","version":"1","protocol":"http","parameters":{"model":"m"` + more + `},"credential":{"key":"` + planted + `"},
			"actions":[{"action_type":"predict","method":"post","url":"{url}/x","request_body":` + request + `}]}`
	}
	ranking := strings.Replace(plain(`"{\"query\":\"${parameters.query}\",\"documents\":${parameters.documents},\"top_n\":${parameters.top_n}}"`, ""), `"request_body"`,
		`"pre_process_function":"connector.pre_process.cohere.rerank","post_process_function":"connector.post_process.cohere.rerank","request_body"`, 1)
	for _, c := range []struct {
		name, connector, answer string
		service                 int
		body                    string
		sent                    []string
		status                  int
		want                    string
	}{
		{
			"parameters are filled in, and what the service answers comes back", plain(`"{\"q\":\"${parameters.q}\",\"n\":${parameters.n},\"m\":\"${parameters.model}\"}"`, ""),
			`{"text":"hi"}`, 200, `{"parameters":{"q":"say \"hi\"","n":[1,2]}}`,
			[]string{`{"q":"say \"hi\"","n":[1,2],"m":"m"}`},
			200, `{"inference_results":[{"output":[{"name":"response","dataAsMap":{"text":"hi"}}],"status_code":200}]}`,
		},
		{
			"a default stands in, null without quotes", plain(`"{\"a\":\"${parameters.a:-none}\",\"b\":\"${parameters.b:-null}\"}"`, ""),
			`[1]`, 200, `{"parameters":{}}`,
			[]string{`{"a":"none","b":null}`},
			200, `{"inference_results":[{"output":[{"name":"response","dataAsMap":{"response":[1]}}],"status_code":200}]}`,
		},
		{
			"a filter takes a part of the answer", plain(`"{}"`, `,"response_filter":"$.output.content[0].text"`),
			`{"output":{"content":[{"text":"part"}]}}`, 200, `{"parameters":{}}`,
			[]string{`{}`},
			200, `{"inference_results":[{"output":[{"name":"response","dataAsMap":{"response":"part"}}],"status_code":200}]}`,
		},
		{
			"a placeholder that nothing fills", plain(`"{\"q\":\"${parameters.q}\"}"`, ""), `{}`, 200, `{"parameters":{}}`, nil,
			400, reason("illegal_argument_exception", "Some parameter placeholder not filled in payload: q", "400"),
		},
		{
			"a body that is no JSON", plain(`"{${parameters.model}}"`, ""), `{}`, 200, `{"parameters":{}}`, nil,
			400, reason("illegal_argument_exception", "Invalid payload: {m}", "400"),
		},
		{
			"the service's refusal keeps its status, and shows no secret", strings.Replace(plain(`"{}"`, ""), `"request_body"`, `"headers":{"Authorization":"Bearer ${credential.key}"},"request_body"`, 1),
			`no such key: {auth}`, 401, `{"parameters":{}}`,
			[]string{`{}`},
			401, reason("status_exception", "Error from remote service: no such key: Bearer ***", "401"),
		},
		{
			"texts go in as the function says, one by one", strings.Replace(plain(`"{\"inputText\":\"${parameters.inputText}\"}"`, ""), `"request_body"`,
				`"pre_process_function":"connector.pre_process.bedrock.embedding","post_process_function":"connector.post_process.bedrock.embedding","request_body"`, 1),
			`{"embedding":[1.5]}`, 200, `{"text_docs":["a","b\n"]}`,
			[]string{`{"inputText":"a"}`, `{"inputText":"b\n"}`},
			200, `{"inference_results":[{"output":[{"name":"sentence_embedding","data_type":"FLOAT32","shape":[1],"data":[1.5]}],"status_code":200},{"output":[{"name":"sentence_embedding","data_type":"FLOAT32","shape":[1],"data":[1.5]}],"status_code":200}]}`,
		},
		{
			"a text that is JSON itself is a text all the same", strings.Replace(plain(`"{\"inputText\":\"${parameters.inputText}\"}"`, ""), `"request_body"`,
				`"pre_process_function":"connector.pre_process.bedrock.embedding","post_process_function":"connector.post_process.bedrock.embedding","request_body"`, 1),
			`{"embedding":[1.5]}`, 200, `{"text_docs":["{\"a\":1}"]}`,
			[]string{`{"inputText":"{\"a\":1}"}`},
			200, `{"inference_results":[{"output":[{"name":"sentence_embedding","data_type":"FLOAT32","shape":[1],"data":[1.5]}],"status_code":200}]}`,
		},
		{
			"ranks are in the order of the texts", ranking, `{"results":[{"index":1,"relevance_score":0.9},{"index":0,"relevance_score":0.25}]}`, 200,
			`{"query_text":"a \"q\"","text_docs":["x","y"]}`,
			[]string{`{"query":"a \"q\"","documents":["x","y"],"top_n":2}`},
			200, `{"inference_results":[{"output":[{"name":"similarity","data_type":"FLOAT32","shape":[1],"data":[0.25]},{"name":"similarity","data_type":"FLOAT32","shape":[1],"data":[0.9]}],"status_code":200}]}`,
		},
		{
			"ranks of a query in parameters", ranking, `{"results":[{"index":0,"relevance_score":0.25}]}`, 200,
			`{"parameters":{"query":"q","documents":["x"],"top_n":1}}`,
			[]string{`{"query":"q","documents":["x"],"top_n":1}`},
			200, `{"inference_results":[{"output":[{"name":"similarity","data_type":"FLOAT32","shape":[1],"data":[0.25]}],"status_code":200}]}`,
		},
		{
			"ranks without a query", ranking, `{}`, 200, `{"text_docs":["x"]}`, nil,
			400, reason("illegal_argument_exception", "This pre_process_function can only support TextSimilarityInputDataSet", "400"),
		},
		{
			"ranks that are none", ranking, `{"results":[{"index":0}]}`, 200, `{"query_text":"q","text_docs":["x"]}`,
			[]string{`{"query":"q","documents":["x"],"top_n":1}`},
			400, reason("illegal_argument_exception", "The rerank result should contain index and relevance_score.", "400"),
		},
		{
			"ranks of what was not asked for", ranking, `{"results":[{"index":7,"relevance_score":1}]}`, 200, `{"query_text":"q","text_docs":["x"]}`,
			[]string{`{"query":"q","documents":["x"],"top_n":1}`},
			400, reason("illegal_argument_exception", "the ranks of the remote service are not those of 1 documents: [7] is not one or is there twice", "400"),
		},
		{
			"an action that the connector does not have", plain(`"{}"`, ""), `{}`, 200, `{"parameters":{},"action_type":"batch_predict"}`, nil,
			400, reason("illegal_argument_exception", "no BATCH_PREDICT action found", "400"),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := mlServer(t)
			service := serve(t, c.answer)
			service.status = c.service
			m := s.model(strings.ReplaceAll(c.connector, "{url}", service.URL))
			wants(t, s.call("POST", "/_plugins/_ml/models/"+m+"/_predict", c.body), c.status, c.want)
			if diff := cmp.Diff(c.sent, service.bodies); diff != "" {
				t.Error(diff)
			}
		})
	}
}
