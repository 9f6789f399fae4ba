// SPDX-License-Identifier: Apache-2.0

package regex

import (
	"strconv"
	"strings"
	"unicode"
)

// scanner walks an expression as Java's compiler does, and finds what that refuses and what is not supported here. What
// it lets pass is left to the compiler.
type scanner struct {
	text  []rune
	at    int
	depth int // of groups
	names map[string]bool
}

// maxDepth is how deep groups may be nested: as deep as in Go's own parser.
const maxDepth = 1000

// end is what peek and next return behind the last character.
const end = rune(-1)

func (s *scanner) peek() rune { return s.ahead(0) }

// ahead is the character n places on.
func (s *scanner) ahead(n int) rune {
	if s.at+n < len(s.text) {
		return s.text[s.at+n]
	}
	return end
}

func (s *scanner) next() rune {
	c := s.peek()
	s.at++
	return c
}

func (s *scanner) scan() error {
	if err := s.alternatives(); err != nil {
		return err
	}
	if s.peek() == ')' {
		return s.wrong("Unmatched closing ')'", s.at-1)
	}
	return nil
}

// alternatives goes up to the end of a group or of the expression.
func (s *scanner) alternatives() error {
	for {
		var err error
		switch c := s.peek(); c {
		case end, ')':
			return nil
		case '|':
			s.at++
			continue
		case '*', '+', '?':
			return s.wrong("Dangling meta character '"+string(c)+"'", s.at)
		case '{': // repeats nothing, which Java allows
		case '(':
			err = s.group()
		case '[':
			err = s.class()
		case '\\':
			_, err = s.escape()
		default:
			s.at++
		}
		if err == nil {
			err = s.quantifier()
		}
		if err != nil {
			return err
		}
	}
}

// quantifier goes past one, if there is one.
func (s *scanner) quantifier() error {
	begin := s.at
	switch s.peek() {
	case '?', '*', '+':
		s.at++
	case '{':
		if err := s.count(); err != nil {
			return err
		}
	default:
		return nil
	}
	switch s.peek() {
	case '?':
		s.at++
	case '+':
		return unsupported(string(s.text[begin : s.at+1]))
	}
	return nil
}

// count goes past a number of repetitions in braces.
func (s *scanner) count() error {
	if c := s.ahead(1); c < '0' || c > '9' {
		return s.wrong("Illegal repetition", s.at+1)
	}
	s.at++
	low, c := s.number()
	high := low
	if c == ',' {
		if high, c = s.number(); c == '}' && s.text[s.at-2] == ',' {
			high = low // there is no limit
		}
	}
	switch {
	case c != '}':
		return s.wrong("Unclosed counted closure", s.at-1)
	case high < low:
		return s.wrong("Illegal repetition range", s.at-1)
	}
	return nil
}

// enough is a number that no expression may be repeated as often as.
const enough = 1 << 20

// number reads digits and the character behind them.
func (s *scanner) number() (n int, behind rune) {
	for {
		c := s.next()
		if c < '0' || c > '9' {
			return n, c
		}
		n = min(10*n+int(c-'0'), enough)
	}
}

// group goes past one in parentheses.
func (s *scanner) group() error {
	s.at++
	if s.depth++; s.depth > maxDepth {
		return unsupported("groups in more than " + strconv.Itoa(maxDepth) + " others")
	}
	defer func() { s.depth-- }()
	if s.peek() == '?' {
		s.at++
		if alone, err := s.special(); alone || err != nil {
			return err
		}
	}
	if err := s.alternatives(); err != nil {
		return err
	}
	if s.next() != ')' {
		return s.wrong("Unclosed group", s.at-1)
	}
	return nil
}

// special goes past what follows (?; alone is true for modifiers that are the whole group.
func (s *scanner) special() (alone bool, err error) {
	switch s.peek() {
	case ':':
		s.at++
		return false, nil
	case '=', '!', '>':
		return false, unsupported("(?" + string(s.peek()))
	case '<':
		s.at++
		return false, s.name()
	case '$', '@':
		return false, s.wrong("Unknown group type", s.at)
	}
	for strings.ContainsRune("imsducxU-", s.peek()) {
		if strings.ContainsRune("ducxU", s.peek()) {
			return false, unsupported("(?" + string(s.peek()))
		}
		s.at++
	}
	switch s.next() {
	case ')':
		return true, nil
	case ':':
		return false, nil
	}
	return false, s.wrong("Unknown inline modifier", s.at-1)
}

