// SPDX-License-Identifier: Apache-2.0

package ism

import (
	"encoding/json"
	"slices"
)

// OfJob reports whether an action has one of these rollup or transform jobs.
func (p *Properties) OfJob(ids []string) bool {
	if p == nil {
		return false
	}
	if p.RollupID != nil && slices.Contains(ids, *p.RollupID) {
		return true
	}
	var transform struct {
		ID string `json:"transform_id"`
	}
	return p.Transform != nil && json.Unmarshal(p.Transform, &transform) == nil && slices.Contains(ids, transform.ID)
}
