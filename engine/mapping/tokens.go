// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"slices"
	"unicode"
	"unicode/utf8"

	"github.com/blevesearch/bleve/v2/analysis"
)

// Token is a term that an analyzer makes of a text.
type Token struct {
	Term string
	// Start and End are its place in the text, in UTF-16 units.
	Start, End int
	// Type is how OpenSearch calls tokens of its kind: "word", "<ALPHANUM>", ...
	Type string
	// Position counts from 0. Words that are left out count.
	Position int
}

// Tokens splits a text by a built-in analyzer; ok is false for one that there is not.
func Tokens(analyzer, text string) (tokens []Token, ok bool) {
	a := analyzers()[analyzer]
	if a == nil {
		return nil, false
	}
	for _, t := range a.Analyze([]byte(text)) {
		tokens = append(tokens, Token{
			Term: string(t.Term), Start: Units(text[:t.Start]), End: Units(text[:t.End]), Type: tokenType(analyzer, t), Position: t.Position - 1,
		})
	}
	return tokens, true
}

// QueryTokens splits a text as searches of the field do. A keyword is one token.
func (f *Field) QueryTokens(text string) (tokens []Token, ok bool) {
	switch f.Type {
	case "text":
		return Tokens(f.searchAnalyzer(), text)
	case "keyword":
		return []Token{{Term: f.Normalize(text), End: Units(text), Type: wordType}}, true
	}
	return nil, false
}

// Units is the length of a text in UTF-16.
func Units(text string) int {
	n := 0
	for _, r := range text {
		n++
		if r > 0xFFFF {
			n++
		}
	}
	return n
}

const wordType = "word"

// tokenType is the type of a token by the characters that it begins with. Only analyzers with the standard tokenizer
// tell types apart.
func tokenType(analyzer string, t *analysis.Token) string {
	if slices.Contains([]string{"keyword", "simple", "whitespace"}, analyzer) {
		return wordType
	}
	first, _ := utf8.DecodeRune(t.Term)
	switch {
	case t.Type == analysis.Numeric:
		return "<NUM>"
	case unicode.Is(unicode.Han, first):
		return "<IDEOGRAPHIC>"
	case unicode.Is(unicode.Hiragana, first):
		return "<HIRAGANA>"
	case unicode.Is(unicode.Katakana, first):
		return "<KATAKANA>"
	case unicode.Is(unicode.Hangul, first):
		return "<HANGUL>"
	}
	return "<ALPHANUM>"
}
