// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"math"
	"strconv"
	"strings"
	"unicode"

	"github.com/blevesearch/bleve/v2/analysis"
	"github.com/blevesearch/bleve/v2/analysis/tokenizer/character"
	words "github.com/blevesearch/bleve/v2/analysis/tokenizer/unicode"

	"github.com/opensteward/steward/fault"
)

// The defaults of text chunking (those of the neural search plugin).
const (
	defaultTokenLimit    = 384
	defaultCharLimit     = 2048
	defaultMaxTokenCount = 10_000
	defaultDelimiter     = "\n\n"
	defaultMaxChunks     = 100
	maxOverlapRate       = 0.5
)

// chunker cuts a text. more says whether another piece may be cut off after n; what is left is the last piece.
type chunker func(text string, more func(n int) bool) ([]string, error)

// newTextChunking cuts texts into pieces, mostly for a text_embedding behind it.
func newTextChunking(_ *Service, c *config) processor {
	fields := c.fieldMap()
	algorithm := c.asObject("algorithm", c.need("algorithm"))
	ignoreMissing := c.flag("ignore_missing", false)
	if c.err != nil {
		return nil
	}
	cut, maxChunks, err := parseChunking(algorithm)
	if err != nil {
		c.fail(located(err, c.typ, c.tag, ""))
		return nil
	}
	return changing(func(d *Document) error {
		texts := 0
		err := fields.each(d.fields, func(holder *Object, name, _ string) error {
			v, _ := holder.Get(name)
			texts += len(nonEmpty(v))
			return checkTexts(name, v, true)
		})
		if err != nil {
			return err
		}
		left := maxChunks
		return fields.each(d.fields, func(holder *Object, name, target string) error {
			v, here := holder.Get(name)
			if !here && ignoreMissing {
				return nil
			}
			out := &List{}
			for _, s := range nonEmpty(v) {
				pieces, err := cut(s, func(n int) bool { return maxChunks < 0 || n+texts < left })
				if err != nil {
					return err
				}
				texts, left = texts-1, left-len(pieces)
				for _, p := range pieces {
					out.items = append(out.items, p)
				}
			}
			holder.Set(target, out)
			return nil
		})
	})
}

// nonEmpty are the texts of a value, a text or a list of texts.
func nonEmpty(v any) []string {
	list := &List{items: []any{v}}
	if l, ok := v.(*List); ok {
		list = l
	}
	var out []string
	for _, item := range list.items {
		if s, ok := item.(string); ok && s != "" {
			out = append(out, s)
		}
	}
	return out
}

func parseChunking(algorithm *Object) (cut chunker, maxChunks int, err *fault.Error) {
	name, parameters := "fixed_token_length", NewObject()
	switch len(algorithm.members) {
	case 0:
	case 1:
		name = algorithm.members[0].Name
		var ok bool
		if parameters, ok = algorithm.members[0].Value.(*Object); !ok {
			return nil, 0, fault.Illegal("Unable to create text_chunking processor as parameters for [%s] algorithm must be an object", name)
		}
	default:
		return nil, 0, fault.Illegal("Unable to create text_chunking processor as [algorithm] contains multiple algorithms")
	}
	p := &chunkParameters{values: parameters}
	maxChunks = p.integer("max_chunk_limit", defaultMaxChunks)
	if p.err == nil && maxChunks <= 0 && maxChunks != -1 {
		p.err = fault.Illegal("Parameter [max_chunk_limit] must be positive or -1 to disable this parameter")
	}
	switch name {
	case "fixed_token_length":
		cut = p.fixedTokenLength()
	case "delimiter":
		cut = byDelimiter(p.text("delimiter", defaultDelimiter))
	case "fixed_char_length":
		cut = p.fixedCharLength()
	default:
		return nil, 0, fault.Illegal("Chunking algorithm [%s] is not supported. Supported chunking algorithms are [fixed_token_length, delimiter, fixed_char_length]", name)
	}
	return cut, maxChunks, p.err
}

// chunkParameters reads the parameters of an algorithm. The first mistake is kept.
type chunkParameters struct {
	values *Object
	err    *fault.Error
}

