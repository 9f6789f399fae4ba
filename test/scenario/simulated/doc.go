// SPDX-License-Identifier: Apache-2.0

// Package simulated is a cluster that exists in memory only, with lifecycles driven by the pure core: the smallest thing
// that a scenario can be played on. It has what conditions look at (indices with aliases, settings and numbers of
// documents, data streams, policies) and none of the rest. It answers the REST calls that scenarios make and those of steps
// that make one, and no others; what a step does to it is done at once, and fails only where a scenario has it answered so.
//
// Its clock stands still until [Cluster.Advance] moves it from one due instant to the next. After each call everything
// has been done that can be done at that instant.
package simulated
