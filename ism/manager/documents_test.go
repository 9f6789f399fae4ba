// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/opensteward/steward/opensearch"
)

// configIndex is a cluster that has the config index alone: one shard, documents with sequence numbers, searches that
// see everything.
type configIndex struct {
	docs  map[string]storedDoc
	next  int64
	calls []string
}

type storedDoc struct {
	seqNo  int64
	source string
}

func newConfigIndex() *configIndex { return &configIndex{docs: map[string]storedDoc{}} }

func (c *configIndex) put(id, source string) opensearch.Version {
	c.docs[id] = storedDoc{c.next, source}
	c.next++
	return opensearch.Version{SeqNo: c.next - 1, PrimaryTerm: 1}
}

func (c *configIndex) remove(id string) { delete(c.docs, id); c.next++ }

func (c *configIndex) max() map[string]int64 { return map[string]int64{"0": c.next - 1} }

// RoundTrip answers a refresh, and a search for sequence numbers above a bound, with or without sources.
func (c *configIndex) RoundTrip(r *http.Request) (*http.Response, error) {
	c.calls = append(c.calls, r.Method+" "+r.URL.Path)
	body := `{"_shards":{}}`
	if strings.HasSuffix(r.URL.Path, "_search") {
		var ask struct {
			Query struct {
				Range struct {
					SeqNo struct{ GT int64 } `json:"_seq_no"`
				}
			}
			Source *bool `json:"_source"`
		}
		ask.Query.Range.SeqNo.GT = -1
		raw, _ := io.ReadAll(r.Body)
		if err := json.NewDecoder(bytes.NewReader(raw)).Decode(&ask); err != nil {
			return nil, err
		}
		body = c.hits(ask.Query.Range.SeqNo.GT, ask.Source == nil)
	}
	return &http.Response{StatusCode: 200, Request: r, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}, nil
}

func (c *configIndex) hits(above int64, sources bool) string {
	var ids []string
	for id, d := range c.docs {
		if d.seqNo > above {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b string) int { return cmp.Compare(c.docs[a].seqNo, c.docs[b].seqNo) })
	hits := make([]string, len(ids))
	for i, id := range ids {
		hits[i] = fmt.Sprintf(`{"_index":%q,"_id":%q,"_seq_no":%d,"_primary_term":1`, ConfigIndex, id, c.docs[id].seqNo)
		if sources {
			hits[i] += `,"_source":` + c.docs[id].source
		}
		hits[i] += "}"
	}
	return `{"hits":{"hits":[` + strings.Join(hits, ",") + `]}}`
}

const (
	somePolicy = `{"policy":{"description":"","default_state":"s","states":[{"name":"s","actions":[],"transitions":[]}]}}`
	someJob    = `{"managed_index":{"name":"logs","enabled":true,"index":"logs","index_uuid":"u","schedule":{"interval":` +
		`{"start_time":1,"period":5,"unit":"Minutes"}},"last_updated_time":1,"enabled_time":1,"policy_id":"p","policy_seq_no":0,` +
		`"policy_primary_term":1,"policy":{"policy_id":"p","description":"","last_updated_time":1,"schema_version":30,` +
		`"error_notification":null,"default_state":"s","states":[{"name":"s","actions":[],"transitions":[]}],"ism_template":null},` +
		`"change_policy":null,"jitter":0.0}}`
	someMetadata = `{"managed_index_metadata":{"index":"logs","index_uuid":"u","policy_id":"p","policy_seq_no":0,` +
		`"policy_primary_term":1,"policy_completed":false,"rolled_over":false,"index_creation_date":1,"transition_to":null,` +
		`"state":{"name":"s","start_time":1},"action":null,"step":null,"retry_info":{"failed":false,"consumed_retries":0},` +
		`"info":{"message":"Successfully initialized policy: p"}}}`
)

// follow brings d up to date and returns what it found and the requests it took.
func follow(t *testing.T, d *documents, c *configIndex) (changes, []string) {
	t.Helper()
	c.calls = nil
	found, err := d.follow(t.Context(), opensearch.NewClient(c), c.max())
	if err != nil {
		t.Fatal(err)
	}
	return found, c.calls
}

