// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"sync"

	"github.com/opensteward/steward/fault"
)

// None is the name that stands for no pipeline.
const None = "_none"

// Service finds pipelines. It is safe for concurrent use.
type Service struct {
	stored    func(id string) json.RawMessage
	predictor Predictor

	// total counts documents that went through pipelines on their way to an index.
	total  metric
	mu     sync.Mutex
	parsed map[string]parsed
}

// parsed is a pipeline with the text that it was parsed from.
type parsed struct {
	body     json.RawMessage
	pipeline *Pipeline
}

// NewService returns a service of the pipelines that stored gives, nil for one that does not exist. predictor may be nil
// where there are no models.
func NewService(stored func(id string) json.RawMessage, predictor Predictor) *Service {
	return &Service{stored: stored, predictor: predictor, parsed: map[string]parsed{}}
}

// Find is the pipeline of an id, nil if there is none.
func (s *Service) Find(id string) (*Pipeline, error) {
	body := s.stored(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if body == nil {
		delete(s.parsed, id)
		return nil, nil
	}
	known, ok := s.parsed[id]
	if ok && bytes.Equal(known.body, body) {
		return known.pipeline, nil
	}
	o, err := ParseObject(body)
	if err != nil {
		return nil, err
	}
	p, err := s.Parse(id, o)
	if err != nil {
		return nil, err
	}
	if ok {
		p.metric = known.pipeline.metric
	}
	s.parsed[id] = parsed{body, p}
	return p, nil
}

// Process runs the pipeline of an id on a document that is to be written. One that does not exist is a 400.
func (s *Service) Process(ctx context.Context, id string, d *Document) (keep bool, err error) {
	done := s.total.begin()
	defer func() { done(err) }()
	p, err := s.Find(id)
	if err == nil && p == nil {
		err = fault.Illegal("pipeline with id [%s] does not exist", id)
	}
	if err != nil {
		return false, err
	}
	return p.Run(ctx, d)
}
