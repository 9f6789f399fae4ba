// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
)

// Panicked is the cause of the error that a panic became.
type Panicked struct{ Value any }

// Error is what was panicked with.
func (p *Panicked) Error() string { return fmt.Sprintf("panic: %v", p.Value) }

// Guard calls fn, and makes of a panic an error as any other: the failure of this one piece of work, for whoever asked for
// it, in place of the end of the process. The stack goes to the log under the name of the work. It belongs where a
// goroutine is started, whose panics nobody else can catch, and nowhere else; what fn holds it must give back by defer.
func Guard(log *slog.Logger, work string, fn func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			log.Error("background work panicked", "work", work, "panic", p, "stack", string(debug.Stack()))
			e := New(http.StatusInternalServerError, "exception", "internal error")
			e.Err = &Panicked{p}
			err = e
		}
	}()
	return fn()
}
