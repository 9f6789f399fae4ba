// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"maps"
	"time"

	"github.com/opensteward/steward/wire/setting"
)

// WriteSettings are the settings of the index that writes to a name go to; for a name that does not exist yet, those that
// templates give to it. Only settings that were set are among them.
func (s *State) WriteSettings(name string, now time.Time) (setting.Values, error) {
	index, err := s.writeIndex(name, now)
	if err != nil {
		return nil, err
	}
	if index != nil {
		return index.Settings, nil
	}
	out := setting.Values{}
	for _, t := range s.templatesFor(name, &origin{}) {
		maps.Copy(out, t.Settings)
	}
	return out, nil
}
