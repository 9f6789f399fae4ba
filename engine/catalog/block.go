// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/opensteward/steward/fault"
)

// Op is what a request is about to do to an index, as far as blocks are concerned.
type Op int

// The operations.
const (
	Read          Op = iota // searches and gets
	Write                   // documents
	MetadataRead            // settings, mappings, aliases, statistics
	MetadataWrite           // and changes of them
	Delete                  // of the index: read_only_allow_delete lets it pass
)

// block is one kind of block.
type block struct {
	id          int
	setting     string
	description string
	forbids     []Op
}

// indexBlocks are the blocks of an index, in the order that errors name them in; clusterBlocks those of the cluster.
var (
	indexBlocks = []block{
		{12, "index.blocks.read_only_allow_delete", "disk usage exceeded flood-stage watermark, index has read-only-allow-delete block", []Op{Write, MetadataWrite}},
		{9, "index.blocks.metadata", "index metadata (api)", []Op{MetadataRead, MetadataWrite, Delete}},
		{8, "index.blocks.write", "index write (api)", []Op{Write}},
		{7, "index.blocks.read", "index read (api)", []Op{Read}},
		{5, "index.blocks.read_only", "index read-only (api)", []Op{Write, MetadataWrite, Delete}},
	}
	clusterBlocks = []block{
		{13, "cluster.blocks.read_only_allow_delete", "cluster read-only / allow delete (api)", []Op{Write, MetadataWrite}},
		{6, "cluster.blocks.read_only", "cluster read-only (api)", []Op{Write, MetadataWrite, Delete}},
	}
)

// retryable reports whether the block may go by itself, when there is space again.
func (b block) retryable() bool { return b.setting == "index.blocks.read_only_allow_delete" }

// text is the block in error messages. A block that still lets an index be deleted is a matter of space: 429.
func (b block) text() string {
	kind := "FORBIDDEN"
	if b.retryable() {
		kind = "TOO_MANY_REQUESTS"
	}
	return fmt.Sprintf("%s/%d/%s", kind, b.id, b.description)
}

// Block refuses an operation on indices of which one is blocked, or that the whole cluster blocks: 403
// cluster_block_exception "index [a] blocked by: [FORBIDDEN/8/index write (api)];". What writes documents is told of the
// cluster's blocks alone.
func (s *State) Block(op Op, indices ...*Index) error {
	if op == Write && len(indices) > 0 {
		if err := s.clusterBlock(op, ""); err != nil {
			return err
		}
	}
	return blocked(op, s.clusterBlocks(op), indices...)
}

// Block refuses an operation on an index that is blocked itself.
func (i *Index) Block(op Op) error { return blocked(op, nil, i) }

// blocked names the blocks of every index that has some, the cluster's first.
func blocked(op Op, cluster []block, indices ...*Index) error {
	var text strings.Builder
	status := http.StatusTooManyRequests
	for _, index := range indices {
		found := append(slices.Clone(cluster), index.blocks(op)...)
		if len(found) == 0 {
			continue
		}
		fmt.Fprintf(&text, "index [%s] %s", index.Name, blockedBy(found))
		for _, b := range found {
			if !b.retryable() {
				status = http.StatusForbidden
			}
		}
	}
	if text.Len() == 0 {
		return nil
	}
	return fault.New(status, "cluster_block_exception", "%s", text.String())
}

// blocks are those of the index that forbid an operation.
func (i *Index) blocks(op Op) []block {
	var found []block
	for _, b := range indexBlocks {
		if i.Settings[b.setting] == "true" && slices.Contains(b.forbids, op) {
			found = append(found, b)
		}
	}
	return found
}

// clusterBlocks are those of the cluster that forbid an operation.
func (s *State) clusterBlocks(op Op) []block {
	var found []block
	for _, b := range clusterBlocks {
		if s.ClusterSetting(b.setting) == "true" && slices.Contains(b.forbids, op) {
			found = append(found, b)
		}
	}
	return found
}

// clusterBlock refuses an operation on an index, which need not exist, or with "" on the cluster itself.
func (s *State) clusterBlock(op Op, index string) error {
	found := s.clusterBlocks(op)
	if len(found) == 0 {
		return nil
	}
	prefix := ""
	if index != "" {
		prefix = "index [" + index + "] "
	}
	return fault.New(http.StatusForbidden, "cluster_block_exception", "%s%s", prefix, blockedBy(found))
}

func blockedBy(blocks []block) string {
	texts := make([]string, len(blocks))
	for i, b := range blocks {
		texts[i] = b.text()
	}
	return "blocked by: [" + strings.Join(texts, ", ") + "];"
}
