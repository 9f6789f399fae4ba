// SPDX-License-Identifier: Apache-2.0

package step

import (
	"context"
	"net/http"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/flow"
	"github.com/opensteward/steward/wire"
)

// noop waits for its delay, if it has one.
func noop(ctx context.Context, env Env, in flow.Inputs) (Result, error) {
	if !in.Has("delay") {
		return Result{}, nil
	}
	delay, err := wire.ParseDuration(text(in, "delay"), "delay")
	if err != nil {
		return Result{}, failed(http.StatusBadRequest, err, "%s", fault.Of(err).Reason)
	}
	return Result{}, env.Wait(ctx, delay.Value())
}
