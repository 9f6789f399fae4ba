// SPDX-License-Identifier: Apache-2.0

// Package clock gives the program its time. Only what lands in a document or a decision is read from it (creation
// dates, ages, cron, retries, history) and the due times of the lifecycle; machinery such as refresh, group commit
// and network back-off runs on real time.
//
// [Real] is the machine's clock. [Virtual] stands still until [Virtual.Advance] moves it from one alarm to the next,
// in order, and never while somebody holds it.
package clock

import "time"

// A Clock tells the time and wakes whoever asked for an instant. It is safe for concurrent use.
type Clock interface {
	// Now is the current instant in UTC.
	Now() time.Time
	// Hold keeps a virtual clock from moving until release is called. Whoever has background work under way
	// holds the clock. release may be called more than once. On the real clock it does nothing.
	Hold() (release func())
	// Alarm delivers once on C at the instant at, at once if it has passed. What it delivers is a release: a
	// virtual clock stands held on the receiver's behalf until it is called.
	Alarm(at time.Time) *Alarm
}

// An Alarm is one instant somebody waits for.
type Alarm struct {
	// C gets one release func.
	C <-chan func()
	// Stop gives the alarm up. An alarm that has fired meanwhile releases its hold.
	Stop func()
}
