// SPDX-License-Identifier: Apache-2.0

// Package manager is the reconciler of index state management: it enrols indices, wakes each when something is due,
// asks package ism what its policy wants, does it and records it.
//
// A [Manager] keeps jobs and metadata in the cluster, in the plugin's own documents, written under the version they
// were read at; what it holds in memory is a cache that follows them. [Manager.Sweep] is one pass: notice what
// changed, attach and forget indices, and make every move that is ready, in rounds: facts for all of them are read
// together, what each is about to do is stored in one bulk write, steps run side by side, results are stored in one
// bulk write, and whatever is ready then goes on. [Manager.Run] sweeps when an instant is due, when [Manager.Wake] is
// called, and every second to notice what changed behind its back; while nothing changes that costs two small
// requests and no write.
//
// What policies did is kept in the plugin's history: a record of each change goes out with the next bulk request, before
// what it is of is written over, so that none is lost to a crash; a history that cannot be written holds nobody up.
//
// It acts only while it holds its lease. A step that takes long goes on by itself while others are served.
package manager
