// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"encoding/json"
	"time"

	"github.com/opensteward/steward/fault"
)

// simulatedID is the id of a pipeline that is only simulated.
const simulatedID = "_simulate_pipeline"

// ParseSimulation reads a request to simulate a pipeline: the stored one of an id, or the one in the body, and documents
// for it.
func (s *Service) ParseSimulation(id string, body *Object, now time.Time) (p *Pipeline, docs []*Document, err error) {
	c := &config{values: body}
	if id != "" {
		if p, err = s.Find(id); err == nil && p == nil {
			err = fault.Illegal("pipeline [%s] does not exist", id)
		}
	} else if definition := c.asObject("pipeline", c.need("pipeline")); c.err == nil {
		p, err = s.Parse(simulatedID, definition)
	}
	list := c.asList("docs", c.need("docs"))
	switch {
	case err != nil:
		return nil, nil, err
	case c.err != nil:
		return nil, nil, c.err
	case len(list.items) == 0:
		return nil, nil, fault.Illegal("must specify at least one document in [docs]")
	}
	for _, item := range list.items {
		d, err := parseDocument(item, now)
		if err != nil {
			return nil, nil, err
		}
		docs = append(docs, d)
	}
	return p, docs, nil
}

func parseDocument(item any, now time.Time) (*Document, error) {
	o, ok := item.(*Object)
	if !ok {
		return nil, fault.Illegal("malformed [docs] section, should include an inner object")
	}
	c := &config{values: o}
	source := c.asObject("_source", c.need("_source"))
	index, id, routing := c.name(fieldIndex, "_index"), c.name(fieldID, "_id"), c.name(fieldRouting, "")
	if c.err != nil {
		return nil, c.err
	}
	d := NewDocument(index, id, routing, source, now)
	for _, name := range []string{fieldVersion, fieldSeqNo, fieldTerm} {
		v := c.take(name)
		if v == nil {
			continue
		}
		n, whole := isWhole(v)
		if !whole {
			return nil, fault.Illegal("Failed to parse parameter [%s], only int or long is accepted", name)
		}
		d.SetMetadata(name, n)
	}
	if kind := c.optional(fieldVersionType, ""); kind != "" {
		d.SetMetadata(fieldVersionType, kind)
	}
	if c.err != nil {
		return nil, c.err
	}
	return d, nil
}

// name is a text or a whole number.
func (c *config) name(name, def string) string {
	switch v := c.take(name).(type) {
	case nil:
		return def
	case string:
		return v
	case json.Number:
		if _, whole := isWhole(v); whole {
			return string(v)
		}
		c.wrong(name, "property isn't a string or int, but of type [%s]", javaType(v))
	default:
		c.wrong(name, "property isn't a string or int, but of type [%s]", javaType(v))
	}
	return ""
}
