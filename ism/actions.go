// SPDX-License-Identifier: Apache-2.0

package ism

import (
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// ForceMerge merges each shard down to a number of segments.
type ForceMerge struct{ MaxNumSegments int }

// IndexPriority sets the order in which indices recover.
type IndexPriority struct{ Priority int }

// ReplicaCount sets the number of replicas.
type ReplicaCount struct{ NumberOfReplicas int }

// Snapshot takes a snapshot whose name begins with a Mustache template.
type Snapshot struct{ Repository, Snapshot string }

// Allocation sets where shards may be. WaitFor is stored and has no effect, as in the plugin.
type Allocation struct {
	Require, Include, Exclude wire.Object
	WaitFor                   bool
}

// ConvertToRemote restores the index as a searchable snapshot.
type ConvertToRemote struct {
	Repository, Snapshot string
	IncludeAliases       bool
	IgnoreIndexSettings  string
	NumberOfReplicas     *int
	DeleteOriginal       bool
	RenamePattern        string
}

const defaultRenamePattern = "$1_remote"

func parseForceMerge(p *wire.Parser) (*ForceMerge, error) {
	n, err := oneInteger(p, "max_num_segments", "ForceMergeActionConfig")
	switch {
	case err != nil:
		return nil, err
	case n == nil:
		return nil, fault.Illegal("ForceMergeActionConfig maxNumSegments is null")
	case *n <= 0:
		return nil, fault.Illegal("Force merge {max_num_segments} must be greater than 0")
	}
	return &ForceMerge{*n}, nil
}

func parseIndexPriority(p *wire.Parser) (*IndexPriority, error) {
	n, err := oneInteger(p, "priority", "IndexPriorityActionConfig")
	switch {
	case err != nil:
		return nil, err
	case n == nil:
		return nil, fault.Illegal("priority is null")
	case *n < 0:
		return nil, fault.Illegal("IndexPriorityAction index_priority value must be a non-negative number")
	}
	return &IndexPriority{*n}, nil
}

func parseReplicaCount(p *wire.Parser) (*ReplicaCount, error) {
	n, err := oneInteger(p, "number_of_replicas", "ReplicaCountActionConfig")
	switch {
	case err != nil:
		return nil, err
	case n == nil:
		// the plugin prints an object of its runtime where it means the field's name
		return nil, fault.Illegal("org.opensearch.indexmanagement.indexstatemanagement.action.ReplicaCountAction$Companion@0000000.NUMBER_OF_REPLICAS_FIELD is null")
	case *n < 0:
		return nil, fault.Illegal("ReplicaCountAction number_of_replicas value must be a non-negative number")
	}
	return &ReplicaCount{*n}, nil
}

// oneInteger reads an object with one known member; nil if it is absent.
func oneInteger(p *wire.Parser, field, where string) (n *int, err error) {
	err = p.Object(func(name string) (err error) {
		if name != field {
			return invalidField(name, where)
		}
		n, err = integer(p)
		return err
	})
	return n, err
}

func parseSnapshot(p *wire.Parser) (*Snapshot, error) {
	var repository, snapshot *string
	err := p.Object(func(name string) (err error) {
		switch name {
		case "repository":
			repository, err = text(p)
		case "snapshot":
			snapshot, err = text(p)
		default:
			err = invalidField(name, "SnapshotAction")
		}
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case repository == nil:
		return nil, fault.Illegal("SnapshotAction repository must be specified")
	case snapshot == nil:
		return nil, fault.Illegal("SnapshotAction snapshot must be specified")
	}
	return &Snapshot{*repository, *snapshot}, nil
}

func parseAllocation(p *wire.Parser) (*Allocation, error) {
	a := &Allocation{Require: wire.Object{}, Include: wire.Object{}, Exclude: wire.Object{}}
	err := p.Object(func(name string) (err error) {
		switch name {
		case "require":
			a.Require, err = texts(p)
		case "include":
			a.Include, err = texts(p)
		case "exclude":
			a.Exclude, err = texts(p)
		case "wait_for":
			a.WaitFor, err = p.Bool()
		default:
			err = invalidField(name, "AllocationAction")
		}
		return err
	})
	if err == nil && len(a.Require)+len(a.Include)+len(a.Exclude) == 0 {
		err = fault.Illegal("At least one allocation parameter need to be specified.")
	}
	return a, err
}

func (a *Allocation) json() wire.Object {
	return wire.Obj("require", a.Require, "include", a.Include, "exclude", a.Exclude, "wait_for", a.WaitFor)
}

func parseConvertToRemote(p *wire.Parser) (*ConvertToRemote, error) {
	c := &ConvertToRemote{RenamePattern: defaultRenamePattern}
	var repository, snapshot *string
	err := p.Object(func(name string) (err error) {
		switch name {
		case "repository":
			repository, err = text(p)
		case "snapshot":
			snapshot, err = text(p)
		case "include_aliases":
			c.IncludeAliases, err = p.Bool()
		case "ignore_index_settings":
			c.IgnoreIndexSettings, err = p.Text()
		case "number_of_replicas":
			c.NumberOfReplicas, err = integer(p)
		case "delete_original_index":
			c.DeleteOriginal, err = p.Bool()
		case "rename_pattern":
			c.RenamePattern, err = p.Text()
		default:
			err = invalidField(name, "ConvertIndexToRemoteAction")
		}
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case repository == nil:
		return nil, fault.Illegal("ConvertIndexToRemoteAction repository must be specified")
	case snapshot == nil:
		return nil, fault.Illegal("ConvertIndexToRemoteAction snapshot must be specified")
	}
	c.Repository, c.Snapshot = *repository, *snapshot
	if c.NumberOfReplicas != nil && *c.NumberOfReplicas < 0 {
		c.NumberOfReplicas = nil
	}
	return c, nil
}

func (c *ConvertToRemote) json() wire.Object {
	o := wire.Obj("repository", c.Repository, "snapshot", c.Snapshot, "include_aliases", c.IncludeAliases,
		"ignore_index_settings", c.IgnoreIndexSettings)
	o.AddIf(c.NumberOfReplicas != nil, "number_of_replicas", c.NumberOfReplicas)
	o.Add("delete_original_index", c.DeleteOriginal)
	o.AddIf(c.RenamePattern != defaultRenamePattern, "rename_pattern", c.RenamePattern)
	return o
}

// trimmedList splits a comma-separated text.
func trimmedList(s string) []string {
	var out []string
	for item := range strings.SplitSeq(s, ",") {
		if item = strings.TrimSpace(item); item != "" {
			out = append(out, item)
		}
	}
	return out
}

// IgnoredSettings are the index settings that a restore leaves out.
func (c *ConvertToRemote) IgnoredSettings() []string { return trimmedList(c.IgnoreIndexSettings) }
