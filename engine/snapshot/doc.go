// SPDX-License-Identifier: Apache-2.0

// Package snapshot keeps copies of indices in repositories, which are directories, and brings them back.
//
// A [Service] does what OpenSearch's snapshot APIs ask for: it registers repositories, takes, lists, clones, deletes and
// restores snapshots. Taking one is work in the background that goes on after a restart: that it is being taken stands
// in the catalog until it is in its repository.
//
// A repository is laid out so:
//
//	steward-repository.json             what the directory is, and in which format
//	snapshots/UUID                      a snapshot: its name, state, times and indices
//	contents/UUID                       metadata of its indices and data streams, and the cluster's if it was taken along
//	indices/NAME/SHARD/snapshots/UUID   of which blobs a snapshot's copy of a shard consists
//	indices/NAME/SHARD/blobs/SHA256     documents of the shard, named by the digest of what is in the file
//
// A snapshot exists when its file below snapshots does, which is written last and removed first. Every file is written
// under another name, synced, and renamed, and none is ever changed; so a crash leaves nothing but files that no
// snapshot needs, which the next cleanup removes. A shard is cut into blobs where its documents say so, not at fixed
// places: what has not changed gives the same blobs again, which are not copied again. A shard to which nothing was
// written since its last snapshot is not even read. Every file carries its digest; one that is damaged is found when it
// is read.
package snapshot
