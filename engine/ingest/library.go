// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"bytes"
	"encoding/json"
	"sync"
)

// library keeps pipelines as they were parsed, until their texts change. It is safe for concurrent use.
type library[P any] struct {
	// stored gives the text of a pipeline, nil for one that does not exist.
	stored func(id string) json.RawMessage
	// parse reads a pipeline; was is what it was before, nil if it is new.
	parse func(id string, body *Object, was *P) (*P, error)

	mu     sync.Mutex
	parsed map[string]parsed[P]
}

// parsed is a pipeline with the text that it was parsed from.
type parsed[P any] struct {
	body     json.RawMessage
	pipeline *P
}

// find is the pipeline of an id, nil if there is none.
func (l *library[P]) find(id string) (*P, error) {
	body := l.stored(id)
	l.mu.Lock()
	defer l.mu.Unlock()
	if body == nil {
		delete(l.parsed, id)
		return nil, nil
	}
	known := l.parsed[id]
	if known.pipeline != nil && bytes.Equal(known.body, body) {
		return known.pipeline, nil
	}
	o, err := ParseObject(body)
	if err != nil {
		return nil, err
	}
	p, err := l.parse(id, o, known.pipeline)
	if err != nil {
		return nil, err
	}
	if l.parsed == nil {
		l.parsed = map[string]parsed[P]{}
	}
	l.parsed[id] = parsed[P]{body, p}
	return p, nil
}

// SearchPipelines finds search pipelines. It is safe for concurrent use.
type SearchPipelines struct{ library library[SearchPipeline] }

// NewSearchPipelines returns the search pipelines that stored gives, nil for one that does not exist.
func NewSearchPipelines(stored func(id string) json.RawMessage) *SearchPipelines {
	parse := func(id string, body *Object, _ *SearchPipeline) (*SearchPipeline, error) {
		return ParseSearch(id, body)
	}
	return &SearchPipelines{library[SearchPipeline]{stored: stored, parse: parse}}
}

// Find is the search pipeline of an id, nil if there is none.
func (s *SearchPipelines) Find(id string) (*SearchPipeline, error) { return s.library.find(id) }
