// SPDX-License-Identifier: Apache-2.0

package action

import (
	"context"
	"crypto/sha1" //nolint:gosec // an id that the plugin makes the same way, no secret
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/rollup"
	"github.com/opensteward/steward/rollup/dimension"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/setting"
)

// minutely is the schedule of jobs that policies create, as in the plugin.
var minutely = wire.Obj("interval", wire.Obj("period", 1, "unit", "Minutes"))

// sha1ID is the id of a job that a policy creates: the same for the same configuration and index.
func sha1ID(text string) string {
	sum := sha1.Sum([]byte(text)) //nolint:gosec // see the import
	return hex.EncodeToString(sum[:])
}

// rollupSource is the source of a rollup as the policy names it.
func rollupSource(e *Env) string {
	if s := e.Action.Rollup.SourceIndex; s != nil {
		return *s
	}
	return e.Index
}

// rollupID is the id of the job of a policy's rollup, which is the plugin's.
func rollupID(e *Env) string {
	r := e.Action.Rollup
	var b strings.Builder
	b.WriteString(rollupSource(e) + r.TargetIndex + settingsText(r.TargetSettings) + strconv.Itoa(r.PageSize))
	for _, d := range r.Dimensions {
		b.WriteString(d.Kind + d.SourceField)
	}
	for _, m := range r.Metrics {
		b.WriteString(m.SourceField + strings.Join(m.Kinds, ""))
	}
	return sha1ID(b.String())
}

// settingsText is settings as the plugin prints them: flat, or null.
func settingsText(raw []byte) string {
	if raw == nil {
		return "null"
	}
	values, _, err := setting.Flatten(raw)
	if err != nil {
		return string(raw)
	}
	text, err := wire.Marshal(setting.NewRegistry().Flat(values))
	if err != nil {
		return string(raw)
	}
	return string(text)
}

// attemptCreateRollup stores the rollup job of the index, or finds that it is there, and takes a job up again that
// failed in this same action.
func attemptCreateRollup(ctx context.Context, e *Env) (ism.Result, error) {
	id := rollupID(e)
	properties := &ism.Properties{RollupID: &id}
	failed := e.message("Failed to create the rollup job [%s]", id)
	job, err := rollupJob(ctx, e, id)
	if c, ok := errors.AsType[unfit](err); ok {
		info := ism.Message("Failed to validate resolved indices for rollup job").With("cause", string(c))
		return ism.Result{Status: ism.StatusFailed, Info: info, Properties: properties}, nil
	}
	if err == nil {
		_, err = rollup.Create(ctx, e.Client, configExists, job, "true")
	}
	var r ism.Result
	switch stored := e.Meta.Action.Properties; {
	case err == nil:
		r = completed(e.message("Successfully created the rollup job [%s]", id))
	case !fault.HasStatus(err, http.StatusConflict):
		r, err = refused(err, failed)
	case stored != nil && stored.HasRollupFailed != nil && *stored.HasRollupFailed && stored.RollupID != nil && *stored.RollupID == id:
		r, err = restartJob(ctx, e, rollup.Rollup, id)
	default:
		r, err = alreadyThere(e, rollup.Rollup, id), nil
	}
	r.Properties = properties
	return r, err
}

// configExists is for whoever is called by a policy: the config index holds the policy.
func configExists(context.Context) error { return nil }

// unfit is why a job cannot be made of the indices that it names.
type unfit string

// Error is the reason.
func (u unfit) Error() string { return string(u) }

// optimized is the setting of indices that no job can read.
const optimized = "index.pluggable.dataformat.enabled"

// readable refuses an index that no job can read.
func readable(ctx context.Context, e *Env, k *rollup.Kind, index string) error {
	infos, err := e.Client.Indices(ctx, []string{index})
	if err == nil && infos[index].Settings[optimized] == "true" {
		err = unfit(k.Title + " is not supported with Optimized Engine currently")
	}
	return err
}

