// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/opensteward/steward/ism/manager"
)

// documents is the config index of a simulated cluster, in memory, with the requests that the reconciler and its API make:
// writes with sequence numbers, reading by id, and searches for what is newer than a number and for pages of jobs.
type documents struct {
	mu   sync.Mutex
	byID map[string]*document
	log  []*document // in the order of sequence numbers; one that was written again stays in it, outdated
}

type document struct {
	Index   string          `json:"_index"`
	ID      string          `json:"_id"`
	SeqNo   int64           `json:"_seq_no"`
	Term    int64           `json:"_primary_term"`
	Version int64           `json:"_version"`
	Found   bool            `json:"found"`
	Source  json.RawMessage `json:"_source,omitempty"`

	outdated bool
}

type answer = map[string]any

// size is about how many bytes of memory the documents take.
func (d *documents) size() (n int) {
	const overhead = 300 // of a document's own fields, and of its place in map and log
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, doc := range d.log {
		n += len(doc.Source) + overhead
	}
	return n
}

// put writes a document unless another than the expected one is there.
func (d *documents) put(id string, source json.RawMessage, create bool, ifSeqNo *int64) (*document, bool) {
	was := d.byID[id]
	if was != nil && (create || ifSeqNo != nil && *ifSeqNo != was.SeqNo) {
		return was, false
	}
	doc := &document{Index: manager.ConfigIndex, ID: id, SeqNo: int64(len(d.log)), Term: 1, Version: 1, Found: true, Source: source}
	if was != nil {
		was.outdated, doc.Version = true, was.Version+1
		was.Source = nil
	}
	d.byID[id] = doc
	d.log = append(d.log, doc)
	return doc, true
}

// bulk serves _bulk; what is not for the config index is acknowledged and dropped.
func (d *documents) bulk(body io.Reader) (answer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, 64<<20)
	var items []answer
	failed := false
	for lines.Scan() {
		var action map[string]struct {
			Index   string `json:"_index"`
			ID      string `json:"_id"`
			IfSeqNo *int64 `json:"if_seq_no"`
		}
		if err := json.Unmarshal(lines.Bytes(), &action); err != nil {
			return nil, err
		}
		for op, on := range action {
			if op != "delete" {
				lines.Scan()
			}
			item := answer{"_index": on.Index, "_id": on.ID, "_seq_no": 0, "_primary_term": 1, "_version": 1, "status": 200, "result": "created"}
			if on.Index == manager.ConfigIndex {
				doc, ok := d.put(on.ID, json.RawMessage(bytes.Clone(lines.Bytes())), op == "create", on.IfSeqNo)
				item["_seq_no"], item["_version"] = doc.SeqNo, doc.Version
				if !ok {
					failed = true
					item["status"], item["error"] = 409, answer{"type": "version_conflict_engine_exception", "reason": "conflict"}
				}
			}
			items = append(items, answer{op: item})
		}
	}
	return answer{"took": 1, "errors": failed, "items": items}, lines.Err()
}

// get serves _mget.
func (d *documents) get(body io.Reader) (answer, error) {
	var ask struct {
		Docs []struct {
			ID string `json:"_id"`
		}
	}
	if err := json.NewDecoder(body).Decode(&ask); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	docs := make([]*document, len(ask.Docs))
	for i, key := range ask.Docs {
		if docs[i] = d.byID[key.ID]; docs[i] == nil {
			docs[i] = &document{Index: manager.ConfigIndex, ID: key.ID}
		}
	}
	return answer{"docs": docs}, nil
}

// one serves the reading of one document.
func (d *documents) one(id string) any {
	d.mu.Lock()
	defer d.mu.Unlock()
	if doc := d.byID[id]; doc != nil {
		return doc
	}
	return &document{Index: manager.ConfigIndex, ID: id}
}

