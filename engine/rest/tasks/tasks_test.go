// SPDX-License-Identifier: Apache-2.0

package tasks

import (
	"context"
	"testing"
	"time"
)

func TestATaskIsListedUntilItEnds(t *testing.T) {
	var r Registry
	_, first, end := r.Begin(t.Context(), Work{Action: "indices:data/write/reindex"})
	_, _, endSecond := r.Begin(t.Context(), Work{Action: "indices:admin/resize"})
	if list := r.List(nil); len(list) != 2 || list[0] != first {
		t.Errorf("%d tasks, oldest first", len(list))
	}
	if list := r.List([]string{"*write*"}); len(list) != 1 || list[0] != first {
		t.Errorf("%d tasks that write", len(list))
	}
	if found, err := r.Find(first.ID()); found != first || err != nil {
		t.Errorf("found %v, %v", found, err)
	}
	end()
	if found, err := r.Find(first.ID()); found != nil || err != nil {
		t.Errorf("one that has ended is found: %v, %v", found, err)
	}
	if !first.Wait(t.Context(), 0) {
		t.Error("its end is not seen")
	}
	endSecond()
}

func TestWhatIsNoIDIsRefused(t *testing.T) {
	var r Registry
	for _, id := range []string{"", "1", "node:", "node:x"} {
		if _, err := r.Find(id); err == nil {
			t.Errorf("%q is an id", id)
		}
	}
	if found, err := r.Find("another-node:1"); found != nil || err != nil {
		t.Errorf("a task of another node: %v, %v", found, err)
	}
}

func TestACancelledTaskIsToldAndSaysSo(t *testing.T) {
	var r Registry
	ctx, task, end := r.Begin(t.Context(), Work{})
	defer end()
	task.Cancel()
	if ctx.Err() == nil {
		t.Error("its context goes on")
	}
	if task.Wait(t.Context(), time.Millisecond) {
		t.Error("it has ended by being asked to")
	}
	for _, m := range task.JSON(false) {
		if m.Name == "cancelled" && m.Value != true {
			t.Error("it does not say so")
		}
	}
}

func TestStopCancelsAndWaitsAndLetsNothingElseBegin(t *testing.T) {
	var r Registry
	ctx, _, end := r.Begin(context.WithoutCancel(t.Context()), Work{})
	ended := false
	if !r.Go(func() {
		<-ctx.Done()
		ended = true
		end()
	}) {
		t.Fatal("refused before it was stopped")
	}
	r.Stop()
	if !ended {
		t.Error("not waited for")
	}
	if r.Go(func() { t.Error("begun after the stop") }) || !r.Stopped() {
		t.Error("something else may begin")
	}
}
