// SPDX-License-Identifier: Apache-2.0

package rollup

import (
	"encoding/json"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/rollup/dimension"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/schedule"
	"github.com/opensteward/steward/wire/setting"
)

// maxPage and maxContinuousPage are the largest pages: of any job, and of a continuous transform.
const (
	maxPage           = 10_000
	maxContinuousPage = 1_000
)

// Kind is what a job is: a rollup or a transform. It holds the names in which the two differ.
type Kind struct {
	// Name is the member that wraps a job in a document, Title the name in messages.
	Name, Title string
	// id, updated and enabledAt are members of a job, metaUpdated one of its metadata.
	id, updated, enabledAt, metaUpdated string
	// indexed is the name of the count of written documents.
	indexed string
	prefix  string
}

// The kinds.
var (
	Rollup = &Kind{
		Name: "rollup", Title: "Rollup", id: "rollup_id", updated: "last_updated_time", enabledAt: "enabled_time",
		metaUpdated: "last_updated_time", indexed: "rollups_indexed", prefix: rollupPrefix,
	}
	Transform = &Kind{
		Name: "transform", Title: "Transform", id: "transform_id", updated: "updated_at", enabledAt: "enabled_at",
		metaUpdated: "last_updated_at", indexed: "documents_indexed", prefix: transformPrefix,
	}
)

// metadata is the member that wraps a job's progress in a document.
func (k *Kind) metadata() string { return k.Name + "_metadata" }

// Job is a rollup or transform job.
type Job struct {
	Kind    *Kind
	ID      string
	Enabled bool
	// Updated and EnabledAt are in epoch milliseconds; EnabledAt is nil while the job is disabled.
	Updated       int64
	EnabledAt     *int64
	Schedule      schedule.Schedule
	Description   string
	SchemaVersion int64
	Source        string
	Target        string
	// MetadataID is the document of the job's progress; nil before the first run.
	MetadataID *string
	PageSize   int
	Continuous bool
	// Groups are a rollup's dimensions or a transform's groups.
	Groups []dimension.Dimension
	User   json.RawMessage

	// Delay is how many milliseconds a continuous rollup waits for late documents; nil if absent.
	Delay          *int64
	Metrics        []dimension.Metric
	TargetSettings json.RawMessage
	RoutingField   *string

	// Query selects the documents of a transform.
	Query        json.RawMessage
	Aggregations []Aggregation

	// Version is that of the stored document.
	Version opensearch.Version
}

// Parse reads a job as clients write it and as it is stored, {"rollup":{...}}. now stands in for the times that the
// body leaves out; isNew makes an interval start now.
func Parse(k *Kind, id string, body []byte, now time.Time, isNew bool) (*Job, error) {
	p := wire.NewParser(body)
	for _, want := range []wire.Token{wire.StartObject, wire.FieldName, wire.StartObject} {
		if err := p.NextExpect(want); err != nil {
			return nil, err
		}
	}
	j := &Job{Kind: k, ID: id, Enabled: true, SchemaVersion: 1, Updated: now.UnixMilli()}
	if k == Transform {
		j.Query = matchAll
	}
	given := map[string]bool{}
	err := p.Object(func(name string) error {
		given[name] = true
		return j.field(p, name)
	})
	if err != nil {
		return nil, err
	}
	if err := p.NextExpect(wire.EndObject); err != nil {
		return nil, err
	}
	if err := j.complete(given, now, isNew); err != nil {
		return nil, err
	}
	return j, j.check(now)
}

// field reads one member.
func (j *Job) field(p *wire.Parser, name string) (err error) {
	k := j.Kind
	switch name {
	case k.id:
		_, err = p.Text()
	case "enabled":
		j.Enabled, err = p.Bool()
	case "schedule":
		j.Schedule, err = schedule.Parse(p)
	case "schema_version":
		j.SchemaVersion, err = p.Long()
	case k.enabledAt:
		j.EnabledAt, err = instant(p)
	case k.updated:
		var at *int64
		if at, err = instant(p); at != nil {
			j.Updated = *at
		}
	case "description":
		j.Description, err = p.Text()
	case "source_index":
		j.Source, err = p.Text()
	case "target_index":
		j.Target, err = p.Text()
	case "metadata_id":
		j.MetadataID, err = p.TextOrNull()
	case "roles":
		err = p.Array(func() error { _, err := p.Text(); return err })
	case "page_size":
		j.PageSize, err = p.Int()
	case "continuous":
		j.Continuous, err = p.Bool()
	case "user":
		j.User, err = raw(p)
	default:
		err = j.ownField(p, name)
	}
	return err
}