// search serves _search in the order of sequence numbers, or of jobs by the names of their indices.
func (d *documents) search(body io.Reader) (answer, error) {
	var ask struct {
		Size, From int
		After      []int64 `json:"search_after"`
		Query      json.RawMessage
		Sort       []map[string]json.RawMessage
	}
	if err := json.NewDecoder(body).Decode(&ask); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(ask.Sort) > 0 && ask.Sort[0]["managed_index.index"] != nil {
		return d.jobs(ask.From, ask.Size), nil
	}
	after := int64(-1)
	var newer struct {
		Range struct {
			SeqNo struct{ GT int64 } `json:"_seq_no"`
		}
	}
	if json.Unmarshal(ask.Query, &newer) == nil && bytes.Contains(ask.Query, []byte("_seq_no")) {
		after = newer.Range.SeqNo.GT
	}
	if len(ask.After) > 0 {
		after = max(after, ask.After[0])
	}
	at, _ := slices.BinarySearchFunc(d.log, after+1, func(doc *document, n int64) int { return cmp.Compare(doc.SeqNo, n) })
	hits := []*document{}
	for _, doc := range d.log[at:] {
		if len(hits) == ask.Size {
			break
		}
		if !doc.outdated {
			hits = append(hits, doc)
		}
	}
	return found(len(d.byID), hits), nil
}

// jobs is a page of the jobs. The uuids of simulated indices are in the order of their names.
func (d *documents) jobs(from, size int) answer {
	hits := []*document{}
	total := len(d.byID) / 2
	for i := from; i < min(from+size, total); i++ {
		if doc := d.byID[uuidOf(nameOf(i))]; doc != nil {
			hits = append(hits, doc)
		}
	}
	return found(total, hits)
}

func found(total int, hits []*document) answer {
	return answer{
		"took": 1, "timed_out": false, "_shards": answer{"total": 1, "successful": 1, "skipped": 0, "failed": 0},
		"hits": answer{"total": answer{"value": total, "relation": "eq"}, "max_score": nil, "hits": hits},
	}
}

// serve answers a request for documents; false if it is none.
func (d *documents) serve(r *http.Request) (a any, known bool, err error) {
	config := "/" + manager.ConfigIndex
	body := r.Body
	if body == nil {
		body = http.NoBody
	}
	switch path := r.URL.Path; {
	case path == "/_bulk":
		a, err = d.bulk(body)
	case path == config+"/_mget":
		a, err = d.get(body)
	case strings.HasPrefix(path, config+"/_doc/"):
		return d.one(strings.TrimPrefix(path, config+"/_doc/")), true, nil
	case path == config+"/_search":
		a, err = d.search(body)
	case path == config+"/_stats/docs":
		d.mu.Lock()
		defer d.mu.Unlock()
		shard := []answer{{"seq_no": answer{"max_seq_no": len(d.log) - 1}}}
		a = answer{"indices": answer{manager.ConfigIndex: answer{"uuid": "config", "shards": answer{"0": shard}}}}
	case path == "/_cluster/state/version":
		a = answer{"version": 7, "state_uuid": "same"}
	case path == "/_cluster/health":
		a = answer{"status": "green"}
	case path == "/_cluster/settings":
		a = answer{"persistent": answer{}, "transient": answer{}}
	case strings.HasSuffix(path, "/_refresh"):
		a = answer{"_shards": answer{"total": 1, "successful": 1, "failed": 0}}
	case strings.HasPrefix(path, "/.opendistro-ism-managed-index-history") && r.Method == http.MethodGet:
		a = answer{}
	case strings.HasPrefix(path, config) && r.Method != http.MethodGet, r.Method == http.MethodPut, r.Method == http.MethodPost:
		a = answer{"acknowledged": true}
	default:
		return nil, false, nil
	}
	return a, true, err
}

func respond(r *http.Request, a any) (*http.Response, error) {
	body, err := json.Marshal(a)
	if err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: http.StatusOK, Request: r, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}, nil
}

func nameOf(i int) string { return fmt.Sprintf("bench-%06d", i) }
