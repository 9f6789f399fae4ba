// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/opensteward/steward/fault"
)

// Check walks through a catalog file that is not open, and reports every inconsistency as a sentence. The state is nil
// if it cannot be read. The error says why it could not look.
func Check(path string) (state *State, findings []string, err error) {
	defer func() {
		if p := recover(); p != nil {
			state, findings = nil, append(findings, fmt.Sprintf("the catalog is damaged: %v", p))
		}
	}()
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, err
	}
	env, err := newEnvironment(Options{})
	if err != nil {
		return nil, nil, err
	}
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: time.Second, ReadOnly: true})
	if err != nil {
		return nil, []string{fmt.Sprintf("the catalog cannot be opened: %v", err)}, nil
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	state = emptyState(env)
	viewErr := db.View(func(tx *bolt.Tx) error {
		if tx.Size() > info.Size() {
			return fmt.Errorf("it has %d bytes of %d", info.Size(), tx.Size())
		}
		for err := range tx.Check() {
			findings = append(findings, fmt.Sprintf("the catalog is damaged: %v", err))
		}
		meta := tx.Bucket(metaBucket)
		if meta == nil {
			return errors.New("it has no meta bucket")
		}
		return read(tx, meta, state)
	})
	if viewErr != nil {
		return nil, append(findings, fmt.Sprintf("the catalog is damaged: %v", viewErr)), nil
	}
	state.indexAliases()
	return state, append(findings, state.check()...), nil
}

// check compares what the state says in two places.
func (s *State) check() []string {
	var f findings
	uuids := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(s.Indices)) {
		i := s.Indices[name]
		f.add(i.Name != name, "the record of index [%s] is that of [%s]", name, i.Name)
		f.add(uuids[i.UUID] != "", "indices [%s] and [%s] have the same uuid", uuids[i.UUID], name)
		uuids[i.UUID] = name
		d := s.DataStreams[i.DataStream]
		f.add(i.DataStream != "" && d == nil, "index [%s] backs the data stream [%s], which does not exist", name, i.DataStream)
		f.add(d != nil && !slices.Contains(d.Indices, name), "index [%s] backs the data stream [%s], which does not name it", name, i.DataStream)
	}
	for _, name := range slices.Sorted(maps.Keys(s.DataStreams)) {
		s.checkStream(&f, name)
	}
	for _, alias := range s.aliasNames() {
		f.add(s.Indices[alias] != nil || s.DataStreams[alias] != nil, "the alias [%s] is called as an index or data stream is", alias)
		if err := s.checkAliases([]string{alias}); err != nil {
			f.add(true, "%s", fault.Of(err).Reason)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.IndexTemplates)) {
		for _, part := range s.IndexTemplates[name].ComposedOf {
			f.add(s.ComponentTemplates[part] == nil, "the index template [%s] is composed of [%s], which does not exist", name, part)
		}
	}
	s.checkSnapshots(&f)
	return f
}

func (s *State) checkStream(f *findings, name string) {
	d := s.DataStreams[name]
	f.add(len(d.Indices) == 0, "the data stream [%s] has no index", name)
	for _, backing := range d.Indices {
		i := s.Indices[backing]
		f.add(i == nil, "the data stream [%s] names the index [%s], which does not exist", name, backing)
		f.add(i != nil && i.DataStream != name, "the data stream [%s] names the index [%s], which does not back it", name, backing)
	}
	f.add(s.Indices[name] != nil, "the data stream [%s] is called as an index is", name)
}

// findings are sentences about what is wrong.
type findings []string

func (f *findings) add(wrong bool, format string, args ...any) {
	if wrong {
		*f = append(*f, fmt.Sprintf(format, args...))
	}
}
