// SPDX-License-Identifier: Apache-2.0

package ingest

import "context"

// Predictor asks a model. It is safe for concurrent use.
type Predictor interface {
	// Embed returns one vector for each text, in their order. The error is a fault: a model that is not known, not
	// deployed, or that cannot run here says so by name.
	Embed(ctx context.Context, model string, texts []string) ([][]float32, error)
}
