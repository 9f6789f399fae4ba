// SPDX-License-Identifier: Apache-2.0

// Package lifecycle tests the reconciler over a cluster: it attaches, acts, waits and forgets, whatever request it
// dies at.
package lifecycle
