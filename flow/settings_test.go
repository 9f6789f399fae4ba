// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"testing"

	"github.com/opensteward/steward/wire/setting"
)

func TestSettingsAreBounded(t *testing.T) {
	r := setting.NewRegistry(Settings()...)
	for _, c := range []struct {
		key, value string
		ok         bool
	}{
		{"max_workflows", "0", true},
		{"max_workflows", "10001", false},
		{"max_workflow_steps", "500", true},
		{"max_workflow_steps", "0", false},
		{"request_timeout", "1m", true},
		{"request_timeout", "soon", false},
		{"enabled", "maybe", false},
		{"max_active_provisions_per_tenant", "41", false},
		{"provision_thread_pool_size", "800", true},
		{"multi_tenancy_enabled", "false", true},
		{"multi_tenancy_enabled", "true", false},
		{"remote_metadata_type", "RemoteOpenSearch", false},
	} {
		d, known := r.Lookup(settingPrefix + c.key)
		if !known {
			t.Errorf("%s is not declared", c.key)
			continue
		}
		if err := d.Validate(c.value); (err == nil) != c.ok {
			t.Errorf("%s = %s: %v", c.key, c.value, err)
		}
	}
}
