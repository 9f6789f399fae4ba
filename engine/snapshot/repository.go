// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// Repository is a registered repository.
type Repository struct {
	Name     string            `json:"-"`
	Type     string            `json:"type"`
	Settings map[string]string `json:"settings"`
}

// missingRepository is the 404 for a repository that is not registered.
func missingRepository(name string) error {
	return fault.New(http.StatusNotFound, "repository_missing_exception", "[%s] missing", name)
}

func repositoryFault(name, format string, args ...any) *fault.Error {
	return fault.New(http.StatusInternalServerError, "repository_exception", "[%s] %s", name, fmt.Sprintf(format, args...))
}

// ParseRepository reads the body that registers a repository. Unknown members are passed over, as OpenSearch does.
func ParseRepository(name string, body []byte) (Repository, error) {
	r := Repository{Name: name, Settings: map[string]string{}}
	err := wire.ReadObject(body, func(p *wire.Parser, member string) (err error) {
		switch member {
		case "type":
			r.Type, err = p.Text()
		case "settings":
			if p.Token() != wire.StartObject {
				return fault.Illegal("Malformed settings section, should include an inner object")
			}
			r.Settings, err = settingsOf(p)
		default:
			err = p.Skip()
		}
		return err
	})
	if err == nil && r.Type == "" {
		err = fault.Validation("type is missing")
	}
	return r, err
}

// settingsOf reads an object of settings, nested or not.
func settingsOf(p *wire.Parser) (map[string]string, error) {
	out := map[string]string{}
	err := p.Object(func(name string) error {
		switch p.Token() {
		case wire.StartObject:
			inner, err := settingsOf(p)
			for key, value := range inner {
				out[name+"."+key] = value
			}
			return err
		case wire.StartArray:
			return fault.Illegal("the setting [%s] of a repository is no list", name)
		case wire.Null:
			return nil
		}
		value, err := p.Text()
		out[name] = value
		return err
	})
	return out, err
}

// options are a repository's settings, understood.
type options struct {
	path     string
	readOnly bool
	// writing and reading are bytes a second at most; 0 for any number.
	writing, reading int64
}

// understand reads the settings of a repository, and looks whether there can be such a one.
func (s *Service) understand(r Repository) (o options, err error) {
	if r.Type != "fs" {
		return o, repositoryFault(r.Name, "repository type [%s] does not exist", r.Type)
	}
	if r.Settings["remote_store_index_shallow_copy"] == "true" {
		return o, fault.Unsupported("[remote_store_index_shallow_copy] of a repository")
	}
	defer func() {
		if err != nil {
			err = creationFault(r.Name, err)
		}
	}()
	if o.path, err = s.locate(r); err != nil {
		return o, err
	}
	flags := map[string]*bool{"readonly": &o.readOnly, "compress": new(bool)}
	for _, name := range slices.Sorted(maps.Keys(flags)) {
		if *flags[name], err = wire.ParseBool(orElse(r.Settings[name], "false")); err != nil {
			return o, err
		}
	}
	sizes := map[string]*int64{"max_snapshot_bytes_per_sec": &o.writing, "max_restore_bytes_per_sec": &o.reading, "chunk_size": new(int64)}
	for _, name := range slices.Sorted(maps.Keys(sizes)) {
		size, err := wire.ParseBytes(orElse(r.Settings[name], "0"), name)
		if err != nil {
			e := fault.Illegal("%s", fault.Of(err).Reason)
			e.CausedBy = fault.Of(err)
			return o, e
		}
		*sizes[name] = max(size.Value(), 0)
	}
	return o, nil
}

func orElse(text, def string) string {
	if text == "" {
		return def
	}
	return text
}

// creationFault is how OpenSearch wraps what is wrong with a repository's settings.
func creationFault(name string, err error) error {
	cause := fault.Of(err)
	e := repositoryFault(name, "failed to create repository")
	e.CausedBy = cause
	if cause.Type == "repository_exception" {
		e.Roots = []*fault.Error{cause}
	}
	return e
}

// locate is the directory of a repository, which must be within path.repo.
func (s *Service) locate(r Repository) (string, error) {
	location := r.Settings["location"]
	if location == "" {
		return "", repositoryFault(r.Name, "missing location")
	}
	for _, root := range s.o.Roots {
		path := location
		if !filepath.IsAbs(path) {
			path = filepath.Join(root, path)
		}
		path = filepath.Clean(path)
		if rel, err := filepath.Rel(root, path); err == nil && filepath.IsLocal(rel) {
			return path, nil
		}
	}
	text := "location [%s] doesn't match any of the locations specified by path.repo"
	if len(s.o.Roots) == 0 {
		text += " because this setting is empty"
	}
	return "", repositoryFault(r.Name, text, location)
}

const badCharacters = ` "*\<|,>/?`

// badFileName is what OpenSearch says of characters that the name of a file cannot have.
const badFileName = `must not contain the following characters [ , ", *, \, <, |, ,, >, /, ?]`

func checkRepositoryName(name string) error {
	switch {
	case name == "":
		return repositoryFault(name, "cannot be empty")
	case strings.Contains(name, "#"):
		return repositoryFault(name, "must not contain '#'")
	case strings.ContainsAny(name, badCharacters):
		return repositoryFault(name, badFileName)
	}
	return nil
}

