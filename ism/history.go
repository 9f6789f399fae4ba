// SPDX-License-Identifier: Apache-2.0

package ism

import (
	"time"

	"github.com/opensteward/steward/wire"
)

// Recorded reports whether the history keeps this metadata once a move has stored it: everything but the announcement
// of a step and a step that waits.
func (m *Metadata) Recorded() bool {
	return m.Step == nil || m.Step.Status != StatusStarting && m.Step.Status != StatusConditionNotMet
}

// Record is the document that the history keeps of the metadata, stored at an instant.
func (m *Metadata) Record(at time.Time) wire.Object {
	o := m.Explain()
	o.Add("history_timestamp", at.UnixMilli())
	return wire.Obj("managed_index_meta_data", o)
}

// RetryPending reports whether the retry API wrote the metadata last, which the history does not keep.
func (m *Metadata) RetryPending() bool {
	return m.Step == nil && m.Info.Text("message") == retryPending
}
