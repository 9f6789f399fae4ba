// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"context"
	"strings"

	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

// channelKinds are the kinds of configurations that are channels, as the plugin lists them; a cluster may have
// documents of kinds that are not supported here.
const channelKinds = "slack,chime,microsoft_teams,webhook,email,sns"

// channels lists what messages can be sent to.
func (a *API) channels(*rest.Request) (rest.Action, error) {
	return func(ctx context.Context) (*rest.Response, error) {
		q := listQuery{size: defaultItems, order: "asc", filters: map[string]string{"config_type": channelKinds}}
		body, err := q.search()
		if err != nil {
			return nil, err
		}
		_, found, err := a.store.search(ctx, body)
		if err != nil {
			return nil, err
		}
		return answerList("channel_list", 0, int64(len(found)), found, func(c channel) wire.Object {
			b := c.brief()
			return wire.Obj("config_id", c.id, "name", b.Name, "description", b.Description, "config_type", b.Kind,
				"is_enabled", b.enabled())
		}), nil
	}, nil
}

// features says which kinds can be created.
func (a *API) features(*rest.Request) (rest.Action, error) {
	return func(ctx context.Context) (*rest.Response, error) {
		view, err := a.o.Sender.settings.Get(ctx)
		if err != nil {
			return nil, err
		}
		return rest.OK(wire.Obj("allowed_config_type_list", view.List(settingAllowedKinds),
			"plugin_features", wire.Obj("tooltip_support", view.Text(settingTooltips)))), nil
	}, nil
}

// test sends a test message to a channel, once, and answers what became of it.
func (a *API) test(r *rest.Request) (rest.Action, error) {
	id := r.Path("config_id")
	return func(ctx context.Context) (*rest.Response, error) {
		title := "Test Message Title-" + id
		s, err := a.o.Sender.sendToChannel(ctx, id, Message{
			Title: title, Reference: id, Text: "Test message content body for config id " + id, HTML: testHTML(id),
		}, once)
		if err == nil {
			err = s.fault()
		}
		if err != nil {
			return nil, err
		}
		source := wire.Obj("title", title, "reference_id", id, "severity", "info", "tags", []string{})
		return rest.OK(wire.Obj("event_source", source, "status_list", []any{s.json()})), nil
	}, nil
}

func testHTML(id string) string {
	return strings.Join([]string{
		"<html>", "<header><title>Test Message</title></header>", "<body>",
		"<p>Test Message for config id " + id + "</p>", "</body>", "</html>",
	}, "\n")
}
