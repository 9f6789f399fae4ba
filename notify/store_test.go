// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
)

func TestUpdatesAtOnceAllCountAndKeepTheCreation(t *testing.T) {
	w := threeChannels(t)
	var group sync.WaitGroup
	for n := range 4 {
		group.Go(func() {
			body := fmt.Sprintf(`{"config":{"name":"n%d","config_type":"webhook","webhook":{"url":"http://h"}}}`, n)
			if status, answer := w.call("PUT", "/configs/hook", body); status != http.StatusOK {
				t.Errorf("%d %s", status, answer)
			}
		})
	}
	group.Wait()
	got := w.must("GET", "/configs/hook", "")
	if !strings.Contains(got, `"created_time_ms":1700000002000`) || !strings.Contains(got, `"name":"n`) {
		t.Error(got)
	}
}

// stored is a channel's document as the cluster answers it.
const stored = `{"docs":[{"_index":".opensearch-notifications-config","_id":"h","found":true,"_seq_no":1,"_primary_term":1,"_version":2,
	"_source":{"metadata":{"last_updated_time_ms":1,"created_time_ms":1,"access":["role"]},"config":{"name":"n","config_type":"webhook","webhook":{"url":"http://h"}}}}]}`

const (
	replacement   = `{"config":{"name":"new","config_type":"webhook","webhook":{"url":"http://new"}}}`
	conflictReply = `{"error":{"type":"version_conflict_engine_exception","reason":"[h]: version conflict"},"status":409}`
)

func TestAnUpdateBeginsAgainWhenSomebodyElseWasFaster(t *testing.T) {
	for _, c := range []struct {
		name      string
		conflicts int
		status    int
	}{{"never", 0, 200}, {"once", 1, 200}, {"as often as it is tried", updateTries, 409}} {
		t.Run(c.name, func(t *testing.T) {
			left, body := c.conflicts, ""
			w := newWorldBefore(t, roundTripper(func(r *http.Request) (int, string) {
				if strings.HasSuffix(r.URL.Path, "/_mget") {
					return 200, stored
				}
				if r.URL.Query().Get("if_seq_no") != "1" {
					t.Errorf("unconditional write: %s", r.URL)
				}
				if left--; left >= 0 {
					return 409, conflictReply
				}
				text, _ := io.ReadAll(r.Body)
				body = string(text)
				return 200, `{"_id":"h","result":"updated"}`
			}))
			status, answer := w.call("PUT", "/configs/h", replacement)
			if status != c.status {
				t.Errorf("%d %s", status, answer)
			}
			if status == http.StatusOK && !strings.Contains(body, `"created_time_ms":1,"access":["role"]},"config":{"name":"new"`) {
				t.Error(body)
			}
			if status == http.StatusConflict && !strings.Contains(answer, `"type":"status_exception","reason":"[h]: version conflict"`) {
				t.Error(answer)
			}
		})
	}
}

func TestADeletionSaysWhatBecameOfEach(t *testing.T) {
	found := strings.Replace(stored, `}]}`, `},{"_index":"x","_id":"i","found":true,"_source":{"config":{}}}]}`, 1)
	w := newWorldBefore(t, roundTripper(func(r *http.Request) (int, string) {
		if strings.HasSuffix(r.URL.Path, "/_mget") {
			return 200, found
		}
		return 200, `{"errors":false,"items":[{"delete":{"_id":"h","result":"deleted","status":200}},{"delete":{"_id":"i","result":"not_found","status":404}}]}`
	}))
	status, answer := w.call("DELETE", "/configs?config_id_list=h,i", "")
	if status != http.StatusMultiStatus || answer != `{"delete_response_list":{"h":"OK","i":"NOT_FOUND"}}` {
		t.Errorf("%d %s", status, answer)
	}
}

func TestAClusterThatDoesNotAnswerIs503(t *testing.T) {
	w := newWorldBefore(t, roundTripper(func(*http.Request) (int, string) { return 0, "down" }))
	for _, c := range []struct{ method, target, body string }{
		{"GET", "/configs", ""},
		{"GET", "/configs/h", ""},
		{"GET", "/channels", ""},
		{"POST", "/configs", replacement},
		{"PUT", "/configs/h", replacement},
		{"DELETE", "/configs/h", ""},
		{"POST", "/feature/test/h", ""},
	} {
		if status, answer := w.call(c.method, c.target, c.body); status != http.StatusServiceUnavailable {
			t.Errorf("%s %s: %d %s", c.method, c.target, status, answer)
		}
	}
}
