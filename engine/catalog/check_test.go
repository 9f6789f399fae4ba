// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.etcd.io/bbolt"
)

func TestCheckFindsEveryInconsistency(t *testing.T) {
	for _, e := range []struct {
		is     string
		damage func(s *State)
		want   string
	}{
		{"nothing is wrong", func(*State) {}, ""},
		{"two indices of one uuid", func(s *State) { s.Indices["closed"].UUID = s.Indices["c-1"].UUID }, "indices [c-1] and [closed] have the same uuid"},
		{"a record under another name", func(s *State) { s.Indices["closed"].Name = "other" }, "the record of index [closed] is that of [other]"},
		{"a backing index without its stream", func(s *State) { s.Indices["closed"].DataStream = "gone" }, "index [closed] backs the data stream [gone], which does not exist"},
		{"a backing index that its stream does not name", func(s *State) { s.Indices["closed"].DataStream = "s-1" }, "index [closed] backs the data stream [s-1], which does not name it"},
		{"a stream of a missing index", func(s *State) { delete(s.Indices, ".ds-s-1-000001") }, "the data stream [s-1] names the index [.ds-s-1-000001], which does not exist"},
		{"a stream of an index that is not its own", func(s *State) { s.DataStreams["s-1"].Indices = append(s.DataStreams["s-1"].Indices, "closed") }, "the data stream [s-1] names the index [closed], which does not back it"},
		{"a stream of nothing", func(s *State) { s.DataStreams["empty"] = &DataStream{Name: "empty"} }, "the data stream [empty] has no index"},
		{"a stream that is called as an index is", func(s *State) {
			s.DataStreams["closed"] = &DataStream{Name: "closed", Indices: []string{".ds-s-1-000001"}}
		}, "the data stream [closed] is called as an index is"},
		{"an alias that is called as an index is", func(s *State) { s.Indices["closed"].Aliases["c-1"] = Alias{} }, "the alias [c-1] is called as an index or data stream is"},
		{"an alias of two write indices", func(s *State) { s.Indices["closed"].Aliases["al"] = Alias{IsWrite: flag(true)} }, "alias [al] has more than one write index [c-1,closed]"},
		{"a template of a missing part", func(s *State) { delete(s.ComponentTemplates, "part") }, "the index template [composed] is composed of [part], which does not exist"},
	} {
		t.Run(e.is, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "catalog.db")
			c := open(t, path)
			fill(t, c)
			must(t, c.Close())
			c = open(t, path) // a state that nobody else holds
			s := c.State()
			e.damage(s)
			s.indexAliases()
			found := s.check()
			if e.want == "" && len(found) > 0 || e.want != "" && !slices.Contains(found, e.want) {
				t.Errorf("found %q, want %q", found, e.want)
			}
			must(t, c.Close())
			if _, found, err := Check(path); err != nil || len(found) > 0 {
				t.Errorf("in the file: %q, %v", found, err)
			}
		})
	}
}

func TestCheckSaysWhatItCannotRead(t *testing.T) {
	_, _, err := Check(filepath.Join(t.TempDir(), "none"))
	if !os.IsNotExist(err) {
		t.Errorf("a file that is not there: %v", err)
	}
	meta := func(key, value string) func(*bbolt.Tx) error {
		return func(tx *bbolt.Tx) error { return tx.Bucket(metaBucket).Put([]byte(key), []byte(value)) }
	}
	for _, e := range []struct {
		is     string
		damage func(tx *bbolt.Tx) error
		want   string
	}{
		{"another format", meta("format", "2"), `its format is "2", this program reads 1`},
		{"a version that is no number", meta("version", "x"), "damaged: version"},
		{"no uuid", meta("cluster_uuid", ""), "it has no cluster_uuid or state_uuid"},
		{"settings that are no JSON", meta("persistent_settings", "{"), "damaged: cluster settings"},
		{"no meta bucket", func(tx *bbolt.Tx) error { return tx.DeleteBucket(metaBucket) }, "it has no meta bucket"},
		{"a template that is no JSON", func(tx *bbolt.Tx) error {
			return tx.Bucket([]byte(templateBucket)).Put([]byte("t"), []byte("["))
		}, "damaged: index_templates [t]"},
		{"an index without uuid", func(tx *bbolt.Tx) error {
			return tx.Bucket([]byte(indexBucket)).Put([]byte("i"), []byte(`{"name":"i"}`))
		}, "damaged: indices [i]: name, uuid, settings or routing_num_shards is missing"},
		{"an index without mapping", func(tx *bbolt.Tx) error {
			return tx.Bucket([]byte(indexBucket)).Put([]byte("i"), []byte(`{"name":"i","uuid":"0123456789012345678901","settings":{},"routing_num_shards":1,"mapping":[]}`))
		}, "damaged: indices [i]: mapping"},
		{"a document that is no JSON", func(tx *bbolt.Tx) error {
			return tx.Bucket([]byte("doc:ingest")).Put([]byte("p"), []byte("{"))
		}, "ingest [p] is not JSON"},
	} {
		t.Run(e.is, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "catalog.db")
			c := open(t, path)
			fill(t, c)
			must(t, c.Close())
			db, err := bbolt.Open(path, 0o600, nil)
			must(t, err)
			must(t, db.Update(e.damage))
			must(t, db.Close())
			state, found, err := Check(path)
			if err != nil || state != nil || len(found) != 1 || !strings.Contains(found[0], e.want) {
				t.Errorf("found %q, %v", found, err)
			}
			if _, err := Open(Options{Path: path}); err == nil || !strings.Contains(err.Error(), e.want) {
				t.Errorf("opening says %v", err)
			}
		})
	}
}

func TestCheckFindsAFileThatWasCutOff(t *testing.T) {
	path := filepath.Join(t.TempDir(), "catalog.db")
	c := open(t, path)
	fill(t, c)
	must(t, c.Close())
	must(t, os.Truncate(path, int64(3*os.Getpagesize())))
	if _, found, err := Check(path); err != nil || len(found) == 0 {
		t.Errorf("found %q, %v", found, err)
	}
}
