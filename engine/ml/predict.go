// SPDX-License-Identifier: Apache-2.0

package ml

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// Tensor is one result of a model.
type Tensor struct {
	Name     string          `json:"name,omitempty"`
	DataType string          `json:"data_type,omitempty"`
	Shape    []int           `json:"shape,omitempty"`
	Data     []json.Number   `json:"data,omitempty"`
	Result   string          `json:"result,omitempty"`
	Map      json.RawMessage `json:"dataAsMap,omitempty"`
}

// Tensors are the results of one call.
type Tensors struct {
	Output []Tensor `json:"output"`
	Status int      `json:"status_code"`
}

// Output is what a prediction answers.
type Output struct {
	Results []Tensors `json:"inference_results"`
}

// Input is what a model is asked.
type Input struct {
	// Texts are documents to embed, or to compare with Query; nil if Parameters are for the model as they are.
	Texts      texts
	Query      *string
	Parameters map[string]string
	// Action is the type of the connector's action; "" means PREDICT.
	Action string
}

// ParseInput reads the body of a prediction.
func ParseInput(body []byte) (in Input, err error) {
	err = wire.ReadObject(body, func(p *wire.Parser, name string) (err error) {
		switch name {
		case "text_docs":
			in.Texts = texts{}
			err = p.Array(func() error {
				text, err := p.TextOrNull()
				in.Texts = append(in.Texts, text)
				return err
			})
		case "query_text":
			err = optional(p, &in.Query)
		case "parameters":
			in.Parameters, err = parameterMap(p)
		case "action_type":
			err = required(p, &in.Action)
			in.Action = strings.ToUpper(in.Action)
		case "return_number", "return_bytes", "target_response", "target_response_positions":
			err = p.Skip() // a remote model answers what it answers
		default:
			err = fault.Unsupported("[" + name + "] of a prediction")
		}
		return err
	})
	if err == nil && in.Action != "" && !slices.Contains(actionTypes, in.Action) {
		err = fault.Illegal("Wrong Action type of %s", in.Action)
	}
	if err == nil && in.Texts == nil && in.Parameters == nil {
		err = fault.Illegal("Input is null")
	}
	return in, err
}

// Predict asks a model. A remote model that is not deployed is deployed first, if the settings let it. A local model
// fails: nothing here can run it.
func (s *Service) Predict(ctx context.Context, id string, in Input) (*Output, error) {
	m, err := s.model(id)
	if err != nil {
		return nil, err
	}
	if m.Algorithm != remote {
		return nil, fault.Unsupported("running a local model [" + id + "] (" + strings.ToLower(m.Algorithm) + ")")
	}
	if err := s.remoteEnabled(); err != nil {
		return nil, err
	}
	if m.Enabled != nil && !*m.Enabled {
		return nil, fault.Status(http.StatusForbidden, "Model is disabled.")
	}
	if err := m.limits(); err != nil {
		return nil, err
	}
	connectorID, c, err := s.connectorOf(id, m)
	if err != nil {
		return nil, err
	}
	if err := s.makeReady(ctx, id, m); err != nil {
		return nil, err
	}
	action := in.Action
	if action == "" {
		action = predict
	}
	a := c.action(action)
	if a == nil {
		return nil, fault.Illegal("no %s action found", action)
	}
	return s.ask(ctx, connectorID, c, a, in)
}

// connectorOf is a model's connector: one of its own, or one that it names. The id is where its credentials stand.
func (s *Service) connectorOf(id string, m *Model) (string, *Connector, error) {
	if m.Connector != nil {
		return id, m.Connector, nil
	}
	if m.ConnectorID == "" {
		return "", nil, fault.Illegal("the model [%s] has no connector", id)
	}
	c, err := s.connector(m.ConnectorID)
	return m.ConnectorID, c, err
}

// makeReady deploys a model that is not deployed.
func (s *Service) makeReady(ctx context.Context, id string, m *Model) error {
	if m.deployed() {
		return nil
	}
	if !s.enabled(autoDeploy) {
		return fault.Illegal("Model not ready yet. Please run this first: POST /_plugins/_ml/models/%s/_deploy", id)
	}
	_, err := s.Deploy(ctx, id)
	return err
}

