// SPDX-License-Identifier: Apache-2.0

package rollup

import (
	"fmt"
	"testing"
)

func TestMurmur3OfKnownTexts(t *testing.T) {
	for _, c := range []struct {
		text string
		seed uint64
		want string
	}{
		{"", 0, "00000000000000000000000000000000"},
		{"hello", 0, "cbd8a7b341bd9b025b1e906a48ae1d19"},
		{"The quick brown fox jumps over the lazy dog", 0, "e34bbc7bbc071b6c7a433ca9c49a9347"},
		{"The quick brown fox jumps over the lazy cog", 0, "658ca970ff85269a43fee3eaa68e5c3e"},
	} {
		h1, h2 := murmur3([]byte(c.text), c.seed)
		if got := fmt.Sprintf("%016x%016x", h1, h2); got != c.want {
			t.Errorf("%q: %s, want %s", c.text, got, c.want)
		}
	}
}
