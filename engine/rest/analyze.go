// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"cmp"
	"context"
	"strings"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/engine/mapping"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

func (s *Server) analyzeRoutes(rt *rest.Router) {
	for _, method := range []string{"GET", "POST"} {
		rt.Handle(method, "/_analyze", s.analyze)
		rt.Handle(method, "/{index}/_analyze", s.analyze)
	}
}

// analysisRequest is a text to split, and by what.
type analysisRequest struct {
	analyzer, field, normalizer string
	texts                       []string
}

// analyze shows how texts are split by a built-in analyzer, or by that of a field.
func (s *Server) analyze(r *rest.Request) (rest.Action, error) {
	name := r.Path("index")
	body, err := requireBodyOrSource(r)
	if err != nil {
		return nil, err
	}
	req, err := parseAnalysis(body)
	if err != nil {
		return nil, err
	}
	var wrong []string
	if len(req.texts) == 0 {
		wrong = append(wrong, "text is missing")
	}
	if name == "" && req.normalizer != "" {
		wrong = append(wrong, "index is required if normalizer is specified")
	}
	if len(wrong) > 0 {
		return nil, fault.Validation(wrong...)
	}
	return func(context.Context) (*rest.Response, error) {
		var index *catalog.Index
		if name != "" {
			t, err := s.Catalog.State().ReadTarget(name, s.Clock.Now())
			if err != nil {
				return nil, err
			}
			index = t.Index
		}
		split, gap, err := req.splitter(index)
		if err != nil {
			return nil, err
		}
		return rest.OK(wire.Obj("tokens", tokensOf(req.texts, split, gap))), nil
	}, nil
}

func parseAnalysis(body []byte) (req analysisRequest, err error) {
	err = wire.ReadObject(body, func(p *wire.Parser, name string) (err error) {
		switch name {
		case "analyzer":
			req.analyzer, err = p.Text()
		case "field":
			req.field, err = p.Text()
		case "normalizer":
			req.normalizer, err = p.Text()
		case "text":
			req.texts, err = p.TextOrTexts()
		case "attributes":
			err = p.Skip() // of an explanation
		case "explain":
			var on bool
			if on, err = p.Bool(); err == nil && on {
				err = fault.Unsupported("[explain] of an analysis")
			}
		case "tokenizer", "filter", "char_filter":
			err = fault.Unsupported("[" + name + "] of an analysis")
		default:
			err = p.UnknownField("analyze_request", name)
		}
		return err
	})
	return req, err
}

// fieldGap is how many positions lie between the values of a field (OpenSearch's position_increment_gap).
const fieldGap = 100

// splitter chooses what splits the texts, and how many positions lie between two of them.
func (req analysisRequest) splitter(index *catalog.Index) (split func(string) []mapping.Token, gap int, err error) {
	if index != nil {
		gap = fieldGap
	}
	switch {
	case req.field != "" && index == nil:
		return nil, 0, fault.Illegal("analysis based on a specific field requires an index")
	case req.normalizer != "" && req.normalizer != "lowercase":
		return nil, 0, fault.Illegal("failed to find normalizer under [%s]", req.normalizer)
	case req.normalizer != "":
		return func(text string) []mapping.Token {
			tokens, _ := mapping.Tokens("keyword", strings.ToLower(text))
			return tokens
		}, 0, nil
	case req.field != "" && req.analyzer == "":
		if f := index.Mapping.Field(req.field); f != nil {
			if _, ok := f.QueryTokens(""); !ok {
				return nil, 0, fault.Illegal("Can't process field [%s], Analysis requests are only supported on tokenized fields", req.field)
			}
			return func(text string) []mapping.Token {
				tokens, _ := f.QueryTokens(text)
				return tokens
			}, gap, nil
		}
	}
	analyzer := cmp.Or(req.analyzer, "standard")
	if _, ok := mapping.Tokens(analyzer, ""); !ok {
		kind := "global analyzer"
		if index != nil {
			kind = "analyzer"
		}
		return nil, 0, fault.Illegal("failed to find %s [%s]", kind, analyzer)
	}
	return func(text string) []mapping.Token {
		tokens, _ := mapping.Tokens(analyzer, text)
		return tokens
	}, gap, nil
}

// tokensOf are the tokens of texts that stand one behind another.
func tokensOf(texts []string, split func(string) []mapping.Token, gap int) []wire.Object {
	out := []wire.Object{}
	position, offset := 0, 0
	for _, text := range texts {
		next := position
		for _, t := range split(text) {
			out = append(out, wire.Obj("token", t.Term, "start_offset", offset+t.Start, "end_offset", offset+t.End, "type", t.Type, "position", position+t.Position))
			next = position + t.Position + 1
		}
		position, offset = next+gap, offset+mapping.Units(text)+1
	}
	return out
}
