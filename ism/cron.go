// SPDX-License-Identifier: Apache-2.0

package ism

import (
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/schedule"
)

// Cron is a five-field UNIX cron expression in a time zone.
type Cron = schedule.Cron

// parseCron reads {"cron":{"expression":...,"timezone":...}}. An {"interval":...} schedule is read and dropped, as the
// plugin does: nil.
func parseCron(p *wire.Parser) (*Cron, error) {
	var c *Cron
	seen := false
	err := p.Object(func(kind string) (err error) {
		seen = true
		switch kind {
		case "cron":
			c, err = schedule.ParseCron(p)
		case "interval":
			err = p.Skip()
		default:
			err = fault.Illegal("Unknown schedule type %s", kind)
		}
		return err
	})
	if err == nil && !seen {
		err = fault.Illegal("Invalid schedule document object.")
	}
	return c, err
}
