// SPDX-License-Identifier: Apache-2.0

//go:build !race

package test

// Race is true in a build with the race detector.
const Race = false
