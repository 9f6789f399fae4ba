// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	"context"
	"sync"
	"time"
)

// pacer slows work down to a number of bytes a second, of real time.
type pacer struct {
	perSecond int64 // 0 for no limit

	mu   sync.Mutex
	next time.Time // when what was spent so far is paid for
}

// spend waits until n more bytes may have been handled, or ctx is done.
func (p *pacer) spend(ctx context.Context, n int) error {
	if p.perSecond == 0 {
		return ctx.Err()
	}
	p.mu.Lock()
	now := time.Now()
	if p.next.Before(now) {
		p.next = now
	}
	p.next = p.next.Add(time.Duration(float64(n) / float64(p.perSecond) * float64(time.Second)))
	wait := time.NewTimer(p.next.Sub(now))
	p.mu.Unlock()
	defer wait.Stop()
	select {
	case <-wait.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
