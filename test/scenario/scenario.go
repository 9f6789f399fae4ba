// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/opensteward/steward/wire"
)

// Backend is what a scenario is played on: something that answers OpenSearch's REST calls.
type Backend interface {
	// Do sends one request and returns the answer's status and body. An error means that there was no answer.
	Do(method, path string, body []byte) (status int, answer []byte, err error)
	// Now is the present instant: the one that a document written now would carry.
	Now() time.Time
	// Advance lets d pass and returns when all that became due on the way has been done.
	Advance(d time.Duration) error
	// Eventually calls look when all that can be done at present has been done, and returns what it returns. A backend
	// that cannot know calls it again until it returns nil, or too much time has passed.
	Eventually(look func() error) error
	// Answer has requests of policies with this method, and a path that fits a pattern with *, answered with this status and
	// body; those to which an earlier pattern fits, too. {name} in the body is the last part of the path. Without a status the
	// cluster answers them itself again.
	Answer(method, pattern string, status int, body []byte)
}

// Start is where a clock that can be moved stands when a scenario begins: on a Monday, at ten in the morning.
var Start = time.Date(2026, time.March, 2, 10, 0, 0, 0, time.UTC)

// Scenario is one parsed file.
type Scenario struct {
	// Title is the comment that the file begins with.
	Title string
	// FullPace is why the scenario cannot be played at native pace, from a line "# At full pace: ..."; "" if it can.
	FullPace string
	// NativePace is why it cannot be played at full pace, from a line "# At native pace: ..."; "" if it can.
	NativePace string
	// Cluster is why the scenario needs more of a cluster than the simulated one has, from a line "# On a cluster: ..."; ""
	// if it does not.
	Cluster string
	// Engine is why the scenario is played on the embedded engine and before no real cluster, from a line "# On the
	// engine: ..."; "" if it is played before both.
	Engine   string
	commands []command
}

// command is one line with what belongs to it.
type command struct {
	line int
	text string
	verb string
	body []bodyLine
	run  func(*player) error
	// at is the instant that it waits for, counted from the start.
	at time.Duration
}

// player plays one scenario.
type player struct {
	Backend
	start time.Time
	// late is true at native pace: what happens may happen some runs later than the file says.
	late bool
}

// Uses reports whether the scenario has a line that begins with this word.
func (s *Scenario) Uses(word string) bool {
	return slices.ContainsFunc(s.commands, func(c command) bool { return c.verb == word })
}

// Policies are the bodies of the policies that the scenario stores.
func (s *Scenario) Policies() [][]byte {
	var bodies [][]byte
	for _, c := range s.commands {
		if c.verb == "policy" {
			bodies = append(bodies, block{body: c.body}.joined())
		}
	}
	return bodies
}

// Length is the latest instant that the scenario waits for, counted from its start.
func (s *Scenario) Length() time.Duration {
	var longest time.Duration
	for _, c := range s.commands {
		longest = max(longest, c.at)
	}
	return longest
}

// Play runs the scenario. The error names the line at which it went wrong.
func (s *Scenario) Play(b Backend) error { return s.play(&player{Backend: b, start: b.Now()}) }

// PlayLate runs the scenario at native pace, where each move takes a run: the backend's Eventually lets runs pass, an
// instant that has passed is not waited for, and one that is expected may be later.
func (s *Scenario) PlayLate(b Backend) error {
	return s.play(&player{Backend: b, start: b.Now(), late: true})
}

func (s *Scenario) play(p *player) error {
	for _, c := range s.commands {
		if err := c.run(p); err != nil {
			return fmt.Errorf("line %d: %s: %w", c.line, c.text, err)
		}
	}
	return nil
}

// wait lets time pass until an instant after the start.
func (p *player) wait(at time.Duration) error {
	d := p.start.Add(at).Sub(p.Now())
	switch {
	case d < 0 && p.late:
		return nil
	case d < 0:
		return fmt.Errorf("it is already %s", p.Now().Sub(p.start))
	}
	return p.Advance(d)
}

// call sends a request that has to succeed.
func (p *player) call(method, path string, body any) ([]byte, error) {
	var sent []byte
	switch b := body.(type) {
	case nil:
	case []byte:
		sent = b
	default:
		var err error
		if sent, err = wire.Marshal(b); err != nil {
			return nil, err
		}
	}
	if own, has := p.Backend.(interface{ URL() string }); has {
		sent = bytes.ReplaceAll(sent, []byte("http://steward/"), []byte(own.URL()+"/"))
	}
	status, answer, err := p.Do(method, path, sent)
	if err == nil && status/100 != 2 {
		err = fmt.Errorf("%s %s: %d %s", method, path, status, answer)
	}
	return answer, err
}

// manage sends a request to one of the APIs that answer 200 also where they refused.
func (p *player) manage(path string, body any) error {
	answer, err := p.call(http.MethodPost, path, body)
	if err != nil {
		return err
	}
	failures, err := member(answer, "failures")
	if err == nil && failures != false {
		err = fmt.Errorf("refused: %s", answer)
	}
	return err
}

// ExpectsRun reports whether the scenario says what a run of an action that completes a step leaves at native pace.
func (s *Scenario) ExpectsRun(action string) bool {
	return slices.ContainsFunc(s.commands, func(c command) bool {
		return strings.HasPrefix(c.text, "expect runs of ") && slices.ContainsFunc(c.body, func(l bodyLine) bool {
			r, err := newRunLine(l)
			return err == nil && r.action == action && r.status == "completed"
		})
	})
}

// Expects reports whether the scenario expects a text, of explain, of the history or of a run, in which all of parts stand.
func (s *Scenario) Expects(parts []string) bool {
	return slices.ContainsFunc(s.commands, func(c command) bool {
		return strings.HasPrefix(c.text, "expect ") && slices.ContainsFunc(c.body, func(l bodyLine) bool {
			return !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(l.text, part) })
		})
	})
}