// PutRepository registers a repository or changes its settings. verify looks whether it can be written to; it stays
// registered if it cannot.
func (s *Service) PutRepository(ctx context.Context, r Repository, verify bool) error {
	if err := checkRepositoryName(r.Name); err != nil {
		return err
	}
	o, err := s.understand(r)
	if err != nil {
		return err
	}
	body, err := wire.Marshal(r)
	if err != nil {
		return err
	}
	err = s.o.Catalog.PutDocument(ctx, catalog.Repositories, r.Name, body, func(now *catalog.State, was json.RawMessage) error {
		old, known := repositoryOf(now, r.Name)
		if !known || maps.Equal(old.Settings, r.Settings) || s.samePlace(old, o) {
			return nil
		}
		return s.refuseUsed(now, r.Name)
	})
	if err != nil || !verify {
		return err
	}
	return s.VerifyRepository(r.Name)
}

// samePlace reports whether a repository with other settings would still have its files in the same directory.
func (s *Service) samePlace(old Repository, o options) bool {
	was, err := s.understand(old)
	return err == nil && was.path == o.path && was.readOnly == o.readOnly
}

// refuseUsed refuses to touch a repository in which something is under way.
func (s *Service) refuseUsed(now *catalog.State, name string) error {
	used := slices.ContainsFunc(now.SnapshotsInProgress(), func(one *catalog.Snapshotting) bool { return one.Repository == name })
	if used || s.restoring(name) {
		return fault.IllegalState("trying to modify or unregister repository that is currently used")
	}
	return nil
}

// repositoryOf is a registered repository.
func repositoryOf(state *catalog.State, name string) (r Repository, known bool) {
	body, known := state.Documents[catalog.Repositories][name]
	if !known || json.Unmarshal(body, &r) != nil {
		return r, false
	}
	r.Name = name
	return r, true
}

// Registered are all repositories of a state, sorted.
func Registered(state *catalog.State) (out []Repository) {
	for _, name := range slices.Sorted(maps.Keys(state.Documents[catalog.Repositories])) {
		if r, ok := repositoryOf(state, name); ok {
			out = append(out, r)
		}
	}
	return out
}

// Repositories are the registered repositories that names and patterns mean, sorted; all if there are none of those. One
// that means nothing is the 404 repository_missing_exception.
func (s *Service) Repositories(expressions []string) ([]Repository, error) {
	state := s.o.Catalog.State()
	known := Registered(state)
	if len(expressions) == 0 || len(expressions) == 1 && (expressions[0] == "_all" || expressions[0] == "*") {
		return known, nil
	}
	for _, e := range expressions {
		some := slices.ContainsFunc(known, func(r Repository) bool { return wire.Match(e, r.Name) })
		if !some && (!wire.IsPattern(e) || state.Documents[catalog.Repositories] == nil) { // which OpenSearch tells apart, too
			return nil, missingRepository(e)
		}
	}
	return slices.DeleteFunc(known, func(r Repository) bool { return !wire.MatchAny(expressions, r.Name) }), nil
}

// DeleteRepository unregisters the repositories that a name or pattern means. Their files stay.
func (s *Service) DeleteRepository(ctx context.Context, expression string) error {
	found, err := s.Repositories([]string{expression})
	if err != nil {
		return err
	}
	var gone []string
	for _, r := range found {
		gone = append(gone, r.Name)
	}
	return s.o.Catalog.DeleteDocuments(ctx, catalog.Repositories, gone, func(now *catalog.State) error {
		for _, name := range gone {
			if err := s.refuseUsed(now, name); err != nil {
				return err
			}
		}
		return nil
	})
}

// VerifyRepository looks whether a repository's directory can be used.
func (s *Service) VerifyRepository(name string) error {
	d, o, err := s.open(name)
	if err != nil {
		return err
	}
	if err := d.verify(o.readOnly); err != nil {
		e := fault.New(http.StatusInternalServerError, "repository_verification_exception", "[%s] path is not accessible on cluster-manager node", name)
		e.CausedBy, e.Err = fault.New(http.StatusInternalServerError, "i_o_exception", "%s", err), err
		return e
	}
	return nil
}

func (d *directory) verify(readOnly bool) error {
	if readOnly {
		_, err := d.list()
		return err
	}
	if err := d.initialise(); err != nil {
		return err
	}
	probe := filepath.Join(d.path, "tests-"+newUUID())
	return errors.Join(writeFile(probe, []byte("test")), os.Remove(probe))
}

// open is the directory of a registered repository.
func (s *Service) open(name string) (*directory, options, error) {
	r, known := repositoryOf(s.o.Catalog.State(), name)
	if !known {
		return nil, options{}, missingRepository(name)
	}
	o, err := s.understand(r)
	if err != nil {
		return nil, o, err // the node was started with another path.repo
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.dirs[o.path]
	if d == nil {
		d = &directory{path: o.path}
		s.dirs[o.path] = d
	}
	return d, o, nil
}

// openToWrite is open for what changes the repository; what, as "create snapshot in a", is refused if it may not be.
func (s *Service) openToWrite(name, what string) (*directory, options, error) {
	d, o, err := s.open(name)
	if err == nil && o.readOnly {
		err = repositoryFault(name, "cannot %s readonly repository", what)
	}
	if err != nil {
		return nil, o, err
	}
	if err := d.initialise(); err != nil {
		return nil, o, s.broken(name, err)
	}
	return d, o, nil
}

// broken is the error of a repository whose files cannot be read or written.
func (s *Service) broken(name string, err error) error {
	e := repositoryFault(name, "%s", err)
	e.Err = err
	return e
}
