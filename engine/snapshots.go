// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/engine/documents"
	"github.com/opensteward/steward/engine/snapshot"
)

// openSnapshots goes on with the snapshots that were being taken.
func openSnapshots(o Options, c *catalog.Catalog, docs *documents.Store) (*snapshot.Service, error) {
	roots, err := repositoryRoots(o.Config["path.repo"])
	if err != nil {
		return nil, err
	}
	return snapshot.New(snapshot.Options{
		Catalog: c, Docs: docs, Clock: o.Clock, Logger: o.Logger, Version: o.Version, Roots: roots,
	}), nil
}

// repositoryRoots are the directories of path.repo, with commas between them.
func repositoryRoots(list string) (roots []string, err error) {
	for dir := range strings.SplitSeq(list, ",") {
		if dir = strings.TrimSpace(dir); dir == "" {
			continue
		}
		if dir, err = filepath.Abs(dir); err != nil {
			return nil, fmt.Errorf("path.repo: %w", err)
		}
		roots = append(roots, dir)
	}
	return roots, nil
}
