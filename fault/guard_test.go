// SPDX-License-Identifier: Apache-2.0

package fault_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/opensteward/steward/fault"
)

func TestAPanicOfGuardedWorkIsItsErrorAndTheStackIsLogged(t *testing.T) {
	var log bytes.Buffer
	err := fault.Guard(slog.New(slog.NewTextHandler(&log, nil)), "counting", func() error { return explode(nil) })
	f := fault.Of(err)
	if f.Status != 500 || f.Type != "exception" || f.Reason != "internal error" {
		t.Errorf("a client sees %+v", f)
	}
	if p, is := errors.AsType[*fault.Panicked](err); !is || !strings.Contains(p.Error(), "nil map") {
		t.Errorf("the cause is %v", err)
	}
	for _, want := range []string{"work=counting", "nil map", "guard_test.go"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("%q is not in the log: %s", want, log.String())
		}
	}
}

func explode(counts map[string]int) error {
	counts["x"]++
	return nil
}

func TestGuardedWorkThatDoesNotPanicReturnsWhatItReturns(t *testing.T) {
	want := errors.New("x")
	if err := fault.Guard(slog.New(slog.DiscardHandler), "x", func() error { return want }); !errors.Is(err, want) {
		t.Errorf("%v", err)
	}
}
