// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/opensteward/steward/opensearch"
)

func info(name, uuid string, settings map[string]string, aliases map[string]opensearch.Alias) opensearch.IndexInfo {
	return opensearch.IndexInfo{Name: name, UUID: uuid, Open: true, Settings: settings, Aliases: aliases}
}

// stock is an inventory of these indices.
func stock(infos ...opensearch.IndexInfo) *inventory {
	v := newInventory()
	restock(v, infos...)
	return v
}

func restock(v *inventory, infos ...opensearch.IndexInfo) found {
	listed := map[string]map[string]opensearch.Alias{}
	var states []*indexState
	for _, i := range infos {
		listed[i.Name], states = i.Aliases, append(states, newIndexState(i, v.mark.Version))
	}
	var f found
	v.apply(listed, states, &f)
	slices.Sort(f.added)
	slices.Sort(f.changed)
	return f
}

func TestInventorySaysWhatIsNewAndWhatChanged(t *testing.T) {
	yes := true
	a, b, c := info("a", "1", nil, nil), info("b", "2", nil, nil), info("c", "3", nil, nil)
	v := stock(a, b, c)
	b.Settings = map[string]string{settingPrefix + "rollover_alias": "x"}
	c.Aliases = map[string]opensearch.Alias{"x": {Write: &yes}}
	f := restock(v, b, c, info("d", "4", nil, nil))
	if !slices.Equal(f.added, []string{"4"}) || !slices.Equal(slices.Compact(f.changed), []string{"2", "3"}) {
		t.Errorf("added %v, changed %v", f.added, f.changed)
	}
	if v.byName["a"] != nil || v.byUUID["1"] != nil {
		t.Error("a deleted index is still there")
	}
}

func TestInventoryTakesAnIndexOfTheSameNameForAnotherOne(t *testing.T) {
	v := stock(info("a", "1", nil, nil))
	if f := restock(v, info("a", "2", nil, nil)); !slices.Equal(f.added, []string{"2"}) || v.byUUID["1"] != nil {
		t.Errorf("added %v", f.added)
	}
}

func TestDetailsReadAfterTheListingFitTogether(t *testing.T) {
	yes := true
	marked, plain := map[string]opensearch.Alias{"x": {Write: &yes}}, map[string]opensearch.Alias{"x": {}}
	v := stock(info("a", "1", map[string]string{settingPrefix + "rollover_alias": "x"}, nil), info("b", "2", nil, marked))
	var f found
	v.put(newIndexState(info("a", "1", map[string]string{settingPrefix + "rollover_alias": "x"}, plain), v.mark.Version), &f)
	if got := v.facts(v.byName["a"], false); !got.HasTarget || got.TargetIndices != 2 || got.WriteIndex {
		t.Errorf("beside the write index of its alias: %+v", got)
	}
	v.remove(v.byName["b"])
	if got := v.facts(v.byName["a"], false); got.TargetIndices != 1 || !got.WriteIndex {
		t.Errorf("alone in its alias: %+v", got)
	}
	v.put(newIndexState(info("a", "1", nil, nil), v.mark.Version), &f)
	if len(v.aliases) != 0 {
		t.Errorf("aliases that nothing has: %v", v.aliases)
	}
}

func TestWriteIndexOfAnAlias(t *testing.T) {
	yes, no := true, false
	in := func(flag *bool) map[string]opensearch.Alias { return map[string]opensearch.Alias{"x": {Write: flag}} }
	cases := []struct {
		name         string
		index, other map[string]opensearch.Alias
		want         bool
	}{
		{"marked", in(&yes), in(&no), true},
		{"marked as not", in(&no), in(&yes), false},
		{"the only one, unmarked", in(nil), nil, true},
		{"one of two, unmarked", in(nil), in(nil), false},
		{"unmarked beside a marked one", in(nil), in(&yes), false},
		{"the only one, marked as not", in(&no), nil, false},
		{"not in it", nil, in(&yes), false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			v := stock(info("i", "1", nil, c.index), info("o", "2", nil, c.other))
			if got := v.isWriteIndex(v.byName["i"], "x"); got != c.want {
				t.Errorf("write index: %v", got)
			}
		})
	}
}

func TestTargetOfARollover(t *testing.T) {
	yes := true
	marked := map[string]opensearch.Alias{"x": {Write: &yes}, "y": {}}
	setting := map[string]string{settingPrefix + "rollover_alias": "s"}
	old := map[string]string{settingPrefix + "rollover_alias": " ", legacySettingPrefix + "rollover_alias": "l"}
	stream := info("i", "1", setting, marked)
	stream.DataStream = "d"
	cases := []struct {
		name  string
		info  opensearch.IndexInfo
		guess bool
		want  string
	}{
		{"the data stream", stream, true, "d"},
		{"the setting", info("i", "1", setting, marked), true, "s"},
		{"the older setting where the newer is blank", info("i", "1", old, nil), false, "l"},
		{"nothing", info("i", "1", nil, marked), false, ""},
		{"the only write alias, where settings cannot be stored", info("i", "1", nil, marked), true, "x"},
		{"none of two write aliases", info("i", "1", nil, map[string]opensearch.Alias{"x": {Write: &yes}, "z": {Write: &yes}}), true, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			v := stock(c.info)
			if got := v.target(v.byName["i"], c.guess); got != c.want {
				t.Errorf("target %q, want %q", got, c.want)
			}
		})
	}
}

func TestAPartlyReadClusterIsReadWholeInTheEnd(t *testing.T) {
	now := time.Now()
	v := newInventory()
	if !v.outdated(now) {
		t.Error("an inventory that was never read is up to date")
	}
	v.known, v.fullAt = true, now
	if v.outdated(now.Add(time.Hour)) {
		t.Error("a cluster that stands still is read again")
	}
	v.partly = true
	if v.outdated(now.Add(fullEvery-1)) || !v.outdated(now.Add(fullEvery)) {
		t.Error("not read whole after 30 seconds")
	}
}

func TestIndicesThatAreNeverManaged(t *testing.T) {
	for name, want := range map[string]bool{
		".opendistro-ism-config": true, ".plugins-flow-framework-state": true, ".steward": true, ".steward-x": true,
		"steward": false, ".opendistro-ism-managed-index-history-1": false, "logs": false,
	} {
		if got := NeverManaged(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestWithoutAPatternEverythingIsRestricted(t *testing.T) {
	if !restricted(nil, "logs") || restricted(regexp.MustCompile("^(?:a|b)$"), "ab") || !restricted(regexp.MustCompile("^(?:a|b)$"), "b") {
		t.Error("wrong")
	}
}

func TestAPolicyThatGoesRoundInCirclesIsSlowedDown(t *testing.T) {
	now := time.Now()
	var b budget
	for range budgetMoves {
		if at := b.take(now); !at.Equal(now) {
			t.Fatalf("slowed down too early: %v", at.Sub(now))
		}
	}
	if at := b.take(now); !at.Equal(now.Add(budgetPeriod)) {
		t.Errorf("goes on after %v", at.Sub(now))
	}
	if at := b.take(now.Add(budgetPeriod)); !at.Equal(now.Add(budgetPeriod)) {
		t.Error("still slow in the next minute")
	}
}

func TestPausesGrow(t *testing.T) {
	want := []time.Duration{0, 1, 2, 4, 8, 16, 32, 60, 60}
	for n, w := range want {
		if got := pause(n); got != w*time.Second {
			t.Errorf("pause(%d) = %v", n, got)
		}
	}
}
