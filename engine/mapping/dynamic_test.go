// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/opensteward/steward/fault"
)

func TestAMappingPrintsItsParametersInOrderAndWithoutDefaults(t *testing.T) {
	for _, c := range []struct{ name, body, want string }{
		{"defaults are left out", `{"properties":{"a":{"type":"keyword","index":true,"doc_values":"true","ignore_above":2147483647}}}`, `{"properties":{"a":{"type":"keyword"}}}`},
		{"the order of a keyword", `{"properties":{"a":{"normalizer":"lowercase","ignore_above":"5","null_value":"x","index":"false","type":"keyword"}}}`, `{"properties":{"a":{"type":"keyword","index":false,"null_value":"x","ignore_above":5,"normalizer":"lowercase"}}}`},
		{"the order of a number", `{"properties":{"a":{"type":"scaled_float","coerce":false,"scaling_factor":100}}}`, `{"properties":{"a":{"type":"scaled_float","scaling_factor":100.0,"coerce":false}}}`},
		{
			"the order of the root", `{"properties":{},"numeric_detection":false,"date_detection":true,"dynamic_templates":[{"t":{"mapping":{"type":"long"},"match":"*"}}],"dynamic_date_formats":["yyyy"],"_routing":{"required":true},"_meta":{"a":1},"dynamic":false}`,
			`{"dynamic":"false","_meta":{"a":1},"_routing":{"required":true},"dynamic_date_formats":["yyyy"],"dynamic_templates":[{"t":{"match":"*","mapping":{"type":"long"}}}],"date_detection":true,"numeric_detection":false}`,
		},
		{"a kept source is not mentioned", `{"_source":{"enabled":true}}`, `{}`},
		{"nested", `{"properties":{"n":{"include_in_root":true,"type":"nested"}}}`, `{"properties":{"n":{"type":"nested","include_in_root":true}}}`},
		{"names with dots are objects", `{"properties":{"a.b":{"type":"long"},"a.c":{"type":"ip"}}}`, `{"properties":{"a":{"properties":{"b":{"type":"long"},"c":{"type":"ip"}}}}}`},
		{"a data stream", `{"_data_stream_timestamp":{"enabled":true}}`, `{"_data_stream_timestamp":{"enabled":true}}`},
		{"an empty array of properties", `{"properties":[]}`, `{}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := parse(t, c.body)
			if diff := cmp.Diff(c.want, text(t, m)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(c.want, text(t, parse(t, c.want))); diff != "" {
				t.Errorf("read again: %s", diff)
			}
		})
	}
}

func TestUnsupportedParametersAreRefusedByName(t *testing.T) {
	for _, c := range []struct{ body, want string }{
		{`{"properties":{"a":{"type":"text","fielddata":true}}}`, "[fielddata] of a field is not supported"},
		{`{"properties":{"a":{"type":"text","boost":2}}}`, "[boost] of a field is not supported"},
		{`{"properties":{"a":{"type":"text","similarity":"boolean"}}}`, "[similarity] of a field is not supported"},
		{`{"properties":{"a":{"type":"text","copy_to":"b"}}}`, "[copy_to] of a field is not supported"},
		{`{"_source":{"excludes":["a"]}}`, `[_source] with [excludes: [a]] is not supported`},
		{`{"properties":{"a":{"type":"keyword","analyzer":"standard"}}}`, "unknown parameter [analyzer] on mapper [a] of type [keyword]"},
		{`{"properties":{"a":{"type":"text","search_analyzer":"simple"}}}`, "analyzer on field [a] must be set when search_analyzer is set"},
		{`{"properties":{"a":{"type":"alias","path":"b"}}}`, "Invalid [path] value [b] for field alias [a]: an alias must refer to an existing field"},
		{`{"properties":{"a":{"type":"constant_keyword"}}}`, "Field [a] is missing required parameter [value]"},
		{`{"dynamic":"perhaps"}`, "Could not convert [dynamic.dynamic] to boolean"},
		{`{"dynamic_templates":[{"t":{"mapping":{}}}]}`, "template must have match, path_match or match_mapping_type set"},
		{`{"dynamic_templates":[{"t":{"match":"(","match_pattern":"regex","mapping":{}}}]}`, "Pattern [(] of type [regex] is invalid"},
	} {
		if _, err := Empty().Merge([]byte(c.body)); err == nil || !strings.Contains(fault.Of(err).Reason, c.want) || fault.Of(err).Status != 400 {
			t.Errorf("%s: %v, want %q", c.body, err, c.want)
		}
	}
}

func TestObjectsKeepWhatTheyAre(t *testing.T) {
	m := parse(t, `{"properties":{"n":{"type":"nested","properties":{"x":{"type":"long"}}},"off":{"type":"object","enabled":false},"o":{"properties":{}}}}`)
	for _, c := range []struct{ update, want string }{
		{`{"properties":{"n":{"properties":{"y":{"type":"long"}}}}}`, "cannot change object mapping from nested to non-nested"},
		{`{"properties":{"o":{"type":"nested"}}}`, "cannot change object mapping from non-nested to nested"},
		{`{"properties":{"off":{"type":"object"}}}`, "the [enabled] parameter can't be updated for the object mapping [off]"},
	} {
		if _, err := m.Merge([]byte(c.update)); err == nil || fault.Of(err).Reason != c.want {
			t.Errorf("%s: %v", c.update, err)
		}
	}
	grown, err := m.Check("1", []byte(`{"n":[{"z":1}]}`))
	if err != nil || grown.Field("n.z") == nil || !strings.Contains(text(t, grown), `"n":{"type":"nested"`) {
		t.Errorf("growth of a nested object: %v", err)
	}
}

func TestLaterTemplatesReplaceDefinitions(t *testing.T) {
	m := parse(t, `{"_meta":{"a":1,"b":1},"dynamic_templates":[{"t":{"match":"x","mapping":{}}},{"u":{"match":"x","mapping":{}}}],"properties":{"a":{"type":"keyword"}}}`)
	m, err := m.MergeTemplate([]byte(`{"_meta":{"b":2},"dynamic_templates":[{"t":{"match":"y","mapping":{}}}],"properties":{"a":{"type":"long"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"_meta":{"a":1,"b":2},"dynamic_templates":[{"t":{"match":"y","mapping":{}}},{"u":{"match":"x","mapping":{}}}],"properties":{"a":{"type":"long"}}}`
	if diff := cmp.Diff(want, text(t, m)); diff != "" {
		t.Error(diff)
	}
}

func TestWhatDynamicMappingMakesOfValues(t *testing.T) {
	for _, c := range []struct{ name, mapping, source, want string }{
		{"an array of objects", `{}`, `{"a":[{"b":1},{"b":2,"c":true}]}`, `{"properties":{"a":{"properties":{"b":{"type":"long"},"c":{"type":"boolean"}}}}}`},
		{"an empty object", `{}`, `{"a":{}}`, `{"properties":{"a":{"type":"object"}}}`},
		{"an empty array", `{}`, `{"a":[],"b":[null]}`, ``},
		{"a slashed date keeps its format", `{}`, `{"d":"2026/11/21"}`, `{"properties":{"d":{"type":"date","format":"yyyy/MM/dd HH:mm:ss||yyyy/MM/dd||epoch_millis"}}}`},
		{"no date detection", `{"date_detection":false}`, `{"d":"2026-11-21"}`, `{"date_detection":false,"properties":{"d":{"type":"text","fields":{"keyword":{"type":"keyword","ignore_above":256}}}}}`},
		{"own date formats", `{"dynamic_date_formats":"dd.MM.yyyy"}`, `{"d":"21.11.2026"}`, `{"dynamic_date_formats":["dd.MM.yyyy"],"properties":{"d":{"type":"date","format":"dd.MM.yyyy"}}}`},
		{"numeric detection", `{"numeric_detection":true}`, `{"a":"7","b":"7.5"}`, `{"numeric_detection":true,"properties":{"a":{"type":"long"},"b":{"type":"float"}}}`},
		{"not dynamic", `{"dynamic":false}`, `{"a":1,"o":{"b":1}}`, ``},
		{"dynamic only inside", `{"dynamic":false,"properties":{"o":{"dynamic":true,"properties":{}}}}`, `{"a":1,"o":{"b":1}}`, `{"dynamic":"false","properties":{"o":{"type":"object","dynamic":"true","properties":{"b":{"type":"long"}}}}}`},
		{
			"a template that switches objects off", `{"dynamic_templates":[{"t":{"match_mapping_type":"object","match":"raw*","mapping":{"type":"object","enabled":false}}}]}`, `{"raw1":{"x":1}}`,
			`{"dynamic_templates":[{"t":{"match":"raw*","match_mapping_type":"object","mapping":{"type":"object","enabled":false}}}],"properties":{"raw1":{"type":"object","enabled":false}}}`,
		},
		{
			"a template of a regular expression", `{"dynamic_templates":[{"t":{"match":"^n\\d+$","match_pattern":"regex","mapping":{"type":"keyword"}}}]}`, `{"n12":5}`,
			`{"dynamic_templates":[{"t":{"match":"^n\\d+$","match_pattern":"regex","mapping":{"type":"keyword"}}}],"properties":{"n12":{"type":"keyword"}}}`,
		},
		{
			"only what templates fit", `{"dynamic":"false_allow_templates","dynamic_templates":[{"t":{"match":"k","mapping":{"type":"keyword"}}}]}`, `{"k":"a","l":"b","o":{"k":1}}`,
			`{"dynamic":"false_allow_templates","dynamic_templates":[{"t":{"match":"k","mapping":{"type":"keyword"}}}],"properties":{"k":{"type":"keyword"}}}`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			grown, err := parse(t, c.mapping).Check("1", []byte(c.source))
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if grown != nil {
				got = text(t, grown)
			}
			want := strings.ReplaceAll(c.want, `"type":"object","dynamic"`, `"dynamic"`)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDocumentsThatDoNotFitAreRefused(t *testing.T) {
	for _, c := range []struct{ name, mapping, source, reason, cause string }{
		{"a name of blanks", `{}`, `{" ":1}`, "failed to parse", "object field cannot contain only whitespace: [' ']"},
		{"a name that ends with a dot", `{}`, `{"a.":1}`, "failed to parse", "object field starting or ending with a [.] makes object resolution ambiguous: [a.]"},
		{"an object and a value", `{}`, `{"a":[{"b":1},2]}`, "object mapping for [a] tried to parse field [a] as object, but found a concrete value", ""},
		{"a value and an object", `{}`, `{"a":[2,{"b":1}]}`, "failed to parse field [a] of type [long] in document with id '1'. Preview of field's value: '{b=1}'", "Can't get text on a START_OBJECT at 1:9"},
		{"a null under strict", `{"dynamic":"strict"}`, `{"a":null}`, "mapping set to strict, dynamic introduction of [a] within [_doc] is not allowed", ""},
		{"no template under strict", `{"dynamic":"strict_allow_templates"}`, `{"a":1}`, "mapping set to strict_allow_templates, dynamic introduction of [a] within [_doc] is not allowed", ""},
		{"another constant", `{"properties":{"c":{"type":"constant_keyword","value":"x"}}}`, `{"c":"y"}`, "failed to parse field [c] of type [constant_keyword] in document with id '1'. Preview of field's value: 'y'", "constant keyword field [c] must have a value of [x]"},
		{"an alias", `{"properties":{"a":{"type":"long"},"b":{"type":"alias","path":"a"}}}`, `{"b":1}`, "failed to parse", "Cannot write to a field alias [b]."},
		{"no timestamp", `{"_data_stream_timestamp":{"enabled":true},"properties":{"@timestamp":{"type":"date"}}}`, `{"a":1}`, "failed to parse", "documents must contain a single-valued timestamp field '@timestamp' of date type"},
		{"two timestamps", `{"_data_stream_timestamp":{"enabled":true},"properties":{"@timestamp":{"type":"date"}}}`, `{"@timestamp":["2026","2027"]}`, "failed to parse", "documents must contain a single-valued timestamp field '@timestamp' of date type"},
		{"a negative unsigned long", `{"properties":{"u":{"type":"unsigned_long"}}}`, `{"u":-1}`, "failed to parse field [u] of type [unsigned_long] in document with id '1'. Preview of field's value: '-1'", "Value [-1] is out of range for an unsigned long"},
		{"too many fields", `{}`, `{` + manyFields(1001) + `}`, "Limit of total fields [1000] has been exceeded", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := parse(t, c.mapping).Check("1", []byte(c.source))
			f := fault.Of(err)
			if err == nil || f.Status != 400 || f.Reason != c.reason {
				t.Fatalf("%v, want %s", err, c.reason)
			}
			if c.cause != "" && (f.CausedBy == nil || f.CausedBy.Reason != c.cause) {
				t.Errorf("caused by %v, want %s", f.CausedBy, c.cause)
			}
		})
	}
}

func manyFields(n int) string {
	members := make([]string, n)
	for i := range members {
		members[i] = fmt.Sprintf(`"f%d":1`, i)
	}
	return strings.Join(members, ",")
}

func TestFieldsOfNestedObjectsAreNotTheDocuments(t *testing.T) {
	m := parse(t, `{"properties":{"n":{"type":"nested","properties":{"x":{"type":"keyword"}}},"r":{"type":"nested","include_in_root":true,"properties":{"x":{"type":"keyword"}}}}}`)
	got := indexed(t, m, `{"n":[{"x":"a"}],"r":{"x":"b"}}`)
	if got["n.x"] != nil || len(got["r.x"]) != 1 {
		t.Errorf("indexed %v", got)
	}
	if _, err := m.Check("1", []byte(`{"n":[{"x":{}}]}`)); err == nil {
		t.Error("a nested object's values are not checked")
	}
}

func TestExactTermsOrderUnsignedNumbers(t *testing.T) {
	f := &Field{Path: "u", Type: "unsigned_long"}
	rapid.Check(t, func(rt *rapid.T) {
		extremes := rapid.SampledFrom([]uint64{0, 1, math.MaxInt64, 1 << 63, math.MaxUint64})
		a, b := rapid.OneOf(extremes, rapid.Uint64()).Draw(rt, "a"), rapid.OneOf(extremes, rapid.Uint64()).Draw(rt, "b")
		na, err := f.ParseInteger(fmt.Sprint(a))
		if err != nil {
			rt.Fatal(err)
		}
		nb, err := f.ParseInteger(fmt.Sprint(b))
		if err != nil {
			rt.Fatal(err)
		}
		if (a < b) != (ExactTerm(na) < ExactTerm(nb)) || f.Integer(na) != fmt.Sprint(a) {
			rt.Fatalf("%d and %d: terms %s and %s", a, b, ExactTerm(na), ExactTerm(nb))
		}
	})
}
