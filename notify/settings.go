// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"strings"
	"time"

	"github.com/opensteward/steward/egress"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire/setting"
)

const (
	settingAllowedHosts   = "steward.notifications.allowed_hosts"
	corePrefix            = "opensearch.notifications.core."
	settingDeniedHosts    = corePrefix + "http.host_deny_list"
	settingConnectTimeout = corePrefix + "http.connection_timeout"
	settingSocketTimeout  = corePrefix + "http.socket_timeout"
	settingAllowedKinds   = corePrefix + "allowed_config_types"
	settingTooltips       = corePrefix + "tooltip_support"
)

// Settings are the plugin's settings that have a meaning here, with its defaults, and
// steward.notifications.allowed_hosts: where messages may go, see [egress.ParseHosts].
func Settings() []setting.Definition {
	hosts := func(key, def string) setting.Definition {
		return setting.Definition{Key: key, Kind: setting.List, Default: def, Check: func(value string) error {
			if _, err := egress.ParseHosts(strings.Split(value, ",")); err != nil {
				return fault.Illegal("Failed to parse value [%s] for setting [%s]: %s", value, key, err)
			}
			return nil
		}}
	}
	denied := hosts(settingDeniedHosts, "")
	denied.Fallback = "plugins.destination.host.deny_list"
	kinds := setting.Definition{Key: settingAllowedKinds, Kind: setting.List, Default: "slack,chime,webhook", Check: checkKinds}
	return []setting.Definition{
		hosts(settingAllowedHosts, "*"), denied,
		{Key: settingConnectTimeout, Kind: setting.Int, Default: "5000", Min: "0"},
		{Key: settingSocketTimeout, Kind: setting.Int, Default: "50000", Min: "0"},
		kinds,
		{Key: settingTooltips, Kind: setting.Bool, Default: "true"},
	}
}

func checkKinds(value string) error {
	for name := range strings.SplitSeq(value, ",") {
		if k := Kind(strings.TrimSpace(name)); k != "" && !k.supported() {
			return fault.Illegal("[%s] in setting [%s] is not supported", k, settingAllowedKinds)
		}
	}
	return nil
}

// viewFor is how long settings that were read count.
const viewFor = time.Second

// rules are the settings that say where calls may go and how long one may take.
type rules struct {
	allowed, denied string
	timeout         time.Duration
}

func rulesOf(v setting.View) rules {
	ms := v.Int(settingConnectTimeout) + v.Int(settingSocketTimeout)
	return rules{
		v.Text(settingAllowedHosts), v.Text(settingDeniedHosts),
		min(max(time.Duration(ms)*time.Millisecond, time.Second), deliverWithin),
	}
}

// policy is where calls may go. The lists were checked when they were set; what does not parse allows nothing.
func (r rules) policy() egress.Policy {
	allow, errAllow := egress.ParseHosts(strings.Split(r.allowed, ","))
	deny, errDeny := egress.ParseHosts(strings.Split(r.denied, ","))
	if errAllow != nil || errDeny != nil {
		return egress.Policy{}
	}
	return egress.Policy{Allow: allow, Deny: deny}
}
