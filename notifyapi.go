// SPDX-License-Identifier: Apache-2.0

package steward

import (
	"context"

	"github.com/opensteward/steward/gateway"
	"github.com/opensteward/steward/notify"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire/setting"
)

// openNotifications prepares the delivery of messages. Settings are read through the reconciler, once it is there.
func (s *Steward) openNotifications(client *opensearch.Client) {
	if !s.o.embedded() {
		s.nativeNotifications = client.AskPlugin(notify.Plugin)
	}
	s.sender = notify.NewSender(notify.SenderOptions{
		Client: client, Native: s.nativeNotifications, Logger: s.log,
		Settings: func(ctx context.Context) (setting.View, error) { return s.manager.Settings(ctx) },
	})
}

// notifyAPI serves /_plugins/_notifications, unless the cluster has the plugin.
func (s *Steward) notifyAPI(client *opensearch.Client) gateway.API {
	api := notify.New(notify.Options{
		Client: client, Clock: s.o.Clock, Sender: s.sender, Native: s.nativeNotifications, Version: s.version(), Logger: s.log,
	})
	return gateway.API{Match: api.Match, Handler: api}
}
