// SPDX-License-Identifier: Apache-2.0

package steward

import (
	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/wire/setting"
)

// pluginSettings declares the settings of the plugins whose work this program does.
func pluginSettings() []setting.Definition { return ism.Settings() }

var settings = setting.NewRegistry(pluginSettings()...)
