// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode"

	"github.com/opensteward/steward/fault"
)

// scope is what an expression sees.
type scope struct{ ctx, params *Object }

// expression evaluates to a value.
type expression func(*scope) (any, error)

const (
	// maxNesting bounds what stands inside of one another in an expression.
	maxNesting = 100
	// maxScript is the longest script, in bytes: script.max_size_in_bytes, which bounds how many operands follow one another.
	maxScript = 65535
)

// script reads an expression. Its methods parse one level of precedence each; the first mistake is kept.
type script struct {
	source string
	tokens []token
	depth  int
	failed bool
}

// token is a word, a literal or a sign of an expression.
type token struct {
	kind byte // 'w'ord, 's'tring, 'n'umber, or 'o'perator
	text string
}

// signs are the operators, longer ones first.
var signs = []string{"===", "!==", "==", "!=", "<=", ">=", "&&", "||", "?.", "<", ">", "!", "(", ")", "[", "]", ".", ",", "-", ";"}

// parseExpression reads a script that is one expression; others are refused by name.
func parseExpression(source string) (expression, error) {
	if len(source) > maxScript {
		return nil, fault.Illegal("exceeded max allowed inline script size in bytes [%d] with size [%d] for script [%s]", maxScript, len(source), source)
	}
	s := &script{source: source}
	s.split()
	if s.is("return") {
		s.next()
	}
	e := s.or()
	if s.is(";") {
		s.next()
	}
	if s.failed || len(s.tokens) > 0 {
		return nil, fault.Unsupported("the script [" + source + "]")
	}
	return e, nil
}

// split cuts the source into tokens.
func (s *script) split() {
	rest := strings.TrimSpace(s.source)
	for rest != "" && !s.failed {
		var t token
		switch c := rest[0]; {
		case c == '\'' || c == '"':
			rest = s.quoted(rest)
			continue
		case c >= '0' && c <= '9':
			n := len(rest) - len(strings.TrimLeft(rest, "0123456789."))
			t = token{'n', rest[:n]}
		case isWord(rune(c)):
			n := len(rest) - len(strings.TrimLeftFunc(rest, isWord))
			t = token{'w', rest[:n]}
		default:
			for _, sign := range signs {
				if strings.HasPrefix(rest, sign) {
					t = token{'o', sign}
					break
				}
			}
		}
		if t.text == "" {
			s.failed = true
			return
		}
		s.tokens = append(s.tokens, t)
		rest = strings.TrimSpace(rest[len(t.text):])
	}
}

