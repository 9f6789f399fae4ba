// SPDX-License-Identifier: Apache-2.0

package rollup

import (
	"context"
	"net/http"
	"strings"

	"github.com/cbroglie/mustache"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/rollup/dimension"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/setting"
)

// The settings that make an index a target of rollups: today's and the one before.
const (
	rollupIndex    = "index.plugins.rollup_index"
	oldRollupIndex = "index.opendistro.rollup_index"
)

// failure is why a job cannot work. It becomes the failure_reason.
type failure struct{ reason string }

// Error is the reason.
func (f *failure) Error() string { return f.reason }

func failed(reason string) error { return &failure{reason} }

// refusal makes a failure of a cluster's refusal, in these words or in its own if they are "". A busy cluster's error
// stays what it is.
func refusal(err error, words string) error {
	if err == nil || Busy(err) {
		return err
	}
	if words == "" {
		words = reason(fault.Of(err))
	}
	return failed(words)
}

// reason is what an error says; of a search, what its shards say.
func reason(e *fault.Error) string {
	if len(e.Roots) > 0 && e.Type == "search_phase_execution_exception" {
		return e.Roots[0].Reason
	}
	return e.Reason
}

// targetMapping is the mapping of a new target of rollups, but for _meta.
var targetMapping = wire.Obj("dynamic_templates", []any{
	wire.Obj("strings", wire.Obj("match_mapping_type", "string", "mapping", wire.Obj("type", "keyword"))),
	wire.Obj("date_histograms", wire.Obj("path_match", "*.date_histogram", "mapping", wire.Obj("type", "date"))),
})

// Resolve renders an index name that may be a Mustache template over ctx, and replaces an alias by its write index. A
// name that renders to nothing is taken as it is written.
func Resolve(ctx context.Context, c *opensearch.Client, name string, values map[string]any) (string, error) {
	rendered, err := render(name, values)
	if err != nil {
		return "", err
	}
	infos, err := c.Indices(ctx, []string{rendered})
	if err != nil && !fault.Is(err, "invalid_index_name_exception") {
		return "", err
	}
	if _, is := infos[rendered]; !is && len(infos) > 0 {
		rendered = writeIndex(infos, rendered)
	}
	if strings.TrimSpace(rendered) == "" {
		return name, nil
	}
	return rendered, nil
}

func render(name string, values map[string]any) (string, error) {
	if !strings.Contains(name, "{{") {
		return name, nil
	}
	t, err := mustache.ParseStringPartialsRaw(name, &mustache.StaticProvider{}, true)
	if err != nil {
		return "", failed("Failed to compile template [" + name + "]")
	}
	return t.Render(map[string]any{"ctx": values})
}

// writeIndex is the index of an alias that is written to; "" if there is none.
func writeIndex(infos map[string]opensearch.IndexInfo, alias string) string {
	for name, info := range infos {
		a, ok := info.Aliases[alias]
		if ok && (a.Write != nil && *a.Write || a.Write == nil && len(infos) == 1) {
			return name
		}
	}
	return ""
}

// prepareRollup makes sure that the target of a rollup exists, is a rollup index and names the job.
func prepareRollup(ctx context.Context, c *opensearch.Client, j *Job, target string) error {
	infos, err := c.Indices(ctx, []string{target})
	if err == nil && infos[target].Name == "" {
		refused := createRollupIndex(ctx, c, j, target)
		if refused == nil {
			return nil
		}
		// Another process may have been faster. A date-math name never is one's own.
		if infos, err = c.Indices(ctx, []string{target}); err == nil && infos[target].Name == "" {
			err = refused
		}
	}
	if err != nil {
		return refusal(err, "Failed to create target index ["+target+"]")
	}
	info, err := adopt(ctx, c, j, target, infos[target])
	if err != nil {
		return err
	}
	if !isRollupIndex(info) {
		return failed("Target index [" + target + "] is a non rollup index")
	}
	err = nameJob(ctx, c, j, target)
	return refusal(err, "Failed to update mappings of target index ["+target+"] with rollup job")
}

func createRollupIndex(ctx context.Context, c *opensearch.Client, j *Job, target string) error {
	settings := wire.Obj(rollupIndex, true)
	if j.TargetSettings != nil {
		values, nulls, err := setting.Flatten(j.TargetSettings)
		if err != nil {
			return err
		}
		for _, name := range nulls {
			delete(values, name)
		}
		settings = append(settings, setting.NewRegistry().Flat(values)...)
	}
	meta := wire.Obj("rollups", wire.Obj(j.ID, j.JSON(Stored)))
	mapping := append(wire.Obj("_meta", meta), targetMapping...)
	return c.CreateIndex(ctx, target, wire.Obj("settings", settings, "mappings", mapping))
}

// nameJob adds the job to the mapping's _meta, whose other members stay.
func nameJob(ctx context.Context, c *opensearch.Client, j *Job, target string) error {
	meta, rollups, err := metaOf(ctx, c, target)
	if err != nil || rollups[j.ID] != nil {
		return err
	}
	if rollups[j.ID], err = wire.Marshal(j.JSON(Stored)); err != nil {
		return err
	}
	if meta["rollups"], err = wire.Marshal(rollups); err != nil {
		return err
	}
	return c.Do(ctx, opensearch.Call{Method: http.MethodPut, Path: opensearch.Path(target, "_mapping"), Body: wire.Obj("_meta", meta)}, nil)
}

// dateFormat is that of dates in the target of a transform.
const dateFormat = "strict_date_optional_time||epoch_millis"

// targetDates are the fields of a transform's target that hold dates, by their mappings: terms of dates, and
// aggregations of dates.
func (j *Job) targetDates(source *fieldMap) wire.Object {
	out := wire.Object{}
	for _, d := range j.Groups {
		if f := source.field(d.SourceField); d.Kind != dimension.DateHistogram && f.isDate() {
			out.Add(d.TargetField, wire.Obj("type", f.Type, "format", dateFormat))
		}
	}
	for _, a := range j.Aggregations {
		if f := source.field(a.Field); f != nil && f.Type == "date" {
			out.Add(a.Name, wire.Obj("type", "date", "format", dateFormat))
		}
	}
	return out
}

// prepareTransform makes sure that the target of a transform exists, and returns the name that is written to.
func prepareTransform(ctx context.Context, c *opensearch.Client, j *Job, dates wire.Object) (string, error) {
	infos, err := c.Indices(ctx, []string{j.Target})
	if err != nil {
		return "", refusal(err, "Failed to create the target index")
	}
	if _, exists := infos[j.Target]; exists {
		return j.Target, nil
	}
	if len(infos) == 0 {
		mapping := wire.Obj("_meta", wire.Obj("schema_version", 1), "dynamic_templates", targetMapping[0].Value.([]any)[:1], "properties", dates)
		err := c.CreateIndex(ctx, j.Target, wire.Obj("mappings", mapping))
		if fault.Is(err, "resource_already_exists_exception") {
			err = nil
		}
		return j.Target, refusal(err, "Failed to index the documents")
	}
	target := writeIndex(infos, j.Target)
	if target == "" {
		return "", failed("target_index [" + j.Target + "] is an alias but doesn't have write index")
	}
	if len(dates) == 0 {
		return target, nil
	}
	err = c.Do(ctx, opensearch.Call{
		Method: http.MethodPut, Path: opensearch.Path(target, "_mapping"), Body: wire.Obj("properties", dates),
	}, nil)
	return target, refusal(err, "Failed to index the documents")
}
