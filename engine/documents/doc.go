// SPDX-License-Identifier: Apache-2.0

// Package documents keeps the documents of all indices: it opens shards when they are used and closes them when they
// idle, routes documents to them, grows mappings before a document is acknowledged, and refreshes what was written.
//
// It is the catalog's [catalog.Shards]: it makes and removes the shards of indices the catalog makes and removes. Shards
// live in <dir>/<index uuid>/<number>. Nothing runs while nothing was written: a refresh is scheduled by a write.
package documents

import (
	"context"
	"encoding/binary"
	"unicode/utf16"

	"github.com/opensteward/steward/engine/catalog"
)

// A Grower adds fields to an index's mapping, durably.
type Grower interface {
	// GrowMapping merges body into the mapping of the index with this uuid and returns the index as it is then.
	GrowMapping(ctx context.Context, uuid string, body []byte) (*catalog.Index, error)
}

// Route is the number of the shard that a document of this routing (its id, unless one is given) belongs to, as
// OpenSearch computes it.
func Route(index *catalog.Index, routing string) int {
	slots := index.RoutingShards
	slot := int(int32(murmur3(utf16LE(routing)))) % slots
	if slot < 0 {
		slot += slots
	}
	return slot / (slots / index.Shards())
}

func utf16LE(s string) []byte {
	units := utf16.Encode([]rune(s))
	b := make([]byte, 0, 2*len(units))
	for _, u := range units {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

// murmur3 is MurmurHash3 x86_32 with seed 0.
func murmur3(data []byte) uint32 {
	const c1, c2 = 0xcc9e2d51, 0x1b873593
	mix := func(k uint32) uint32 {
		k *= c1
		return (k<<15 | k>>17) * c2
	}
	var h uint32
	n := len(data)
	for ; len(data) >= 4; data = data[4:] {
		h ^= mix(binary.LittleEndian.Uint32(data))
		h = (h<<13|h>>19)*5 + 0xe6546b64
	}
	var tail uint32
	for i := len(data) - 1; i >= 0; i-- {
		tail = tail<<8 | uint32(data[i])
	}
	if len(data) > 0 {
		h ^= mix(tail)
	}
	h ^= uint32(n)
	h ^= h >> 16
	h *= 0x85ebca6b
	h ^= h >> 13
	h *= 0xc2b2ae35
	return h ^ h>>16
}
