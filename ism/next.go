// SPDX-License-Identifier: Apache-2.0

package ism

import (
	"fmt"
	"slices"
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
	// MarkedWrite says whether the index is marked as the target alias's write index; TargetIndices is how many indices
	// have that alias.
	MarkedWrite   bool
	TargetIndices int
	// RolledOver is when the index was rolled over, by target; nil if not read.
	RolledOver map[string]time.Time
	// Stats are the index's numbers; nil if not read.
	Stats *Stats
	// StatsError is set where reading the numbers failed.
	StatsError error
	// Red is true while some primary shard of the cluster is unassigned.
	Red bool
	// HeapPercent is how much of its memory the busiest node uses; 0 if not read.
	HeapPercent int
	// Scale is what scaling down to searches alone takes.
	Scale Scale
	// Can is what the cluster is able to do.
	Can Abilities
}

// Abilities are what not every cluster can do.
type Abilities struct{ Replicate, SearchSnapshots bool }

// Scale is what an index and its cluster need for search_only.
type Scale struct {
	RemoteStore, SegmentReplication bool
	SearchReplicas                  int
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
	NeedHeap // of validations alone
	NeedScale
	NeedAbilities
)

// Config is the part of the settings that decisions depend on.
type Config struct {
	Enabled     bool
	AllowList   []string
	JobInterval int // minutes
	AllowOnRed  bool
	// DeniedRepositories are patterns of repositories that no snapshot is taken in.
	DeniedRepositories []string
	// Validate checks each action before it runs; see [Validate]. HeapLimit is the percentage of its memory that no
	// node may exceed for some of them; 0 means any.
	Validate  bool
	HeapLimit int
	// Native stops an index where the plugin does: after a crash in a step that the plugin does not repeat, and when
	// metadata and job name different versions of the policy. A failed index is disabled, and a changed job_interval is
	// written into the job. A step that waits is stored with what it saw, each time. Without it such an index goes on, a
	// failed one stays enabled, and waiting stores nothing.
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
	// Save stores Meta, and Job if it is set; there is no effect. (Initialisation, a failure of the policy itself, an
	// applied policy change, the result of a step that is decided without an effect.)
	Save
	// Run stores Meta (step_status "starting"), executes Step, and stores what [Finish] makes of its result.
	Run
	// Amend stores Job only: it is disabled, or its pending change is no longer safe, or its interval changed.
	Amend
)

// Move is the one thing a policy wants done with an index now.
type Move struct {
	Kind Kind
	// Meta is what to store first (Save, Run).
	Meta *Metadata
	// Job is the job document to store; nil if it stays. On a Run, and on a Wait, it is one with another interval, which
	// the plugin stores after the result.
	Job *Job
	// Action and Step say what Run executes. They are set on a Save and a Wait that belong to a step, too.
	Action *Action
	Step   StepInfo
	// Result is what a step decided without an effect reports (Save, Wait), or what a step that is about to run was
	// decided on and reports with its effect (the conditions of a rollover).
	Result *Result
	// Starting is, where Result is set on a Save or a Wait, the metadata with step_status "starting" that the plugin
	// would have stored before.
	Starting *Metadata
	// Due is, for Wait, the earliest instant at which the answer can change; zero if only a changed fact can change it.
	Due time.Time
	// Notify asks for the policy's error notification.
	Notify bool
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
	// Properties replace the action's properties; nil leaves them as they are, unless DropProperties is set.
	Properties     *Properties
	DropProperties bool
	// Step is the name that the result is recorded under; "" means the step's own. A first step that finds nothing to do
	// ends its action with the last one's.
	Step string
	// Again is, for condition_not_met, when to look again: zero leaves it to the driver.
	Again time.Time
	// Turn says, for condition_not_met, that it waits for what an action of another index has and will give back. GivesBack says that it
	// has done so.
	Turn, GivesBack bool
}

// Next is what the policy wants done with the index at in.Now. The gates stand in the order of the plugin's.
func Next(in Input) Move {
	m := in.Meta
	switch {
	case !in.Job.Enabled:
		return Move{Kind: Wait, Reason: "the job is disabled"}
	case !in.Facts.Exists:
		return Move{Kind: Wait, Reason: "the index does not exist"}
	case in.Facts.Red && !in.Config.AllowOnRed:
		return Move{Kind: Wait, Reason: "the cluster is red"}
	case m == nil:
		return in.initialise()
	case m.PolicyCompleted, m.Failed() && in.Config.Native:
		return Move{Kind: Amend, Job: in.Job.Disable(in.Now), Reason: "the policy has ended"}
	case m.Failed():
		return Move{Kind: Wait, Reason: "the index has failed"}
	case in.conflict():
		return in.resolveConflict()
	}
	return in.next(in.resolve())
}

