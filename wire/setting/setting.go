// SPDX-License-Identifier: Apache-2.0

// Package setting describes settings: their names, kinds, bounds and defaults, and what a bad value is told. The
// plugins' settings are declared once by the packages they belong to; the embedded engine and the translation for a
// bare cluster both validate by these declarations.
package setting

import "time"

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
	// member names are free.
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
func (d Definition) Validate(value string) error { panic("stub") }

// Registry is a set of definitions.
type Registry struct{}

// NewRegistry returns a registry of these definitions and of their fallbacks. A key declared twice panics.
func NewRegistry(definitions ...Definition) *Registry { panic("stub") }

// Lookup finds the definition of a key or of a fallback.
func (r *Registry) Lookup(key string) (Definition, bool) { panic("stub") }

// All lists the definitions in the order they were declared.
func (r *Registry) All() []Definition { panic("stub") }

// Values are flat settings: full name to text. A list is joined with commas.
type Values map[string]string

// Flatten turns nested or dotted JSON settings into Values; null becomes a key of the second result.
func Flatten(body []byte) (values Values, nulls []string, err error) { panic("stub") }

// Nest is the nested JSON form of values, keys sorted, leaves as texts (lists as arrays where the registry says so).
func (r *Registry) Nest(values Values) any { panic("stub") }

// View reads typed values: Key's, else Fallback's, else the default. A value that does not parse counts as absent.
type View struct {
	Registry *Registry
	Values   Values
}

// Text is the value's text.
func (v View) Text(key string) string { panic("stub") }

// Bool is a boolean value.
func (v View) Bool(key string) bool { panic("stub") }

// Int is an integer value.
func (v View) Int(key string) int64 { panic("stub") }

// Double is a fractional value.
func (v View) Double(key string) float64 { panic("stub") }

// Duration is a time value.
func (v View) Duration(key string) time.Duration { panic("stub") }

// List is a list value.
func (v View) List(key string) []string { panic("stub") }
