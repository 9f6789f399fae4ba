// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	bolt "go.etcd.io/bbolt"

	"github.com/opensteward/steward/wire/setting"
)

// Format is the number of the file's layout. A file of another number is not opened.
//
// 1: a bucket per sort of metadata, each record JSON under its name; "meta" holds format, version, state_uuid,
// cluster_uuid and the persistent settings; documents of a kind are in the bucket "doc:<kind>".
const Format = 1

var (
	metaBucket = []byte("meta")
	formatKey  = []byte("format")
	versionKey = []byte("version")
	stateKey   = []byte("state_uuid")
	clusterKey = []byte("cluster_uuid")
	settingKey = []byte("persistent_settings")
)

const (
	indexBucket     = "indices"
	streamBucket    = "data_streams"
	componentBucket = "component_templates"
	templateBucket  = "index_templates"
	legacyBucket    = "legacy_templates"
	documentPrefix  = "doc:"
)

// joinClose closes db after a failure.
func joinClose(err error, db *bolt.DB) error { return errors.Join(err, db.Close()) }

// load reads the whole file, or makes it if it is new.
func load(db *bolt.DB, env *environment) (*State, error) {
	state := emptyState(env)
	err := db.View(func(tx *bolt.Tx) error {
		meta := tx.Bucket(metaBucket)
		if meta == nil {
			if name, _ := tx.Cursor().First(); name != nil {
				return errors.New("damaged: it has no meta bucket")
			}
			return nil
		}
		return read(tx, meta, state)
	})
	if err != nil || state.ClusterUUID != "" {
		state.indexAliases()
		return state, err
	}
	state.ClusterUUID, state.UUID, state.Version = newUUID(), newUUID(), 1
	state.indexAliases()
	return state, store(db, emptyState(env), state)
}

func emptyState(env *environment) *State {
	return &State{
		Indices: map[string]*Index{}, DataStreams: map[string]*DataStream{},
		ComponentTemplates: map[string]*ComponentTemplate{}, IndexTemplates: map[string]*IndexTemplate{},
		LegacyTemplates: map[string]*LegacyTemplate{},
		Persistent:      setting.Values{}, Transient: setting.Values{},
		Documents: map[Kind]map[string]json.RawMessage{}, env: env,
	}
}

func read(tx *bolt.Tx, meta *bolt.Bucket, s *State) error {
	if format := string(meta.Get(formatKey)); format != strconv.Itoa(Format) {
		return fmt.Errorf("its format is %q, this program reads %d", format, Format)
	}
	version, err := strconv.ParseInt(string(meta.Get(versionKey)), 10, 64)
	if err != nil {
		return fmt.Errorf("damaged: version: %w", err)
	}
	s.Version, s.UUID, s.ClusterUUID = version, string(meta.Get(stateKey)), string(meta.Get(clusterKey))
	if s.ClusterUUID == "" || s.UUID == "" {
		return errors.New("damaged: it has no cluster_uuid or state_uuid")
	}
	if err := json.Unmarshal(meta.Get(settingKey), &s.Persistent); err != nil {
		return fmt.Errorf("damaged: cluster settings: %w", err)
	}
	if s.Persistent == nil {
		s.Persistent = setting.Values{}
	}
	return errors.Join(
		readAll(tx, indexBucket, s.Indices), readAll(tx, streamBucket, s.DataStreams),
		readAll(tx, componentBucket, s.ComponentTemplates), readAll(tx, templateBucket, s.IndexTemplates),
		readAll(tx, legacyBucket, s.LegacyTemplates), readDocuments(tx, s),
	)
}

// readAll fills into with the records of a bucket.
func readAll[T any](tx *bolt.Tx, bucket string, into map[string]*T) error {
	b := tx.Bucket([]byte(bucket))
	if b == nil {
		return nil
	}
	return b.ForEach(func(name, record []byte) error {
		v := new(T)
		if err := json.Unmarshal(record, v); err != nil {
			return fmt.Errorf("damaged: %s [%s]: %w", bucket, name, err)
		}
		into[string(name)] = v
		return nil
	})
}

func readDocuments(tx *bolt.Tx, s *State) error {
	return tx.ForEach(func(bucket []byte, b *bolt.Bucket) error {
		kind, ok := bytes.CutPrefix(bucket, []byte(documentPrefix))
		if !ok {
			return nil
		}
		docs := map[string]json.RawMessage{}
		s.Documents[Kind(kind)] = docs
		return b.ForEach(func(name, record []byte) error {
			if !json.Valid(record) {
				return fmt.Errorf("damaged: %s [%s] is not JSON", kind, name)
			}
			docs[string(name)] = bytes.Clone(record)
			return nil
		})
	})
}

// store writes what differs between two states in one transaction.
func store(db *bolt.DB, before, after *State) error {
	return db.Update(func(tx *bolt.Tx) error {
		if err := storeMeta(tx, after); err != nil {
			return err
		}
		for kind, docs := range after.Documents {
			if err := storeDocuments(tx, documentPrefix+string(kind), before.Documents[kind], docs); err != nil {
				return err
			}
		}
		return errors.Join(
			storeAll(tx, indexBucket, before.Indices, after.Indices),
			storeAll(tx, streamBucket, before.DataStreams, after.DataStreams),
			storeAll(tx, componentBucket, before.ComponentTemplates, after.ComponentTemplates),
			storeAll(tx, templateBucket, before.IndexTemplates, after.IndexTemplates),
			storeAll(tx, legacyBucket, before.LegacyTemplates, after.LegacyTemplates),
		)
	})
}

func storeMeta(tx *bolt.Tx, s *State) error {
	meta, err := tx.CreateBucketIfNotExists(metaBucket)
	if err != nil {
		return err
	}
	settings, err := json.Marshal(s.Persistent)
	if err != nil {
		return err
	}
	return errors.Join(
		meta.Put(formatKey, []byte(strconv.Itoa(Format))),
		meta.Put(versionKey, []byte(strconv.FormatInt(s.Version, 10))),
		meta.Put(stateKey, []byte(s.UUID)), meta.Put(clusterKey, []byte(s.ClusterUUID)),
		meta.Put(settingKey, settings),
	)
}

// storeAll writes the records that are not the same pointer as before, and removes those that are gone.
func storeAll[T any](tx *bolt.Tx, bucket string, before, after map[string]*T) error {
	b, err := tx.CreateBucketIfNotExists([]byte(bucket))
	if err != nil {
		return err
	}
	for name, v := range after {
		if before[name] == v {
			continue
		}
		record, err := json.Marshal(v)
		if err != nil {
			return err
		}
		if err := b.Put([]byte(name), record); err != nil {
			return err
		}
	}
	for name := range before {
		if after[name] == nil {
			if err := b.Delete([]byte(name)); err != nil {
				return err
			}
		}
	}
	return nil
}

func storeDocuments(tx *bolt.Tx, bucket string, before, after map[string]json.RawMessage) error {
	b, err := tx.CreateBucketIfNotExists([]byte(bucket))
	if err != nil {
		return err
	}
	for name, doc := range after {
		if !bytes.Equal(before[name], doc) {
			if err := b.Put([]byte(name), doc); err != nil {
				return err
			}
		}
	}
	for name := range before {
		if _, stays := after[name]; !stays {
			if err := b.Delete([]byte(name)); err != nil {
				return err
			}
		}
	}
	return nil
}