func isWord(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

// quoted reads a text and returns what follows it.
func (s *script) quoted(rest string) string {
	var out strings.Builder
	for i := 1; i < len(rest); i++ {
		switch c := rest[i]; {
		case c == '\\' && i+1 < len(rest) && strings.IndexByte(`\'"`, rest[i+1]) >= 0:
			i++
			out.WriteByte(rest[i])
		case c == rest[0]:
			s.tokens = append(s.tokens, token{'s', out.String()})
			return strings.TrimSpace(rest[i+1:])
		default:
			out.WriteByte(c)
		}
	}
	s.failed = true
	return ""
}

func (s *script) is(text string) bool {
	return len(s.tokens) > 0 && s.tokens[0].text == text && s.tokens[0].kind != 's'
}

func (s *script) next() token {
	if len(s.tokens) == 0 {
		s.failed = true
		return token{}
	}
	t := s.tokens[0]
	s.tokens = s.tokens[1:]
	return t
}

func (s *script) expect(text string) {
	if !s.is(text) {
		s.failed = true
		return
	}
	s.next()
}

func (s *script) or() expression {
	if s.depth++; s.depth > maxNesting {
		s.failed = true
		return nil
	}
	defer func() { s.depth-- }()
	return s.logic("||", true, func() expression { return s.logic("&&", false, s.equality) })
}

// logic reads operands between a logical operator, which stops at the first that has the value stop.
func (s *script) logic(sign string, stop bool, operand func() expression) expression {
	left := operand()
	for s.is(sign) {
		s.next()
		first, second := left, operand()
		left = func(in *scope) (any, error) {
			for _, e := range []expression{first, second} {
				b, err := truth(e, in)
				if err != nil || b == stop {
					return b, err
				}
			}
			return !stop, nil
		}
	}
	return left
}

func truth(e expression, in *scope) (bool, error) {
	v, err := e(in)
	if err != nil {
		return false, err
	}
	b, ok := v.(bool)
	if !ok {
		return false, fault.New(400, "class_cast_exception", "Cannot cast from [%s] to [boolean].", javaType(v))
	}
	return b, nil
}

func (s *script) equality() expression {
	left := s.relation()
	for s.is("==") || s.is("!=") || s.is("===") || s.is("!==") {
		negated := strings.HasPrefix(s.next().text, "!")
		first, second := left, s.relation()
		left = func(in *scope) (any, error) {
			a, b, err := both(first, second, in)
			return same(a, b) != negated, err
		}
	}
	return left
}

func both(first, second expression, in *scope) (a, b any, err error) {
	if a, err = first(in); err == nil {
		b, err = second(in)
	}
	return a, b, err
}

// same compares values; numbers by what they are worth.
func same(a, b any) bool {
	if x, ok := a.(json.Number); ok {
		if y, ok := b.(json.Number); ok {
			return compare(x, y) == 0
		}
	}
	return equal(a, b)
}

// classes are the types that instanceof knows.
var classes = map[string]func(v any) bool{
	"String":  isA[string],
	"Boolean": isA[bool],
	"Number":  isA[json.Number],
	"List":    isA[*List],
	"Map":     isA[*Object],
}

func isA[T any](v any) bool {
	_, ok := v.(T)
	return ok
}

func (s *script) relation() expression {
	left := s.not()
	if s.is("instanceof") {
		s.next()
		is, known := classes[s.next().text]
		s.failed = s.failed || !known
		return func(in *scope) (any, error) {
			v, err := left(in)
			return err == nil && is(v), err
		}
	}
	for s.is("<") || s.is("<=") || s.is(">") || s.is(">=") {
		sign := s.next().text
		first, second := left, s.not()
		left = func(in *scope) (any, error) {
			a, b, err := both(first, second, in)
			if err != nil {
				return nil, err
			}
			x, isX := a.(json.Number)
			y, isY := b.(json.Number)
			if !isX || !isY {
				return nil, fault.New(400, "class_cast_exception", "Cannot apply [%s] operation to types [%s] and [%s].", sign, javaType(a), javaType(b))
			}
			n := compare(x, y)
			return n < 0 && sign[0] == '<' || n > 0 && sign[0] == '>' || n == 0 && len(sign) == 2, nil
		}
	}
	return left
}

func (s *script) not() expression {
	if !s.is("!") {
		return s.access()
	}
	s.next()
	if s.depth++; s.depth > maxNesting {
		s.failed = true
		return nil
	}
	defer func() { s.depth-- }()
	inner := s.not()
	return func(in *scope) (any, error) {
		b, err := truth(inner, in)
		return !b, err
	}
}

// access reads a value and the fields, items and methods behind it.
func (s *script) access() expression {
	e := s.primary()
	for !s.failed {
		switch {
		case s.is("."), s.is("?."):
			safe := s.next().text == "?."
			name := s.next()
			if name.kind != 'w' && name.kind != 'n' {
				s.failed = true
				return nil
			}
			if s.is("(") {
				e = s.call(e, name.text, safe)
			} else {
				e = field(e, constant(name.text), safe)
			}
		case s.is("["):
			s.next()
			key := s.or()
			s.expect("]")
			e = field(e, key, false)
		default:
			return e
		}
	}
	return e
}

func constant(v any) expression { return func(*scope) (any, error) { return v, nil } }

// field is a member of an object or an item of a list; what is not there is null.
func field(of, key expression, safe bool) expression {
	return func(in *scope) (any, error) {
		v, k, err := both(of, key, in)
		if err != nil {
			return nil, err
		}
		switch v := v.(type) {
		case *Object:
			member, _ := v.Get(text(k))
			return member, nil
		case *List:
			i, err := strconv.Atoi(text(k))
			if err != nil || i < 0 || i >= len(v.items) {
				return nil, fault.New(400, "index_out_of_bounds_exception", "Index %s out of bounds for length %d", text(k), len(v.items))
			}
			return v.items[i], nil
		case nil:
			if safe {
				return nil, nil
			}
			return nil, fault.New(400, "null_pointer_exception", "cannot access method/field [%s] from a null def reference", text(k))
		}
		return nil, fault.Illegal("dynamic getter [%s, %s] not found", javaType(v), text(k))
	}
}

func (s *script) primary() expression {
	switch t := s.next(); {
	case t.kind == 's':
		return constant(t.text)
	case t.kind == 'n':
		return s.number(t.text)
	case t.text == "-" && len(s.tokens) > 0 && s.tokens[0].kind == 'n':
		return s.number("-" + s.next().text)
	case t.text == "(":
		e := s.or()
		s.expect(")")
		return e
	case t.kind == 'w':
		return s.word(t.text)
	}
	s.failed = true
	return nil
}

func (s *script) number(digits string) expression {
	if _, err := strconv.ParseFloat(digits, 64); err != nil {
		s.failed = true
	}
	return constant(json.Number(digits))
}

func (s *script) word(name string) expression {
	switch name {
	case "true", "false":
		return constant(name == "true")
	case "null":
		return constant(nil)
	case "ctx":
		return func(in *scope) (any, error) { return in.ctx, nil }
	case "params":
		return func(in *scope) (any, error) { return in.params, nil }
	}
	s.failed = true
	return nil
}

// call reads the arguments of a method.
func (s *script) call(of expression, name string, safe bool) expression {
	s.expect("(")
	var args []expression
	for !s.failed && !s.is(")") {
		if len(args) > 0 {
			s.expect(",")
		}
		args = append(args, s.or())
	}
	s.expect(")")
	m, known := methods[name]
	if !known || len(args) != m.args {
		s.failed = true
		return nil
	}
	return func(in *scope) (any, error) {
		v, err := of(in)
		if err != nil {
			return nil, err
		}
		if v == nil {
			if safe {
				return nil, nil
			}
			return nil, fault.New(400, "null_pointer_exception", "cannot access method/field [%s] from a null def reference", name)
		}
		var arg any
		if m.args == 1 {
			if arg, err = args[0](in); err != nil {
				return nil, err
			}
		}
		out, ok := m.run(v, arg)
		if !ok {
			return nil, fault.Illegal("dynamic method [%s, %s/%d] not found", javaType(v), name, m.args)
		}
		return out, nil
	}
}

// method is a method of texts, lists or objects; run reports false for a value that has none of this name.
type method struct {
	args int
	run  func(v, arg any) (out any, ok bool)
}

func ofText(do func(s, arg string) any) func(v, arg any) (any, bool) {
	return func(v, arg any) (any, bool) {
		s, ok := v.(string)
		if !ok {
			return nil, false
		}
		return do(s, text(arg)), true
	}
}

func count(n int) json.Number { return json.Number(strconv.Itoa(n)) }

// methods are those that conditions may call.
var methods = map[string]method{
	"contains":         {1, contains},
	"containsKey":      {1, func(v, arg any) (any, bool) { o, ok := v.(*Object); return ok && o.index(text(arg)) >= 0, ok }},
	"endsWith":         {1, ofText(func(s, arg string) any { return strings.HasSuffix(s, arg) })},
	"equals":           {1, func(v, arg any) (any, bool) { return same(v, arg), true }},
	"equalsIgnoreCase": {1, ofText(func(s, arg string) any { return strings.EqualFold(s, arg) })},
	"isEmpty":          {0, func(v, _ any) (any, bool) { n, ok := size(v); return n == 0, ok }},
	"length":           {0, ofText(func(s, _ string) any { return count(len([]rune(s))) })},
	"size":             {0, func(v, _ any) (any, bool) { n, ok := size(v); _, isText := v.(string); return count(n), ok && !isText }},
	"startsWith":       {1, ofText(func(s, arg string) any { return strings.HasPrefix(s, arg) })},
	"toLowerCase":      {0, ofText(func(s, _ string) any { return strings.ToLower(s) })},
	"toString":         {0, func(v, _ any) (any, bool) { return text(v), true }},
	"toUpperCase":      {0, ofText(func(s, _ string) any { return strings.ToUpper(s) })},
	"trim":             {0, ofText(func(s, _ string) any { return strings.TrimSpace(s) })},
}

func contains(v, arg any) (any, bool) {
	switch v := v.(type) {
	case string:
		return strings.Contains(v, text(arg)), true
	case *List:
		for _, item := range v.items {
			if same(item, arg) {
				return true, true
			}
		}
		return false, true
	}
	return nil, false
}

func size(v any) (int, bool) {
	switch v := v.(type) {
	case string:
		return len(v), true
	case *List:
		return len(v.items), true
	case *Object:
		return len(v.members), true
	}
	return 0, false
}
