// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/opensteward/steward/egress"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/setting"
)

// SenderOptions are what a sender works with.
type SenderOptions struct {
	// Client reads channels.
	Client *opensearch.Client
	// Settings reads the settings that [Settings] declares.
	Settings func(ctx context.Context) (setting.View, error)
	// Native says whether the cluster has the plugin itself, which channels are asked of then; nil means never.
	Native func() bool
	Logger *slog.Logger
}

// Sender delivers messages. It is safe for concurrent use.
type Sender struct {
	o        SenderOptions
	store    *store
	settings *opensearch.Kept[setting.View]
	pause    time.Duration // before the first repetition

	slow slow

	mu    sync.Mutex
	rules rules
	http  *http.Client // for these rules; nil before the first message
}

// NewSender returns a sender.
func NewSender(o SenderOptions) *Sender {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Native == nil {
		o.Native = func() bool { return false }
	}
	return &Sender{o: o, store: &store{o.Client}, settings: opensearch.Keep(viewFor, 0, o.Settings), pause: firstPause}
}

// Send delivers a message to a destination. A failure is a fault whose reason the plugin would give as the cause; any
// other error, and one of the cluster, means that it was not tried, or not to the end.
func (s *Sender) Send(ctx context.Context, d Destination, m Message) error {
	if m.Text == "" {
		return fault.Illegal("Message content is missing")
	}
	if err := checkURL(d.URL); err != nil {
		return fault.Status(http.StatusBadRequest, "Invalid URL or unsupported") // without the URL
	}
	code, text, err := s.deliver(ctx, d, m, tries)
	if err == nil && code != http.StatusOK {
		err = fault.Status(code, "Failed: %s", text)
	}
	return err
}

// SendToChannel delivers a message to a channel. Errors are those of [Sender.Send].
func (s *Sender) SendToChannel(ctx context.Context, id string, m Message) error {
	if m.Text == "" {
		return fault.Illegal("text message part is null or empty")
	}
	st, err := s.sendToChannel(ctx, id, m, tries)
	if err != nil {
		return err
	}
	return st.fault()
}

// status is what became of a message to one channel.
type status struct {
	id, name, kind string
	code           int
	text           string
}

func (s status) json() wire.Object {
	return wire.Obj("config_id", s.id, "config_type", s.kind, "config_name", s.name, "email_recipient_status", []string{},
		"delivery_status", wire.Obj("status_code", strconv.Itoa(s.code), "status_text", s.text))
}

// fault is nil if the message was delivered.
func (s status) fault() error {
	if s.code == http.StatusOK {
		return nil
	}
	list, err := wire.Marshal([]any{s.json()})
	if err != nil {
		return err
	}
	return fault.Status(s.code, `{"event_status_list": %s}`, list)
}

func (s *Sender) sendToChannel(ctx context.Context, id string, m Message, tries uint) (status, error) {
	raw, err := s.channel(ctx, id)
	if err != nil {
		return status{}, err
	}
	if raw == nil {
		return status{id, "invalid-config", "none", http.StatusNotFound, "Channel " + id + " not found"}, nil
	}
	b := channel{config: raw}.brief()
	out := status{id: id, name: b.Name, kind: b.Kind}
	if !b.enabled() {
		out.code, out.text = http.StatusLocked, "The channel is muted"
		return out, nil
	}
	c, err := readStored(raw)
	if err != nil {
		out.code, out.text = http.StatusBadRequest, fault.Of(err).Reason
		return out, nil
	}
	out.code, out.text, err = s.deliver(ctx, c.to, m, tries)
	return out, err
}

func readStored(raw json.RawMessage) (*config, error) {
	p := wire.NewParser(raw)
	if _, err := p.Next(); err != nil {
		return nil, err
	}
	c, err := parseConfig(p)
	if err == nil && !c.kind.supported() {
		err = fault.Illegal("Channel not found")
	}
	return c, err
}

// channel reads a channel's configuration; nil if there is none.
func (s *Sender) channel(ctx context.Context, id string) (json.RawMessage, error) {
	if s.o.Native() {
		return s.nativeChannel(ctx, id)
	}
	found, err := s.store.get(ctx, id)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0].config, nil
}

// nativeChannel asks the plugin behind, whose index may be closed to us.
func (s *Sender) nativeChannel(ctx context.Context, id string) (json.RawMessage, error) {
	var answer struct {
		List []struct {
			Config json.RawMessage `json:"config"`
		} `json:"config_list"`
	}
	path := opensearch.Path("_plugins", "_notifications", "configs", id)
	err := s.o.Client.Do(ctx, opensearch.Call{Method: http.MethodGet, Path: path}, &answer)
	if fault.HasStatus(err, http.StatusNotFound) || err == nil && len(answer.List) == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return answer.List[0].Config, nil
}

// client is the HTTP client for the settings as they are now.
func (s *Sender) client(r rules) *http.Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.http == nil || s.rules != r {
		if s.http != nil {
			s.http.CloseIdleConnections()
		}
		s.rules, s.http = r, egress.NewClient(r.policy(), r.timeout)
	}
	return s.http
}
