// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

func TestNamesInARepositorysFilesLeadNowhereElse(t *testing.T) {
	d := &directory{path: t.TempDir()}
	snapshot := func(info string) func() error {
		return func() error {
			path := filepath.Join(d.path, snapshotsDir, "u")
			d.sorted, d.named = nil, nil
			if err := writeRecord(path, json.RawMessage(info)); err != nil {
				return err
			}
			_, err := d.list()
			return err
		}
	}
	metadata := func(c string) func() error {
		return func() error {
			if err := writeRecord(filepath.Join(d.path, contentsDir, "u"), json.RawMessage(c)); err != nil {
				return err
			}
			_, err := d.readContents("u")
			return err
		}
	}
	shardCopy := func(file string) func() error {
		return func() error {
			if err := d.writeCopied("logs", 0, "u", &copied{Blobs: []blob{{Name: file}}}); err != nil {
				return err
			}
			_, err := d.readCopied("logs", 0, "u")
			return err
		}
	}
	const index = `{"name":"logs","uuid":"0123456789abcdefghijkl","settings":{"index.number_of_shards":"1"},"routing_num_shards":1,"mapping":{}}`
	for _, c := range []struct {
		name  string
		read  func() error
		whole bool
	}{
		{"a snapshot", snapshot(`{"name":"s","uuid":"u","indices":[{"name":"logs","shards":1}]}`), true},
		{"a snapshot that says to be another", snapshot(`{"name":"s","uuid":"../../x"}`), false},
		{"a snapshot of an index elsewhere", snapshot(`{"name":"s","uuid":"u","indices":[{"name":"../../x","shards":1}]}`), false},
		{"metadata", metadata(`{"indices":{},"data_streams":{"d":{"name":"d"}}}`), true},
		{"metadata of an index of another name", metadata(`{"indices":{"logs":` + strings.ReplaceAll(index, "logs", "../../x") + `}}`), false},
		{"metadata of an index", metadata(`{"indices":{"logs":` + index + `}}`), true},
		{"metadata without the index", metadata(`{"indices":{"logs":null}}`), false},
		{"metadata of a data stream of another name", metadata(`{"data_streams":{"d":{"name":"e"}}}`), false},
		{"a shard", shardCopy(digest(nil)), true},
		{"a shard with documents elsewhere", shardCopy("../../x"), false},
		{"a shard with documents anywhere", shardCopy("/etc/passwd"), false},
	} {
		if err := c.read(); (err == nil) != c.whole || err != nil && !errors.Is(err, errDamaged) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
