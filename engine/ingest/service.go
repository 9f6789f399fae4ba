// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"context"
	"encoding/json"

	"github.com/opensteward/steward/fault"
)

// None is the name that stands for no pipeline.
const None = "_none"

// Service finds pipelines. It is safe for concurrent use.
type Service struct {
	library   library[Pipeline]
	predictor Predictor

	// total counts documents that went through pipelines on their way to an index.
	total metric
}

// NewService returns a service of the pipelines that stored gives, nil for one that does not exist. predictor may be nil
// where there are no models.
func NewService(stored func(id string) json.RawMessage, predictor Predictor) *Service {
	s := &Service{predictor: predictor}
	s.library = library[Pipeline]{stored: stored, parse: func(id string, body *Object, was *Pipeline) (*Pipeline, error) {
		p, err := s.Parse(id, body)
		if err == nil && was != nil {
			p.metric = was.metric
		}
		return p, err
	}}
	return s
}

// Find is the pipeline of an id, nil if there is none.
func (s *Service) Find(id string) (*Pipeline, error) { return s.library.find(id) }

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