// rollupJob is the job of the policy's rollup. An unfit error says why its indices cannot be.
func rollupJob(ctx context.Context, e *Env, id string) (*rollup.Job, error) {
	r := e.Action.Rollup
	values := map[string]any{"index": e.Index, "source_index": rollupSource(e)}
	source, err := rollup.Resolve(ctx, e.Client, rollupSource(e), values)
	if err != nil {
		return nil, err
	}
	target, err := rollup.Resolve(ctx, e.Client, r.TargetIndex, values)
	switch {
	case err != nil:
		return nil, err
	case strings.TrimSpace(source) == "":
		return nil, unfit("Resolved source_index cannot be empty")
	case strings.TrimSpace(target) == "":
		return nil, unfit("Resolved target_index cannot be empty")
	case source == target:
		return nil, unfit("Source and target indices must be different: " + source)
	}
	if err := readable(ctx, e, rollup.Rollup, source); err != nil {
		return nil, err
	}
	members := wire.Obj("source_index", source, "target_index", target, "description", r.Description, "page_size", r.PageSize,
		"schedule", minutely, "dimensions", dimension.ListJSON(r.Dimensions), "metrics", dimension.MetricsJSON(r.Metrics))
	members.AddIf(r.TargetSettings != nil, "target_index_settings", r.TargetSettings)
	members.AddIf(r.RoutingField != nil, "routing_field", r.RoutingField)
	return newJob(e, rollup.Rollup, id, members)
}

// newJob is a job that is made when the plugin's step would act: one that runs every minute has not run yet when its action
// first looks at it, at a run that comes every minute too.
func newJob(e *Env, k *rollup.Kind, id string, members wire.Object) (*rollup.Job, error) {
	body, err := wire.Marshal(wire.Obj(k.Name, members))
	if err != nil {
		return nil, err
	}
	return rollup.Parse(k, id, body, e.Now.Add(e.Config.RunLength()), true)
}

// alreadyThere is the result of creating a job that exists. Its text stands under "info", as in the plugin.
func alreadyThere(e *Env, k *rollup.Kind, id string) ism.Result {
	return completed(ism.Info{{Name: "info", Value: k.Title + " job [" + id + "] already exists, skipping creation [index=" + e.Index + "]"}})
}

// restartJob starts a job that exists.
func restartJob(ctx context.Context, e *Env, k *rollup.Kind, id string) (ism.Result, error) {
	if err := rollup.Start(ctx, e.Client, k, id, e.Now); err != nil {
		return refused(err, e.message("Failed to start the %s job [%s]", k.Name, id))
	}
	return completed(e.message("Successfully restarted the %s job [%s]", k.Name, id)), nil
}

// waitForRollup waits for the end of the rollup job.
func waitForRollup(ctx context.Context, e *Env) (ism.Result, error) {
	stored := e.Meta.Action.Properties
	if stored == nil || stored.RollupID == nil {
		return ism.Result{Status: ism.StatusFailed, Info: e.message("Rollup job was not found")}, nil
	}
	id := *stored.RollupID
	o, err := rollup.Explain(ctx, e.Client, rollup.Rollup, id)
	var r ism.Result
	properties := &ism.Properties{RollupID: &id}
	switch {
	case err != nil:
		r, err = refused(err, e.message("Failed to get the status of rollup job [%s]", id))
	case !o.Exists:
		r = ism.Result{Status: ism.StatusFailed, Info: e.message("Rollup job was not found")}
	default:
		r = jobResult(e, rollup.Rollup, id, o)
		if r.Status == ism.StatusFailed {
			properties.HasRollupFailed = new(true)
		}
	}
	r.Properties = properties
	return r, err
}

// jobResult is what a waiting step makes of where a job stands.
func jobResult(e *Env, k *rollup.Kind, id string, o rollup.Outcome) ism.Result {
	failed := e.message("%s job [%s] failed", k.Title, id)
	switch o.Status {
	case rollup.StatusFinished:
		return completed(e.message("%s job [%s] completed", k.Title, id))
	case rollup.StatusFailed:
		return ism.Result{Status: ism.StatusFailed, Info: failed.With("cause", o.Failure)}
	case rollup.StatusStopped:
		return ism.Result{Status: ism.StatusFailed, Info: failed.With("cause", k.Title+" job was stopped")}
	}
	return waiting(e.message("%s job [%s] is still processing", k.Title, id))
}
