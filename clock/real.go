// SPDX-License-Identifier: Apache-2.0

package clock

import "time"

// Real is the machine's clock.
type Real struct{}

// Now is the current instant in UTC.
func (Real) Now() time.Time { return time.Now().UTC() }

// Hold does nothing.
func (Real) Hold() func() { return func() {} }

// Alarm fires when the machine's clock reaches at.
func (Real) Alarm(at time.Time) *Alarm {
	c := make(chan func(), 1)
	t := time.AfterFunc(time.Until(at), func() { c <- func() {} })
	return &Alarm{C: c, Stop: func() { t.Stop() }}
}