// ownField reads a member that only one kind has.
func (j *Job) ownField(p *wire.Parser, name string) (err error) {
	switch {
	case j.Kind == Rollup && name == "delay":
		j.Delay, err = longOrNull(p)
	case j.Kind == Rollup && name == "dimensions", j.Kind == Transform && name == "groups":
		j.Groups, err = dimension.ParseList(p)
	case j.Kind == Rollup && name == "metrics":
		j.Metrics, err = dimension.ParseMetrics(p)
	case j.Kind == Rollup && name == "target_index_settings":
		if j.TargetSettings, err = raw(p); err == nil && j.TargetSettings != nil {
			j.TargetSettings, err = setting.Nested(j.TargetSettings)
		}
	case j.Kind == Rollup && name == "routing_field":
		j.RoutingField, err = p.TextOrNull()
	case j.Kind == Transform && name == "data_selection_query":
		j.Query, err = parseQuery(p)
	case j.Kind == Transform && name == "aggregations":
		j.Aggregations, err = parseAggregations(p)
	case j.Kind == Rollup:
		err = fault.Illegal("Invalid field [%s] found in Rollup.", name)
	default:
		err = fault.Illegal("Invalid field [%s] found in Transforms.", name)
	}
	return err
}

// complete fills in what the plugin fills in, and refuses what is missing.
func (j *Job) complete(given map[string]bool, now time.Time, isNew bool) error {
	ms := now.UnixMilli()
	if j.Enabled && j.EnabledAt == nil {
		j.EnabledAt = &ms
	} else if !j.Enabled {
		j.EnabledAt = nil
	}
	for _, need := range []struct{ field, name string }{
		{"schedule", "schedule"},
		{"description", "description"},
		{"source_index", "source index"},
		{"target_index", "target index"},
		{"page_size", "page size"},
	} {
		if !given[need.field] {
			return fault.Illegal("%s %s is null", j.Kind.Title, need.name)
		}
	}
	if isNew {
		j.Schedule = j.Schedule.StartingAt(ms)
		if j.Kind == Transform {
			j.MetadataID = nil
		}
	}
	if j.Kind == Rollup && j.Continuous && !equalPointers(j.Schedule.Delay(), j.Delay) {
		j.Schedule = j.Schedule.WithDelay(value(j.Delay))
	}
	return nil
}

func (j *Job) check(now time.Time) error {
	if i := j.Schedule.Interval; i != nil && i.Period < 1 {
		return fault.Illegal("%s job schedule interval must be greater than 0", j.Kind.Title)
	}
	if j.Kind == Rollup {
		return j.checkRollup(now)
	}
	return j.checkTransform()
}

func (j *Job) checkRollup(now time.Time) error {
	histograms := 0
	for _, d := range j.Groups {
		if d.Kind == dimension.DateHistogram {
			histograms++
		}
	}
	switch {
	case j.Source == j.Target:
		return fault.Illegal("Your source and target index cannot be the same")
	case histograms != 1:
		return fault.Illegal("Must specify precisely one date histogram dimension")
	case j.Groups[0].Kind != dimension.DateHistogram:
		return fault.Illegal("The first dimension must be a date histogram")
	case j.PageSize < 1 || j.PageSize > maxPage:
		return fault.Illegal("Page size must be between 1 and 10,000")
	case j.Delay != nil && *j.Delay < 0:
		return fault.Illegal("Delay must be non-negative if set")
	case j.Delay != nil && *j.Delay > now.UnixMilli():
		return fault.Illegal("Delay must be less than the current unix time")
	}
	if f := j.RoutingField; f != nil && j.routing() < 0 {
		return fault.Illegal("Routing field [%s] must match a terms dimension", *f)
	}
	for _, m := range j.Metrics {
		for _, kind := range m.Kinds {
			if kind == dimension.Cardinality {
				return fault.Illegal("the rollup metric [cardinality] is not supported")
			}
		}
	}
	return nil
}

func (j *Job) checkTransform() error {
	most, text := maxPage, "10,000"
	if j.Continuous {
		most, text = maxContinuousPage, "1,000"
	}
	switch {
	case len(j.Groups) == 0:
		return fault.Illegal("Groupings are Empty")
	case j.Source == j.Target:
		return fault.Illegal("Source and target indices cannot be the same")
	case j.PageSize < 1 || j.PageSize > most:
		return fault.Illegal("Page size must be between 1 and %s", text)
	}
	return nil
}

