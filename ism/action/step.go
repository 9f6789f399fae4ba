// SPDX-License-Identifier: Apache-2.0

package action

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/opensearch"
)

// Step is one idempotent piece of an action.
type Step struct {
	// Name is the step's name in metadata: "attempt_rollover".
	Name string
	// Kind says with which others it shares a limit on how many run at once.
	Kind Kind
	// Looks is true for a step that waits for something in the cluster, and changes nothing about the index unless it has
	// stored its intention: looking once more need not be announced in the metadata.
	Looks bool
	// Run looks, acts and reports. An error means that it is not known what became of a call: run it again.
	Run func(ctx context.Context, env *Env) (ism.Result, error)
}

// Kind groups steps by what they load.
type Kind int

// The kinds.
const (
	// Light steps are one or two small requests.
	Light Kind = iota
	// Heavy steps keep the cluster busy for long.
	Heavy
	// Outgoing steps wait for somebody else's endpoint.
	Outgoing
	// Kinds is the number of kinds.
	Kinds
)

// Limit is how many steps of the kind run at once.
func (k Kind) Limit() int {
	if k == Heavy {
		return 4
	}
	return 16
}

// Within is how long (real time) one run of a step of the kind may take before its calls are cancelled and it is run again.
func (k Kind) Within() time.Duration {
	if k == Heavy {
		return 2*mergePatience + 2*time.Minute // for the merge of somebody else, and for its own
	}
	return 2 * time.Minute
}

// Env is what a step is given.
type Env struct {
	Client      *opensearch.Client
	Index, UUID string
	// Action is the policy's action.
	Action *ism.Action
	// Meta is the metadata as stored before the step, step_status "starting".
	Meta *ism.Metadata
	// Config are the settings it was decided by.
	Config ism.Config
	// Facts are those the step was decided on.
	Facts ism.Facts
	// Decided is what was decided beforehand and is to be reported with the effect (a rollover's conditions); nil if
	// nothing was.
	Decided *ism.Result
	// Now is the instant of the sweep.
	Now time.Time
	// Interval is how often the plugin would run the job; 0 if it is not known.
	Interval time.Duration
	// Notifier delivers messages; nil if there is none.
	Notifier Notifier
	// Intentions keeps what the step is about to do.
	Intentions Intentions
	// LetTimePass calls fn, which only looks at what others do, while a virtual clock may move. fn's context ends when limit
	// has passed on the clock. It returns what fn does.
	LetTimePass func(ctx context.Context, limit time.Duration, fn func(context.Context) error) error
	// Background runs fn beyond the end of the step, until the process ends. It returns false, and runs nothing, while
	// something runs so for this index.
	Background func(fn func(context.Context)) bool
}

// Intentions stores, durably and under the leader's fencing number, what one step is about to do.
type Intentions interface {
	// Load returns the step's intention if it was stored for this same start of the same action; nil if not.
	Load(ctx context.Context) (*Intention, error)
	// Store replaces it. It fails if another process has done so meanwhile.
	Store(ctx context.Context, i Intention) error
}

// Intention is what a step is about to do, as far as it has to be known after a crash.
type Intention struct {
	// Target is the alias or data stream that is rolled over, NewIndex the name the new index is given, "" where the
	// cluster names it.
	Target   string `json:"target,omitempty"`
	NewIndex string `json:"new_index,omitempty"`
	// Snapshot is the name that the index's snapshot is given.
	Snapshot string `json:"snapshot,omitempty"`
	// Send is the name as it is sent, which for a date-math name is an expression.
	Send string `json:"send,omitempty"`
	// Info is what will be reported.
	Info ism.Info `json:"info,omitempty"`
	// Shrink is what a shrink has settled on.
	Shrink *shrinkPlan `json:"shrink,omitempty"`
}

// message is the info of a step: a text that ends in the index's name.
func (e *Env) message(format string, args ...any) ism.Info {
	return ism.Message(fmt.Sprintf(format, args...) + " [index=" + e.Index + "]")
}

func completed(info ism.Info) ism.Result { return ism.Result{Status: ism.StatusCompleted, Info: info} }

// actionStart is when the action began, over all its steps and retries.
func (e *Env) actionStart() time.Time { return e.Meta.Action.StartTime }

func waiting(info ism.Info) ism.Result {
	return ism.Result{Status: ism.StatusConditionNotMet, Info: info}
}

// outcome is the result of a call that answers acknowledged or not: done and failed are its two infos.
func (e *Env) outcome(a opensearch.Acknowledged, err error, done, failed ism.Info) (ism.Result, error) {
	switch {
	case err != nil:
		return refused(err, failed)
	case !a.Acknowledged:
		return ism.Result{Status: ism.StatusFailed, Info: failed}, nil
	default:
		return completed(done), nil
	}
}

// refused is the result of a call that failed: the cluster's reason becomes the cause. If it is not known whether the
// call was carried out, it is the error.
func refused(err error, failed ism.Info) (ism.Result, error) {
	if Unanswered(err) {
		return ism.Result{}, err
	}
	if reason := fault.Of(err).Reason; reason != "" {
		failed = failed.With("cause", reason)
	}
	return ism.Result{Status: ism.StatusFailed, Info: failed}, nil
}

// Unanswered reports whether err leaves open what became of a call, or says that the cluster could not take it just
// now: the same call may be sent again, and nothing about the index is wrong.
func Unanswered(err error) bool {
	f := fault.Of(err)
	if f.Type == "transport_exception" || f.Type == "exception" {
		return true
	}
	if f.Type == "cluster_block_exception" {
		return false // somebody has to lift it, or free disk space
	}
	switch f.Status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// present reports whether the index with the step's uuid still exists under its name.
func (e *Env) present(ctx context.Context) (opensearch.IndexInfo, bool, error) {
	infos, err := e.Client.Indices(ctx, []string{e.Index})
	info, ok := infos[e.Index]
	return info, ok && info.UUID == e.UUID, err
}

func snapshotInProgress(err error) bool { return fault.Is(err, "snapshot_in_progress_exception") }