// next goes on once it is known what the policy would run.
func (in *Input) next(r resolved) Move {
	switch {
	case in.Facts.Red && r.action != nil && !slices.Contains(allowedOnRed, r.action.Type):
		return Move{Kind: Wait, Reason: "the cluster is red"}
	case !in.Config.Enabled && r.action != nil && r.step.SafeToDisable:
		return Move{Kind: Amend, Job: in.Job.Disable(in.Now), Reason: "the plugin is disabled"}
	case in.timedOut(r) && !in.cleansUp(r):
		return in.fail(r, true, "Action timed out")
	}
	if move, ok := in.change(r); ok {
		return move
	}
	if at := in.backoffEnd(r); at.After(in.Now.Add(-in.Config.RunLength())) {
		return Move{Kind: Wait, Due: earliest(at, in.timeoutAt(r)), Action: r.action, Step: r.step, Reason: "waiting for the retry"}
	}
	switch {
	case in.Config.Native && in.crashed(r):
		return in.failPolicy("Previous action was not able to update IndexMetaData.", true)
	case r.action != nil && !in.allowed(r):
		return in.failPolicy(fmt.Sprintf("Attempted to execute action=%s which is not allowed.", r.action.Type), true)
	case r.state == nil:
		where := in.Meta.TransitionTo
		if where == "" {
			where = in.Meta.State.String()
		}
		return in.failPolicy(fmt.Sprintf("Failed to find state=%s in policy=%s", where, in.Job.PolicyID), false)
	case r.action == nil:
		return in.failPolicy(fmt.Sprintf("Failed to find action=%s in state=%s", in.Meta.Action, in.Meta.State), false)
	}
	return in.run(r)
}

// initialise is the first move: the index enters the policy's default state.
func (in *Input) initialise() Move {
	m := &Metadata{Index: in.Job.Index, UUID: in.Job.UUID, PolicyID: in.Job.PolicyID, Created: in.Facts.Created}
	move := Move{Kind: Save, Meta: m, Reason: "initialise"}
	policy, seqNo, primaryTerm := in.Job.Policy, in.Job.PolicySeqNo, in.Job.PolicyPrimaryTerm
	start := policy.DefaultState
	if c := in.Job.ChangePolicy; c != nil {
		m.PolicyID = c.PolicyID
		if in.Change == nil {
			m.Retry.Failed = true
			m.Info = Message("Fail to load policy: " + c.PolicyID)
			return move
		}
		policy, seqNo, primaryTerm = in.Change, in.ChangeSeqNo, in.ChangePrimaryTerm
		start = policy.DefaultState
		if c.State != nil {
			start = *c.State
		}
		move.Job = in.Job.WithPolicy(policy, seqNo, primaryTerm)
	}
	m.PolicySeqNo, m.PolicyPrimaryTerm = &seqNo, &primaryTerm
	m.State = &StateMeta{Name: start, StartTime: in.Now}
	m.Info = Message("Successfully initialized policy: " + m.PolicyID)
	return move
}

// conflict reports whether metadata and job name different versions of the policy.
func (in *Input) conflict() bool {
	m := in.Meta
	return m.PolicySeqNo == nil || *m.PolicySeqNo != in.Job.PolicySeqNo ||
		m.PolicyPrimaryTerm == nil || *m.PolicyPrimaryTerm != in.Job.PolicyPrimaryTerm
}

// resolveConflict fails the index as the plugin does, or goes on: a change whose first half was stored is finished, and
// otherwise the job's policy counts.
func (in *Input) resolveConflict() Move {
	if in.Config.Native {
		return in.failPolicy("There is a version conflict between your previous execution and your managed index", true)
	}
	if in.Meta.State == nil && in.Meta.TransitionTo == "" {
		return in.initialise() // its initialisation failed, and was retried
	}
	if c := in.Job.ChangePolicy; c != nil && in.Change != nil && c.PolicyID == in.Meta.PolicyID {
		return Move{Kind: Amend, Job: in.Job.WithPolicy(in.Change, in.ChangeSeqNo, in.ChangePrimaryTerm), Reason: "finish the policy change"}
	}
	m := in.Meta.clone()
	seqNo, primaryTerm := in.Job.PolicySeqNo, in.Job.PolicyPrimaryTerm // pointers into in would keep all of it
	m.PolicyID, m.PolicySeqNo, m.PolicyPrimaryTerm = in.Job.PolicyID, &seqNo, &primaryTerm
	return Move{Kind: Save, Meta: m, Reason: "adopt the policy of the job"}
}