// ask makes the calls of a prediction: one for its parameters, or one for each batch of its texts.
func (s *Service) ask(ctx context.Context, connectorID string, c *Connector, a *Action, in Input) (*Output, error) {
	values := maps.Clone(c.Parameters)
	if values == nil {
		values = map[string]string{}
	}
	maps.Copy(values, in.Parameters)
	if in.Texts == nil {
		maps.Copy(values, escaped(in.Parameters))
		tensors, err := s.once(ctx, connectorID, c, a, values)
		if err != nil {
			return nil, err
		}
		return &Output{Results: []Tensors{tensors}}, nil
	}
	pre := preProcessors[defaultPreProcess]
	if a.PreProcess != nil {
		pre = preProcessors[*a.PreProcess]
	}
	if pre == nil {
		return nil, unknownFunction("pre_process_function", *a.PreProcess)
	}
	calls, err := pre.calls(in, values)
	if err != nil {
		return nil, err
	}
	out := &Output{Results: []Tensors{}}
	for _, of := range calls {
		tensors, err := s.once(ctx, connectorID, c, a, of)
		if err != nil {
			return nil, err
		}
		out.Results = append(out.Results, tensors)
	}
	return out, nil
}

func (s *Service) once(ctx context.Context, connectorID string, c *Connector, a *Action, values map[string]string) (Tensors, error) {
	answer, err := s.call(ctx, connectorID, c, a, values)
	if err != nil {
		return Tensors{}, err
	}
	tensors, err := a.tensors(answer, values["response_filter"])
	return Tensors{Output: tensors, Status: http.StatusOK}, err
}

// Embed makes a vector of each text, with a model whose connector reads vectors out of its service's answers.
func (s *Service) Embed(ctx context.Context, model string, docs []string) ([][]float32, error) {
	in := Input{Texts: make(texts, len(docs))}
	for i := range docs {
		in.Texts[i] = &docs[i]
	}
	out, err := s.Predict(ctx, model, in)
	if err != nil {
		return nil, err
	}
	var vectors [][]float32
	for _, result := range out.Results {
		for _, t := range result.Output {
			if t.Data == nil {
				return nil, fault.Illegal("the model [%s] does not answer with vectors: its connector has no post_process_function for embeddings", model)
			}
			v := make([]float32, len(t.Data))
			for i, n := range t.Data {
				f, err := strconv.ParseFloat(n.String(), 32)
				if err != nil {
					return nil, fault.Illegal("the model [%s] answers a number that is too large: %s", model, n)
				}
				v[i] = float32(f)
			}
			vectors = append(vectors, v)
		}
	}
	if len(vectors) != len(docs) {
		return nil, fault.Illegal("the model [%s] answers %d vectors for %d texts", model, len(vectors), len(docs))
	}
	return vectors, nil
}

// Rank tells how well each text fits a query, with a model whose connector reads ranks out of its service's answers.
func (s *Service) Rank(ctx context.Context, model, query string, docs []string) ([]float64, error) {
	in := Input{Texts: make(texts, len(docs)), Query: &query}
	for i := range docs {
		in.Texts[i] = &docs[i]
	}
	out, err := s.Predict(ctx, model, in)
	if err != nil {
		return nil, err
	}
	var ranks []float64
	for _, result := range out.Results {
		for _, t := range result.Output {
			if len(t.Data) == 0 {
				return nil, fault.Illegal("the model [%s] does not answer with ranks: its connector has no post_process_function for ranks", model)
			}
			f, err := strconv.ParseFloat(t.Data[0].String(), 64)
			if err != nil {
				return nil, fault.Illegal("the model [%s] answers a number that is too large: %s", model, t.Data[0])
			}
			ranks = append(ranks, f)
		}
	}
	if len(ranks) != len(docs) {
		return nil, fault.Illegal("the model [%s] answers %d ranks for %d texts", model, len(ranks), len(docs))
	}
	return ranks, nil
}
