// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/setting"
)

// number is a priority or version.
func number(n int64) *int64 { return &n }

// putComponent, putTemplate and putLegacy store templates that are good.
func putComponent(t *testing.T, c *Catalog, name string, body Template) {
	t.Helper()
	must(t, c.PutComponentTemplate(t.Context(), name, &ComponentTemplate{Template: body}, false))
}

func putTemplate(t *testing.T, c *Catalog, name string, body IndexTemplate) {
	t.Helper()
	must(t, c.PutIndexTemplate(t.Context(), name, &body, false))
}

func putLegacy(t *testing.T, c *Catalog, name string, body LegacyTemplate) {
	t.Helper()
	must(t, c.PutLegacyTemplate(t.Context(), name, &body, false))
}

// mapped is an index's mapping as JSON.
func mapped(t *testing.T, i *Index) string {
	t.Helper()
	b, err := wire.Marshal(i.Mapping)
	must(t, err)
	return string(b)
}

func TestLaterPartsOfATemplateWinOverEarlierOnes(t *testing.T) {
	c := newCatalog(t)
	putComponent(t, c, "one", Template{
		Settings: setting.Values{"index.refresh_interval": "1s", "index.priority": "7"},
		Mappings: json.RawMessage(`{"properties":{"a":{"type":"keyword"},"o":{"properties":{"x":{"type":"long"}}}}}`),
		Aliases:  map[string]Alias{"al": {}},
	})
	putComponent(t, c, "two", Template{
		Settings: setting.Values{"index.refresh_interval": "2s", "index.number_of_replicas": "0"},
		Mappings: json.RawMessage(`{"properties":{"o":{"properties":{"y":{"type":"long"}}}}}`),
		Aliases:  map[string]Alias{"al": {IsHidden: flag(false)}, "bl": {}},
	})
	putTemplate(t, c, "both", IndexTemplate{
		Patterns: []string{"logs-*"}, ComposedOf: []string{"one", "two"},
		Template: &Template{Settings: setting.Values{"index.refresh_interval": "3s"}, Mappings: json.RawMessage(`{"properties":{"c":{"type":"keyword"}}}`), Aliases: map[string]Alias{"bl": {IndexRouting: "r"}}},
	})
	i := create(t, c, "logs-1", NewIndex{Settings: changing("index.priority", "9"), Mappings: json.RawMessage(`{"properties":{"d":{"type":"long"}}}`)})
	for key, want := range map[string]string{"index.refresh_interval": "3s", "index.number_of_replicas": "0", "index.priority": "9"} {
		if got := i.Settings[key]; got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	if got, want := mapped(t, i), `{"properties":{"a":{"type":"keyword"},"c":{"type":"keyword"},"d":{"type":"long"},"o":{"properties":{"x":{"type":"long"},"y":{"type":"long"}}}}}`; got != want {
		t.Errorf("mapping\n got %s\nwant %s", got, want)
	}
	if diff := cmp.Diff(map[string]Alias{"al": {IsHidden: flag(false)}, "bl": {IndexRouting: "r"}}, i.Aliases); diff != "" {
		t.Error(diff)
	}
}

func TestTheRequestsAliasReplacesTheTemplates(t *testing.T) {
	c := newCatalog(t)
	putTemplate(t, c, "t", IndexTemplate{Patterns: []string{"a*"}, Template: &Template{Aliases: map[string]Alias{"al": {IndexRouting: "r"}}}})
	i := create(t, c, "a", NewIndex{Aliases: map[string]Alias{"al": {IsWrite: flag(true)}}})
	if diff := cmp.Diff(map[string]Alias{"al": {IsWrite: flag(true)}}, i.Aliases); diff != "" {
		t.Error(diff)
	}
}

func TestTheTemplateOfHighestPriorityIsTaken(t *testing.T) {
	c := newCatalog(t)
	priority := func(p string) *Template { return &Template{Settings: setting.Values{"index.priority": p}} }
	putTemplate(t, c, "low", IndexTemplate{Patterns: []string{"logs-*"}, Priority: number(1), Template: priority("1")})
	putTemplate(t, c, "none", IndexTemplate{Patterns: []string{"l*"}, Template: priority("0")})
	putTemplate(t, c, "high", IndexTemplate{Patterns: []string{"logs-a*"}, Priority: number(20), Template: priority("20")})
	putLegacy(t, c, "first", LegacyTemplate{Patterns: []string{"*-1"}, Order: 1, Template: *priority("101")})
	putLegacy(t, c, "second", LegacyTemplate{Patterns: []string{"old*"}, Order: 2, Template: *priority("102")})
	putLegacy(t, c, "zeroth", LegacyTemplate{Patterns: []string{"old*"}, Template: Template{Settings: setting.Values{"index.priority": "100", "index.refresh_interval": "9s"}}})
	for _, e := range []struct{ is, name, want, template string }{
		{"the highest of three", "logs-a", "20", "high"},
		{"a higher one over one without priority", "logs-b", "1", "low"},
		{"one without priority", "list", "0", "none"},
		{"a composable one over one of the older kind", "logs-1", "1", "low"},
		{"the older kind where no composable one matches, by order", "old-1", "102", ""},
		{"none", "free", "", ""},
	} {
		t.Run(e.is, func(t *testing.T) {
			if got := create(t, c, e.name, NewIndex{}).Settings["index.priority"]; got != e.want {
				t.Errorf("by template %q, want %q", got, e.want)
			}
			if got := c.State().TemplateName(e.name); got != e.template {
				t.Errorf("the template is %q, want %q", got, e.template)
			}
		})
	}
	if got := c.State().Indices["old-1"].Settings["index.refresh_interval"]; got != "9s" {
		t.Errorf("a template of lower order gives %q", got)
	}
}

func TestTemplatesForEveryNamePassOverHiddenIndices(t *testing.T) {
	hidden := changing("index.hidden", "true")
	for _, e := range []struct {
		is  string
		put func(t *testing.T, c *Catalog, with Template)
	}{
		{"composable", func(t *testing.T, c *Catalog, with Template) {
			putTemplate(t, c, "t", IndexTemplate{Patterns: []string{"*"}, Template: &with})
		}},
		{"of the older kind", func(t *testing.T, c *Catalog, with Template) {
			putLegacy(t, c, "t", LegacyTemplate{Patterns: []string{"*"}, Template: with})
		}},
	} {
		t.Run(e.is, func(t *testing.T) {
			c := newCatalog(t)
			e.put(t, c, Template{Settings: setting.Values{"index.priority": "5"}})
			if got := create(t, c, "shown", NewIndex{}).Settings["index.priority"]; got != "5" {
				t.Errorf("a shown index has priority %q", got)
			}
			if got := create(t, c, ".hidden", NewIndex{Settings: hidden}).Settings["index.priority"]; got != "" {
				t.Errorf("a hidden index has priority %q", got)
			}
		})
	}
}

func TestTemplatesThatAreRefused(t *testing.T) {
	c := newCatalog(t)
	uuid := create(t, c, "taken", NewIndex{}).UUID
	putComponent(t, c, "part", Template{Mappings: json.RawMessage(`{"properties":{"a":{"type":"keyword"}}}`)})
	putTemplate(t, c, "logs", IndexTemplate{Patterns: []string{"logs-*", "q*"}, Priority: number(10), ComposedOf: []string{"part"}})
	invalid := func(name, cause string) string {
		return "400 invalid_index_template_exception: index_template [" + name + "] invalid, cause [Validation Failed: " + cause + "]"
	}
	with := func(body Template) IndexTemplate { return IndexTemplate{Patterns: []string{"u*"}, Template: &body} }
	for _, e := range []struct {
		is, name string
		template IndexTemplate
		want     string
	}{
		{"a negative priority", "t", IndexTemplate{Patterns: []string{"u*"}, Priority: number(-1)}, "400 action_request_validation_exception: Validation Failed: 1: index template priority must be >= 0;"},
		{"a name with capitals", "T", IndexTemplate{Patterns: []string{"u*"}}, invalid("T", "1: name must be lower cased;")},
		{"a name and a pattern that begin with an underscore", "_t", IndexTemplate{Patterns: []string{"_u*"}}, invalid("_t", "1: name must not start with '_';2: index_pattern [_u*] must not start with '_';")},
		{"a pattern with a colon", "t", IndexTemplate{Patterns: []string{"a:b"}}, invalid("t", "1: index_pattern [a:b] must not contain a ':';")},
		{"a pattern with a space", "t", IndexTemplate{Patterns: []string{"u *"}}, invalid("t", "1: index_patterns [u *] must not contain a space;2: index_pattern [u *] must not contain the following characters [ , \", *, \\, <, |, ,, >, /, ?];")},
		{"parts that are not there", "t", IndexTemplate{Patterns: []string{"u*"}, ComposedOf: []string{"no", "part", "not"}}, "400 invalid_index_template_exception: index_template [t] invalid, cause [index template [t] specifies component templates [no, not] that do not exist]"},
		{"a pattern that another template of the same priority has", "t", IndexTemplate{Patterns: []string{"zz*", "lo*s-a"}, Priority: number(10)}, "400 illegal_argument_exception: index template [t] has index patterns [zz*, lo*s-a] matching patterns from existing templates [logs] with patterns (logs => [logs-*, q*]) that have the same priority [10], multiple index templates may not match during index creation, please use a different priority"},
		{"an unknown setting", "t", with(Template{Settings: setting.Values{"index.bogus": "1"}}), "400 settings_exception: unknown setting [index.bogus] please check that any required plugins are installed, or check the breaking changes documentation for removed settings"},
		{"a bad value", "t", with(Template{Settings: setting.Values{"index.number_of_shards": "0"}}), invalid("t", "1: Failed to parse value [0] for setting [index.number_of_shards] must be >= 1;")},
		{"several bad values", "t", with(Template{Settings: setting.Values{"index.number_of_shards": "0", "index.priority": "-1"}}), invalid("t", "1: Failed to parse value [0] for setting [index.number_of_shards] must be >= 1;2: Failed to parse value [-1] for setting [index.priority] must be >= 0;")},
		{"a setting of the server", "t", with(Template{Settings: setting.Values{"index.uuid": "x"}}), invalid("t", "1: private index setting [index.uuid] can not be set explicitly;")},
		{"hidden indices of every name", "t", IndexTemplate{Patterns: []string{"*"}, Template: &Template{Settings: setting.Values{"index.hidden": "true"}}}, "400 action_request_validation_exception: Validation Failed: 1: global composable templates may not specify the setting index.hidden;"},
		{"a bad alias", "t", with(Template{Aliases: map[string]Alias{"a b": {}}}), `400 invalid_alias_name_exception: Invalid alias name [a b]: must not contain the following characters [ , ", *, \, <, |, ,, >, /, ?]`},
		{"an alias that is an index", "t", with(Template{Aliases: map[string]Alias{"taken": {}}}), "400 illegal_argument_exception: composable template [t] template after composition is invalid <- 400 invalid_alias_name_exception: Invalid alias name [taken], an index exists with the same name as the alias"},
		{"a part's mapping that does not go with its own", "t", IndexTemplate{Patterns: []string{"u*"}, ComposedOf: []string{"part"}, Template: &Template{Mappings: json.RawMessage(`{"properties":{"a":{"properties":{"z":{"type":"long"}}}}}`)}}, "400 illegal_argument_exception: composable template [t] template after composition with component templates [part] is invalid <- 400 illegal_argument_exception: invalid composite mappings for [t] <- 400 illegal_argument_exception: can't merge a non object mapping [a] with an object mapping"},
		{"an alias that is its own pattern", "t", IndexTemplate{Patterns: []string{"u"}, Template: &Template{Aliases: map[string]Alias{"u": {}}}}, "400 illegal_argument_exception: alias [u] cannot be the same as any pattern in [u]"},
	} {
		t.Run(e.is, func(t *testing.T) {
			before := c.State()
			says(t, c.PutIndexTemplate(t.Context(), e.name, &e.template, false), e.want)
			if c.State() != before {
				t.Error("a refused template changed the state")
			}
		})
	}
	if c.State().Indices["taken"].UUID != uuid {
		t.Error("the index is another")
	}
}

func TestTemplatesAreNotReplacedByCreate(t *testing.T) {
	c, ctx := newCatalog(t), t.Context()
	fill(t, c)
	says(t, c.PutIndexTemplate(ctx, "composed", &IndexTemplate{Patterns: []string{"c-*"}}, true), "400 illegal_argument_exception: index template [composed] already exists")
	says(t, c.PutComponentTemplate(ctx, "part", &ComponentTemplate{}, true), "400 illegal_argument_exception: component template [part] already exists")
	says(t, c.PutLegacyTemplate(ctx, "old", &LegacyTemplate{Patterns: []string{"o*"}}, true), "400 illegal_argument_exception: index_template [old] already exists")
	says(t, c.PutLegacyTemplate(ctx, "old", &LegacyTemplate{}, false), "400 action_request_validation_exception: Validation Failed: 1: index patterns are missing;")
}

func TestLegacyTemplatesThatAreRefused(t *testing.T) {
	c, ctx := newCatalog(t), t.Context()
	says(t, c.PutLegacyTemplate(ctx, "t", &LegacyTemplate{Patterns: []string{"*"}, Template: Template{Settings: setting.Values{"index.hidden": "true"}}}, false),
		"400 invalid_index_template_exception: index_template [t] invalid, cause [Validation Failed: 1: global templates may not specify the setting index.hidden;]")
	fails(t, c.PutLegacyTemplate(ctx, "T", &LegacyTemplate{Patterns: []string{"a*"}}, false), "invalid_index_template_exception", "name must be lower cased")
	fails(t, c.PutLegacyTemplate(ctx, "t", &LegacyTemplate{Patterns: []string{"a*"}, Template: Template{Mappings: json.RawMessage(`{"properties":{"a":{"type":"bogus"}}}`)}}, false), "mapper_parsing_exception", "bogus")
}

func TestAComponentThatBreaksATemplateIsRefused(t *testing.T) {
	c := newCatalog(t)
	putComponent(t, c, "part", Template{})
	putTemplate(t, c, "t", IndexTemplate{Patterns: []string{"a*"}, ComposedOf: []string{"part"}, Template: &Template{Mappings: json.RawMessage(`{"properties":{"c":{"type":"keyword"}}}`)}})
	err := c.PutComponentTemplate(t.Context(), "part", &ComponentTemplate{Template: Template{Mappings: json.RawMessage(`{"properties":{"c":{"properties":{"z":{"type":"long"}}}}}`)}}, false)
	says(t, err, "400 illegal_argument_exception: updating component template [part] results in invalid composable template [t] after templates are merged"+
		" <- 400 illegal_argument_exception: invalid composite mappings for [t] <- 400 illegal_argument_exception: can't merge a non object mapping [c] with an object mapping")
}

func TestDeletingTemplates(t *testing.T) {
	c, ctx := newCatalog(t), t.Context()
	fill(t, c)
	missing := func(name string) string {
		return "404 index_template_missing_exception: index_template [" + name + "] missing"
	}
	says(t, c.DeleteComponentTemplate(ctx, "nope"), missing("nope"))
	says(t, c.DeleteIndexTemplate(ctx, "nope*"), missing("nope*"))
	says(t, c.DeleteLegacyTemplate(ctx, "nope"), missing("nope"))
	says(t, c.DeleteComponentTemplate(ctx, "p*"), "400 illegal_argument_exception: component templates [part] cannot be removed as they are still in use by index templates [composed]")
	says(t, c.DeleteIndexTemplate(ctx, "streams"), "400 illegal_argument_exception: unable to remove composable templates [streams] as they are in use by a data streams [s-1]")
	must(t, c.DeleteIndexTemplate(ctx, "composed"))
	must(t, c.DeleteComponentTemplate(ctx, "p*"))
	must(t, c.DeleteLegacyTemplate(ctx, "*"))
	version := c.State().Version
	must(t, c.DeleteLegacyTemplate(ctx, "*"))
	if s := c.State(); len(s.ComponentTemplates)+len(s.LegacyTemplates) != 0 || len(s.IndexTemplates) != 1 || s.Version != version {
		t.Errorf("%d, %d, %d templates, version %d after %d", len(s.ComponentTemplates), len(s.LegacyTemplates), len(s.IndexTemplates), s.Version, version)
	}
}

func TestATemplateMayNotTakeADataStreamsAway(t *testing.T) {
	c, ctx := newCatalog(t), t.Context()
	fill(t, c)
	for _, e := range []struct {
		is, name string
		template IndexTemplate
		want     string
	}{
		{"by being an ordinary one", "streams", IndexTemplate{Patterns: []string{"s-*"}, Priority: number(5)}, "composable template [streams] with index patterns [s-*], priority [5] and no data stream configuration would cause data streams [s-1] to no longer match a data stream template"},
		{"by other patterns", "streams", IndexTemplate{Patterns: []string{"z-*"}, DataStream: &DataStreamTemplate{TimestampField: "@timestamp"}}, "composable template [streams] with index patterns [z-*], priority [null] would cause data streams [s-1] to no longer match a data stream template"},
		{"by a higher priority", "over", IndexTemplate{Patterns: []string{"s*"}, Priority: number(50)}, "composable template [over] with index patterns [s*], priority [50] and no data stream configuration would cause data streams [s-1] to no longer match a data stream template"},
	} {
		t.Run(e.is, func(t *testing.T) {
			says(t, c.PutIndexTemplate(ctx, e.name, &e.template, false), "400 illegal_argument_exception: "+e.want)
		})
	}
}

func TestSimulation(t *testing.T) {
	c := newCatalog(t)
	putTemplate(t, c, "low", IndexTemplate{Patterns: []string{"lo*"}, Template: &Template{Settings: setting.Values{"index.priority": "1"}}})
	putTemplate(t, c, "high", IndexTemplate{Patterns: []string{"logs-*"}, Priority: number(9), Template: &Template{Settings: setting.Values{"index.priority": "9"}}})
	putLegacy(t, c, "kept", LegacyTemplate{Patterns: []string{"l*"}})
	s := c.State()
	over := []Overlap{{"kept", []string{"l*"}}, {"low", []string{"lo*"}}}
	for _, e := range []struct {
		is       string
		run      func() (Simulation, error)
		priority string
		overlaps []Overlap
	}{
		{"of a name", func() (Simulation, error) { return s.SimulateIndex("logs-1", nil) }, "9", over},
		{"of a template", func() (Simulation, error) { return s.SimulateTemplate("high", nil) }, "9", over},
		{"of a name with one more template", func() (Simulation, error) {
			return s.SimulateIndex("logs-1", &IndexTemplate{Patterns: []string{"logs-1"}, Priority: number(99), Template: &Template{Settings: setting.Values{"index.priority": "99"}}})
		}, "99", []Overlap{{"high", []string{"logs-*"}}, {"kept", []string{"l*"}}, {"low", []string{"lo*"}}}},
		{"of a template that is not stored", func() (Simulation, error) {
			return s.SimulateTemplate("", &IndexTemplate{Patterns: []string{"lo*"}, Priority: number(4), Template: &Template{Settings: setting.Values{"index.priority": "4"}}})
		}, "4", []Overlap{{"high", []string{"logs-*"}}, {"kept", []string{"l*"}}, {"low", []string{"lo*"}}}},
	} {
		t.Run(e.is, func(t *testing.T) {
			got, err := e.run()
			must(t, err)
			if got.Template == nil || got.Template.Settings["index.priority"] != e.priority {
				t.Errorf("template %+v", got.Template)
			}
			if diff := cmp.Diff(e.overlaps, got.Overlapping); diff != "" {
				t.Error(diff)
			}
		})
	}
	if got, err := s.SimulateIndex("none", nil); err != nil || got.Template != nil {
		t.Errorf("of a name without template: %+v, %v", got, err)
	}
	_, err := s.SimulateTemplate("nope", nil)
	says(t, err, "400 illegal_argument_exception: unable to simulate template [nope] that does not exist")
	_, err = s.SimulateTemplate("", &IndexTemplate{Patterns: []string{"lo*"}})
	fails(t, err, "illegal_argument_exception", "index template [simulate_template_")
	if len(c.State().IndexTemplates) != 2 {
		t.Error("a simulation stored a template")
	}
}
