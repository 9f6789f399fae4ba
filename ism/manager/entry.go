// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/opensearch"
)

// traits are what all entries are asked for at once, so that none need be unpacked for it.
type traits struct {
	enabled  bool // the job is
	done     bool // the policy is completed or failed
	failed   bool // the policy or its action failed for good
	starting bool // a step was announced and its result is not stored
	keeps    bool // the action keeps properties
}

// entry is one for an index that no sweep looks at.
func (c Candidate) entry() *entry {
	e := &entry{uuid: c.Info.UUID}
	e.setJob(c.Job, opensearch.Version{})
	return e
}

func (e *entry) hasJob() bool  { return e.packedJob != "" }
func (e *entry) hasMeta() bool { return e.packedMeta != "" }

// unreadJob reports whether there is a job document that cannot be read.
func (e *entry) unreadJob() bool { return !e.hasJob() && e.jobVersion != (opensearch.Version{}) }

// unread reports whether one of the documents cannot be read. Nothing is decided then.
func (e *entry) unread() bool {
	return e.unreadJob() || !e.hasMeta() && e.metaVersion != (opensearch.Version{})
}

// job is the job document, nil if there is none. Each call returns another copy.
func (e *entry) job() *ism.Job {
	if !e.hasJob() {
		return nil
	}
	return ism.UnpackJob(e.packedJob, e.uuid, e.index, e.policy)
}

// meta is the metadata document, nil if there is none. Each call returns another copy.
func (e *entry) meta() *ism.Metadata {
	if !e.hasMeta() {
		return nil
	}
	return ism.UnpackMetadata(e.packedMeta, e.uuid, e.index)
}

// setJob takes over a job document; nil means that there is none any more.
func (e *entry) setJob(job *ism.Job, v opensearch.Version) {
	e.jobVersion = v
	if job == nil {
		e.packedJob, e.policy, e.enabled = "", nil, false
		return
	}
	if e.index != job.Index {
		meta := e.meta() // packed with the name
		e.index = job.Index
		e.setMeta(meta, e.metaVersion)
	}
	e.packedJob, e.policy, e.enabled = ism.PackJob(job, e.uuid, e.index), job.Policy, job.Enabled
}

// setMeta takes over a metadata document; nil means that there is none any more.
func (e *entry) setMeta(meta *ism.Metadata, v opensearch.Version) {
	e.metaVersion = v
	e.traits = traits{enabled: e.enabled}
	if meta == nil {
		e.packedMeta = ""
		return
	}
	e.packedMeta = ism.PackMetadata(meta, e.uuid, e.index)
	e.done, e.failed = meta.Done(), meta.Failed()
	e.starting = meta.Step != nil && meta.Step.Status == ism.StatusStarting
	e.keeps = meta.Action != nil && meta.Action.Properties != nil
}

// name is the index's name, as the job says.
func (e *entry) name() string {
	if !e.hasJob() {
		return e.uuid
	}
	return e.index
}
