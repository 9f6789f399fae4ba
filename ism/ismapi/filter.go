// SPDX-License-Identifier: Apache-2.0

package ismapi

import (
	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/wire"
)

// filter is the filter of an explain; a nil member lets everything pass.
type filter struct {
	policyID, state, actionType *string
	failed                      *bool
}

// parseFilter reads {"filter":{...}}. Unknown members are ignored.
func parseFilter(body []byte) (filter, error) {
	var f filter
	err := wire.ReadObject(body, func(p *wire.Parser, name string) error {
		if name != "filter" {
			return p.Skip()
		}
		return p.Object(func(name string) (err error) {
			var s string
			switch name {
			case "policy_id":
				s, err = p.Text()
				f.policyID = &s
			case "state":
				s, err = p.Text()
				f.state = &s
			case "action_type":
				s, err = p.Text()
				f.actionType = &s
			case "failed":
				var b bool
				b, err = p.Bool()
				f.failed = &b
			default:
				err = p.Skip()
			}
			return err
		})
	})
	return f, err
}

// matches reports whether metadata passes. An index without any passes always, as in the plugin.
func (f filter) matches(m *ism.Metadata) bool {
	if m == nil {
		return true
	}
	if f.state != nil && (m.State == nil || m.State.Name != *f.state) {
		return false
	}
	if f.actionType != nil && (m.Action == nil || m.Action.Name != *f.actionType) {
		return false
	}
	if f.failed == nil {
		return true
	}
	return m.Retry.Failed == *f.failed || m.Action != nil && m.Action.Failed == *f.failed
}
