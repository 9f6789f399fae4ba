// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/opensteward/steward/fault"
)

// vectorKey is the member that holds a vector where a field has several.
const vectorKey = "knn"

// newTextEmbedding puts beside each text the vector that a model makes of it; a list of texts becomes a list of
// {"knn":vector}.
func newTextEmbedding(s *Service, c *config) processor {
	model, fields := c.model(), c.fieldMap()
	return func(ctx context.Context, d *Document) (bool, error) {
		todo, err := collectTexts(d, fields)
		if err != nil || len(todo.texts) == 0 {
			return err == nil, err
		}
		if s.predictor == nil {
			return false, fault.Unsupported("running the processor [text_embedding] without models")
		}
		vectors, err := s.predictor.Embed(ctx, model, todo.texts)
		if err != nil {
			return false, err
		}
		if len(vectors) != len(todo.texts) {
			return false, fault.IllegalState("the model [%s] made %d vectors of %d texts", model, len(vectors), len(todo.texts))
		}
		for i, put := range todo.puts {
			put(vectorList(vectors[i]))
		}
		return true, nil
	}
}

// model reads what processors that ask a model share.
func (c *config) model() string {
	model := c.text("model_id")
	c.number("batch_size", 1)
	if c.err == nil && strings.TrimSpace(model) == "" {
		c.fail(located(fault.Illegal("model_id is null or empty, cannot process it"), c.typ, c.tag, ""))
	}
	if c.flag("skip_existing", false) {
		c.fail(located(fault.Unsupported("[skip_existing] of the processor ["+c.typ+"]"), c.typ, c.tag, "skip_existing"))
	}
	return model
}

// inferences are the texts of a document and what to do with the vector of each.
type inferences struct {
	texts []string
	puts  []func(vector *List)
}

func collectTexts(d *Document, fields *fieldMap) (*inferences, error) {
	todo := &inferences{}
	err := fields.each(d.fields, func(holder *Object, name, target string) error {
		v, _ := holder.Get(name)
		if err := checkTexts(name, v, false); err != nil {
			return err
		}
		switch v := v.(type) {
		case string:
			todo.texts = append(todo.texts, v)
			todo.puts = append(todo.puts, func(vector *List) { holder.Set(target, vector) })
		case *List:
			all := &List{}
			for _, item := range v.items {
				one := NewObject()
				all.items = append(all.items, one)
				todo.texts = append(todo.texts, item.(string))
				todo.puts = append(todo.puts, func(vector *List) {
					one.Set(vectorKey, vector)
					holder.Set(target, all)
				})
			}
		}
		return nil
	})
	return todo, err
}

func vectorList(vector []float32) *List {
	out := &List{items: make([]any, len(vector))}
	for i, f := range vector {
		out.items[i] = json.Number(strconv.FormatFloat(float64(f), 'g', -1, 32))
	}
	return out
}

// newSparseEncoding is kept, because templates create it; it fails on a document with a text, since the models it needs
// cannot run here.
func newSparseEncoding(_ *Service, c *config) processor {
	c.model()
	fields := c.fieldMap()
	c.optional("prune_type", "")
	c.take("prune_ratio")
	return func(_ context.Context, d *Document) (bool, error) {
		todo, err := collectTexts(d, fields)
		if err == nil && len(todo.texts) > 0 {
			err = fault.Unsupported("running the processor [sparse_encoding]")
		}
		return err == nil, err
	}
}

// newTextImageEmbedding is kept as newSparseEncoding is.
func newTextImageEmbedding(_ *Service, c *config) processor {
	c.model()
	c.text("embedding")
	inputs := c.asObject("field_map", c.need("field_map"))
	if c.err != nil {
		return nil
	}
	for _, name := range inputs.Names() {
		if name != "text" && name != "image" {
			c.fail(located(fault.Illegal("Unable to create the TextImageEmbedding processor with provided field name(s). Following names are supported [%s]", "text, image"), c.typ, c.tag, ""))
		}
	}
	return func(_ context.Context, d *Document) (bool, error) {
		for _, m := range inputs.members {
			if v, _ := d.fields.Get(text(m.Value)); v != nil {
				return false, fault.Unsupported("running the processor [text_image_embedding]")
			}
		}
		return true, nil
	}
}