// loaded is a cache of an index with a policy, a job and its metadata.
func loaded(t *testing.T) (*documents, *configIndex) {
	t.Helper()
	c := newConfigIndex()
	c.put("p", somePolicy)
	c.put("u", someJob)
	c.put("u#metadata", someMetadata)
	d := newDocuments()
	found, _ := follow(t, d, c)
	if e := d.entries["u"]; e == nil || !e.hasJob() || !e.hasMeta() || e.name() != "logs" || d.policies["p"].policy == nil {
		t.Fatalf("loaded %+v", d)
	}
	if !found.policies || len(found.entries) != 2 {
		t.Fatalf("found %+v", found)
	}
	return d, c
}

func TestFollowingAnIndexThatStandsStillTakesNoRequest(t *testing.T) {
	d, c := loaded(t)
	if _, calls := follow(t, d, c); len(calls) > 0 {
		t.Errorf("calls %v", calls)
	}
}

func TestFollowingOurOwnWritesTakesNoRequest(t *testing.T) {
	d, c := loaded(t)
	v := c.put("u#metadata", someMetadata)
	d.wrote(opensearch.Written{Version: v})
	d.entries["u"].metaVersion = v
	if found, calls := follow(t, d, c); len(calls) > 0 || len(found.entries) > 0 {
		t.Errorf("calls %v, found %+v", calls, found)
	}
	if len(d.own) > 0 {
		t.Errorf("%d numbers are still kept", len(d.own))
	}
}

func TestFollowingReadsWhatSomebodyElseWrote(t *testing.T) {
	d, c := loaded(t)
	v := c.put("u", strings.Replace(someJob, `"enabled":true`, `"enabled":false`, 1))
	found, calls := follow(t, d, c)
	if e := d.entries["u"]; e.enabled || e.jobVersion != v || len(found.entries) != 1 {
		t.Errorf("job %+v, found %+v", e.job(), found)
	}
	if len(calls) != 2 { // refresh, search
		t.Errorf("calls %v", calls)
	}
}

func TestFollowingNoticesWhatSomebodyElseDeleted(t *testing.T) {
	d, c := loaded(t)
	c.remove("u")
	found, _ := follow(t, d, c)
	if e := d.entries["u"]; e.hasJob() || !e.hasMeta() || len(found.removed) != 1 {
		t.Errorf("entry %+v, found %+v", e, found)
	}
	c.remove("p")
	c.remove("u#metadata")
	if found, _ := follow(t, d, c); len(d.entries) > 0 || len(d.policies) > 0 || !found.policies {
		t.Errorf("still there: %+v", d)
	}
}

func TestFollowingForgetsEverythingWhenTheIndexIsDeleted(t *testing.T) {
	d, c := loaded(t)
	found, err := d.follow(t.Context(), opensearch.NewClient(c), nil)
	if err != nil || len(d.entries) > 0 || len(d.policies) > 0 || len(found.removed) != 1 || !found.reset {
		t.Errorf("found %+v, %v", found, err)
	}
}

func TestFollowingStartsAnewWhenTheIndexIsAnotherOne(t *testing.T) {
	d, _ := loaded(t)
	other := newConfigIndex()
	other.put("q", somePolicy)
	found, _ := follow(t, d, other)
	if d.policies["q"].policy == nil || d.policies["p"].policy != nil || len(d.entries) > 0 || !found.reset {
		t.Errorf("cache %+v", d)
	}
}

func TestADocumentThatCannotBeReadIsLeftAloneUntilItIsMended(t *testing.T) {
	d, c := loaded(t)
	c.put("u", `{"managed_index":{"index":7}}`)
	c.put("u2#metadata", `{"managed_index_metadata":{"state":7}}`)
	c.put("q", `{"policy":"no"}`)
	c.put("r", `{"rollup":{}}`)
	found, _ := follow(t, d, c)
	if len(found.unread) != 3 || len(found.removed) != 1 || len(d.policies) != 1 || !d.entries["u"].unreadJob() || !d.entries["u2"].unread() {
		t.Errorf("found %+v, cache %+v", found, d)
	}
	c.put("u", someJob)
	c.remove("u2#metadata")
	found, _ = follow(t, d, c)
	if len(found.unread) > 0 || !slices.Contains(found.entries, d.entries["u"]) || d.entries["u"].unread() || d.entries["u2"] != nil {
		t.Errorf("mended: found %+v, cache %+v", found, d)
	}
}
