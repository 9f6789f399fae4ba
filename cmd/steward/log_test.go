// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

func TestALogTellsWhatIsAtLeastOfItsLevel(t *testing.T) {
	for level, want := range map[string]string{
		"debug": "DEBUG INFO WARN ERROR", "info": "INFO WARN ERROR", "warn": "WARN ERROR", "error": "ERROR",
	} {
		var out bytes.Buffer
		log, err := newLogger(&out, "text", level)
		if err != nil {
			t.Fatal(err)
		}
		var told []string
		for _, l := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
			out.Reset()
			if log.Log(t.Context(), l, "x"); out.Len() > 0 {
				told = append(told, l.String())
			}
		}
		if got := strings.Join(told, " "); got != want {
			t.Errorf("%s tells %s, want %s", level, got, want)
		}
	}
}
