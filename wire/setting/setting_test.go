// SPDX-License-Identifier: Apache-2.0

package setting

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

var registry = NewRegistry(
	Definition{Key: "p.job_interval", Fallback: "o.job_interval", Kind: Int, Default: "5", Min: "1"},
	Definition{Key: "p.jitter", Kind: Double, Default: "0.6", Min: "0.0", Max: "1.0"},
	Definition{Key: "p.enabled", Kind: Bool, Default: "true"},
	Definition{Key: "p.sweep", Kind: Duration, Default: "10m", Min: "5m"},
	Definition{Key: "p.allow", Kind: List, Default: "a,b"},
	Definition{Key: "p.size", Kind: Size, Default: "1gb", Max: "2gb"},
	Definition{Key: "cluster.metadata.*"},
)

func TestValidate(t *testing.T) {
	for _, c := range []struct{ key, value, want string }{
		{"p.job_interval", "1", ""},
		{"p.job_interval", "0", "Failed to parse value [0] for setting [p.job_interval] must be >= 1"},
		{"o.job_interval", "0", "Failed to parse value [0] for setting [o.job_interval] must be >= 1"},
		{"p.job_interval", "x", "Failed to parse value [x] for setting [p.job_interval]"},
		{"p.jitter", "2", "Failed to parse value [2] for setting [p.jitter] must be <= 1.0"},
		{"p.enabled", "perhaps", "Failed to parse value [perhaps] as only [true] or [false] are allowed."},
		{"p.sweep", "4m", "failed to parse value [4m] for setting [p.sweep], must be >= [5m]"},
		{"p.sweep", "often", "failed to parse setting [p.sweep] with value [often] as a time value: unit is missing or unrecognized"},
		{"p.size", "3gb", "failed to parse value [3gb] for setting [p.size], must be <= [2gb]"},
		{"cluster.metadata.any.name", "x", ""},
	} {
		d, ok := registry.Lookup(c.key)
		if !ok {
			t.Fatalf("%s is not found", c.key)
		}
		got := ""
		if err := d.Validate(c.value); err != nil {
			got = fault.Of(err).Reason
		}
		if got != c.want {
			t.Errorf("%s=%s: %q, want %q", c.key, c.value, got, c.want)
		}
	}
	if _, ok := registry.Lookup("p.bogus"); ok {
		t.Error("an unknown key is found")
	}
}

func TestMembersOfAGroupHaveNamesOfWords(t *testing.T) {
	r := NewRegistry(Definition{Key: "index.routing.allocation.require.*", Index: true})
	for name, want := range map[string]bool{
		"box_type": true, "_name": true, "zone.a-1": true, "": false, ".": false, "a.": false, "..//": false, "a b": false,
	} {
		if _, known := r.Lookup("index.routing.allocation.require." + name); known != want {
			t.Errorf("%q is a member: %v, want %v", name, known, want)
		}
	}
}

func TestViewPrefersTheKeyThenItsFallbackThenTheDefault(t *testing.T) {
	read := func(values Values) int64 { return View{registry, values}.Int("p.job_interval") }
	for _, c := range []struct {
		name   string
		values Values
		want   int64
	}{
		{"neither", nil, 5},
		{"the fallback", Values{"o.job_interval": "7"}, 7},
		{"both", Values{"o.job_interval": "7", "p.job_interval": "2"}, 2},
		{"a value that does not parse", Values{"p.job_interval": "x", "o.job_interval": "7"}, 7},
	} {
		if got := read(c.values); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
	v := View{registry, Values{"p.allow": "x, y"}}
	if got := v.List("p.allow"); !cmp.Equal(got, []string{"x", "y"}) {
		t.Errorf("List = %v", got)
	}
	if v.Duration("p.sweep") != 10*time.Minute || v.Double("p.jitter") != 0.6 || !v.Bool("p.enabled") {
		t.Error("defaults are not read")
	}
}

func TestFlattenAndNestAreInverse(t *testing.T) {
	values, nulls, err := Flatten([]byte(`{"p":{"job_interval":1,"allow":["a","c"]},"p.enabled":false,"x.y":null}`))
	want := Values{"p.job_interval": "1", "p.allow": "a,c", "p.enabled": "false"}
	if err != nil || !cmp.Equal(values, want) || !cmp.Equal(nulls, []string{"x.y"}) {
		t.Errorf("Flatten = %v, %v, %v", values, nulls, err)
	}
	body, err := wire.Marshal(registry.nest(values))
	if err != nil || string(body) != `{"p":{"allow":["a","c"],"enabled":"false","job_interval":"1"}}` {
		t.Errorf("nest = %s, %v", body, err)
	}
	nested, err := Nested([]byte(`{"y.b":true,"y":{"a":1.5},"x":null}`))
	if err != nil || string(nested) != `{"x":null,"y":{"a":"1.5","b":"true"}}` {
		t.Errorf("Nested = %s, %v", nested, err)
	}
	if _, err := Nested([]byte(`{"a.b":1,"a":{"b":2}}`)); err == nil {
		t.Error("a setting may stand twice")
	}
	body, err = wire.Marshal(registry.nest(Values{"a.b": "1", "a.b.c": "2"}))
	if err != nil || string(body) != `{"a":{"b":"1","b.c":"2"}}` {
		t.Errorf("a name that is value and object: %s, %v", body, err)
	}
}
