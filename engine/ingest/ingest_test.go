// SPDX-License-Identifier: Apache-2.0

package ingest_test

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward/engine/ingest"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

var midday = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// lengths is a model whose vectors are the lengths of texts.
type lengths struct{ asked [][]string }

// Rank is part of Predictor; no ingest processor asks for it.
func (l *lengths) Rank(context.Context, string, string, []string) ([]float64, error) { return nil, nil }

func (l *lengths) Embed(_ context.Context, model string, texts []string) ([][]float32, error) {
	if model != "m" {
		return nil, errors.New("no such model")
	}
	l.asked = append(l.asked, texts)
	out := make([][]float32, len(texts))
	for i, t := range texts {
		out[i] = []float32{float32(len(t)), 0.5}
	}
	return out, nil
}

// service has these pipelines, by id.
func service(pipelines map[string]string) *ingest.Service {
	return ingest.NewService(func(id string) json.RawMessage {
		if body, ok := pipelines[id]; ok {
			return json.RawMessage(body)
		}
		return nil
	}, &lengths{})
}

func object(t *testing.T, body string) *ingest.Object {
	t.Helper()
	o, err := ingest.ParseObject([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// run sends a source through one processor and returns the new source, or the error's reason.
func run(t *testing.T, s *ingest.Service, processors, source string) string {
	t.Helper()
	p, err := s.Parse("p", object(t, `{"processors":[`+processors+`]}`))
	if err != nil {
		return fault.Of(err).Reason
	}
	d := ingest.NewDocument("i", "1", "", object(t, source), midday)
	keep, err := p.Run(t.Context(), d)
	switch {
	case err != nil:
		return fault.Of(err).Reason
	case !keep:
		return "dropped"
	}
	body, err := wire.Marshal(d.Source())
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestProcessors(t *testing.T) {
	s := service(nil)
	for _, c := range []struct{ name, processor, source, want string }{
		{"fields keep their order, new ones come last", `{"set":{"field":"b","value":2}}`, `{"z":1,"b":1,"a":1}`, `{"z":1,"b":2,"a":1}`},
		{"numbers stay as they are written", `{"set":{"field":"x","value":1}}`, `{"n":1.10,"big":12345678901234567890}`, `{"n":1.10,"big":12345678901234567890,"x":1}`},
		{"a time stamp is that of the clock", `{"set":{"field":"at","value":"{{_ingest.timestamp}}"}}`, `{}`, `{"at":"2026-03-01T12:00:00Z"}`},
		{"a section goes through a list", `{"set":{"field":"x","value":"{{#l}}<{{.}}>{{/l}}"}}`, `{"l":["a","b"]}`, `{"l":["a","b"],"x":"<a><b>"}`},
		{"a name of a field may be a template", `{"set":{"field":"{{k}}.v","value":"{{{v}}}"}}`, `{"k":"o","v":"\"q\""}`, `{"k":"o","v":"\"q\"","o":{"v":"\"q\""}}`},
		{"a rename into a text fails and changes nothing", `{"rename":{"field":"a","target_field":"b.c","ignore_failure":true}}`, `{"a":1,"b":2}`, `{"b":2,"a":1}`},
		{"an item of a list is removed", `{"remove":{"field":"l.0"}}`, `{"l":[1,2]}`, `{"l":[2]}`},
		{"look-around is refused by name", `{"gsub":{"field":"a","pattern":"x(?=y)","replacement":""}}`, `{}`, "[(?=] in a regular expression is not supported"},
		{"a group that does not exist", `{"gsub":{"field":"a","pattern":"(x)","replacement":"$2"}}`, `{}`, "Illegal group reference in replacement [$2]"},
		{"a named group and a dollar sign", `{"gsub":{"field":"a","pattern":"(?<n>\\d)","replacement":"\\$${n}0"}}`, `{"a":"7"}`, `{"a":"$70"}`},
		{"a group's number ends where there is no such group", `{"gsub":{"field":"a","pattern":"(x)","replacement":"$12"}}`, `{"a":"x"}`, `{"a":"x2"}`},
		{"script is refused by name", `{"script":{"source":"ctx.a=1"}}`, `{}`, "the processor [script] is not supported by the embedded engine"},
		{"grok is refused by name", `{"grok":{"field":"a","patterns":["x"]}}`, `{}`, "the processor [grok] is not supported by the embedded engine"},
		{"a date without a year is of this year", `{"date":{"field":"d","formats":["dd MMM HH:mm"]}}`, `{"d":"05 Feb 10:00"}`, `{"d":"05 Feb 10:00","@timestamp":"2026-02-05T10:00:00.000Z"}`},
		{"a date in a zone", `{"date":{"field":"d","formats":["ISO8601"],"timezone":"Europe/Berlin","output_format":"yyyy-MM-dd HH:mm"}}`, `{"d":"2026-07-01T10:00:00Z"}`, `{"d":"2026-07-01T10:00:00Z","@timestamp":"2026-07-01 12:00"}`},
		{"empty values between delimiters", `{"dissect":{"field":"m","pattern":"%{a},%{b},%{c}"}}`, `{"m":"x,,z"}`, `{"m":"x,,z","a":"x","b":"","c":"z"}`},
		{"a delimiter before the first key", `{"dissect":{"field":"m","pattern":"[%{a}] %{b}"}}`, `{"m":"[x] y"}`, `{"m":"[x] y","a":"x","b":"y"}`},
		{"an object gets a copy of itself, not itself", `{"convert":{"field":"o","type":"auto","target_field":"o.o"}}`, `{"o":{"a":1}}`, `{"o":{"a":1,"o":{"a":1}}}`},
		{"a path from a document is as long as documents are deep", `{"kv":{"field":"m","field_split":" ","value_split":"="}}`, `{"m":"` + strings.Repeat("a.", wire.MaxDepth) + `a=1"}`, "path of [1001] elements exceeds the maximum allowed (1000)"},
		{"keys and values do not pair", `{"dissect":{"field":"m","pattern":"%{*a} %{b}"}}`, `{}`, "Unable to parse pattern: %{*a} %{b} Reason: Found invalid key/reference associations: 'a' Please ensure each '*<key>' is matched with a matching '&<key>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := run(t, s, c.processor, c.source); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestTextsBecomeVectors(t *testing.T) {
	embedding := func(fields string) string {
		return `{"text_embedding":{"model_id":"m","field_map":` + fields + `}}`
	}
	s := service(nil)
	for _, c := range []struct{ name, processor, source, want string }{
		{"of a text", embedding(`{"t":"v"}`), `{"t":"abc"}`, `{"t":"abc","v":[3,0.5]}`},
		{"of a text that is not there", embedding(`{"t":"v"}`), `{"x":1}`, `{"x":1}`},
		{"of a list", embedding(`{"t":"v"}`), `{"t":["a","bc"]}`, `{"t":["a","bc"],"v":[{"knn":[1,0.5]},{"knn":[2,0.5]}]}`},
		{"of a text in an object", embedding(`{"o":{"t":"v"}}`), `{"o":{"t":"a"}}`, `{"o":{"t":"a","v":[1,0.5]}}`},
		{"of a text in an object, by its path", embedding(`{"o.t":"o.v"}`), `{"o":{"t":"a"}}`, `{"o":{"t":"a","v":[1,0.5]}}`},
		{"of texts in a list of objects", embedding(`{"o":{"t":"v"}}`), `{"o":[{"t":"a"},{"x":1}]}`, `{"o":[{"t":"a","v":[1,0.5]},{"x":1}]}`},
		{"not of a number", embedding(`{"t":"v"}`), `{"t":1}`, "map type field [t] is neither string nor nested type, cannot process it"},
		{"not of an empty text", embedding(`{"t":"v"}`), `{"t":" "}`, "map type field [t] has empty string value, cannot process it"},
		{"not of a list with a null", embedding(`{"t":"v"}`), `{"t":["a",null]}`, "list type field [t] has null, cannot process it"},
		{"not without a field map", embedding(`{}`), `{}`, "Unable to create the processor as field_map has invalid key or value"},
		{"sparse: stored, and fails when it runs", `{"sparse_encoding":{"model_id":"m","field_map":{"t":"v"}}}`, `{"t":"a"}`, "running the processor [sparse_encoding] is not supported by the embedded engine"},
		{"sparse: a document without the text", `{"sparse_encoding":{"model_id":"m","field_map":{"t":"v"}}}`, `{"x":"a"}`, `{"x":"a"}`},
		{"images: stored, and fails when it runs", `{"text_image_embedding":{"model_id":"m","embedding":"v","field_map":{"text":"t","image":"i"}}}`, `{"t":"a"}`, "running the processor [text_image_embedding] is not supported by the embedded engine"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := run(t, s, c.processor, c.source); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestTextsAreCutIntoPieces(t *testing.T) {
	chunking := func(algorithm string) string {
		return `{"text_chunking":{"algorithm":{` + algorithm + `},"field_map":{"t":"c"}}}`
	}
	s := service(nil)
	for _, c := range []struct{ name, processor, source, want string }{
		{"after so many words", chunking(`"fixed_token_length":{"token_limit":2}`), `{"t":"one two, three four five"}`, `["one two, ","three four ","five"]`},
		{"with an overlap", chunking(`"fixed_token_length":{"token_limit":2,"overlap_rate":0.5}`), `{"t":"a b c"}`, `["a b ","b c"]`},
		{"after so many characters", chunking(`"fixed_char_length":{"char_limit":4,"overlap_rate":0.5}`), `{"t":"abcdéfgh"}`, `["abcd","cdéf","éfgh"]`},
		{"at a delimiter", chunking(`"delimiter":{"delimiter":". "}`), `{"t":"a. b. c"}`, `["a. ","b. ","c"]`},
		{"up to a limit, the last piece has the rest", chunking(`"delimiter":{"delimiter":".","max_chunk_limit":2}`), `{"t":"a.b.c.d"}`, `["a.","b.c.d"]`},
		{"without a limit", chunking(`"delimiter":{"delimiter":".","max_chunk_limit":-1}`), `{"t":"a.b.c"}`, `["a.","b.","c"]`},
		{"a list of texts", chunking(`"delimiter":{"delimiter":"."}`), `{"t":["a.b","","c"]}`, `["a.","b","c"]`},
		{"nothing", chunking(``), `{}`, `[]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got struct{ C json.RawMessage }
			if err := json.Unmarshal([]byte(run(t, s, c.processor, c.source)), &got); err != nil || string(got.C) != c.want {
				t.Errorf("got  %s %v\nwant %s", got.C, err, c.want)
			}
		})
	}
	for _, c := range []struct{ name, algorithm, want string }{
		{"an unknown algorithm", `"magic":{}`, "Chunking algorithm [magic] is not supported. Supported chunking algorithms are [fixed_token_length, delimiter, fixed_char_length]"},
		{"two algorithms", `"delimiter":{},"fixed_token_length":{}`, "Unable to create text_chunking processor as [algorithm] contains multiple algorithms"},
		{"too much overlap", `"fixed_token_length":{"overlap_rate":0.6}`, "Parameter [overlap_rate] must be between 0.0 and 0.5, but was 0.6"},
		{"an empty piece", `"fixed_token_length":{"token_limit":0}`, "Parameter [token_limit] must be positive."},
		{"too many words", `"fixed_token_length":{"max_token_count":1}`, "The number of tokens produced by calling _analyze has exceeded the allowed maximum of [1]. This limit can be set by changing the [index.analyze.max_token_count] index level setting."},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := run(t, s, chunking(c.algorithm), `{"t":"a b"}`); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestAPipelineIsParsedAgainWhenItChanges(t *testing.T) {
	pipelines := map[string]string{"p": `{"processors":[{"set":{"field":"a","value":1}}]}`}
	s := service(pipelines)
	first, err := s.Find("p")
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := s.Find("p"); again != first {
		t.Error("an unchanged pipeline was parsed again")
	}
	pipelines["p"] = `{"processors":[]}`
	if again, _ := s.Find("p"); again == first {
		t.Error("a changed pipeline is the old one")
	}
	delete(pipelines, "p")
	d := ingest.NewDocument("i", "1", "", ingest.NewObject(), midday)
	if _, err := s.Process(t.Context(), "p", d); err == nil || fault.Of(err).Reason != "pipeline with id [p] does not exist" {
		t.Error(err)
	}
}

func TestAPipelineEndsWithItsContext(t *testing.T) {
	p, err := service(nil).Parse("p", object(t, `{"processors":[{"set":{"field":"a","value":1}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Run(ctx, ingest.NewDocument("i", "1", "", object(t, `{}`), midday)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestADocumentRunsThroughOnePipelineManyTimesAtOnce(t *testing.T) {
	p, err := service(nil).Parse("p", object(t, `{"processors":[{"append":{"field":"a","value":["{{n}}"]}},{"set":{"field":"o","value":{"k":["{{n}}"]}}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan string)
	for range 8 {
		go func() {
			d := ingest.NewDocument("i", "1", "", ingest.NewObject(), midday)
			_, err := p.Run(context.Background(), d)
			body, _ := wire.Marshal(d.Source())
			got <- strings.TrimSpace(string(body) + errorText(err))
		}()
	}
	for range 8 {
		if diff := cmp.Diff(`{"a":[""],"o":{"k":[""]}}`, <-got); diff != "" {
			t.Error(diff)
		}
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return " " + err.Error()
}

func quoted(s string) string {
	body, _ := json.Marshal(s)
	return string(body)
}

func TestWhatWentThroughIsCounted(t *testing.T) {
	s := service(map[string]string{"p": `{"processors":[{"set":{"tag":"t","field":"a","value":1}},{"drop":{"if":"ctx.b == 1"}},{"fail":{"message":"no"}}]}`})
	for _, source := range []string{`{"b":1}`, `{}`} {
		_, _ = s.Process(t.Context(), "p", ingest.NewDocument("i", "1", "", object(t, source), midday))
	}
	stats, err := s.Stats([]string{"p", "missing"})
	if err != nil {
		t.Fatal(err)
	}
	summary, err := s.Summary([]string{"p"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		got  wire.Object
		want string
	}{
		{stats, `{"total":{"count":2,"time_in_millis":0,"current":0,"failed":1},"pipelines":{"p":{"count":2,"time_in_millis":0,"current":0,"failed":1,"processors":[` +
			`{"set:t":{"type":"set","stats":{"count":2,"time_in_millis":0,"current":0,"failed":0}}},` +
			`{"drop":{"type":"drop","stats":{"count":1,"time_in_millis":0,"current":0,"failed":0}}},` +
			`{"fail":{"type":"fail","stats":{"count":1,"time_in_millis":0,"current":0,"failed":1}}}]}}}`},
		{summary, `{"number_of_pipelines":1,"processor_stats":{"drop":{"count":1,"time_in_millis":0,"current":0,"failed":0},` +
			`"fail":{"count":1,"time_in_millis":0,"current":0,"failed":1},"set":{"count":2,"time_in_millis":0,"current":0,"failed":0}}}`},
	} {
		got, err := wire.Marshal(c.got)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, regexp.MustCompile(`"time_in_millis":\d+`).ReplaceAllString(string(got), `"time_in_millis":0`)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestTemplatesThatWouldGoOnForeverAreRefused(t *testing.T) {
	list := "[1" + strings.Repeat(",1", 199) + "]"
	const refused = "a template renders more than [16777216] bytes, or takes more steps"
	for _, c := range []struct{ name, template, want string }{
		{"a list", `{{#l}}{{^no}}x{{/no}}{{/l}}`, strings.Repeat("x", 200)},
		{"a list within a list", `{{#l}}{{#o.l}}{{/o.l}}{{/l}}`, ""},
		{"lists within lists", `{{#l}}{{#l}}{{#l}}{{/l}}{{/l}}{{/l}}`, refused},
		{"a long value, many times", `{{#l}}{{#l}}{{l}}{{/l}}{{/l}}`, refused},
		{"a long text, many times", `{{#l}}{{#l}}` + strings.Repeat("abc ", 200) + `{{/l}}{{/l}}`, refused},
	} {
		got := run(t, service(nil), `{"set":{"field":"v","value":"`+c.template+`"}},{"remove":{"field":["l","o"]}}`, `{"l":`+list+`,"o":{"l":`+list+`}}`)
		if want, _ := json.Marshal(map[string]string{"v": c.want}); got != string(want) && got != c.want {
			t.Errorf("%s: %.300s", c.name, got)
		}
	}
}

func TestASearchPipelineIsReadOnceUntilItChanges(t *testing.T) {
	stored := `{"request_processors":[{"oversample":{"sample_factor":2}}]}`
	pipelines := ingest.NewSearchPipelines(func(string) json.RawMessage {
		if stored == "" {
			return nil
		}
		return json.RawMessage(stored)
	})
	find := func() *ingest.SearchPipeline {
		p, err := pipelines.Find("p")
		if err != nil {
			t.Error(err)
		}
		return p
	}
	first := find()
	if first == nil || find() != first {
		t.Error("it was read again")
	}
	stored = `{"request_processors":[]}`
	if changed := find(); changed == nil || changed == first {
		t.Error("it was not read again when it had changed")
	}
	if stored = ""; find() != nil {
		t.Error("it is found although it is gone")
	}
}