// routing is the place of the dimension whose value routes a rollup's documents; -1 if none does.
func (j *Job) routing() int {
	for i, d := range j.Groups {
		if j.RoutingField != nil && d.Kind == dimension.Terms && d.SourceField == *j.RoutingField {
			return i
		}
	}
	return -1
}

// Form is which of its shapes a job is printed in.
type Form int

// The forms.
const (
	// Stored is the document's: times as numbers, with the user.
	Stored Form = iota
	// Shown is an answer's.
	Shown
	// Human is an answer's with times as text too.
	Human
)

// JSON is the job without its wrapper.
func (j *Job) JSON(f Form) wire.Object {
	o := wire.Obj(j.Kind.id, j.ID)
	if j.Kind == Rollup {
		o = append(o, j.rollupJSON(f)...)
	} else {
		o = append(o, j.transformJSON(f)...)
	}
	o.AddIf(f == Stored && j.User != nil, "user", j.User)
	return o
}

func (j *Job) rollupJSON(f Form) wire.Object {
	o := wire.Obj("enabled", j.Enabled, "schedule", j.Schedule.JSON())
	addTime(&o, f, "last_updated_time", &j.Updated)
	addTime(&o, f, "enabled_time", j.EnabledAt)
	o = append(o, wire.Obj("description", j.Description, "schema_version", j.SchemaVersion, "source_index", j.Source,
		"target_index", j.Target)...)
	o.AddIf(j.TargetSettings != nil, "target_index_settings", j.TargetSettings)
	o = append(o, wire.Obj("metadata_id", j.MetadataID, "page_size", j.PageSize, "delay", j.Delay, "continuous", j.Continuous)...)
	o.AddIf(j.RoutingField != nil, "routing_field", j.RoutingField)
	return append(o, wire.Obj("dimensions", dimension.ListJSON(j.Groups), "metrics", dimension.MetricsJSON(j.Metrics))...)
}

func (j *Job) transformJSON(f Form) wire.Object {
	o := wire.Obj("schema_version", j.SchemaVersion, "schedule", j.Schedule.JSON(), "metadata_id", j.MetadataID)
	addTime(&o, f, "updated_at", &j.Updated)
	o.Add("enabled", j.Enabled)
	addTime(&o, f, "enabled_at", j.EnabledAt)
	return append(o, wire.Obj("description", j.Description, "source_index", j.Source, "data_selection_query", j.Query,
		"target_index", j.Target, "page_size", j.PageSize, "groups", dimension.ListJSON(j.Groups),
		"aggregations", aggregationsJSON(j.Aggregations), "continuous", j.Continuous)...)
}

// MarshalJSON is the stored document.
func (j *Job) MarshalJSON() ([]byte, error) {
	return wire.Obj(j.Kind.Name, j.JSON(Stored)).MarshalJSON()
}

// enable returns a copy of the job that is switched on at an instant.
func (j *Job) enable(now time.Time) *Job {
	out, ms := *j, now.UnixMilli()
	out.Enabled, out.EnabledAt, out.Updated = true, &ms, ms
	return &out
}

// Disable returns a copy of the job that is switched off, its progress in the document of this id.
func (j *Job) Disable(metadataID string) *Job {
	out := *j
	out.Enabled, out.EnabledAt, out.MetadataID = false, nil, &metadataID
	return &out
}

// addTime adds a time as the plugin prints it; its two names are the wrong way round there.
func addTime(o *wire.Object, f Form, name string, ms *int64) {
	if ms == nil {
		o.Add(name, nil)
		return
	}
	o.AddIf(f == Human, name+"_in_millis", time.UnixMilli(*ms).UTC().Format("2006-01-02T15:04:05.000Z"))
	o.Add(name, *ms)
}

// instant reads epoch milliseconds or null.
func instant(p *wire.Parser) (*int64, error) {
	if p.Token() == wire.Null {
		return nil, nil
	}
	n, err := p.Long()
	return &n, err
}

func longOrNull(p *wire.Parser) (*int64, error) { return instant(p) }

// raw reads an object as it is written, or null.
func raw(p *wire.Parser) (json.RawMessage, error) {
	if p.Token() == wire.Null {
		return nil, nil
	}
	if err := p.Expect(wire.StartObject); err != nil {
		return nil, err
	}
	return p.Raw()
}

func value(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}

func equalPointers[T comparable](a, b *T) bool {
	return a == b || a != nil && b != nil && *a == *b
}
