// SPDX-License-Identifier: Apache-2.0

package opensearch

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// readWithin bounds a reading of what is kept.
const readWithin = 10 * time.Second

// Kept is something that is read from the cluster when it is asked for, and counts for a while. Those who ask at the same
// time wait for one reading, each as long as its context lets it. It is safe for concurrent use.
type Kept[T any] struct {
	read         func(ctx context.Context) (T, error)
	fresh, retry time.Duration

	flight singleflight.Group
	mu     sync.Mutex
	last   T // of the last reading that did not fail
	err    error
	until  time.Time // when it is read again
	began  int       // counts what was begun anew
}

// Keep returns what read reads. It counts for fresh; after a failure nobody asks again for retry.
func Keep[T any](fresh, retry time.Duration, read func(ctx context.Context) (T, error)) *Kept[T] {
	return &Kept[T]{fresh: fresh, retry: retry, read: read}
}

// Get is what was read last. The error is that of the last reading; what was read before it still comes with it.
func (k *Kept[T]) Get(ctx context.Context) (T, error) {
	k.mu.Lock()
	last, err, fresh := k.last, k.err, time.Now().Before(k.until)
	k.mu.Unlock()
	if fresh {
		return last, err
	}
	done := k.flight.DoChan("", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readWithin)
		defer cancel()
		return nil, k.renew(ctx)
	})
	select {
	case one := <-done:
		k.mu.Lock()
		defer k.mu.Unlock()
		return k.last, one.Err
	case <-ctx.Done():
		return last, ctx.Err()
	}
}

// renew reads it. What was forgotten meanwhile does not count.
func (k *Kept[T]) renew(ctx context.Context) error {
	k.mu.Lock()
	began := k.began
	k.mu.Unlock()
	value, err := k.read(ctx)
	k.mu.Lock()
	defer k.mu.Unlock()
	if began != k.began {
		return err
	}
	k.err = err
	if err != nil {
		k.until = time.Now().Add(k.retry)
		return err
	}
	k.last, k.until = value, time.Now().Add(k.fresh)
	return nil
}

// Forget makes the next who asks read it.
func (k *Kept[T]) Forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.until, k.began = time.Time{}, k.began+1
	k.flight.Forget("")
}
