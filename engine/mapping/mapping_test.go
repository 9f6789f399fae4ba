// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"os"
	"strings"
	"testing"

	index "github.com/blevesearch/bleve_index_api"
	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward/fault"
)

func parse(t *testing.T, body string) *Mapping {
	t.Helper()
	m, err := Empty().Merge([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func text(t *testing.T, m *Mapping) string {
	t.Helper()
	b, err := m.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestMappingsPrintAsTheyWereDefined(t *testing.T) {
	for _, body := range []string{
		`{}`,
		`{"dynamic":"strict","_meta":{"schema_version":30},"properties":{"a":{"type":"keyword"}}}`,
		`{"properties":{"o":{"properties":{"n":{"type":"long"}}},"t":{"type":"text","analyzer":"english","fields":{"raw":{"type":"keyword","ignore_above":10}}}}}`,
		`{"properties":{"n":{"type":"nested","properties":{"x":{"type":"date","format":"yyyy"}}},"o":{"type":"object","enabled":false}}}`,
	} {
		if got := text(t, parse(t, body)); got != body {
			t.Errorf("printed %s\nwant    %s", got, body)
		}
	}
}

func TestBadMappingsAreRefused(t *testing.T) {
	for _, c := range []struct{ name, body, want string }{
		{"an unknown type", `{"properties":{"a":{"type":"strange"}}}`, "No handler for type [strange] declared on field [a]"},
		{"no type", `{"properties":{"a":{"analyzer":"english"}}}`, "No type specified for field [a]"},
		{"an unsupported type", `{"properties":{"a":{"type":"geo_point"}}}`, "the field type [geo_point] is not supported by the embedded engine"},
		{"an unknown parameter", `{"properties":{"a":{"type":"keyword","colour":1}}}`, "unknown parameter [colour] on mapper [a] of type [keyword]"},
		{"an unknown analyzer", `{"properties":{"a":{"type":"text","analyzer":"mine"}}}`, "analyzer [mine] has not been configured in mappings"},
		{"an unknown root parameter", `{"colour":"red"}`, "Root mapping definition has unsupported parameters:  [colour : red]"},
		{"a bad date format", `{"properties":{"a":{"type":"date","format":"bbb"}}}`, "Invalid format: [bbb]"},
		{"source switched off", `{"_source":{"enabled":false}}`, "not supported by the embedded engine"},
		{"too deep", `{"properties":{"` + strings.Repeat(`a":{"properties":{"`, 25) + `z":{"type":"long"}` + strings.Repeat(`}}`, 25) + `}}`, "Limit of mapping depth [20] has been exceeded"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := Empty().Merge([]byte(c.body)); err == nil || !strings.Contains(fault.Of(err).Reason, c.want) || fault.Of(err).Status != 400 {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

func TestTypesFreeze(t *testing.T) {
	m := parse(t, `{"properties":{"a":{"type":"keyword"},"o":{"properties":{"x":{"type":"long"}}}}}`)
	for _, c := range []struct{ name, update, want string }{
		{"another type", `{"properties":{"a":{"type":"long"}}}`, "mapper [a] cannot be changed from type [keyword] to [long]"},
		{"another doc_values", `{"properties":{"a":{"type":"keyword","doc_values":false}}}`, "Cannot update parameter [doc_values] from [true] to [false]"},
		{"an object for a leaf", `{"properties":{"a":{"properties":{"b":{"type":"long"}}}}}`, "can't merge a non object mapping [a] with an object mapping"},
		{"a leaf for an object", `{"properties":{"o":{"type":"long"}}}`, "can't merge a non object mapping [o] with an object mapping"},
	} {
		if _, err := m.Merge([]byte(c.update)); err == nil || !strings.Contains(fault.Of(err).Reason, c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	grown, err := m.Merge([]byte(`{"properties":{"o":{"properties":{"y":{"type":"date"}}},"a":{"type":"keyword","ignore_above":5}}}`))
	if err != nil || grown.Field("o.y") == nil || grown.Field("o.x") == nil || grown.Field("a").IgnoreAbove != 5 || m.Field("o.y") != nil {
		t.Errorf("merge: %v", err)
	}
}

func TestDocumentsBringTheirFields(t *testing.T) {
	m := Empty()
	grown, err := m.Check("1", []byte(`{"s":"x","n":1,"f":1.5,"b":true,"d":"2026-11-21","year":"2026","o":{"p":[1,2]},"a.b":"y","none":null}`))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, path := range grown.Fields("*") {
		got[path] = grown.Field(path).Type
	}
	want := map[string]string{
		"s": "text", "s.keyword": "keyword", "n": "long", "f": "float", "b": "boolean", "d": "date", "year": "text",
		"year.keyword": "keyword", "o.p": "long", "a.b": "text", "a.b.keyword": "keyword",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if again, err := grown.Check("2", []byte(`{"s":"z","n":7}`)); again != nil || err != nil {
		t.Errorf("a document without new fields: %v, %v", again, err)
	}
	// the second document is refused by what the first one brought
	if _, err := grown.Check("3", []byte(`{"n":"abc"}`)); err == nil ||
		fault.Of(err).Reason != "failed to parse field [n] of type [long] in document with id '3'. Preview of field's value: 'abc'" ||
		fault.Of(err).CausedBy.Reason != `For input string: "abc"` {
		t.Errorf("conflict: %v", err)
	}
}

func TestDocumentsAreRefused(t *testing.T) {
	m := parse(t, `{"dynamic":"strict","properties":{"n":{"type":"integer"},"d":{"type":"date"},"b":{"type":"boolean"},"o":{"properties":{"k":{"type":"keyword"}}},"off":{"type":"object","enabled":false},"lax":{"dynamic":"false","properties":{}}}}`)
	for _, c := range []struct{ name, source, typ, want string }{
		{"a new field under strict", `{"x":1}`, "strict_dynamic_mapping_exception", "mapping set to strict, dynamic introduction of [x] within [_doc] is not allowed"},
		{"a new field in an object", `{"o":{"x":1}}`, "strict_dynamic_mapping_exception", "dynamic introduction of [x] within [o] is not allowed"},
		{"an integer out of range", `{"n":3000000000}`, "mapper_parsing_exception", "failed to parse field [n] of type [integer]"},
		{"a bad date", `{"d":"soon"}`, "mapper_parsing_exception", "failed to parse field [d] of type [date]"},
		{"a bad boolean", `{"b":"yes"}`, "mapper_parsing_exception", "failed to parse field [b] of type [boolean]"},
		{"an object for a leaf", `{"n":{"x":1}}`, "mapper_parsing_exception", "failed to parse field [n] of type [integer]"},
		{"a value for an object", `{"o":1}`, "mapper_parsing_exception", "object mapping for [o] tried to parse field [o] as object, but found a concrete value"},
		{"no object", `[1]`, "mapper_parsing_exception", "failed to parse"},
		{"an empty name", `{"":1}`, "mapper_parsing_exception", "failed to parse"},
		{"a key twice", `{"n":1,"n":2}`, "mapper_parsing_exception", "failed to parse"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := m.Check("1", []byte(c.source))
			if f := fault.Of(err); err == nil || f.Type != c.typ || !strings.Contains(f.Reason, c.want) || f.Status != 400 {
				t.Errorf("%v, want %s: %s", err, c.typ, c.want)
			}
		})
	}
	if grown, err := m.Check("1", []byte(`{"n":"7","off":{"any":[{"thing":1}]},"lax":{"x":{"y":1}},"d":1700000000000}`)); grown != nil || err != nil {
		t.Errorf("a fitting document: %v, %v", grown, err)
	}
}

// indexed lists the fields of a document in the full-text index.
func indexed(t *testing.T, m *Mapping, source string) map[string][]string {
	t.Helper()
	doc, err := m.Document("1", "r", 7, []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	doc.VisitFields(func(f index.Field) {
		value := string(f.Value())
		if n, ok := f.(index.NumericField); ok {
			value = "number"
			_ = n
		}
		out[f.Name()] = append(out[f.Name()], value)
	})
	return out
}

func TestWhatIsIndexedOfADocument(t *testing.T) {
	m := parse(t, `{"properties":{"t":{"type":"text","fields":{"raw":{"type":"keyword","ignore_above":3}}},"n":{"type":"long"},"f":{"type":"float"},"ip":{"type":"ip"},"no":{"type":"keyword","index":false,"doc_values":false},"k":{"type":"keyword","null_value":"none"}}}`)
	got := indexed(t, m, `{"t":["ab","long text"],"n":9007199254740993,"f":1.5,"ip":"10.0.0.1","no":"x","k":null}`)
	want := map[string][]string{
		"_id": {"1"}, "_seq_no": {"number"}, "_seq_no\x1f": {"8000000000000007"}, "_routing": {"r"},
		"t": {"ab", "long text"}, "t.raw": {"ab"}, "n": {"number"}, "n\x1f": {"8020000000000001"}, "f": {"number"}, "f\x1f": {"bff8000000000000"},
		"ip": {"00000000000000000000ffff0a000001"}, "k": {"none"},
		"_field_names": {"t", "t.raw", "n", "f", "ip", "k"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestExactTermsSortAsNumbersDo(t *testing.T) {
	numbers := []int64{-1 << 63, -5, -1, 0, 1, 9007199254740992, 9007199254740993, 1<<63 - 1}
	for i, n := range numbers {
		if back, err := ExactValue(ExactTerm(n)); back != n || err != nil {
			t.Errorf("ExactValue(ExactTerm(%d)) = %d, %v", n, back, err)
		}
		if i > 0 && ExactTerm(numbers[i-1]) >= ExactTerm(n) {
			t.Errorf("the term of %d does not sort before that of %d", numbers[i-1], n)
		}
	}
}

func TestDynamicTemplates(t *testing.T) {
	m := parse(t, `{"dynamic_templates":[{"strings":{"match_mapping_type":"string","match":"k_*","mapping":{"type":"keyword"}}},{"all":{"path_match":"o.*","mapping":{"type":"{dynamic_type}"}}}]}`)
	grown, err := m.Check("1", []byte(`{"k_a":"x","z":"y","o":{"s":"t"}}`))
	if err != nil || grown.Field("k_a").Type != "keyword" || grown.Field("z").Type != "text" || grown.Field("o.s").Type != "text" || grown.Field("o.s.keyword") != nil {
		t.Errorf("grown to %v, %v", grown, err)
	}
}

func TestTheConfigIndexTakesThePluginsDocuments(t *testing.T) {
	body, err := os.ReadFile("../../ism/manager/config_mapping.json")
	if err != nil {
		t.Fatal(err)
	}
	m := parse(t, string(body))
	if f := m.Field("policy.policy_id.keyword"); f == nil || f.Type != "keyword" {
		t.Errorf("policy.policy_id.keyword is %+v", f)
	}
	for _, source := range []string{
		`{"managed_index":{"name":"a","enabled":true,"index":"a","index_uuid":"u","schedule":{"interval":{"start_time":1,"period":5,"unit":"Minutes"}},"last_updated_time":1,"enabled_time":null,"policy_id":"p","policy_seq_no":1,"policy_primary_term":1,"policy":{"any":[1]},"change_policy":null,"jitter":0.6}}`,
		`{"managed_index_metadata":{"index":"a","index_uuid":"u","policy_id":"p","state":{"name":"hot","start_time":1},"info":{"message":"x","conditions":{"a":{"b":1}}}}}`,
	} {
		if grown, err := m.Check("1", []byte(source)); grown != nil || err != nil {
			t.Errorf("%s: %v, %v", source, grown, err)
		}
	}
}
