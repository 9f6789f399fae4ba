// SPDX-License-Identifier: Apache-2.0

package seam

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire"
)

// setting is one setting of an index as the client shows it.
func (w world) setting(index, name string) string {
	w.t.Helper()
	info, err := w.Indices(w.t.Context(), []string{index})
	w.must(err)
	return info[index].Settings[name]
}

const (
	rolloverAlias = "index.plugins.index_state_management.rollover_alias"
	autoManage    = "index.plugins.index_state_management.auto_manage"
)

func TestPluginSettingsWorkWhateverTheClusterKnows(t *testing.T) {
	onEach(t, func(w world) {
		alias, ctx := w.name(""), w.t.Context()
		first, second := w.name("-000001"), w.name("-000002")
		w.put("/_index_template/"+alias, wire.Obj("index_patterns", []string{w.name("-*")}, "template",
			wire.Obj("settings", wire.Obj("plugins", wire.Obj("index_state_management", wire.Obj("rollover_alias", alias))))))
		w.create(first, wire.Obj("aliases", wire.Obj(alias, wire.Obj("is_write_index", true))))
		_, err := w.Rollover(ctx, alias, "", nil, false)
		w.must(err)
		w.equal([]string{alias, alias}, []string{w.setting(first, rolloverAlias), w.setting(second, rolloverAlias)})

		_, err = w.PutSettings(ctx, first, map[string]any{autoManage: false, "index.priority": 3})
		w.must(err)
		w.equal([]string{"false", alias, "3"},
			[]string{w.setting(first, autoManage), w.setting(first, rolloverAlias), w.setting(first, "index.priority")})
		_, err = w.PutSettings(ctx, first, map[string]any{autoManage: nil})
		w.must(err)
		w.equal("", w.setting(first, autoManage))

		w.put(opensearch.Path(first, "_mapping"), wire.Obj("_meta", wire.Obj("mine", 1)))
		w.equal(alias, w.setting(first, rolloverAlias))

		var answer map[string]struct {
			Settings map[string]string `json:"settings"`
		}
		w.must(w.Do(ctx, opensearch.Call{
			Method: http.MethodGet, Path: opensearch.Path(first, "_settings", "index.plugins.*"),
			Query: map[string][]string{"flat_settings": {"true"}},
		}, &answer))
		w.equal(map[string]string{rolloverAlias: alias}, answer[first].Settings)

		_, err = w.PutSettings(ctx, first, map[string]any{autoManage: "perhaps"})
		w.fails(err, 400, "illegal_argument_exception")
		_, err = w.PutSettings(ctx, first, map[string]any{"index.plugins.index_state_management.none": 1})
		if !fault.HasStatus(err, 400) || !strings.Contains(fmt.Sprint(err), "unknown setting") {
			w.t.Errorf("got %v", err)
		}
	})
}

func TestPluginClusterSettingsWorkWhateverTheClusterKnows(t *testing.T) {
	const interval = "plugins.index_state_management.job_interval"
	onEach(t, func(w world) {
		set := func(value any) error {
			return w.Do(context.Background(), opensearch.Call{
				Method: http.MethodPut, Path: "/_cluster/settings", Body: wire.Obj("persistent", wire.Obj(interval, value)),
			}, nil)
		}
		w.t.Cleanup(func() { w.must(set(nil)) })
		w.must(set(17))
		values, err := w.ClusterSettings(w.t.Context())
		w.must(err)
		w.equal("17", values[interval])
		w.fails(set(0), 400, "illegal_argument_exception")
		w.must(set(nil))
		values, err = w.ClusterSettings(w.t.Context())
		w.must(err)
		w.equal("", values[interval])
	})
}
