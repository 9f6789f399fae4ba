// SPDX-License-Identifier: Apache-2.0

package ingest

import "github.com/opensteward/steward/fault"

// condition says on which documents a processor runs.
type condition struct{ source string }

func parseCondition(any) (*condition, error) {
	return nil, fault.Unsupported("[if] of a processor")
}

func (c *condition) holds(*Document) (bool, error) { return true, nil }
