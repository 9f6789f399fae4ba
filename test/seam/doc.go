// SPDX-License-Identifier: Apache-2.0

// Package seam holds one suite of tests for whatever stands behind the seam: the embedded engine, and the real cluster
// that STEWARD_TEST_CLUSTER names. What the client promises must be true on both.
package seam
