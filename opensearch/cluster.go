// SPDX-License-Identifier: Apache-2.0

package opensearch

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/opensteward/steward/fault"
)

// Mark is what changes when the cluster's metadata changes.
type Mark struct {
	Version int64  `json:"version"`
	UUID    string `json:"state_uuid"`
}

// Mark reads the cluster state's version: the cheap probe of "did anything change".
func (c *Client) Mark(ctx context.Context) (Mark, error) {
	var m Mark
	call := Call{
		Method: http.MethodGet, Path: "/_cluster/state/version",
		Query: query("filter_path", "version,state_uuid"),
	}
	return m, c.Do(ctx, call, &m)
}

// MaxSeqNo is the highest sequence number of each shard of an index, by the index's uuid and the shard's number
// ("uuid/0"): the cheap probe of "did a document change". An index that was deleted and made again has other keys. It
// is nil if the index does not exist; of several, in one request, those that do not are left out.
func (c *Client) MaxSeqNo(ctx context.Context, indices ...string) (map[string]int64, error) {
	type shardCopy struct {
		SeqNo struct {
			Max int64 `json:"max_seq_no"`
		} `json:"seq_no"`
	}
	var answer struct {
		Indices map[string]struct {
			UUID   string                 `json:"uuid"`
			Shards map[string][]shardCopy `json:"shards"`
		} `json:"indices"`
	}
	call := Call{
		Method: http.MethodGet, Path: Path(strings.Join(indices, ","), "_stats", "docs"),
		Query: query("level", "shards", "filter_path", "indices.*.uuid,indices.*.shards.*.seq_no.max_seq_no"),
	}
	if len(indices) > 1 {
		call.Query.Set("ignore_unavailable", "true")
	}
	err := c.Do(ctx, call, &answer)
	if fault.Is(err, "index_not_found_exception") {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	out := map[string]int64{}
	for _, idx := range answer.Indices {
		for shard, copies := range idx.Shards {
			key := idx.UUID + "/" + shard
			for i, s := range copies {
				if i == 0 || s.SeqNo.Max > out[key] {
					out[key] = s.SeqNo.Max
				}
			}
		}
	}
	return out, nil
}

// Unreadable are the indices whose metadata a block keeps from being read. One of them makes every request for the
// metadata of all indices fail; the cluster's state tells which.
func (c *Client) Unreadable(ctx context.Context) ([]string, error) {
	var answer struct {
		Blocks struct {
			Indices map[string]map[string]struct {
				Levels []string `json:"levels"`
			} `json:"indices"`
		} `json:"blocks"`
	}
	call := Call{Method: http.MethodGet, Path: "/_cluster/state/blocks", Query: query("filter_path", "blocks.indices")}
	if err := c.Do(ctx, call, &answer); err != nil {
		return nil, err
	}
	var out []string
	for name, blocks := range answer.Blocks.Indices {
		for _, b := range blocks {
			if slices.Contains(b.Levels, "metadata_read") {
				out = append(out, name)
				break
			}
		}
	}
	slices.Sort(out)
	return out, nil
}

// ClusterSettings are the flat persistent and transient cluster settings, transient winning.
func (c *Client) ClusterSettings(ctx context.Context) (map[string]string, error) {
	var answer struct{ Persistent, Transient map[string]json.RawMessage }
	call := Call{Method: http.MethodGet, Path: "/_cluster/settings", Query: query("flat_settings", "true")}
	if err := c.Do(ctx, call, &answer); err != nil {
		return nil, err
	}
	out := settingTexts(answer.Persistent)
	maps.Copy(out, settingTexts(answer.Transient))
	return out, nil
}

// settingTexts joins lists with commas and drops nulls.
func settingTexts(flat map[string]json.RawMessage) map[string]string {
	out := make(map[string]string, len(flat))
	for name, raw := range flat {
		var one *string
		var list []string
		switch {
		case json.Unmarshal(raw, &one) == nil:
			if one != nil {
				out[name] = *one
			}
		case json.Unmarshal(raw, &list) == nil:
			out[name] = strings.Join(list, ",")
		default:
			out[name] = string(raw)
		}
	}
	return out
}

// Health is the health of the cluster, or of an index ("": the cluster): green, yellow or red. An index that does not
// exist is red.
func (c *Client) Health(ctx context.Context, index string) (status string, err error) {
	call := Call{
		Method: http.MethodGet, Path: Path("_cluster", "health", index),
		Query: query("filter_path", "status,error", "timeout", "0s"),
	}
	code, header, body, err := c.Send(ctx, call)
	if err != nil {
		return "", err
	}
	var answer struct {
		Status json.RawMessage `json:"status"`
		Error  json.RawMessage `json:"error"`
	}
	timedOut := code == http.StatusRequestTimeout // said of an index that does not exist
	if (code != http.StatusOK && !timedOut) || json.Unmarshal(body, &answer) != nil || answer.Error != nil {
		return "", answerFault(code, header, body)
	}
	return status, wrapTransport(call, json.Unmarshal(answer.Status, &status))
}

// AwaitShard waits until an index of one shard has a copy of it that answers, for at most five seconds: that of an index
// that was made just now, or on a node that has just started, may not yet. An index is yellow before that.
func (c *Client) AwaitShard(ctx context.Context, index string) error {
	return c.Do(ctx, Call{
		Method: http.MethodGet, Path: Path("_cluster", "health", index),
		Query: query("wait_for_active_shards", "1", "timeout", "5s"),
	}, nil)
}

// shardReport is the _shards part of an answer.
type shardReport struct {
	Total, Successful, Failed int
	Failures                  []shardFailure
}

type shardFailure struct {
	Shard  int             `json:"shard"`
	Index  string          `json:"index"`
	Reason json.RawMessage `json:"reason"`
}

// texts are the failures as OpenSearch's own toString prints them: "[index][0] failed, reason [...]".
func (r shardReport) texts() []string {
	var out []string
	for _, f := range r.Failures {
		reason := string(f.Reason)
		if e := parseFailure(f.Reason); e != nil {
			reason = e.Error()
		}
		out = append(out, fmt.Sprintf("[%s][%d] failed, reason [%s]", f.Index, f.Shard, reason))
	}
	return out
}
