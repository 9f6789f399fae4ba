// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"maps"
	"slices"

	"github.com/opensteward/steward/fault"
)

// A factory makes a processor of its parameters; mistakes are noted in c.
type factory func(s *Service, c *config) processor

// factories are the processors that run here, by type. (A function, since foreach makes processors of any type.)
func factories() map[string]factory {
	return map[string]factory{
		"append": newAppend, "copy": newCopy, "dot_expander": newDotExpander, "remove": newRemove, "remove_by_pattern": newRemoveByPattern,
		"rename": newRename, "set": newSet,
		"bytes": newBytes, "gsub": newGsub, "join": newJoin, "lowercase": newLowercase, "split": newSplit, "trim": newTrim,
		"uppercase": newUppercase, "urldecode": newURLDecode,
		"convert": newConvert, "date": newDate, "date_index_name": newDateIndexName, "dissect": newDissect, "json": newJSON,
		"kv": newKeyValue, "sort": newSort,
		callType: newCall, "drop": newDrop, "fail": newFail, "foreach": newForeach,
		"sparse_encoding": newSparseEncoding, "text_chunking": newTextChunking, "text_embedding": newTextEmbedding,
		"text_image_embedding": newTextImageEmbedding,
	}
}

// refused are OpenSearch's processors that are not here.
var refused = []string{
	"acl_routing", "community_id", "csv", "fingerprint", "geoip", "grok", "hierarchical_routing",
	"html_strip", "ip2geo", "script", "temporal_routing", "user_agent",
}

// Types are the processors that pipelines may have, by name.
func Types() []string {
	return slices.Sorted(maps.Keys(factories()))
}

// Parse reads a pipeline.
func (s *Service) Parse(id string, body *Object) (*Pipeline, error) {
	c := &config{values: body}
	c.optional("description", "")
	c.number("version", 0)
	list := c.asList("processors", c.need("processors"))
	if c.err != nil {
		return nil, c.err
	}
	p := &Pipeline{ID: id, metric: &metric{}}
	var err error
	if p.steps, err = s.parseSteps(list); err != nil {
		return nil, err
	}
	onFailure := c.list("on_failure")
	if c.err != nil {
		return nil, c.err
	}
	if p.onFailure, err = s.parseSteps(onFailure); err != nil {
		return nil, err
	}
	if names := c.unread(); len(names) > 0 {
		return nil, fault.Parse("pipeline [%s] doesn't support one or more provided configuration parameters %s", id, bracketed(names))
	}
	if onFailure != nil && len(p.onFailure) == 0 {
		return nil, fault.Parse("pipeline [%s] cannot have an empty on_failure option defined", id)
	}
	return p, nil
}

// parseSteps reads a list of processors and tells of all mistakes.
func (s *Service) parseSteps(list *List) ([]*step, error) {
	if list == nil {
		return nil, nil
	}
	var steps []*step
	var mistakes []*fault.Error
	for _, item := range list.items {
		o, ok := item.(*Object)
		if !ok {
			mistakes = append(mistakes, wrong("", "", "processors", "property isn't a map, but of type [%s]", javaType(item)))
			continue
		}
		for _, m := range o.members {
			one, err := s.parseStep(m.Name, m.Value)
			if err != nil {
				mistakes = append(mistakes, err)
				continue
			}
			steps = append(steps, one)
		}
	}
	return steps, suppressing(mistakes)
}

// parseStep reads one processor.
func (s *Service) parseStep(typ string, body any) (*step, *fault.Error) {
	if body == nil {
		return nil, wrong(typ, "", "", "the config of processor [%s] cannot be null", typ)
	}
	if slices.Contains(refused, typ) {
		return nil, located(fault.Unsupported("the processor ["+typ+"]"), typ, "", "")
	}
	values, ok := body.(*Object)
	if !ok {
		return nil, wrong(typ, "", "", "property isn't a map, but of type [%s]", javaType(body))
	}
	one := &step{typ: typ}
	general := &config{values: values}
	one.tag = general.optional("tag", "")
	general.tag = one.tag
	one.description = general.optional("description", "")
	general.tag = ""
	one.ignoreFailure = general.flag("ignore_failure", false)
	if general.err != nil {
		return nil, general.err
	}
	if source := general.take("if"); source != nil {
		var err error
		if one.condition, err = parseCondition(source); err != nil {
			return nil, located(fault.Of(err), typ, one.tag, "")
		}
	}
	return one, s.parseRest(one, general)
}

// parseRest reads what depends on the type.
func (s *Service) parseRest(one *step, general *config) *fault.Error {
	newProcessor, known := factories()[one.typ]
	if !known {
		return wrong(one.typ, one.tag, "", "No processor type exists with name [%s]", one.typ)
	}
	list := general.list("on_failure")
	if general.err != nil {
		return general.err
	}
	var err error
	if one.onFailure, err = s.parseSteps(list); err != nil {
		return fault.Of(err)
	}
	if list != nil && len(one.onFailure) == 0 {
		return wrong(one.typ, one.tag, "on_failure", "processors list cannot be empty")
	}
	c := &config{typ: one.typ, tag: one.tag, values: general.values, read: general.read}
	one.run = newProcessor(s, c)
	if c.err != nil {
		return c.err
	}
	if names := c.unread(); len(names) > 0 {
		return wrong(one.typ, one.tag, "", "processor [%s] doesn't support one or more provided configuration parameters %s", one.typ, bracketed(names))
	}
	return nil
}
