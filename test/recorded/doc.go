// SPDX-License-Identifier: Apache-2.0

// Package recorded replays calls that were made to the real plugins (OpenSearch 3.4.0) and compares the answers.
//
// testdata/ism-calls.jsonl has the calls in their order, those that only prepare included; testdata/native-3.4.0 has
// what the plugin answered. testdata/differences.txt names, each with its reason, the answers that differ on purpose
// or that wait for something that is not built yet. An answer listed there that is equal fails the test too, so that
// the list stays true.
package recorded
