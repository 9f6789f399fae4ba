// SPDX-License-Identifier: Apache-2.0

package ingest_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/opensteward/steward/engine/ingest"
	"github.com/opensteward/steward/wire"
)

// values draws JSON values.
func values(depth int) *rapid.Generator[any] {
	return rapid.Custom(func(t *rapid.T) any {
		kinds := 4
		if depth > 0 {
			kinds = 6
		}
		switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
		case 0:
			return nil
		case 1:
			return rapid.Bool().Draw(t, "bool")
		case 2:
			return rapid.Float64Range(-1e9, 1e9).Draw(t, "number")
		case 3:
			return rapid.String().Draw(t, "text")
		case 4:
			return rapid.SliceOfN(values(depth-1), 0, 4).Draw(t, "list")
		}
		return rapid.MapOfN(rapid.StringMatching(`[a-z]{1,3}`), values(depth-1), 0, 4).Draw(t, "object")
	})
}

func TestADocumentThatNothingChangesStaysAsItIs(t *testing.T) {
	p, err := service(nil).Parse("p", object(t, `{"processors":[{"set":{"field":"new","value":"{{a}}{{b}}"}},{"remove":{"field":"new"}},{"rename":{"field":"a","target_field":"new","ignore_missing":true}},{"rename":{"field":"new","target_field":"a","ignore_missing":true}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.MapOfN(rapid.StringMatching(`[a-d]{1,2}`), values(3), 0, 5).Draw(t, "source")
		body, err := wire.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		source, err := ingest.ParseObject(body)
		if err != nil {
			t.Fatal(err)
		}
		d := ingest.NewDocument("i", "1", "", source, midday)
		if keep, err := p.Run(t.Context(), d); err != nil || !keep {
			t.Fatal(keep, err)
		}
		after, err := wire.Marshal(d.Source())
		if err != nil {
			t.Fatal(err)
		}
		var x, y any
		if json.Unmarshal(body, &x) != nil || json.Unmarshal(after, &y) != nil {
			t.Fatal(string(after))
		}
		if diff := cmp.Diff(x, y); diff != "" {
			t.Error(diff)
		}
	})
}

func TestDissectFindsWhatWasJoined(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(rapid.StringMatching(`[a-z ]{1,5}`), 2, 6).Draw(t, "parts")
		delimiters := rapid.SliceOfN(rapid.StringMatching(`[|;,:=]{1,2}`), len(parts)-1, len(parts)-1).Draw(t, "delimiters")
		var text, pattern strings.Builder
		want := map[string]any{}
		for i, part := range parts {
			if i > 0 {
				text.WriteString(delimiters[i-1])
				pattern.WriteString(delimiters[i-1])
			}
			text.WriteString(part)
			fmt.Fprintf(&pattern, "%%{k%d}", i)
			want[fmt.Sprintf("k%d", i)] = part
		}
		processor, _ := json.Marshal(map[string]any{"field": "m", "pattern": pattern.String()})
		p, err := service(nil).Parse("p", mustObject(t, `{"processors":[{"dissect":`+string(processor)+`},{"remove":{"field":"m"}}]}`))
		if err != nil {
			t.Fatal(err)
		}
		source, _ := json.Marshal(map[string]any{"m": text.String()})
		d := ingest.NewDocument("i", "1", "", mustObject(t, string(source)), midday)
		if _, err := p.Run(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		after, err := wire.Marshal(d.Source())
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]any
		if err := json.Unmarshal(after, &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func mustObject(t *rapid.T, body string) *ingest.Object {
	t.Helper()
	o, err := ingest.ParseObject([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// TestAnyScriptIsReadOrRefused feeds nonsense to the reader of conditions: it must come to an end, and run or fail.
func TestAnyScriptIsReadOrRefused(t *testing.T) {
	word := rapid.SampledFrom([]string{
		"ctx", ".", "?.", "[", "]", "(", ")", "!", "&&", "||", "==", "!=", "<", ">=", "instanceof", "String", "'x'", "1", "-", "null", "true", "a", "contains", "size", ";",
	})
	rapid.Check(t, func(t *rapid.T) {
		source := strings.Join(rapid.SliceOfN(word, 0, 12).Draw(t, "words"), " ")
		p, err := service(nil).Parse("p", mustObject(t, `{"processors":[{"drop":{"if":`+quoted(source)+`}}]}`))
		if err != nil {
			return
		}
		d := ingest.NewDocument("i", "1", "", mustObject(t, `{"a":{"a":[1,"x"]}}`), midday)
		_, _ = p.Run(t.Context(), d)
	})
}

func TestAnObjectKeepsItsMembersInOrderHoweverManyThereAre(t *testing.T) {
	type member struct {
		name  string
		value int
	}
	rapid.Check(t, func(t *rapid.T) {
		o := ingest.NewObject()
		var want []member
		for range rapid.IntRange(0, 200).Draw(t, "changes") {
			name := fmt.Sprint(rapid.IntRange(0, 80).Draw(t, "name"))
			at := slices.IndexFunc(want, func(m member) bool { return m.name == name })
			if value := rapid.IntRange(0, 9).Draw(t, "value"); value == 0 {
				if o.Delete(name); at >= 0 {
					want = slices.Delete(want, at, at+1)
				}
			} else if o.Set(name, value); at >= 0 {
				want[at].value = value
			} else {
				want = append(want, member{name, value})
			}
			for _, m := range want {
				if got, ok := o.Get(m.name); !ok || got != m.value {
					t.Fatalf("%s is %v, not %d", m.name, got, m.value)
				}
			}
		}
		names := o.Names()
		if !slices.EqualFunc(names, want, func(name string, m member) bool { return name == m.name }) {
			t.Fatalf("%v, want %v", names, want)
		}
	})
}
