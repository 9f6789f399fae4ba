// SPDX-License-Identifier: Apache-2.0

package ingest

import "context"

// Predictor asks a model. It is safe for concurrent use.
type Predictor interface {
	// Embed returns one vector for each text, in their order. The error is a fault: a model that is not known, not
	// deployed, or that cannot run here says so by name.
	Embed(ctx context.Context, model string, texts []string) ([][]float32, error)
	// Rank returns how well each text fits a query, in the order of the texts. The error is as that of Embed.
	Rank(ctx context.Context, model, query string, texts []string) ([]float64, error)
}