// name goes past that of a group.
func (s *scanner) name() error {
	c := s.next()
	switch {
	case c == '=' || c == '!':
		return unsupported("(?<" + string(c))
	case !letter(c):
		return s.wrong("capturing group name does not start with a Latin letter", s.at-1)
	}
	begin := s.at - 1
	for letter(c) || c >= '0' && c <= '9' {
		c = s.next()
	}
	if c != '>' {
		return s.wrong("named capturing group is missing trailing '>'", s.at-1)
	}
	name := string(s.text[begin : s.at-1])
	if s.names[name] {
		return s.wrong("Named capturing group <"+name+"> is already defined", s.at-1)
	}
	s.names[name] = true
	return nil
}

func letter(c rune) bool { return c < unicode.MaxASCII && unicode.IsLetter(c) }

// class goes past one in brackets.
func (s *scanner) class() error {
	s.at++
	if s.peek() == '^' {
		s.at++
	}
	for first := true; ; first = false {
		switch c := s.peek(); {
		case c == end:
			return s.wrong("Unclosed character class", len(s.text)-1)
		case c == '\\' && s.ahead(1) == end:
			return s.wrong("Unclosed character class", len(s.text))
		case c == ']' && !first:
			s.at++
			return nil
		case c == '[':
			return unsupported("[ in a character class")
		case c == '&' && s.ahead(1) == '&':
			return unsupported("&&")
		}
		if err := s.spread(); err != nil {
			return err
		}
	}
}

// spread goes past one member of a class: a character, or two with a dash between them.
func (s *scanner) spread() error {
	low, err := s.member()
	if err != nil || s.peek() != '-' || low == end {
		return err
	}
	if c := s.ahead(1); c == ']' || c == '[' {
		return nil
	}
	s.at++
	high, err := s.member()
	if err == nil && high < low && low != unicode.MaxRune {
		err = s.wrong("Illegal character range", s.at-1)
	}
	return err
}

// member reads one character of a class; see [scanner.escape].
func (s *scanner) member() (rune, error) {
	if s.peek() == '\\' {
		return s.escape()
	}
	return s.next(), nil
}

// Letters behind a backslash: those that Java knows, and those of them that mean nothing, or something else, here.
const (
	known   = "bBdDsSwWtnrfaeculUxpPQAzZGhHvVRXkN"
	foreign = "ecuGZhHvVRXkN"
)

// controls are characters that letters stand for.
var controls = map[rune]rune{'t': '\t', 'n': '\n', 'r': '\r', 'f': '\f', 'a': '\a'}

// escape goes past a backslash and what belongs to it. It returns the character that is meant, [unicode.MaxRune] for one
// that is given by its number, and end for what is not one character.
func (s *scanner) escape() (rune, error) {
	s.at++
	c := s.next()
	switch {
	case c == end:
		return end, s.wrong("Unescaped trailing backslash", len(s.text))
	case c >= '1' && c <= '9' || strings.ContainsRune(foreign, c):
		return end, unsupported(`\` + string(c))
	case letter(c) && !strings.ContainsRune(known, c):
		return end, s.wrong("Illegal/unsupported escape sequence", s.at-1)
	case c == 'Q':
		s.quoted()
		return end, nil
	case c == 'p' || c == 'P':
		return end, s.family()
	case c == '0' || c == 'x':
		return unicode.MaxRune, s.code()
	case controls[c] != 0:
		return controls[c], nil
	case letter(c):
		return end, nil
	}
	return c, nil
}

// family goes past the name of a set of characters.
func (s *scanner) family() error {
	if s.next() != '{' {
		return nil
	}
	for c := s.next(); c != '}'; c = s.next() {
		if c == end {
			return s.wrong("Unclosed character family", s.at-1)
		}
	}
	return nil
}

// code goes past the number of a character.
func (s *scanner) code() error {
	if s.peek() != '{' {
		for n := 0; n < 2 && strings.ContainsRune("0123456789abcdefABCDEF", s.peek()); n++ {
			s.at++
		}
		return nil
	}
	for c := s.next(); c != '}'; c = s.next() {
		if c == end {
			return s.wrong("Unclosed hexadecimal escape sequence", s.at-1)
		}
	}
	return nil
}

// quoted goes past the end of a quotation.
func (s *scanner) quoted() {
	for ; s.peek() != end; s.at++ {
		if s.peek() == '\\' && s.ahead(1) == 'E' {
			s.at += 2
			return
		}
	}
}