// failPolicy stores that the policy itself failed. disable says that the plugin disables the job at once.
func (in *Input) failPolicy(message string, disable bool) Move {
	m := in.Meta.clone()
	m.Retry = RetryInfo{Failed: true}
	m.Info = Message(message)
	move := Move{Kind: Save, Meta: m, Notify: disable, Reason: message}
	if disable && in.Config.Native {
		move.Job = in.Job.Disable(in.Now)
	}
	return move
}

// fail stores that the action failed for good without running its step.
func (in *Input) fail(r resolved, notify bool, message string) Move {
	m := in.Meta.clone()
	m.Action.Failed = true
	m.Step = &StepMeta{Name: r.step.Name, StartTime: in.Now, Status: StatusTimedOut}
	m.Info = Message(message)
	move := Move{Kind: Save, Meta: m, Notify: notify, Action: r.action, Step: r.step, Reason: message}
	if in.Config.Native {
		move.Job = in.Job.Disable(in.Now)
	}
	return move
}

// allowed reports whether the allow list lets the action begin. One that has begun may end.
func (in *Input) allowed(r resolved) bool {
	return r.action.Type == ActionTransition || r.step.Name != steps[r.action.Type][0].Name ||
		slices.Contains(in.Config.AllowList, r.action.Type)
}

// allowedOnRed are the actions that run on a red cluster where allow_running_on_red_cluster is set.
var allowedOnRed = []string{
	ActionDelete, ActionClose, ActionReadOnly, ActionNotification, ActionIndexPriority, ActionAlias,
	ActionStopReplication, ActionSearchOnly, ActionTransition,
}

func (in *Input) timeoutAt(r resolved) time.Time {
	if r.action == nil || r.fresh || in.Meta.Action.StartTime.IsZero() {
		return time.Time{}
	}
	return r.action.Late(in.Meta.Action.StartTime)
}

// Late is the first instant at which an action that began at start has taken longer than it may; zero if it may take any
// time.
func (a *Action) Late(start time.Time) time.Time {
	if a.Timeout == nil {
		return time.Time{}
	}
	// strictly later than the timeout, at the resolution of documents
	return start.Add(a.Timeout.Value()).Add(time.Millisecond)
}

func (in *Input) timedOut(r resolved) bool {
	at := in.timeoutAt(r)
	return !at.IsZero() && !in.Now.Before(at)
}

// cleansUp reports whether the step has changes to undo before its action ends: it is run beyond its timeout, and gives
// up. The plugin fails the action over its head, and leaves the changes.
func (in *Input) cleansUp(r resolved) bool {
	p := in.Meta.Action.Properties
	return !in.Config.Native && r.action.Type == ActionShrink && p != nil && p.Shrink != nil
}

// nativeRun is about how long a run of the plugin takes, most of it waiting for a refresh before its step acts. Its retries are
// counted from the end of a run.
const nativeRun = time.Second

// RunLength is nativeRun at native pace, 0 at full pace.
func (c *Config) RunLength() time.Duration {
	if c.Native {
		return nativeRun
	}
	return 0
}

// backoffEnd is when the next retry may happen; zero if none waits.
func (in *Input) backoffEnd(r resolved) time.Time {
	a := in.Meta.Action
	if r.action == nil || r.fresh || a.ConsumedRetries <= 0 || a.LastRetry == nil || *a.LastRetry == 0 {
		return time.Time{}
	}
	return time.UnixMilli(*a.LastRetry).UTC().Add(r.action.Retry.Wait(a.ConsumedRetries))
}

// crashed reports whether the last run began a step that must not run twice, and did not end it.
func (in *Input) crashed(r resolved) bool {
	s := in.Meta.Step
	return r.action != nil && s != nil && s.Status == StatusStarting && !r.step.Idempotent
}

// earliest of two instants, of which zero means never.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}
