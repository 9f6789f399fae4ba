// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"context"
	"errors"
	"testing"

	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/notify"
	"github.com/opensteward/steward/opensearch"
)

// speechless fails to send messages and does not say why.
type speechless struct{}

func (speechless) Send(context.Context, notify.Destination, notify.Message) error {
	return errors.New("")
}

func (speechless) SendToChannel(context.Context, string, notify.Message) error { return errors.New("") }

func TestANotificationThatWasNotSentForNoReasonToTellSaysSo(t *testing.T) {
	for _, c := range []struct {
		name  string
		given func(m *Manager, n *notice, cancel func())
	}{
		{"another process leads by now", func(_ *Manager, n *notice, _ func()) { n.fence = 2 }},
		{"too many wait", func(m *Manager, _ *notice, _ func()) { m.notices.waiting = maxWaiting }},
		{"the process ends before it is its turn", func(m *Manager, _ *notice, cancel func()) {
			for range maxSending {
				m.notices.slots <- struct{}{}
			}
			cancel()
		}},
		{"whoever sends it does not say why", func(*Manager, *notice, func()) {}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := New(Options{Client: opensearch.NewClient(nil), Notifier: speechless{}})
			n := &notice{meta: &ism.Metadata{}, what: &ism.ErrorNotification{Recipient: ism.Recipient{Channel: new("ops")}, Template: &ism.Script{Source: "it failed"}}, fence: 1}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			c.given(m, n, cancel)
			if got := m.publish(ctx, *n); got != "Failed to publish error notification" {
				t.Errorf("%q", got)
			}
		})
	}
}
