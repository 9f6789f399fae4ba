// SPDX-License-Identifier: Apache-2.0

//go:build race

package test

// Race is true in a build with the race detector, which is several times slower: tests that play the same code again and
// again play it less often there.
const Race = true
