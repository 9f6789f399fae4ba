// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
)

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
		filled, err := p.fill(string(body))
		if err == nil {
			p.Answer(w[0], w[1], status, []byte(filled))
		}
		return err
	}, nil
}
