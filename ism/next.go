// SPDX-License-Identifier: Apache-2.0

package ism

import (
	"time"
)

// Facts is what the cluster says about one index. A part that was not read is nil; [Needs] says which parts a
// decision will ask for.
type Facts struct {
	// Exists is false if no index of the job's name has the job's uuid.
	Exists  bool
	Open    bool
	Created time.Time // zero if unknown
	Aliases []string
	// Target is what a rollover rolls over: the data stream, else the rollover_alias setting; "" if neither.
	Target       string
	DataStream   bool
	RolloverSkip bool
	// HasTarget and WriteIndex say whether the index carries the target alias, and whether it is its write index (or
	// its only index while no write flag is set).
	HasTarget, WriteIndex bool
	// RolledOver is when the index was rolled over, by target; nil if not read.
	RolledOver map[string]time.Time
	// Stats are the index's numbers; nil if not read.
	Stats *Stats
	// StatsError is set where reading the numbers failed.
	StatsError error
	// Red is true while some primary shard of the cluster is unassigned.
	Red bool
}

// Stats are the numbers that conditions compare.
type Stats struct {
	Docs         int64
	PrimaryBytes int64
	MaxShard     int
	MaxShardSize int64
	Failures     []string
}

// Need is a set of facts that cost a request.
type Need uint8

// The needs.
const (
	NeedStats Need = 1 << iota
	NeedRolloverInfo
)

// Config is the part of the settings that decisions depend on.
type Config struct {
	Enabled     bool
	AllowList   []string
	JobInterval int // minutes
	AllowOnRed  bool
	// Native keeps the plugin's gates 7 and 13 (runtime notes, section 2.2), which stop an index after a crash or a
	// version conflict. Without it such an index goes on.
	Native bool
}

// Input is everything a decision depends on.
type Input struct {
	Job    Job
	Meta   *Metadata // nil before the first move
	Change *Policy   // the policy a pending change names, as it is now; nil if it does not exist
	// ChangeVersion is the document version of Change.
	ChangeSeqNo, ChangePrimaryTerm int64
	Facts                          Facts
	Config                         Config
	Now                            time.Time
}

// Kind is what a move does.
type Kind int

// The kinds of moves.
const (
	// Wait does nothing until Due, or until facts change.
	Wait Kind = iota
	// Save stores Meta; there is no effect. (Initialise, a gate that fails the index, an applied policy change, a
	// pure step's result.)
	Save
	// Run stores Meta (step_status "starting"), executes Step, and stores what [Finish] makes of its result.
	Run
	// Disable switches the job off.
	Disable
	// Amend stores Job only (is_safe turned false, a new job interval).
	Amend
)

// Move is the one thing a policy wants done with an index now.
type Move struct {
	Kind Kind
	// Meta is what to store first (Save, Run).
	Meta *Metadata
	// Create is true if Meta must not exist yet.
	Create bool
	// Job is the job document to store with it (an applied change, Amend, Disable); nil if it stays.
	Job *Job
	// Action and Step say what Run executes.
	Action *Action
	Step   StepInfo
	// Result is set where the step is decided without an effect (transitions, a rollover that waits or fails its
	// checks). Meta is the finished metadata then; Starting is what a driver that shows every step stores before it.
	Result   *Result
	Starting *Metadata
	// Due is, for Wait, the earliest instant at which the answer can change; zero if only a changed fact can change it.
	Due time.Time
	// Notify asks for the policy's error notification.
	Notify bool
	// Final is true if the job is to be disabled right after the save (native gates 7, 10, 13, 14, 15).
	Final bool
	// Reason is for the log.
	Reason string
}

// Result is what a step reports.
type Result struct {
	Status string // completed, condition_not_met, failed
	Info   Info
	// TransitionTo, Completed, RolledOver and NewIndex are set by the steps that have them.
	TransitionTo string
	Completed    bool
	RolledOver   bool
	NewIndex     string
	// Properties replace the action's properties; nil clears them.
	Properties *Properties
	// Again is, for condition_not_met, when to look again: zero leaves it to the driver.
	Again time.Time
}
