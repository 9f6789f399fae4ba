// SPDX-License-Identifier: Apache-2.0

package steward

import (
	"runtime"
	"runtime/debug"
)

// Version is this program's own version, the commit it was built from where that is known, and the version of Go.
func Version() string {
	version, commit := "devel", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		if v := info.Main.Version; v != "" && v != "(devel)" {
			version = v
		}
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				commit = " " + s.Value
			}
		}
	}
	return version + commit + " " + runtime.Version()
}
