// SPDX-License-Identifier: Apache-2.0

package documents

import (
	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/engine/shard"
)

// Fetch reads documents of one shard as they are now, in the order of ids. One that is gone has ID "".
func (s *Store) Fetch(index *catalog.Index, number int, ids []string) (docs []shard.Document, err error) {
	g, err := s.group(index)
	if err != nil {
		return nil, err
	}
	err = s.with(g.slots[number], func(sh *shard.Shard) (err error) {
		docs, err = sh.GetMany(ids)
		return err
	})
	return docs, err
}
