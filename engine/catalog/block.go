// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"fmt"
	"net/http"
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

// indexBlocks are the blocks of an index, in the order of their ids; clusterBlocks those of the cluster.
var (
	indexBlocks = []block{
		{5, "index.blocks.read_only", "index read-only (api)", []Op{Write, MetadataWrite, Delete}},
		{7, "index.blocks.read", "index read (api)", []Op{Read}},
		{8, "index.blocks.write", "index write (api)", []Op{Write}},
		{9, "index.blocks.metadata", "index metadata (api)", []Op{MetadataRead, MetadataWrite, Delete}},
		{12, "index.blocks.read_only_allow_delete", "disk usage exceeded flood-stage watermark, index has read-only-allow-delete block", []Op{Write, MetadataWrite}},
	}
	clusterBlocks = []block{
		{6, "cluster.blocks.read_only", "cluster read-only (api)", []Op{Write, MetadataWrite, Delete}},
		{13, "cluster.blocks.read_only_allow_delete", "cluster read-only / allow delete (api)", []Op{Write, MetadataWrite}},
	}
)

func (b block) forbidsOp(op Op) bool {
	for _, f := range b.forbids {
		if f == op {
			return true
		}
	}
	return false
}

// text is the block in error messages. A block that still lets an index be deleted is a matter of space: 429.
func (b block) text() string {
	if b.setting == "index.blocks.read_only_allow_delete" {
		return fmt.Sprintf("TOO_MANY_REQUESTS/%d/%s", b.id, b.description)
	}
	return fmt.Sprintf("FORBIDDEN/%d/%s", b.id, b.description)
}

// Block refuses an operation on an index that is blocked: 403 cluster_block_exception "index [a] blocked by:
// [FORBIDDEN/8/index write (api)];".
func (i *Index) Block(op Op) error {
	var texts []string
	status := http.StatusTooManyRequests
	for _, b := range indexBlocks {
		if i.Settings[b.setting] != "true" || !b.forbidsOp(op) {
			continue
		}
		texts = append(texts, "["+b.text()+"]")
		if b.setting != "index.blocks.read_only_allow_delete" {
			status = http.StatusForbidden
		}
	}
	if len(texts) == 0 {
		return nil
	}
	return fault.New(status, "cluster_block_exception", "index [%s] blocked by: %s;", i.Name, strings.Join(texts, ", "))
}

// Block refuses an operation on indices of which one is blocked, or that the whole cluster blocks.
func (s *State) Block(op Op, indices ...*Index) error {
	for _, index := range indices {
		if err := s.clusterBlock(op, index.Name); err != nil {
			return err
		}
		if err := index.Block(op); err != nil {
			return err
		}
	}
	return nil
}

// clusterBlock refuses an operation on an index, which need not exist, or with "" on the cluster itself.
func (s *State) clusterBlock(op Op, index string) error {
	for _, b := range clusterBlocks {
		if s.ClusterSetting(b.setting) != "true" || !b.forbidsOp(op) {
			continue
		}
		prefix := ""
		if index != "" {
			prefix = "index [" + index + "] "
		}
		return fault.New(http.StatusForbidden, "cluster_block_exception", "%sblocked by: [%s];", prefix, b.text())
	}
	return nil
}
