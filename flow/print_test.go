// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestATemplatePrintsAsThePluginPrintsIt(t *testing.T) {
	const given = `{"name":" t ","description":"second","use_case":"TEST","version":{"template":"1.0.0","compatibility":["2.12.0","3.0.0"]},
		"workflows":{"provision":{"nodes":[
			{"id":"mk","type":"create_index","user_inputs":{"index_name":"ff1","configurations":{"settings":{"number_of_shards":1}}}},
			{"id":"next","type":"noop","previous_node_inputs":{"mk":"index_name"},"user_inputs":{"m":{"n":5,"b":true},"delay":"1s"}}]}},
		"created_time":1,"last_updated_time":null,"ui_metadata":{}}`
	const want = `{"name":"t","description":"second","use_case":"TEST","version":{"template":"1.0.0","compatibility":["2.12.0","3.0.0"]},` +
		`"workflows":{"provision":{"user_params":{},"nodes":[` +
		`{"id":"mk","type":"create_index","previous_node_inputs":{},"user_inputs":{"index_name":"ff1","configurations":"{\"settings\":{\"number_of_shards\":1}}"}},` +
		`{"id":"next","type":"noop","previous_node_inputs":{"mk":"index_name"},"user_inputs":{"m":{"n":"5","b":"true"},"delay":"1s"}}],` +
		`"edges":[{"source":"mk","dest":"next"}]}},"created_time":1}`
	template, err := Parse([]byte(given))
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(template)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
	again, err := Parse(got)
	if err != nil {
		t.Fatal(err)
	}
	reprinted, err := json.Marshal(again)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(got), string(reprinted)); diff != "" {
		t.Errorf("a stored template changes when it is read again: %s", diff)
	}
}

func TestUpdateFieldsTouchesMetadataOnly(t *testing.T) {
	old := &Template{Name: "a", Description: "d", UseCase: "u", Created: 5}
	got, err := old.UpdateFields([]byte(`{"description":"","name":"b","version":{"template":"2.0.0"}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := &Template{Name: "b", Description: "d", UseCase: "u", Created: 5, Version: Version{Template: "2.0.0"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if old.Name != "a" {
		t.Error("the old template was changed")
	}
	_, err = old.UpdateFields([]byte(`{"workflows":{}}`))
	if !IsOwn(err) {
		t.Errorf("workflows: %v", err)
	}
}
