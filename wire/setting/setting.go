// SPDX-License-Identifier: Apache-2.0

// Package setting describes settings: their names, kinds, bounds and defaults, and what a bad value is told. The
// plugins' settings are declared once by the packages they belong to; the embedded engine and the translation for a
// bare cluster both validate by these declarations.
package setting

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// Kind is the type of a setting's value.
type Kind int

// The kinds.
const (
	Text Kind = iota
	Bool
	Int
	Long
	Double
	Duration
	Size // bytes
	List
)

// Definition declares one setting.
type Definition struct {
	// Key is the full name: "plugins.index_state_management.job_interval". A trailing ".*" declares a group whose
	// members have names of words: letters, digits, _ and -, with dots between words.
	Key string
	// Fallback is the older name whose value counts when Key has none; "" means none. It is declared with it.
	Fallback string
	// Index is true for an index setting, false for a cluster setting.
	Index bool
	Kind  Kind
	// Default is the text shown with include_defaults.
	Default string
	// Min and Max bound numbers, durations and sizes, as texts of the kind; "" means no bound.
	Min, Max string
	// Final is true for a setting that is fixed once the index or node exists.
	Final bool
	// Check refuses further values; nil means none. It returns a fault.
	Check func(value string) error
}

// Validate refuses a bad value with OpenSearch's text: "Failed to parse value [0] for setting [x] must be >= 1".
func (d Definition) Validate(value string) error {
	var err error
	switch d.Kind {
	case Bool:
		_, err = wire.ParseBool(value)
	case Int:
		err = d.bounded(value, func(s string) (float64, bool) {
			n, err := strconv.ParseInt(s, 10, 32)
			return float64(n), err == nil
		})
	case Long:
		err = d.bounded(value, func(s string) (float64, bool) {
			n, err := strconv.ParseInt(s, 10, 64)
			return float64(n), err == nil
		})
	case Double:
		err = d.bounded(value, func(s string) (float64, bool) {
			f, err := strconv.ParseFloat(s, 64)
			return f, err == nil
		})
	case Duration:
		err = d.validateDuration(value)
	case Size:
		err = d.validateSize(value)
	}
	if err == nil && d.Check != nil {
		err = d.Check(value)
	}
	return err
}

// bounded checks a number and its bounds.
func (d Definition) bounded(value string, parse func(string) (float64, bool)) error {
	n, ok := parse(value)
	if !ok {
		e := fault.Illegal("Failed to parse value [%s] for setting [%s]", value, d.Key)
		e.CausedBy = fault.New(400, "number_format_exception", "For input string: \"%s\"", value)
		return e
	}
	if low, ok := parse(d.Min); ok && n < low {
		return fault.Illegal("Failed to parse value [%s] for setting [%s] must be >= %s", value, d.Key, d.Min)
	}
	if high, ok := parse(d.Max); ok && n > high {
		return fault.Illegal("Failed to parse value [%s] for setting [%s] must be <= %s", value, d.Key, d.Max)
	}
	return nil
}

func (d Definition) validateDuration(value string) error {
	got, err := wire.ParseDuration(value, d.Key)
	if err != nil {
		return err
	}
	if low, err := wire.ParseDuration(d.Min, d.Key); err == nil && got.Value() < low.Value() {
		return fault.Illegal("failed to parse value [%s] for setting [%s], must be >= [%s]", value, d.Key, d.Min)
	}
	if high, err := wire.ParseDuration(d.Max, d.Key); err == nil && got.Value() > high.Value() {
		return fault.Illegal("failed to parse value [%s] for setting [%s], must be <= [%s]", value, d.Key, d.Max)
	}
	return nil
}

func (d Definition) validateSize(value string) error {
	got, err := wire.ParseBytes(value, d.Key)
	if err != nil {
		return err
	}
	if low, err := wire.ParseBytes(d.Min, d.Key); err == nil && got.Value() < low.Value() {
		return fault.Illegal("failed to parse value [%s] for setting [%s], must be >= [%s]", value, d.Key, d.Min)
	}
	if high, err := wire.ParseBytes(d.Max, d.Key); err == nil && got.Value() > high.Value() {
		return fault.Illegal("failed to parse value [%s] for setting [%s], must be <= [%s]", value, d.Key, d.Max)
	}
	return nil
}

// Registry is a set of definitions.
type Registry struct {
	all    []Definition
	byKey  map[string]int
	groups []int
}

// NewRegistry returns a registry of these definitions and of their fallbacks. A key declared twice panics.
func NewRegistry(definitions ...Definition) *Registry {
	r := &Registry{byKey: map[string]int{}}
	for _, d := range definitions {
		r.add(d)
		if d.Fallback != "" {
			old := d
			old.Key, old.Fallback = d.Fallback, ""
			r.add(old)
		}
	}
	return r
}

func (r *Registry) add(d Definition) {
	if _, twice := r.byKey[d.Key]; twice {
		panic(fmt.Sprintf("setting %s is declared twice", d.Key))
	}
	r.byKey[d.Key] = len(r.all)
	if strings.HasSuffix(d.Key, ".*") {
		r.groups = append(r.groups, len(r.all))
	}
	r.all = append(r.all, d)
}

// memberName is what the member of a group may be called.
var memberName = regexp.MustCompile(`^([-\w]+\.)*[-\w]+$`)

// Lookup finds the definition of a key, of a fallback or of a member of a group. A fallback's definition carries its
// own name.
func (r *Registry) Lookup(key string) (Definition, bool) {
	if i, ok := r.byKey[key]; ok {
		return r.all[i], true
	}
	for _, i := range r.groups {
		member, ok := strings.CutPrefix(key, strings.TrimSuffix(r.all[i].Key, "*"))
		if ok && memberName.MatchString(member) {
			d := r.all[i]
			d.Key = key
			return d, true
		}
	}
	return Definition{}, false
}

// All lists the definitions, fallbacks included, in the order they were declared.
func (r *Registry) All() []Definition { return r.all }

// Values are flat settings: full name to text. A list is joined with commas.
type Values map[string]string

// View reads typed values: Key's, else Fallback's, else the default. A value that does not parse counts as absent.
type View struct {
	Registry *Registry
	Values   Values
}

// Text is the value's text.
func (v View) Text(key string) string {
	d, ok := v.Registry.Lookup(key)
	if !ok {
		return v.Values[key]
	}
	for _, name := range []string{key, d.Fallback} {
		if value, ok := v.Values[name]; ok && name != "" && d.Validate(value) == nil {
			return value
		}
	}
	return d.Default
}

// Bool is a boolean value.
func (v View) Bool(key string) bool { return v.Text(key) == "true" }

// Int is an integer value.
func (v View) Int(key string) int64 {
	n, err := strconv.ParseInt(v.Text(key), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// Double is a fractional value.
func (v View) Double(key string) float64 {
	f, err := strconv.ParseFloat(v.Text(key), 64)
	if err != nil {
		return 0
	}
	return f
}

// Duration is a time value.
func (v View) Duration(key string) time.Duration {
	d, err := wire.ParseDuration(v.Text(key), key)
	if err != nil {
		return 0
	}
	return d.Value()
}

// List is a list value.
func (v View) List(key string) []string {
	text := v.Text(key)
	if text == "" {
		return nil
	}
	list := strings.Split(text, ",")
	for i := range list {
		list[i] = strings.TrimSpace(list[i])
	}
	return list
}
