// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"errors"
	"fmt"
	"os"
	"time"

	bolt "go.etcd.io/bbolt"
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
func (s *State) check() (findings []string) {
	uuids := map[string]string{}
	for _, i := range s.SortedIndices() {
		if other := uuids[i.UUID]; other != "" {
			findings = append(findings, fmt.Sprintf("indices [%s] and [%s] have the same uuid", other, i.Name))
		}
		uuids[i.UUID] = i.Name
		if i.DataStream != "" && s.DataStreams[i.DataStream] == nil {
			findings = append(findings, fmt.Sprintf("index [%s] backs the data stream [%s], which does not exist", i.Name, i.DataStream))
		}
	}
	for name, d := range s.DataStreams {
		for _, backing := range d.Indices {
			if s.Indices[backing] == nil {
				findings = append(findings, fmt.Sprintf("the data stream [%s] names the index [%s], which does not exist", name, backing))
			}
		}
	}
	return findings
}
