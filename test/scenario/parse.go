// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// block is a line and the deeper lines below it.
type block struct {
	line int
	text string
	body []bodyLine
}

type bodyLine struct {
	line int
	text string
}

// Parse reads a file. names replaces the word that all names in it begin with.
func Parse(text, names string) (*Scenario, error) {
	s := &Scenario{}
	var blocks []block
	opening := true
	for i, line := range strings.Split(strings.ReplaceAll(text, "logs", names), "\n") {
		bare := strings.TrimSpace(line)
		comment, isComment := strings.CutPrefix(bare, "#")
		switch {
		case isComment:
			if opening {
				s.describe(strings.TrimSpace(comment))
			}
			continue
		case bare == "":
			opening = opening && s.Title == ""
			continue
		case line[0] != ' ' && line[0] != '\t':
			blocks = append(blocks, block{line: i + 1, text: bare})
		case len(blocks) == 0:
			return nil, fmt.Errorf("line %d: belongs to no line above it", i+1)
		default:
			last := &blocks[len(blocks)-1]
			last.body = append(last.body, bodyLine{i + 1, bare})
		}
		opening = false
	}
	if s.Title == "" {
		return nil, fmt.Errorf("the file does not say what it shows")
	}
	for _, b := range blocks {
		c, err := b.command()
		if err != nil {
			return nil, fmt.Errorf("line %d: %s: %w", b.line, b.text, err)
		}
		s.commands = append(s.commands, c)
	}
	return s, nil
}

// describe takes in a line of the comment that the file begins with.
func (s *Scenario) describe(text string) {
	for prefix, reason := range map[string]*string{
		"At full pace: ": &s.FullPace, "At native pace: ": &s.NativePace, "On a cluster: ": &s.Cluster, "On the engine: ": &s.Engine,
	} {
		if given, ok := strings.CutPrefix(text, prefix); ok {
			*reason = given
			return
		}
	}
	s.Title = strings.TrimSpace(s.Title + " " + text)
}

// form is one kind of line: <name> stands for one word.
type form struct {
	pattern *regexp.Regexp
	// body says whether lines may follow it.
	body bool
	make func(words []string, b block) (func(*player) error, error)
}

var hole = regexp.MustCompile(`<[^>]+>`)

func newForm(text string, body bool, fn func([]string, block) (func(*player) error, error)) form {
	pattern := hole.ReplaceAllString(regexp.QuoteMeta(text), `(\S+)`)
	pattern = strings.ReplaceAll(pattern, `\.\.\.`, `(.+)`)
	return form{regexp.MustCompile("^" + pattern + "$"), body, fn}
}

func (b block) command() (command, error) {
	verb, _, _ := strings.Cut(b.text, " ")
	c := command{line: b.line, text: b.text, verb: verb, body: b.body}
	for _, f := range forms {
		words := f.pattern.FindStringSubmatch(b.text)
		if words == nil {
			continue
		}
		if len(b.body) > 0 && !f.body {
			return c, fmt.Errorf("nothing may follow this line")
		}
		var err error
		if c.run, err = f.make(words[1:], b); err == nil && verb == "at" {
			c.at, err = duration(words[1])
		}
		return c, err
	}
	return c, fmt.Errorf("not understood")
}

// pairs are the lines "<name> <value>" of a block.
func (b block) pairs() (names, values []string, err error) {
	for _, l := range b.body {
		name, value, ok := strings.Cut(l.text, " ")
		if !ok {
			return nil, nil, fmt.Errorf("line %d: a name needs a value", l.line)
		}
		names, values = append(names, name), append(values, strings.TrimSpace(value))
	}
	return names, values, nil
}

// joined is the text of a block's lines.
func (b block) joined() []byte {
	lines := make([]string, len(b.body))
	for i, l := range b.body {
		lines[i] = l.text
	}
	return []byte(strings.Join(lines, "\n"))
}

// duration reads "6d 23h 59m 59s 999ms".
func duration(text string) (time.Duration, error) {
	var sum time.Duration
	for part := range strings.FieldsSeq(text) {
		digits := strings.TrimRight(part, "abcdefghijklmnopqrstuvwxyz")
		unit, ok := map[string]time.Duration{
			"d": 24 * time.Hour, "h": time.Hour, "m": time.Minute, "s": time.Second, "ms": time.Millisecond,
		}[part[len(digits):]]
		n, err := strconv.ParseInt(digits, 10, 32)
		if !ok || err != nil {
			return 0, fmt.Errorf("%q is no length of time", part)
		}
		sum += time.Duration(n) * unit
	}
	return sum, nil
}
