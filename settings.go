// SPDX-License-Identifier: Apache-2.0

package steward

import (
	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/wire/setting"
)

// settings are the settings of the plugins whose work this program does.
var settings = setting.NewRegistry(ism.Settings()...)
