// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
)

// Answerer is a [Backend] whose cluster can be made to answer requests otherwise than it would.
type Answerer interface {
	// Answer has requests with this method, and a path that fits a pattern with *, answered with this status and body; those
	// to which an earlier pattern fits, too. {name} in the body is the last part of the path. Without a status the cluster answers them itself again.
	Answer(method, pattern string, status int, body []byte)
}

// answer is a line that begins, or ends, answers of ours in place of the cluster's.
func answer(w []string, b block) (func(*player) error, error) {
	status, body := 0, b.joined()
	if len(w) > 2 {
		var err error
		if status, err = strconv.Atoi(w[2]); err != nil || http.StatusText(status) == "" {
			return nil, fmt.Errorf("%q is no status", w[2])
		}
		if !json.Valid(body) {
			return nil, errors.New("what follows is not JSON")
		}
	}
	return func(p *player) error {
		a, can := p.Backend.(Answerer)
		if !can {
			return errors.New("this cluster gives no answers but its own")
		}
		filled, err := p.fill(string(body))
		if err == nil {
			a.Answer(w[0], w[1], status, []byte(filled))
		}
		return err
	}, nil
}
