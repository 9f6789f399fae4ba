// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/opensteward/steward/wire"
)

// What the files of a repository name becomes part of paths and of restored metadata. They may come from somewhere else,
// so that a name is believed only where it is one.

// checkInfo refuses what a snapshot's file in a repository cannot say.
func checkInfo(uuid string, info *Info) error {
	if info.UUID != uuid {
		return fmt.Errorf("%s %w: it is of another snapshot", uuid, errDamaged)
	}
	for _, index := range info.Indices {
		if err := wire.CheckIndexName(index.Name); err != nil {
			return fmt.Errorf("%s %w: %w", uuid, errDamaged, err)
		}
	}
	return nil
}

// checkContents refuses metadata of indices under other names than their own.
func checkContents(uuid string, c *contents) error {
	for name, index := range c.Indices {
		if index == nil || index.Name != name {
			return fmt.Errorf("%s %w: it has no index [%s]", uuid, errDamaged, name)
		}
	}
	for name, stream := range c.Streams {
		if stream == nil || stream.Name != name {
			return fmt.Errorf("%s %w: it has no data stream [%s]", uuid, errDamaged, name)
		}
	}
	return nil
}

// checkCopied refuses blobs that are no files beside the others.
func checkCopied(uuid string, c *copied) error {
	for _, b := range c.Blobs {
		if !filepath.IsLocal(b.Name) || strings.ContainsAny(b.Name, `/\`) {
			return fmt.Errorf("%s %w: it has a blob [%s]", uuid, errDamaged, b.Name)
		}
	}
	return nil
}
