// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"bytes"
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
	if known, ok := s.parsed[id]; ok && bytes.Equal(known.body, body) {
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
	s.parsed[id] = parsed{body, p}
	return p, nil
}

// Need is Find, or the 400 for a pipeline that a write names and that does not exist.
func (s *Service) Need(id string) (*Pipeline, error) {
	p, err := s.Find(id)
	if err == nil && p == nil {
		err = fault.Illegal("pipeline with id [%s] does not exist", id)
	}
	return p, err
}
