// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/opensteward/steward/ism/manager"
)

// documents are those of a simulated cluster, in memory, with the requests that the reconciler and its API make: of the
// config index writes with sequence numbers, reading by id, and searches for what is newer than a number and for pages
// of jobs; of any other index writing and reading by id, and searches that find nothing.
type documents struct {
	mu    sync.Mutex
	byID  map[string]*document
	log   []*document // in the order of sequence numbers; one that was written again stays in it, outdated
	other map[string]*document
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

func newDocuments() *documents {
	return &documents{byID: map[string]*document{}, other: map[string]*document{}}
}

// put writes a document of the config index unless another than the expected one is there.
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

// one serves the reading and writing of one document.
func (d *documents) one(r *http.Request, index, id string) (int, any, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if r.Method == http.MethodGet {
		doc := d.byID[id]
		if index != manager.ConfigIndex {
			doc = d.other[index+"/"+id]
		}
		if doc == nil {
			return http.StatusNotFound, &document{Index: index, ID: id}, nil
		}
		return http.StatusOK, doc, nil
	}
	source, err := io.ReadAll(r.Body)
	if err != nil {
		return 0, nil, err
	}
	doc := &document{Index: index, ID: id, Term: 1, Version: 1, Found: true, Source: source}
	if index == manager.ConfigIndex {
		doc, _ = d.put(id, source, false, nil)
	} else {
		d.other[index+"/"+id] = doc
	}
	return http.StatusOK, answer{"_index": index, "_id": id, "_seq_no": doc.SeqNo, "_primary_term": 1, "_version": doc.Version, "result": "created"}, nil
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
	if hits == nil {
		hits = []*document{}
	}
	return answer{
		"took": 1, "timed_out": false, "_shards": answer{"total": 1, "successful": 1, "skipped": 0, "failed": 0},
		"hits": answer{"total": answer{"value": total, "relation": "eq"}, "max_score": nil, "hits": hits},
	}
}

// serve answers a request that is not for the metadata of indices; a is nil if it is.
func (d *documents) serve(r *http.Request) (status int, a any, err error) {
	index, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	api, id, _ := strings.Cut(rest, "/")
	status = http.StatusOK
	switch {
	case index == "_bulk":
		a, err = d.bulk(r.Body)
	case api == "_mget":
		a, err = d.get(r.Body)
	case api == "_doc" || api == "_create":
		return d.one(r, index, id)
	case api == "_search" && index == manager.ConfigIndex:
		a, err = d.search(r.Body)
	case api == "_search":
		a = found(0, nil)
	case rest == "_stats/docs":
		a = d.stats(index)
	case index == "_plugins": // it has none
		reason := "no handler found for uri [" + r.URL.Path + "] and method [" + r.Method + "]"
		return http.StatusBadRequest, answer{"error": reason}, nil
	case index == "_cluster" || index == "_nodes" || index == "_cat" || index == "":
		a = overview(rest)
	case rest == "_refresh":
		a = answer{"_shards": answer{"total": 1, "successful": 1, "failed": 0}}
	case strings.HasPrefix(index, ".opendistro-ism-managed-index-history") && r.Method == http.MethodGet:
		a = answer{}
	case index == manager.ConfigIndex && r.Method != http.MethodGet, r.Method == http.MethodPut, r.Method == http.MethodPost:
		a = answer{"acknowledged": true}
	}
	return status, a, err
}

func (d *documents) stats(index string) any {
	if index != manager.ConfigIndex {
		return answer{"indices": answer{}}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	shard := []answer{{"seq_no": answer{"max_seq_no": len(d.log) - 1}}}
	return answer{"indices": answer{index: answer{"uuid": "config", "shards": answer{"0": shard}}}}
}

// overview is what the cluster says of itself.
func overview(of string) any {
	switch of {
	case "state/version":
		return answer{"version": 7, "state_uuid": "same"}
	case "health":
		return answer{"status": "green"}
	case "settings":
		return answer{"persistent": answer{}, "transient": answer{}}
	}
	return answer{"version": answer{"number": "3.4.0"}}
}

func respond(w http.ResponseWriter, status int, a any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(a) // a client that has gone needs no answer
}
