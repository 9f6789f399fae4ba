// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTemplates(t *testing.T) {
	const ctx = `{"index":"logs-1","index_uuid":"u","policy_seq_no":7,"big":12345678901234567890,"half":0.50,"rolled_over":false,"gone":null,
		"state":{"name":"hot","start_time":1700000000000},"info":{"message":"say \"hi\"\n<b>","shard_failures":["a","b"]},"empty":[]}`
	for _, c := range []struct{ name, source, want string }{
		{"a text", "no values", "no values"},
		{"a value", "Index {{ctx.index}} failed", "Index logs-1 failed"},
		{"a value of an object in it", "{{ctx.state.name}} since {{ctx.state.start_time}}", "hot since 1700000000000"},
		{"numbers stand as they are written", "{{ctx.policy_seq_no}} {{ctx.big}} {{ctx.half}}", "7 12345678901234567890 0.50"},
		{"what is missing is nothing", "[{{ctx.nope}}{{ctx.nope.deeper}}{{ctx.gone}}{{nope}}]", "[]"},
		{"values are escaped for JSON", `{"text":"{{ctx.info.message}}"}`, `{"text":"say \"hi\"\n<b>"}`},
		{"unless they are not", "{{{ctx.info.message}}}", "say \"hi\"\n<b>"},
		{"false is no section", "{{#ctx.rolled_over}}yes{{/ctx.rolled_over}}{{^ctx.rolled_over}}no{{/ctx.rolled_over}}", "no"},
		{"an object is a section", "{{#ctx.state}}{{name}}{{/ctx.state}}", "hot"},
		{"a list is a loop", "{{#ctx.info.shard_failures}}<{{.}}>{{/ctx.info.shard_failures}}", "<a><b>"},
		{"an empty list is none", "{{#ctx.empty}}x{{/ctx.empty}}", ""},
		{"an object in one piece", "{{{ctx.state}}}", "{name=hot, start_time=1700000000000}"},
		{"a list in one piece", "{{ctx.info.shard_failures}}", "[a, b]"},
		{"toJson", "{{#toJson}}ctx.state{{/toJson}}", `{"name":"hot","start_time":1700000000000}`},
		{"toJson of what is missing", "{{#toJson}}ctx.nope.x{{/toJson}}", ""},
		{"join", "{{#join}}ctx.info.shard_failures{{/join}}", "a,b"},
		{"url", "{{#url}}{{ctx.info.message}}{{/url}}", "say+%22hi%22%0A%3Cb%3E"},
		{"a comment", "a{{! nothing }}b", "ab"},
		{"a parameter", "{{team}} {{n}}", "ops 3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tmpl := Template{Source: c.source, Params: json.RawMessage(`{"team":"ops","n":3}`)}
			got, err := tmpl.Render(json.RawMessage(ctx))
			if err != nil || got != c.want {
				t.Errorf("%q, %v\nwant %q", got, err, c.want)
			}
		})
	}
}

func TestTheContentTypeOfATemplateSaysHowToEscape(t *testing.T) {
	for kind, want := range map[string]string{
		"application/json; charset=UTF-8": `a \"b\" & c`, "text/plain": `a "b" & c`, "application/x-www-form-urlencoded": "a+%22b%22+%26+c",
	} {
		tmpl := Template{Source: "{{ctx}}", Options: json.RawMessage(`{"content_type":"` + kind + `"}`)}
		if got, err := tmpl.Render(`a "b" & c`); err != nil || got != want {
			t.Errorf("%s: %q %v", kind, got, err)
		}
	}
}

func TestTemplatesThatCannotBeRendered(t *testing.T) {
	for _, c := range []struct {
		name, source, options, want string
	}{
		{"an open section", "{{#ctx}}", "", "script_exception"},
		{"an open tag", "{{ctx", "", "script_exception"},
		{"a partial", "{{> other}}", "", "partial templates are not supported"},
		{"a partial in a section", "{{#ctx}}{{> other}}{{/ctx}}", "", "partial templates are not supported"},
		{"an unknown content type", "x", `{"content_type":"image/png"}`, "No encoder found for MIME type [image/png]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Template{Source: c.source, Options: json.RawMessage(c.options)}.Render("x")
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Error(err)
			}
		})
	}
}

func TestATemplateReadsNoFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret.mustache")
	if err := os.WriteFile(file, []byte("the secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	name := strings.TrimSuffix(file, ".mustache")
	for _, source := range []string{"{{> " + name + "}}", "{{#url}}{{> " + name + "}}{{/url}}", "{{#url}}{{{ctx}}}{{/url}}"} {
		out, err := Template{Source: source}.Render("{{> " + name + "}}")
		if strings.Contains(out, "the secret") || err != nil && strings.Contains(err.Error(), "the secret") {
			t.Errorf("%s: %s %v", source, out, err)
		}
	}
}

func TestAMessageIsNotLongerThanItMayBe(t *testing.T) {
	params := json.RawMessage(`{"l":[` + strings.Repeat("1,", 99) + `1]}`)
	for _, source := range []string{
		strings.Repeat("{{#l}}", 6) + "text" + strings.Repeat("{{/l}}", 6),
		strings.Repeat("{{#l}}", 3) + "{{l}}" + strings.Repeat("{{/l}}", 3),
	} {
		_, err := Template{Source: source, Params: params}.Render("x")
		if err == nil || !strings.Contains(err.Error(), "the message is longer than 1048576 bytes") {
			t.Error(err)
		}
	}
	if _, err := (Template{Source: "{{#l}}{{.}}{{/l}}", Params: params}).Render("x"); err != nil {
		t.Error(err)
	}
}
