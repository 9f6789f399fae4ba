// SPDX-License-Identifier: Apache-2.0

// Package test holds what is tested on the whole program: the scenarios, the recorded answers of the real plugins,
// crashes and faults, and the rules the source tree itself keeps. The program runs in process, on the embedded engine,
// or in front of a real cluster where STEWARD_TEST_CLUSTER names one.
package test
