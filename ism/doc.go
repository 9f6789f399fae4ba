// SPDX-License-Identifier: Apache-2.0

// Package ism holds index state management policies and decides what they want next.
//
// A [Policy] is a parsed document. A [Job] is the managed-index document: one index, the copy of the policy it runs,
// its schedule and a pending policy change. [Metadata] is how far the policy has got with the index. [Facts] is what
// the cluster says about it. [Next] compares them at one instant and returns a [Move].
//
// Nothing in this package reads a clock, touches storage or the network, or starts a goroutine. Ages are
// time.Duration, sizes are bytes, times are UTC and, in documents, epoch milliseconds. Names, defaults, messages and
// documents are those of OpenSearch's Index State Management plugin; a declaration that differs on purpose says so,
// and docs/differences.md lists it.
package ism
