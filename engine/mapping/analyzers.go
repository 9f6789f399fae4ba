// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"bytes"
	"cmp"
	"fmt"
	"strings"
	"sync"

	"github.com/blevesearch/bleve/v2/analysis"
	"github.com/blevesearch/bleve/v2/analysis/lang/en"
	"github.com/blevesearch/bleve/v2/analysis/token/porter"
	"github.com/blevesearch/bleve/v2/analysis/token/stop"
	"github.com/blevesearch/bleve/v2/analysis/tokenizer/letter"
	"github.com/blevesearch/bleve/v2/analysis/tokenizer/single"
	"github.com/blevesearch/bleve/v2/analysis/tokenizer/unicode"
	"github.com/blevesearch/bleve/v2/analysis/tokenizer/whitespace"
	"github.com/blevesearch/bleve/v2/registry"
)

// analyzers are the built-in analyzers that fields may name. OpenSearch's standard analyzer has no stop words, unlike
// that of the index library.
var analyzers = sync.OnceValue(func() map[string]analysis.Analyzer {
	cache := registry.NewCache()
	lower := lowercase{}
	tokens := func(t analysis.Tokenizer, err error) analysis.Tokenizer {
		if err != nil {
			panic(fmt.Sprintf("built-in tokenizer: %v", err))
		}
		return t
	}
	return map[string]analysis.Analyzer{
		"standard":   &analysis.DefaultAnalyzer{Tokenizer: unicode.NewUnicodeTokenizer(), TokenFilters: []analysis.TokenFilter{lower}},
		"simple":     &analysis.DefaultAnalyzer{Tokenizer: tokens(letter.TokenizerConstructor(nil, cache)), TokenFilters: []analysis.TokenFilter{lower}},
		"whitespace": &analysis.DefaultAnalyzer{Tokenizer: tokens(whitespace.TokenizerConstructor(nil, cache))},
		"keyword":    &analysis.DefaultAnalyzer{Tokenizer: single.NewSingleTokenTokenizer()},
		"english":    english(),
	}
})

// lowercase is a filter letter by letter. That of the index library damages words with letters whose lower case is
// shorter, such as İ.
type lowercase struct{}

// Filter changes the terms of tokens.
func (lowercase) Filter(tokens analysis.TokenStream) analysis.TokenStream {
	for _, t := range tokens {
		t.Term = bytes.ToLower(t.Term)
	}
	return tokens
}

// englishStops are the words that OpenSearch's english analyzer leaves out. Those of the index library are more.
const englishStops = "a an and are as at be but by for if in into is it no not of on or such that the their then there these they this to was will with"

func english() analysis.Analyzer {
	stops := analysis.NewTokenMap()
	for word := range strings.FieldsSeq(englishStops) {
		stops.AddToken(word)
	}
	return &analysis.DefaultAnalyzer{Tokenizer: unicode.NewUnicodeTokenizer(), TokenFilters: []analysis.TokenFilter{
		en.NewPossessiveFilter(), lowercase{}, stop.NewStopTokensFilter(stops), porter.NewPorterStemmer(),
	}}
}

func knownAnalyzer(name string) bool { return analyzers()[name] != nil }

// searchAnalyzer is the name of the analyzer of searches; "" for a field that is not analyzed.
func (f *Field) searchAnalyzer() string { return cmp.Or(f.SearchAnalyzer, f.Analyzer) }

// Fold gives a part of a term, a pattern for example, the case of the field's terms.
func (f *Field) Fold(text string) string {
	switch f.searchAnalyzer() {
	case "", "whitespace", "keyword":
		return text
	default:
		return strings.ToLower(text)
	}
}

// Analyze splits a text into the terms that a search of the field looks for.
func (f *Field) Analyze(text string) []string {
	var terms []string
	for _, token := range analyzers()[f.searchAnalyzer()].Analyze([]byte(text)) {
		terms = append(terms, string(token.Term))
	}
	return terms
}
