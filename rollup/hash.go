// SPDX-License-Identifier: Apache-2.0

package rollup

import (
	"encoding/base64"
	"encoding/binary"
	"math/bits"
)

// hashSeed is the plugin's.
const hashSeed = 72390

// hashID makes an id of fixed size of a text: MurmurHash3 (x64, 128 bits) in URL-safe base64.
func hashID(text string) string {
	h1, h2 := murmur3([]byte(text), hashSeed)
	out := binary.BigEndian.AppendUint64(nil, h1)
	out = binary.BigEndian.AppendUint64(out, h2)
	return base64.RawURLEncoding.EncodeToString(out)
}

// The constants of MurmurHash3.
const (
	murmurC1 = 0x87c37b91114253d5
	murmurC2 = 0x4cf5ad432745937f
)

// murmur3 is the 128-bit hash for 64-bit machines by Austin Appleby.
func murmur3(data []byte, seed uint64) (h1, h2 uint64) {
	h1, h2 = seed, seed
	rest := data
	for ; len(rest) >= 16; rest = rest[16:] {
		k1 := binary.LittleEndian.Uint64(rest)
		k2 := binary.LittleEndian.Uint64(rest[8:])
		h1 ^= bits.RotateLeft64(k1*murmurC1, 31) * murmurC2
		h1 = bits.RotateLeft64(h1, 27) + h2
		h1 = h1*5 + 0x52dce729
		h2 ^= bits.RotateLeft64(k2*murmurC2, 33) * murmurC1
		h2 = bits.RotateLeft64(h2, 31) + h1
		h2 = h2*5 + 0x38495ab5
	}
	var tail [16]byte
	copy(tail[:], rest)
	if len(rest) > 8 {
		h2 ^= bits.RotateLeft64(binary.LittleEndian.Uint64(tail[8:])*murmurC2, 33) * murmurC1
	}
	if len(rest) > 0 {
		h1 ^= bits.RotateLeft64(binary.LittleEndian.Uint64(tail[:8])*murmurC1, 31) * murmurC2
	}
	h1 ^= uint64(len(data))
	h2 ^= uint64(len(data))
	h1 += h2
	h2 += h1
	h1, h2 = mix(h1), mix(h2)
	h1 += h2
	h2 += h1
	return h1, h2
}

// mix spreads every bit over all of them.
func mix(k uint64) uint64 {
	k ^= k >> 33
	k *= 0xff51afd7ed558ccd
	k ^= k >> 33
	k *= 0xc4ceb9fe1a85ec53
	return k ^ k>>33
}
