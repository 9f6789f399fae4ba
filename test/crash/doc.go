// SPDX-License-Identifier: Apache-2.0

// Package crash kills the real program with SIGKILL at random moments, under bulk load and running lifecycles, starts
// it again on the same data directory and compares what is there with a model: no acknowledged write is missing, no
// index is stuck, and no effect happened twice.
//
//	go test ./test/crash -rounds 100 -seed 7
package crash
