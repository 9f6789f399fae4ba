// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"os"
	"path/filepath"
)

// IsData reports whether a directory has been a data directory before, or was about to become one.
func IsData(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, markFile))
	return err == nil || onlyOurs(dir) == nil
}

// KeyFile is the name of a file in the data directory that the engine leaves alone: the keys of whoever opens it.
const KeyFile = "keys"
