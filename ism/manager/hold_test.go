// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/opensteward/steward/clock"
)

func TestAStepThatLetsTimePassHoldsTheClockAgainAfterwards(t *testing.T) {
	done := errors.New("done")
	for _, c := range []struct {
		name  string
		look  func(context.Context) error
		moved time.Duration
		want  error
	}{
		{"what it waits for is there", func(context.Context) error { return done }, 0, done},
		{"its time is over", func(ctx context.Context) error { <-ctx.Done(); return nil }, time.Minute, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := clock.NewVirtual(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
			start, h := v.Now(), &hold{clock: v, release: v.Hold()}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			advanced := make(chan error, 1)
			err := h.letTimePass(ctx, time.Minute, func(ctx context.Context) error {
				if c.moved > 0 {
					go func() { advanced <- v.Advance(t.Context(), time.Hour) }()
				}
				return c.look(ctx)
			})
			if moved := v.Now().Sub(start); !errors.Is(err, c.want) || moved != c.moved {
				t.Errorf("%v after %s, want %v after %s", err, moved, c.want, c.moved)
			}
			cancel()
			if v.Settle(ctx) == nil {
				t.Error("the clock is not held")
			}
			h.end()
			if c.moved > 0 {
				err = <-advanced
			}
			if settled := v.Settle(t.Context()); settled != nil || c.moved > 0 && err != nil {
				t.Error(settled, err)
			}
		})
	}
}
