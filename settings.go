// SPDX-License-Identifier: Apache-2.0

package steward

import (
	"slices"

	"github.com/opensteward/steward/engine"
	"github.com/opensteward/steward/flow"
	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/notify"
	"github.com/opensteward/steward/rollup"
	"github.com/opensteward/steward/wire/setting"
)

// pluginSettings declares the settings of the plugins whose work this program does.
func pluginSettings() []setting.Definition {
	return slices.Concat(ism.Settings(), flow.Settings(), notify.Settings(), rollup.Settings())
}

// engineSettings are the dynamic settings of the embedded engine, which may have start values too.
var engineSettings = setting.NewRegistry(engine.Settings()...)

var settings = setting.NewRegistry(pluginSettings()...)
