// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"

	"github.com/opensteward/steward/engine/query"
	"github.com/opensteward/steward/engine/snapshot"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

func (s *Server) snapshotRoutes(rt *rest.Router) {
	rt.Handle("GET", "/_snapshot", s.getRepositories)
	rt.Handle("GET", "/_snapshot/{repository}", s.getRepositories)
	rt.Handle("PUT", "/_snapshot/{repository}", s.putRepository)
	rt.Handle("POST", "/_snapshot/{repository}", s.putRepository)
	rt.Handle("DELETE", "/_snapshot/{repository}", s.deleteRepository)
	rt.Handle("POST", "/_snapshot/{repository}/_verify", s.verifyRepository)
	rt.Handle("POST", "/_snapshot/{repository}/_cleanup", s.cleanUpRepository)
	const one = "/_snapshot/{repository}/{snapshot}"
	rt.Handle("PUT", one, s.createSnapshot)
	rt.Handle("POST", one, s.createSnapshot)
	rt.Handle("GET", one, s.getSnapshots)
	rt.Handle("DELETE", one, s.deleteSnapshots)
	rt.Handle("PUT", one+"/_clone/{target}", s.cloneSnapshot)
	rt.Handle("POST", one+"/_restore", s.restoreSnapshot)
	rt.Handle("GET", "/_snapshot/_status", s.snapshotStatus)
	rt.Handle("GET", "/_snapshot/{repository}/_status", s.snapshotStatus)
	rt.Handle("GET", one+"/_status", s.snapshotStatus)
	rt.Handle("GET", one+"/{index}/_status", s.snapshotStatus)
}

func (s *Server) getRepositories(r *rest.Request) (rest.Action, error) {
	names := r.List("repository")
	r.Ignore("local")
	r.ManagerTimeout()
	return func(context.Context) (*rest.Response, error) {
		list, err := s.Snapshots.Repositories(names)
		if err != nil {
			return nil, err
		}
		out := wire.Object{}
		for _, one := range list {
			out.Add(one.Name, repositoryJSON(one))
		}
		return rest.OK(out), nil
	}, nil
}

func repositoryJSON(one snapshot.Repository) wire.Object {
	settings := wire.Object{}
	for _, key := range sorted(one.Settings) {
		settings.Add(key, one.Settings[key])
	}
	return wire.Obj("type", one.Type, "settings", settings)
}

func (s *Server) putRepository(r *rest.Request) (rest.Action, error) {
	name := r.Path("repository")
	verify := r.Bool("verify", true)
	timeouts(r)
	body, err := r.RequireBody()
	if err != nil {
		return nil, err
	}
	repository, err := snapshot.ParseRepository(name, body)
	if err != nil {
		return nil, err
	}
	return change(func(ctx context.Context) error { return s.Snapshots.PutRepository(ctx, repository, verify) }), nil
}

func (s *Server) deleteRepository(r *rest.Request) (rest.Action, error) {
	name := r.Path("repository")
	timeouts(r)
	return change(func(ctx context.Context) error { return s.Snapshots.DeleteRepository(ctx, name) }), nil
}

func (s *Server) verifyRepository(r *rest.Request) (rest.Action, error) {
	name := r.Path("repository")
	timeouts(r)
	return func(context.Context) (*rest.Response, error) {
		if err := s.Snapshots.VerifyRepository(name); err != nil {
			return nil, err
		}
		return rest.OK(wire.Obj("nodes", wire.Obj(query.NodeID, wire.Obj("name", s.nodeName())))), nil
	}, nil
}

func (s *Server) cleanUpRepository(r *rest.Request) (rest.Action, error) {
	name := r.Path("repository")
	timeouts(r)
	return func(context.Context) (*rest.Response, error) {
		removed, err := s.Snapshots.Cleanup(name)
		if err != nil {
			return nil, err
		}
		return rest.OK(wire.Obj("results", wire.Obj("deleted_bytes", removed.Bytes, "deleted_blobs", removed.Files))), nil
	}, nil
}

// snapshotBody is what the bodies of snapshot requests have in common: index expressions, and how they are meant.
type snapshotBody struct {
	indices []string
	options wire.IndexOptions
}

// member reads a member that is common; known is false for any other, which is not read.
func (b *snapshotBody) member(p *wire.Parser, name string) (known bool, err error) {
	switch name {
	case "indices":
		b.indices, err = textsOf(p, "malformed indices section, should be an array of strings")
	case "ignore_unavailable", "ignoreUnavailable":
		b.options.IgnoreUnavailable, err = flagOf(p, "ignore_unavailable")
	case "allow_no_indices", "allowNoIndices":
		b.options.AllowNoIndices, err = flagOf(p, "allow_no_indices")
	case "expand_wildcards", "expandWildcards":
		var words []string
		if words, err = textsOf(p, "malformed expand_wildcards, should be an array of strings"); err == nil {
			err = b.options.Expand(words)
		}
	default:
		return false, nil
	}
	return true, err
}
