// SPDX-License-Identifier: Apache-2.0

package ism_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/ism"
)

// chain is an error with its causes, outermost first, each with its place counted from an offset.
func chain(err error) []string {
	var list []string
	for f := fault.Of(err); f != nil; f = f.CausedBy {
		list = append(list, f.Type+": "+f.Reason)
	}
	return list
}

// TestWhatIsWrongInAliasActionsAndTemplatesIsToldByOpenSearchsOwnParsers has the chains of causes that OpenSearch 3.4.0
// answered with to the same entries in its own APIs. Each entry begins at [2:100].
func TestWhatIsWrongInAliasActionsAndTemplatesIsToldByOpenSearchsOwnParsers(t *testing.T) {
	const (
		parse   = "x_content_parse_exception: "
		illegal = "illegal_argument_exception: "
		inAdd   = "[alias_action] failed to parse field [add]"
	)
	alias := func(entry string) string { return `{"alias":{"actions":[AT` + entry + `]}}` }
	message := func(template string) string {
		return `{"notification":{"channel":{"id":"c"},"message_template":AT` + template + `}}`
	}
	for _, c := range []struct {
		action string
		want   []string
	}{
		{alias(`{"add":{"alias":null}}`), []string{parse + "[2:116] " + inAdd, parse + "[2:116] [add] alias doesn't support values of type: VALUE_NULL"}},
		{alias(`{"add":{"alias":5}}`), []string{parse + "[2:116] " + inAdd, parse + "[2:116] [add] alias doesn't support values of type: VALUE_NUMBER"}},
		{alias(`{"add":{"alias":""}}`), []string{parse + "[2:116] " + inAdd, parse + "[2:116] [add] failed to parse field [alias]", illegal + "[alias] can't be empty string"}},
		{alias(`{"add":{"aliases":[]}}`), []string{parse + "[2:119] " + inAdd, parse + "[2:119] [add] failed to parse field [aliases]", illegal + "[aliases] can't be empty"}},
		{alias(`{"add":{"aliases":["a",""]}}`), []string{parse + "[2:125] " + inAdd, parse + "[2:125] [add] failed to parse field [aliases]", illegal + "[aliases] can't contain empty string"}},
		{
			alias(`{"add":{"alias":"a","aliases":["b"]}}`),
			[]string{parse + "[2:134] " + inAdd, parse + "[2:134] [add] failed to parse field [aliases]", illegal + "Only one of [alias] and [aliases] is supported"},
		},
		{alias(`{"add":{"alias":"a","x":1}}`), []string{parse + "[2:124] " + inAdd, parse + "[2:120] [add] unknown field [x]"}},
		{alias(`{"add":{"alias":"a","rooting":1}}`), []string{parse + "[2:130] " + inAdd, parse + "[2:120] [add] unknown field [rooting] did you mean [routing]?"}},
		{alias(`{"add":{"alias":"a","must_exist":true}}`), []string{parse + "[2:133] " + inAdd, parse + "[2:120] [add] unknown field [must_exist]"}},
		{
			alias(`{"add":{"is_write_index":"yes"}}`),
			[]string{parse + "[2:125] " + inAdd, parse + "[2:125] [add] failed to parse field [is_write_index]", illegal + "Failed to parse value [yes] as only [true] or [false] are allowed."},
		},
		{alias(`{"add":{"filter":null}}`), []string{parse + "[2:117] " + inAdd, parse + "[2:117] [add] filter doesn't support values of type: VALUE_NULL"}},
		{alias(`{"add":{"index":"a","indices":["a"]}}`), []string{parse + "[2:134] " + inAdd, parse + "[2:134] [add] failed to parse field [indices]", illegal + "Only one of [index] and [indices] is supported"}},
		{alias(`{"add":5}`), []string{parse + "[2:107] [alias_action] add doesn't support values of type: VALUE_NUMBER"}},
		{alias(`{"nope":{}}`), []string{parse + "[2:101] [alias_action] unknown field [nope]"}},
		{alias(`5`), []string{parse + "[2:101] [alias_action] Expected START_OBJECT but was: END_ARRAY"}},
		{
			alias(`{"add":{"alias":"a"},"remove":{"alias":"a"}}`),
			[]string{parse + "Failed to build [alias_action] after last required field arrived", illegal + "Too many operations declared on operation entry"},
		},
		{alias(`{}`), []string{illegal + "At least one alias action needs to be specified."}},
		{alias(`{"add":{"index":"i"}},{"remove_index":{"index":"i"}}`), []string{illegal + "Only ADD and REMOVE actions are allowed."}},
		{alias(`{"add":{}},{"add":{"index":"i","alias":"a"}}`), []string{illegal + "Alias action can only work on its applied index so don't accept index/indices parameter."}},
		{
			alias(`{"remove_index":{"alias":"a"}}`),
			[]string{
				parse + "[2:125] [alias_action] failed to parse field [remove_index]", parse + "[2:125] [remove_index] failed to parse field [alias]",
				illegal + "[alias] is unsupported for [REMOVE_INDEX]",
			},
		},

		{message(`{"sourc":"x"}`), []string{parse + "[2:101] [script] unknown field [sourc] did you mean [source]?"}},
		{message(`{"x":"x"}`), []string{parse + "[2:101] [script] unknown field [x]"}},
		{message(`5`), []string{parse + "[2:101] [script] Expected START_OBJECT but was: END_OBJECT"}},
		{message(`{"source":5}`), []string{parse + "[2:110] [script] source doesn't support values of type: VALUE_NUMBER"}},
		{message(`{"source":"m","lang":null}`), []string{parse + "[2:121] [script] lang doesn't support values of type: VALUE_NULL"}},
		{message(`{"id":"a","source":"m"}`), []string{parse + "[2:119] [script] failed to parse field [source]", illegal + "must only use one of [source, id] when specifying a script"}},
		{message(`{"id":"a","lang":"mustache"}`), []string{illegal + "illegally specified <lang> for a stored script"}},
		{message(`{"id":"a","options":{"a":"b"}}`), []string{illegal + "field [options] cannot be specified using a stored script"}},
		{message(`{"source":"m","options":{"a":"b"}}`), []string{illegal + "illegal compiler options [{a=b}] specified"}},
		{message(`{"source":"m","params":null}`), []string{parse + "[2:123] [script] params doesn't support values of type: VALUE_NULL"}},
		{
			message(`{"source":"m","source":"n"}`),
			[]string{
				parse + "[2:110] [script] failed to parse object",
				"json_parse_exception: Duplicate field 'source'\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 2, column: 122]",
			},
		},
	} {
		body := strings.Replace(action(c.action), "AT", "\n"+strings.Repeat(" ", 99), 1)
		_, err := ism.ParsePolicy("p", []byte(body), 0)
		if err == nil || !slices.Equal(chain(err), c.want) {
			t.Errorf("%s\n got %s\nwant %s", c.action, strings.Join(chain(err), "\n     "), strings.Join(c.want, "\n     "))
		}
	}
}