func (p *chunkParameters) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fault.Illegal(format, args...)
	}
}

func (p *chunkParameters) integer(name string, def int) int {
	v, ok := p.values.Get(name)
	if !ok {
		return def
	}
	n, err := strconv.ParseInt(text(v), 10, 32)
	if err != nil {
		p.fail("Parameter [%s] must be of java.lang.Integer type", name)
	}
	return int(n)
}

func (p *chunkParameters) positive(name string, def int) int {
	n := p.integer(name, def)
	if n <= 0 {
		p.fail("Parameter [%s] must be positive.", name)
	}
	return n
}

func (p *chunkParameters) text(name, def string) string {
	v, ok := p.values.Get(name)
	if !ok {
		return def
	}
	s, ok := v.(string)
	switch {
	case !ok:
		p.fail("Parameter [%s] must be of java.lang.String type", name)
	case s == "":
		p.fail("Parameter [%s] should not be empty.", name)
	}
	return s
}

func (p *chunkParameters) rate(name string) float64 {
	v, ok := p.values.Get(name)
	if !ok {
		return 0
	}
	f, err := strconv.ParseFloat(text(v), 64)
	switch {
	case err != nil:
		p.fail("Parameter [%s] must be of java.lang.Double type", name)
	case f < 0 || f > maxOverlapRate:
		p.fail("Parameter [%s] must be between 0.0 and 0.5, but was %s", name, text(v))
	}
	return f
}

func byDelimiter(delimiter string) chunker {
	return func(text string, more func(int) bool) (out []string, _ error) {
		for more(len(out)) {
			at := strings.Index(text, delimiter)
			if at < 0 {
				break
			}
			at += len(delimiter)
			out, text = append(out, text[:at]), text[at:]
		}
		if text != "" {
			out = append(out, text)
		}
		return out, nil
	}
}

// fixedTokenLength cuts after so many words; with an overlap each piece begins with the last words of the one before.
func (p *chunkParameters) fixedTokenLength() chunker {
	limit, most := p.positive("token_limit", defaultTokenLimit), p.positive("max_token_count", defaultMaxTokenCount)
	overlap := int(math.Floor(float64(limit) * p.rate("overlap_rate")))
	tokenizer := p.tokenizer()
	return func(text string, more func(int) bool) (out []string, _ error) {
		tokens := tokenizer.Tokenize([]byte(text))
		if len(tokens) > most {
			return nil, fault.IllegalState("The number of tokens produced by calling _analyze has exceeded the allowed maximum of [%d]. This limit can be set by changing the [index.analyze.max_token_count] index level setting.", most)
		}
		for first := 0; first < len(tokens); first += limit - overlap {
			begin := 0
			if first > 0 {
				begin = tokens[first].Start
			}
			if first+limit >= len(tokens) || !more(len(out)) {
				return append(out, text[begin:]), nil
			}
			out = append(out, text[begin:tokens[first+limit].Start])
		}
		return out, nil
	}
}

// fixedCharLength cuts after so many characters; with an overlap each piece begins with the last ones of the one before.
func (p *chunkParameters) fixedCharLength() chunker {
	limit := p.positive("char_limit", defaultCharLimit)
	overlap := int(math.Floor(float64(limit) * p.rate("overlap_rate")))
	return func(text string, more func(int) bool) (out []string, _ error) {
		characters := []rune(text)
		for first := 0; first < len(characters); first += limit - overlap {
			if first+limit >= len(characters) || !more(len(out)) {
				return append(out, string(characters[first:])), nil
			}
			out = append(out, string(characters[first:first+limit]))
		}
		return out, nil
	}
}

func (p *chunkParameters) tokenizer() analysis.Tokenizer {
	switch name := p.text("tokenizer", "standard"); name {
	case "whitespace":
		return character.NewCharacterTokenizer(func(r rune) bool { return !unicode.IsSpace(r) })
	case "letter":
		return character.NewCharacterTokenizer(unicode.IsLetter)
	default:
		if name != "standard" && p.err == nil {
			p.err = fault.Unsupported("the tokenizer [" + name + "] of text_chunking")
		}
		return words.NewUnicodeTokenizer()
	}
}
