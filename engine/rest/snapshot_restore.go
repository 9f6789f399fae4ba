// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/engine/snapshot"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

// restoreBody is the body of a restore while it is read.
type restoreBody struct {
	snapshotBody
	out snapshot.RestoreRequest
	// The patterns and what replaces them; both of a pair have to be given.
	rename, renameTo, renameAlias, renameAliasTo *string
}

func parseRestore(body []byte) (snapshot.RestoreRequest, error) {
	b := restoreBody{snapshotBody: snapshotBody{options: snapshot.DefaultOptions}, out: snapshot.RestoreRequest{Aliases: true}}
	if body != nil {
		if err := wire.ReadObject(body, func(p *wire.Parser, name string) error { return b.read(p, name) }); err != nil {
			return b.out, err
		}
	}
	b.out.Indices, b.out.Options = b.indices, b.options
	var err error
	if b.out.Rename, err = renaming(b.rename, b.renameTo); err != nil {
		return b.out, err
	}
	b.out.RenameAlias, err = renaming(b.renameAlias, b.renameAliasTo)
	return b.out, err
}

func renaming(pattern, replacement *string) (*snapshot.Renaming, error) {
	if pattern == nil || replacement == nil {
		return nil, nil
	}
	return snapshot.NewRenaming(*pattern, *replacement)
}

// read reads one member.
func (b *restoreBody) read(p *wire.Parser, name string) (err error) {
	if known, err := b.member(p, name); known {
		return err
	}
	switch name {
	case "partial":
		b.out.Partial, err = flagOf(p, name)
	case "include_global_state":
		b.out.Global, err = flagOf(p, name)
	case "include_aliases":
		b.out.Aliases, err = flagOf(p, name)
	case "rename_pattern":
		b.rename, err = textMember(p, name)
	case "rename_replacement":
		b.renameTo, err = textMember(p, name)
	case "rename_alias_pattern":
		b.renameAlias, err = textMember(p, name)
	case "rename_alias_replacement":
		b.renameAliasTo, err = textMember(p, name)
	case "index_settings":
		if p.Token() != wire.StartObject {
			return fault.Illegal("malformed index_settings section")
		}
		raw, rawErr := p.Raw()
		if err = rawErr; err == nil {
			b.out.Settings, err = catalog.ParseIndexSettings(raw)
		}
	case "ignore_index_settings":
		b.out.Dropped, err = textsOf(p, "malformed ignore_index_settings section, should be an array of strings")
	case "storage_type":
		return storageType(p)
	default:
		return fault.Illegal("Unknown parameter %s", name)
	}
	return err
}

// storageType reads where the restored index keeps its files.
func storageType(p *wire.Parser) error {
	text, err := p.Text()
	switch {
	case err != nil:
		return err
	case text == "local":
		return nil
	case text == "remote_snapshot":
		return fault.Unsupported("[storage_type: remote_snapshot] of a restore")
	}
	return fault.Illegal("Invalid storage_type: %s", text)
}

func (s *Server) restoreSnapshot(r *rest.Request) (rest.Action, error) {
	request, wait, err := readSnapshotCall(r, parseRestore)
	if err != nil {
		return nil, err
	}
	request.Repository, request.Snapshot = r.Path("repository"), r.Path("snapshot")
	return func(ctx context.Context) (*rest.Response, error) {
		restoring, err := s.Snapshots.Restore(request)
		if err != nil {
			return nil, err
		}
		if !wait {
			return rest.OK(wire.Obj("accepted", true)), nil
		}
		indices, err := restoring.Wait(ctx)
		if err != nil {
			return nil, err
		}
		names, shards := []string{}, 0
		for _, index := range indices {
			names, shards = append(names, index.Name), shards+index.Shards()
		}
		return rest.OK(wire.Obj("snapshot", wire.Obj("snapshot", request.Snapshot, "indices", names,
			"shards", wire.Obj("total", shards, "failed", 0, "successful", shards)))), nil
	}, nil
}
