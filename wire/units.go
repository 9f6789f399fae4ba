// SPDX-License-Identifier: Apache-2.0

package wire

import "time"

// Duration is an OpenSearch time value: the text a client wrote, normalised, and what it means. -1 is allowed and
// means minus one millisecond, as in OpenSearch.
type Duration struct {
	text string
	d    time.Duration
}

// ParseDuration reads a time value ("30d", "0", "-1"). setting is the name in error texts ("min_index_age").
func ParseDuration(text, setting string) (Duration, error) { panic("stub") }

// Milliseconds returns the duration of n milliseconds, written in its largest whole unit.
func Milliseconds(n int64) Duration { panic("stub") }

// Value is the length of time.
func (d Duration) Value() time.Duration { return d.d }

// String is the normalised text: "0" becomes "0ms", "30d" stays.
func (d Duration) String() string { return d.text }

// MarshalJSON writes the normalised text.
func (d Duration) MarshalJSON() ([]byte, error) { return Marshal(d.text) }

// HumanDuration is OpenSearch's short form: the largest unit that fits, at most one decimal, cut not rounded: "1.5h",
// "2d", "0s".
func HumanDuration(d time.Duration) string { panic("stub") }

// Bytes is an OpenSearch byte size: the normalised text ("50gb") and the number of bytes.
type Bytes struct {
	text string
	n    int64
}

// ParseBytes reads a byte size ("50GB", "5g", "-1"). setting is the name in error texts.
func ParseBytes(text, setting string) (Bytes, error) { panic("stub") }

// Value is the number of bytes.
func (b Bytes) Value() int64 { return b.n }

// String is the normalised text.
func (b Bytes) String() string { return b.text }

// MarshalJSON writes the normalised text.
func (b Bytes) MarshalJSON() ([]byte, error) { return Marshal(b.text) }

// HumanBytes is OpenSearch's short form, 1024-based, one decimal cut not rounded: "10b", "1.4gb".
func HumanBytes(n int64) string { panic("stub") }
