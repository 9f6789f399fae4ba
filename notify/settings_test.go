// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/opensteward/steward/wire/setting"
)

func TestSettingsRefuseWhatTheyCannotDo(t *testing.T) {
	registry := setting.NewRegistry(Settings()...)
	for _, c := range []struct{ name, value, want string }{
		{settingAllowedHosts, "a.example.com,*.b.example.com,10.0.0.0/8,::1", ""},
		{settingAllowedHosts, "http://a", "[http://a] is neither a host name nor an address nor a prefix"},
		{settingDeniedHosts, "10.0.0.1", ""},
		{"plugins.destination.host.deny_list", "a b", "[a b] is neither"},
		{settingAllowedKinds, "slack, webhook", ""},
		{settingAllowedKinds, "slack,email", "[email] in setting [" + settingAllowedKinds + "] is not supported"},
		{settingSocketTimeout, "-1", "must be >= 0"},
	} {
		d, found := registry.Lookup(c.name)
		if !found {
			t.Fatalf("%s is not declared", c.name)
		}
		err := d.Validate(c.value)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %q: %v", c.name, c.value, err)
		}
	}
}

func TestWithoutSettingsNothingIsSent(t *testing.T) {
	e := newEndpoint(t)
	s := NewSender(SenderOptions{Settings: func(context.Context) (setting.View, error) {
		return setting.View{}, errors.New("down")
	}})
	if err := s.Send(t.Context(), Destination{Kind: Slack, URL: e.URL}, Message{Text: "m"}); err == nil || len(e.calls()) != 0 {
		t.Errorf("%v, %d calls", err, len(e.calls()))
	}
}
