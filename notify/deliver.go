// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/opensteward/steward/egress"
)

const (
	// tries is how often a message is sent until an endpoint takes it, the first time included.
	tries = 4
	// once is for messages that shall show how things are.
	once = 1
	// firstPause is how long (real time) to wait before the second time; it doubles.
	firstPause = 250 * time.Millisecond
	// deliverWithin bounds (real time) all of it, so that an endpoint that hangs keeps nobody longer.
	deliverWithin = time.Minute
	// maxAnswer is how much of an endpoint's answer is kept, in bytes.
	maxAnswer = 4 << 10
)

// accepted are the statuses that count as delivered, as in the plugin.
var accepted = []int{200, 201, 202, 203, 204, 205, 206, 207}

// deliver sends a message until it is taken, the endpoint is known not to take it, or the tries or the time are used
// up. code is 200 and text the endpoint's answer, or code is the plugin's for the failure and text the reason. An error
// means that ctx ended, or that the settings could not be read.
func (s *Sender) deliver(ctx context.Context, d Destination, m Message, tries uint) (code int, text string, err error) {
	view, err := s.settings.Get(ctx)
	if err != nil {
		return 0, "", err
	}
	body, err := d.body(m)
	if err != nil {
		return 0, "", err
	}
	client, within := s.client(rulesOf(view)), deliverWithin
	if s.slow.is(d.host(), time.Now()) {
		tries, within = once, briefly
	}
	bounded, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	var failure error
	answer, err := backoff.Retry(bounded, func() (string, error) {
		answer, again, err := attempt(bounded, client, d, body)
		failure = err
		return answer, again
	}, backoff.WithBackOff(s.pauses()), backoff.WithMaxTries(tries), backoff.WithMaxElapsedTime(deliverWithin))
	if err != nil && ctx.Err() != nil {
		return 0, "", ctx.Err()
	}
	s.slow.note(d.host(), !errors.Is(failure, errTimeout), time.Now())
	if err == nil {
		return http.StatusOK, answer, nil
	}
	s.o.Logger.Warn("notification was not delivered", "kind", string(d.Kind), "host", d.host(), "about", m.Reference, "err", failure)
	if errors.Is(failure, egress.ErrRefused) {
		return http.StatusFailedDependency, "Failed to send notification: " + failure.Error(), nil
	}
	return http.StatusInternalServerError, "Failed to send message " + failure.Error(), nil
}

func (s *Sender) pauses() backoff.BackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.Multiplier = s.pause, 2
	return b
}

// attempt sends a message once. err says why it was not taken, and again, for the repetition, whether and when it is
// worth to try once more.
func attempt(ctx context.Context, client *http.Client, d Destination, body []byte) (answer string, again, err error) {
	req, err := http.NewRequestWithContext(ctx, d.method(), d.URL, bytes.NewReader(body))
	if err != nil {
		err = withoutURL(err)
		return "", backoff.Permanent(err), err
	}
	req.Header = d.header()
	res, err := client.Do(req)
	if err != nil {
		err = withoutURL(err)
		if errors.Is(err, egress.ErrRefused) {
			return "", backoff.Permanent(err), err
		}
		return "", err, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if slices.Contains(accepted, res.StatusCode) {
		return answerText(text), nil, nil // taken, whatever became of the answer
	}
	if err != nil {
		return "", withoutURL(err), withoutURL(err)
	}
	err = fmt.Errorf("Failed: %s", strings.ToValidUTF8(string(text), "?")) //nolint:staticcheck // the plugin's text
	return "", repetition(res, err), err
}

// answerText is what a delivery reports; nothing is "{}", as in the plugin.
func answerText(body []byte) string {
	if len(body) == 0 {
		return "{}"
	}
	return strings.ToValidUTF8(string(body), "?")
}

// repetition tells whether an answer may be another one the next time.
func repetition(res *http.Response, err error) error {
	switch {
	case res.StatusCode == http.StatusTooManyRequests, res.StatusCode == http.StatusServiceUnavailable:
		if seconds, parseErr := strconv.Atoi(res.Header.Get("Retry-After")); parseErr == nil && seconds > 0 {
			return backoff.RetryAfter(seconds)
		}
		return err
	case res.StatusCode >= http.StatusInternalServerError, res.StatusCode == http.StatusRequestTimeout:
		return err
	}
	return backoff.Permanent(err)
}

// errTimeout is said of an endpoint that does not answer in time.
var errTimeout = errors.New("no answer in time")

// withoutURL takes the destination's URL out of an error, which may hold a secret.
func withoutURL(err error) error {
	if e, is := errors.AsType[*url.Error](err); is {
		if e.Timeout() {
			return errTimeout
		}
		return e.Err
	}
	return err
}
