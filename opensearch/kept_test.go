// SPDX-License-Identifier: Apache-2.0

package opensearch_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/opensteward/steward/opensearch"
)

func TestWhatIsKeptIsReadOnceForAllWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reads, answer := 0, make(chan int)
		kept := opensearch.Keep(time.Minute, time.Second, func(ctx context.Context) (int, error) {
			reads++
			select {
			case n := <-answer:
				return n, nil
			case <-ctx.Done():
				return 0, ctx.Err()
			}
		})
		type result struct {
			n   int
			err error
		}
		got := make(chan result, 3)
		ask := func(ctx context.Context) {
			n, err := kept.Get(ctx)
			got <- result{n, err}
		}
		first, leave := context.WithCancel(t.Context())
		go ask(first)
		synctest.Wait()
		go ask(t.Context())
		go ask(t.Context())
		synctest.Wait()
		leave()
		if r := <-got; !errors.Is(r.err, context.Canceled) {
			t.Errorf("who no longer waits: %v", r)
		}
		answer <- 7
		for range 2 {
			if r := <-got; r.n != 7 || r.err != nil {
				t.Errorf("who waits: %v", r)
			}
		}
		if n, err := kept.Get(t.Context()); n != 7 || err != nil || reads != 1 {
			t.Errorf("who asks later: %d, %v, after %d readings", n, err, reads)
		}
	})
}

func TestWhatIsKeptOutlivesAFailureAndIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reads, next, down := 0, 1, errors.New("down")
		kept := opensearch.Keep(time.Minute, time.Second, func(context.Context) (int, error) {
			reads++
			if next == 0 {
				return 0, down
			}
			return next, nil
		})
		for _, c := range []struct {
			name    string
			forget  bool
			passes  time.Duration
			reading int // what it gives; 0 fails
			want    int
			fails   bool
			reads   int
		}{
			{"at first", false, 0, 1, 1, false, 1},
			{"while it is fresh", false, 59 * time.Second, 2, 1, false, 1},
			{"when it is not", false, time.Second, 2, 2, false, 2},
			{"at once after it was forgotten", true, 0, 3, 3, false, 3},
			{"a failure", true, 0, 0, 3, true, 4},
			{"at once after a failure", false, 0, 4, 3, true, 4},
			{"some time after a failure", false, time.Second, 4, 4, false, 5},
		} {
			time.Sleep(c.passes)
			if c.forget {
				kept.Forget()
			}
			next = c.reading
			if got, err := kept.Get(t.Context()); got != c.want || (err != nil) != c.fails || reads != c.reads {
				t.Errorf("%s: %d, %v, after %d readings", c.name, got, err, reads)
			}
		}
	})
}
