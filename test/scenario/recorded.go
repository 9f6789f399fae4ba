// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/opensteward/steward/wire"
)

// history are the indices in which the plugin records what its policies did.
const history = "/.opendistro-ism-managed-index-history*/"

// expectRecorded compares the messages of an index's records in the history with the lines below, in order. A record
// without a message is that of a completed policy.
func expectRecorded(w []string, b block) (func(*player) error, error) {
	var want []string
	for _, l := range b.body {
		want = append(want, l.text)
	}
	return func(p *player) error {
		return p.Eventually(func() error {
			got, err := p.recorded(w[0])
			if err == nil && !slices.EqualFunc(got, want, fits) {
				err = fmt.Errorf("recorded is\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			return err
		})
	}, nil
}

func fits(got, want string) bool { return wire.Match(want, got) }

// recorded are the messages of an index's records, oldest first.
func (p *player) recorded(index string) ([]string, error) {
	if _, err := p.call(http.MethodPost, history+"_refresh?expand_wildcards=all", nil); err != nil {
		return nil, err
	}
	query := fmt.Sprintf(`{"size":1000,"query":{"term":{"managed_index_meta_data.index.raw":%q}},
		"sort":[{"managed_index_meta_data.history_timestamp":"asc"},{"_seq_no":"asc"}]}`, index)
	answer, err := p.call(http.MethodPost, history+"_search", []byte(query))
	if err != nil {
		return nil, err
	}
	var found struct {
		Hits struct {
			Hits []struct {
				Source struct {
					Record struct {
						Info struct{ Message, Info string }
					} `json:"managed_index_meta_data"`
				} `json:"_source"`
			}
		}
	}
	if err := json.Unmarshal(answer, &found); err != nil {
		return nil, err
	}
	var messages []string
	for _, hit := range found.Hits.Hits {
		info := hit.Source.Record.Info
		text := info.Message + info.Info
		if text == "" {
			text = completedPolicy
		}
		messages = append(messages, text)
	}
	return messages, nil
}
