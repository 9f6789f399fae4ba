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
func noop(ctx context.Context, env Env, in flow.Inputs) (flow.Outputs, error) {
	if !in.Has("delay") {
		return flow.Outputs{}, nil
	}
	delay, err := wire.ParseDuration(text(in, "delay"), "delay")
	if err != nil {
		return nil, failed(http.StatusBadRequest, err, "%s", fault.Of(err).Reason)
	}
	alarm := env.Clock.Alarm(env.Clock.Now().Add(delay.Value()))
	defer alarm.Stop()
	select {
	case release := <-alarm.C:
		release()
		return flow.Outputs{}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
