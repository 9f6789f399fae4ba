// SPDX-License-Identifier: Apache-2.0

package ism_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/ism"
)

// action wraps an action into a policy.
func action(body string) string {
	return fmt.Sprintf(`{"policy":{"description":"","default_state":"a","states":[{"name":"a","actions":[%s],"transitions":[]}]}}`, body)
}

func rollup(config string) string { return action(`{"rollup":{"ism_rollup":` + config + `}}`) }

func transform(config string) string { return action(`{"transform":{"ism_transform":` + config + `}}`) }

const histogram = `{"date_histogram":{"fixed_interval":"1h","source_field":"ts"}}`

func TestPoliciesThatAreRefused(t *testing.T) {
	const destination = `"destination":{"slack":{"url":"u"}}`
	for _, c := range []struct{ name, body, want string }{
		// the policy
		{"an unknown member", `{"policy":{"x":1}}`, "Invalid field: [x] found in Policy."},
		{"no description", `{"policy":{}}`, "description is null"},
		{"no default state", `{"policy":{"description":""}}`, "default_state is null"},
		{"no states", `{"policy":{"description":"","default_state":"a"}}`, "Policy must contain at least one State"},
		{"a default state that is none", `{"policy":{"description":"","default_state":"b","states":[{"name":"a"}]}}`, "Policy must have a valid default state"},
		{"a state twice", `{"policy":{"description":"","default_state":"a","states":[{"name":"a"},{"name":"a"}]}}`, "Policy cannot have duplicate state names"},
		{
			"a transition to nowhere goes before all that", `{"policy":{"description":"","default_state":"b","states":[{"name":"a","transitions":[{"state_name":"z"}]},{"name":"a"}]}}`,
			"Policy contains a transition in state=a pointing to a nonexistent state=z",
		},
		{"an error in a state goes before a missing description", `{"policy":{"states":[{"name":" "}]}}`, "State must contain a valid name"},
		{"states that are no list", `{"policy":{"states":{}}}`, "Failed to parse object: expecting token of type [START_ARRAY] but found [START_OBJECT]"},
		{
			"a second member beside the policy", `{"policy":{"description":"","default_state":"a","states":[{"name":"a"}]},"x":1}`,
			"Failed to parse object: expecting token of type [END_OBJECT] but found [FIELD_NAME]",
		},
		{"a time that is an object", `{"policy":{"last_updated_time":{}}}`, "Failed to parse object: unexpected token [START_OBJECT] found"},
		{"a time that is a date", `{"policy":{"last_updated_time":"2026-01-01"}}`, `For input string: "2026-01-01"`},
		// states and transitions
		{"a state without a name", `{"policy":{"states":[{}]}}`, "State name is null"},
		{"an unknown member of a state", `{"policy":{"states":[{"color":1}]}}`, "Invalid field: [color] found in State."},
		{"an action after delete", action(`{"delete":{}},{"close":{}}`), "State=a must not contain an action after a delete action"},
		{"delete twice", action(`{"delete":{}},{"delete":{}}`), "State=a must not contain an action after a delete action"},
		{
			"transitions after delete", `{"policy":{"states":[{"name":"a","actions":[{"delete":{}}],"transitions":[{"state_name":"a"}]}]}}`,
			"State=a cannot contain transitions if using delete action",
		},
		{"a transition without a state", `{"policy":{"states":[{"name":"a","transitions":[{}]}]}}`, "Transition state name is null"},
		{"an unknown member of a transition", `{"policy":{"states":[{"name":"a","transitions":[{"to":"b"}]}]}}`, "Invalid field: [to] found in Transition."},
		{"two conditions", `{"policy":{"states":[{"name":"a","transitions":[{"state_name":"b","conditions":{"min_doc_count":0,"min_size":"0"}}]}]}}`, "Cannot provide more than one Transition condition"},
		{"an unknown condition", `{"policy":{"states":[{"name":"a","transitions":[{"state_name":"b","conditions":{"max_age":"1d"}}]}]}}`, "Invalid field: [max_age] found in Conditions."},
		{"no documents", `{"policy":{"states":[{"name":"a","transitions":[{"state_name":"b","conditions":{"min_doc_count":0}}]}]}}`, "Transition doc count condition must be greater than 0"},
		{"no size", `{"policy":{"states":[{"name":"a","transitions":[{"state_name":"b","conditions":{"min_size":"0"}}]}]}}`, "Transition size condition must be greater than 0"},
		{"no schedule", `{"policy":{"states":[{"name":"a","transitions":[{"state_name":"b","conditions":{"cron":{}}}]}]}}`, "Invalid schedule document object."},
		{"an unknown kind of schedule", `{"policy":{"states":[{"name":"a","transitions":[{"state_name":"b","conditions":{"cron":{"daily":{}}}}]}]}}`, "Unknown schedule type daily"},
		{"an unknown member of cron", `{"policy":{"states":[{"name":"a","transitions":[{"state_name":"b","conditions":{"cron":{"cron":{"when":1}}}}]}]}}`, "Unknown cron field when"},
		// the envelope of actions
		{"no action", action(`{}`), "Action inside state is null"},
		{"only a retry", action(`{"retry":{"count":1}}`), "Action inside state is null"},
		{"an unknown action", action(`{"unfollow":{}}`), "Invalid field: [unfollow] found in Actions."},
		{"the implicit action", action(`{"transition":{}}`), "Invalid field: [transition] found in Actions."},
		{"a timeout that is a number", action(`{"timeout":5,"close":{}}`), "Invalid token: [VALUE_NUMBER] for ActionTimeout"},
		{"a timeout that is null", action(`{"timeout":null,"close":{}}`), "Invalid token: [VALUE_NULL] for ActionTimeout"},
		{"a timeout without a unit", action(`{"timeout":"5","close":{}}`), "failed to parse setting [timeout] with value [5] as a time value: unit is missing or unrecognized"},
		{"a retry without a count", action(`{"retry":{"delay":"1m"},"close":{}}`), "ActionRetry count is null"},
		{"a negative count", action(`{"retry":{"count":-1},"close":{}}`), "Count for ActionRetry must be a non-negative number"},
		{
			"an unknown back-off", action(`{"retry":{"count":1,"backoff":"random"},"close":{}}`),
			"No enum constant org.opensearch.indexmanagement.spi.indexstatemanagement.model.ActionRetry.Backoff.RANDOM",
		},
		{"a retry that is null", action(`{"retry":null,"close":{}}`), "Failed to parse object: expecting token of type [START_OBJECT] but found [VALUE_NULL]"},
		{"parameters where there are none", action(`{"close":{"x":1}}`), "Failed to parse object: expecting token of type [END_OBJECT] but found [FIELD_NAME]"},
		// parameters
		{"a merge to nothing", action(`{"force_merge":{"max_num_segments":0}}`), "Force merge {max_num_segments} must be greater than 0"},
		{"a merge without a number", action(`{"force_merge":{}}`), "ForceMergeActionConfig maxNumSegments is null"},
		{"a priority without a number", action(`{"index_priority":{}}`), "priority is null"},
		{"a negative priority", action(`{"index_priority":{"priority":-1}}`), "IndexPriorityAction index_priority value must be a non-negative number"},
		{"negative replicas", action(`{"replica_count":{"number_of_replicas":-1}}`), "ReplicaCountAction number_of_replicas value must be a non-negative number"},
		{"a number too large for an integer", action(`{"replica_count":{"number_of_replicas":"99999999999"}}`), "Value [99999999999] is out of range for an integer"},
		{"a rollover at no size", action(`{"rollover":{"min_size":"0"}}`), "RolloverAction minSize value must be greater than 0"},
		{"a rollover at no shard size", action(`{"rollover":{"min_primary_shard_size":"0"}}`), "RolloverActionConfig minPrimaryShardSize value must be greater than 0"},
		{"a rollover at no documents", action(`{"rollover":{"min_doc_count":0}}`), "RolloverAction minDocs value must be greater than 0"},
		{"groups beside conditions", action(`{"rollover":{"min_doc_count":1,"any_of":[{"min_doc_count":1}]}}`), "RolloverAction cannot specify both flat conditions and [any_of] groups"},
		{"no groups", action(`{"rollover":{"any_of":[]}}`), "RolloverAction [any_of] must contain at least one condition group"},
		{"an empty group", action(`{"rollover":{"any_of":[{}]}}`), "A rollover condition group must contain at least one condition"},
		{"a group at no size", action(`{"rollover":{"any_of":[{"min_size":"0"}]}}`), "RolloverConditionGroup minSize value must be greater than 0"},
		{"a group at no shard size", action(`{"rollover":{"any_of":[{"min_primary_shard_size":"0"}]}}`), "RolloverConditionGroup minPrimaryShardSize value must be greater than 0"},
		{"a group at no documents", action(`{"rollover":{"any_of":[{"min_doc_count":0}]}}`), "RolloverConditionGroup minDocs value must be greater than 0"},
		{"an unknown member of a rollover", action(`{"rollover":{"max_age":"1d"}}`), "Invalid field: [max_age] found in RolloverAction."},
		{"an unknown member of a merge", action(`{"force_merge":{"x":1}}`), "Invalid field: [x] found in ForceMergeActionConfig."},
		{"an unknown member of a priority", action(`{"index_priority":{"x":1}}`), "Invalid field: [x] found in IndexPriorityActionConfig."},
		{"an unknown member of replicas", action(`{"replica_count":{"x":1}}`), "Invalid field: [x] found in ReplicaCountActionConfig."},
		{"an unknown member of an allocation", action(`{"allocation":{"x":1}}`), "Invalid field: [x] found in AllocationAction."},
		{"an unknown member of a notification", action(`{"notification":{"x":1}}`), "Invalid field: [x] found in NotificationAction."},
		{"an unknown member of a shrink", action(`{"shrink":{"x":1}}`), "Invalid field: [x] found in ShrinkAction."},
		{"an unknown member of an alias action", action(`{"alias":{"x":1}}`), "Invalid field: [x] found in AliasAction."},
		{"an unknown member of a restore", action(`{"convert_index_to_remote":{"x":1}}`), "Invalid field: [x] found in ConvertIndexToRemoteAction."},
		{"a restore without a repository", action(`{"convert_index_to_remote":{"snapshot":"s"}}`), "ConvertIndexToRemoteAction repository must be specified"},
		{"a shrink to no size", action(`{"shrink":{"max_shard_size":"0"}}`), "Shrink action maxShardSize must be greater than 0."},
		{"a shrink to no shards", action(`{"shrink":{"num_new_shards":0}}`), "Shrink action numNewShards must be greater than 0."},
		{"an unknown member of a group", action(`{"rollover":{"any_of":[{"copy_alias":true}]}}`), "Invalid field: [copy_alias] found in rollover condition group."},
		{"an allocation of nothing", action(`{"allocation":{"wait_for":true}}`), "At least one allocation parameter need to be specified."},
		{"a snapshot without a repository", action(`{"snapshot":{"snapshot":"s"}}`), "SnapshotAction repository must be specified"},
		{"a snapshot with global state", action(`{"snapshot":{"include_global_state":true}}`), "Invalid field: [include_global_state] found in SnapshotAction."},
		{"no alias action", action(`{"alias":{"actions":[]}}`), "At least one alias action needs to be specified."},
		{"an alias action that removes an index", action(`{"alias":{"actions":[{"remove_index":{"index":"a"}}]}}`), "Only ADD and REMOVE actions are allowed."},
		{
			"an alias action on another index", action(`{"alias":{"actions":[{"add":{"index":"a","alias":"b"}}]}}`),
			"Alias action can only work on its applied index so don't accept index/indices parameter.",
		},
		{"an alias action without aliases", action(`{"alias":{"actions":[{"add":{}}]}}`), "At least one alias needs to be specified."},
		{"no alias of a shrink", action(`{"shrink":{"aliases":[{}]}}`), "Failed to parse object: expecting token of type [FIELD_NAME] but found [END_OBJECT]"},
		{"two aliases of a shrink in one", action(`{"shrink":{"aliases":[{"a":{},"b":{}}]}}`), "Failed to parse object: expecting token of type [END_OBJECT] but found [FIELD_NAME]"},
		{"a shrink to nothing in particular", action(`{"shrink":{}}`), "Exactly one option specifying the number of shards to shrink to must be used."},
		{"a shrink to two things", action(`{"shrink":{"num_new_shards":1,"max_shard_size":"1gb"}}`), "Exactly one option specifying the number of shards to shrink to must be used."},
		{"a shrink to all shards", action(`{"shrink":{"percentage_of_source_shards":1.0}}`), "Percentage of source shards must be between 0.0 and 1.0 exclusively"},
		{
			"a shrink to a name that is no template", action(`{"shrink":{"num_new_shards":1,"target_index_name_template":{"source":"x","lang":"painless"}}}`),
			"Target index name template must be a mustache script",
		},
		{"a restore without a snapshot", action(`{"convert_index_to_remote":{"repository":"r"}}`), "ConvertIndexToRemoteAction snapshot must be specified"},
		// notifications
		{"a notification without a message", action(`{"notification":{` + destination + `}}`), "NotificationAction message template is null"},
		{"a notification to nobody", action(`{"notification":{"message_template":{"source":"m"}}}`), "Notification must contain a destination or channel"},
		{
			"a notification to two", action(`{"notification":{` + destination + `,"channel":{"id":"c"},"message_template":{"source":"m"}}}`),
			"Notification can only contain a single destination or channel",
		},
		{"a message that is no template", action(`{"notification":{` + destination + `,"message_template":{"source":"m","lang":"painless"}}}`), "Notification message template must be a mustache script"},
		{"a message of a stored script", action(`{"notification":{` + destination + `,"message_template":{"id":"m"}}}`), "Notification message template must be a mustache script"},
		{"a message without a source", action(`{"notification":{` + destination + `,"message_template":{}}}`), "must specify either [source] for an inline script or [id] for a stored script"},
		{"a destination of no kind", action(`{"notification":{"destination":{},"message_template":"m"}}`), "Must specify a destination type"},
		{"a destination of an unknown kind", action(`{"notification":{"destination":{"pager":{}},"message_template":"m"}}`), "Invalid field: [pager] found in Destination."},
		{"a destination without an address", action(`{"notification":{"destination":{"chime":{"url":""}},"message_template":"m"}}`), "URL is null or empty"},
		{"an unknown member of a destination", action(`{"notification":{"destination":{"slack":{"x":1}},"message_template":"m"}}`), "Unexpected field: x, while parsing Slack destination"},
		{"a webhook without an address", action(`{"notification":{"destination":{"custom_webhook":{"port":80}},"message_template":"m"}}`), "Url or Host name must be provided."},
		{"a channel without a name", action(`{"notification":{"channel":{"id":""},"message_template":"m"}}`), "Channel ID cannot be empty"},
		{"an error notification without a message", `{"policy":{"error_notification":{"channel":{"id":"c"}}}}`, "ErrorNotification message template is null"},
		{
			"an error notification to two", `{"policy":{"error_notification":{"channel":{"id":"c"},` + destination + `,"message_template":"m"}}}`,
			"ErrorNotification can only contain a single destination or channel",
		},
		{
			"an error notification that is no template", `{"policy":{"error_notification":{"channel":{"id":"c"},"message_template":{"source":"m","lang":"painless"}}}}`,
			"ErrorNotification message template must be a mustache script",
		},
		{"an unknown member of a Chime destination", action(`{"notification":{"destination":{"chime":{"x":1}},"message_template":"m"}}`), "Unexpected field: x, while parsing Chime destination"},
		{"an unknown member of a webhook", action(`{"notification":{"destination":{"custom_webhook":{"x":1}},"message_template":"m"}}`), "Unexpected field: x, while parsing custom webhook destination"},
		{"a channel that is empty", action(`{"notification":{"channel":{},"message_template":"m"}}`), "Channel ID is null"},
		{"an unknown member of a channel", action(`{"notification":{"channel":{"x":1},"message_template":"m"}}`), "Unexpected field: x, while parsing Channel destination"},
		{"an error notification to nobody", `{"policy":{"error_notification":{"channel":null,"message_template":"m"}}}`, "ErrorNotification must contain a destination or channel"},
		{"an unknown member of an error notification", `{"policy":{"error_notification":{"x":1}}}`, "Invalid field: [x] found in ErrorNotification."},
		// rollups and transforms
		{"no rollup", action(`{"rollup":{}}`), "RollupAction rollup is null"},
		{"an unknown member beside a rollup", action(`{"rollup":{"x":1}}`), "Invalid field: [x] found in RollupAction."},
		{"an unknown member of a rollup", rollup(`{"x":1}`), "Invalid field, [x] not supported in ISM Rollup."},
		{"a rollup without a page", rollup(`{}`), "Page size must be between 1 and 10000"},
		{"a rollup without a description", rollup(`{"page_size":1}`), "Description cannot be empty"},
		{"a rollup to nowhere", rollup(`{"page_size":1,"description":"d"}`), "Target Index cannot be empty"},
		{"a rollup without a date", rollup(`{"page_size":1,"description":"d","target_index":"t"}`), "Must specify precisely one date histogram dimension"},
		{
			"a rollup whose date is not first", rollup(`{"page_size":1,"description":"d","target_index":"t","dimensions":[{"terms":{"source_field":"x"}},` + histogram + `]}`),
			"The first dimension must be a date histogram",
		},
		{
			"a rollup routed by what it does not have", rollup(`{"page_size":1,"description":"d","target_index":"t","dimensions":[` + histogram + `],"routing_field":"x"}`),
			"Routing field [x] must match a terms dimension",
		},
		{"no transform", action(`{"transform":{}}`), "TransformAction transform is null."},
		{"an unknown member of a transform", transform(`{"x":1}`), "Invalid field [x] found in ISM Transform."},
		{"an unknown member beside a transform", action(`{"transform":{"x":1}}`), "Invalid field: [x] found in TransformAction."},
		{"a transform to nowhere", transform(`{"page_size":1,"description":"d"}`), "TargetIndex cannot be empty"},
		{"a transform without groups", transform(`{"page_size":1,"description":"d","target_index":"t"}`), "Groups cannot be empty"},
		{"a transform that computes what it cannot", transform(`{"aggregations":{"a":{"terms":{}}}}`), "Unsupported aggregation [terms]"},
		// templates
		{"a template without patterns", `{"policy":{"ism_template":{"priority":1}}}`, "Requires at least one index pattern"},
		{"a negative priority of a template", `{"policy":{"ism_template":{"index_patterns":["a"],"priority":-1}}}`, "Requires priority to be >= 0"},
		{"an unknown member of a template", `{"policy":{"ism_template":[{"x":1}]}}`, "Invalid field: [x] found in ISMTemplate."},
		{"a template whose time is a list", `{"policy":{"ism_template":{"last_updated_time":[]}}}`, "Failed to parse object: unexpected token [START_ARRAY] found"},
		{"a template that is a text", `{"policy":{"ism_template":"a"}}`, "Failed to parse object: expecting token of type [START_ARRAY] but found [VALUE_STRING]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ism.ParsePolicy("p", []byte(c.body), 0)
			if err == nil || fault.Of(err).Reason != c.want {
				t.Errorf("%v\nwant %s", err, c.want)
			}
		})
	}
}

func TestActionsAreNormalised(t *testing.T) {
	const retry = `"retry":{"count":3,"backoff":"exponential","delay":"1m"},`
	for _, c := range []struct{ name, in, want string }{
		{"the default retry", `{"close":{}}`, `{` + retry + `"close":{}}`},
		{
			"the place of the members", `{"close":{},"retry":{"count":"2","backoff":"LINEAR","new":1},"timeout":"1d"}`,
			`{"timeout":"1d","retry":{"count":2,"backoff":"linear","delay":"1m"},"close":{}}`,
		},
		{"the last of two types", `{"open":{},"close":{}}`, `{` + retry + `"close":{}}`},
		{"the last of two types, the first in a wrapper", `{"custom":{"open":{}},"close":{}}`, `{` + retry + `"close":{}}`},
		{
			"numbers and flags of other kinds", `{"retry":{"count":1.5,"delay":"0"},"shrink":{"percentage_of_source_shards":"0.5","switch_aliases":"true","force_unsafe":""}}`,
			`{"retry":{"count":1,"backoff":"exponential","delay":"0ms"},"shrink":{"percentage_of_source_shards":0.5,"switch_aliases":true,"force_unsafe":false}}`,
		},
		{
			"units", `{"rollover":{"min_primary_shard_size":"10B","min_index_age":"0","min_size":"50GB","min_doc_count":"5"}}`,
			`{` + retry + `"rollover":{"min_size":"50gb","min_doc_count":5,"min_index_age":"0ms","min_primary_shard_size":"10b","copy_alias":false}}`,
		},
		{
			"groups", `{"rollover":{"prevent_empty_rollover":true,"copy_alias":true,"any_of":[{"min_index_age":"-1","min_doc_count":1}]}}`,
			`{` + retry + `"rollover":{"any_of":[{"min_doc_count":1,"min_index_age":"-1"}],"copy_alias":true,"prevent_empty_rollover":true}}`,
		},
		{
			"all of an allocation", `{"allocation":{"require":{"box":"hot","n":1}}}`,
			`{` + retry + `"allocation":{"require":{"box":"hot","n":"1"},"include":{},"exclude":{},"wait_for":false}}`,
		},
		{
			"aliases as a list", `{"alias":{"actions":[{"add":{"alias":"a","is_write_index":true}},{"remove":{"aliases":["b","c"]}}]}}`,
			`{` + retry + `"alias":{"actions":[{"add":{"aliases":["a"],"is_write_index":true}},{"remove":{"aliases":["b","c"]}}]}}`,
		},
		{
			"the options of an alias", `{"alias":{"actions":[{"add":{"is_hidden":"true","is_write_index":"","search_routing":"s","index_routing":7,"routing":"","filter":{"term":{"a":1}},"aliases":"a"}},{"add":{"alias":"b","filter":{ }}},{"remove":{"must_exist":"true","alias":"c"}}]}}`,
			`{` + retry + `"alias":{"actions":[{"add":{"aliases":["a"],"filter":{"term":{"a":1}},"index_routing":"7","search_routing":"s","is_write_index":false,"is_hidden":true}},{"add":{"aliases":["b"]}},{"remove":{"aliases":["c"],"must_exist":true}}]}}`,
		},
		{
			"a template that is a text", `{"notification":{"channel":{"id":"c"},"message_template":"m"}}`,
			`{` + retry + `"notification":{"channel":{"id":"c"},"message_template":{"source":"m","lang":"mustache"}}}`,
		},
		{
			"a template with parameters", `{"notification":{"destination":{"slack":{"url":"u"}},"message_template":{"source":"m","params":{"x":1},"options":{}}}}`,
			`{` + retry + `"notification":{"destination":{"slack":{"url":"u"}},"message_template":{"source":"m","lang":"mustache","params":{"x":1}}}}`,
		},
		{
			"a template that is an object", `{"notification":{"channel":{"id":"c"},"message_template":{"source":{"text" : "{{ctx.index}}"},"params":{ }}}}`,
			`{` + retry + `"notification":{"channel":{"id":"c"},"message_template":{"source":{"text":"{{ctx.index}}"},"lang":"mustache","options":{"content_type":"application/json; charset=UTF-8"}}}}`,
		},
		{
			"a webhook without parameters", `{"notification":{"destination":{"custom_webhook":{"host":"h","query_params":null,"header_params":{"n":1}}},"message_template":"m"}}`,
			`{` + retry + `"notification":{"destination":{"custom_webhook":{"url":null,"scheme":null,"host":"h","port":-1,"path":null,"query_params":{},"header_params":{"n":"1"},"username":null,"password":null}},"message_template":{"source":"m","lang":"mustache"}}}`,
		},
		{
			"one of several destinations", `{"notification":{"destination":{"custom_webhook":{"url":"w"},"slack":{"url":"s"},"chime":{"url":"c"}},"message_template":"m"}}`,
			`{` + retry + `"notification":{"destination":{"chime":{"url":"c"}},"message_template":{"source":"m","lang":"mustache"}}}`,
		},
		{
			"a shrink", `{"shrink":{"aliases":[{"x":{"routing":"r"}},{"y":{"is_write_index":true,"index_routing":"i"}}],"force_unsafe":true,"num_new_shards":1}}`,
			`{` + retry + `"shrink":{"num_new_shards":1,"aliases":[{"x":{"routing":"r","is_write_index":null}},{"y":{"index_routing":"i","is_write_index":true}}],"switch_aliases":false,"force_unsafe":true}}`,
		},
		{
			"aliases of a shrink with options of other kinds", `{"shrink":{"num_new_shards":"1","aliases":[{"x":{"filter":{},"routing":5,"is_write_index":"true","is_hidden":null,"y":[1]}}]}}`,
			`{` + retry + `"shrink":{"num_new_shards":1,"aliases":[{"x":{"is_write_index":null}}],"switch_aliases":false}}`,
		},
		{
			"a restore", `{"convert_index_to_remote":{"snapshot":"s","repository":"r","number_of_replicas":-1,"rename_pattern":"$1_cold"}}`,
			`{` + retry + `"convert_index_to_remote":{"repository":"r","snapshot":"s","include_aliases":false,"ignore_index_settings":"","delete_original_index":false,"rename_pattern":"$1_cold"}}`,
		},
		{
			"the settings of a rollup's target", `{"rollup":{"ism_rollup":{"page_size":1,"description":"d","target_index":"t","dimensions":[` + histogram + `],"metrics":[],"target_index_settings":{"index.number_of_shards":2,"index":{"hidden":true}}}}}`,
			`{` + retry + `"rollup":{"ism_rollup":{"description":"d","target_index":"t","page_size":1,"dimensions":[{"date_histogram":{"fixed_interval":"1h","source_field":"ts","target_field":"ts","timezone":"UTC","format":null}}],"metrics":[],"target_index_settings":{"index":{"hidden":"true","number_of_shards":"2"}}}}}`,
		},
		{
			"the dimensions of a rollup", `{"rollup":{"ism_rollup":{"page_size":1,"description":"d","target_index":"t","dimensions":[` + histogram + `,{"histogram":{"source_field":"n","interval":10}}],"metrics":[{"source_field":"p","target_field":"q","metrics":[{"avg":{}}]}]}}}`,
			`{` + retry + `"rollup":{"ism_rollup":{"description":"d","target_index":"t","page_size":1,"dimensions":[{"date_histogram":{"fixed_interval":"1h","source_field":"ts","target_field":"ts","timezone":"UTC","format":null}},{"histogram":{"source_field":"n","target_field":"n","interval":10.0}}],"metrics":[{"source_field":"p","metrics":[{"avg":{}}]}]}}}`,
		},
		{
			"the query of a transform", `{"transform":{"ism_transform":{"page_size":1,"description":"d","target_index":"t","groups":[{"terms":{"source_field":"x"}}]}}}`,
			`{` + retry + `"transform":{"ism_transform":{"description":"d","target_index":"t","page_size":1,"data_selection_query":{"match_all":{"boost":1.0}},"groups":[{"terms":{"source_field":"x","target_field":"x"}}],"aggregations":{}}}}`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := ism.ParsePolicy("p", []byte(action(c.in)), 0)
			if err != nil {
				t.Fatal(err)
			}
			got := printedActions(t, p, ism.API)
			if got != c.want {
				t.Errorf("%s\nwant %s", got, c.want)
			}
			if d := rereads(t, p); d != "" {
				t.Error(d)
			}
		})
	}
}

// printedActions are the actions of a policy's first state.
func printedActions(t *testing.T, p *ism.Policy, form ism.Form) string {
	t.Helper()
	body, err := p.JSON(form, false).MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	_, actions, _ := strings.Cut(string(body), `"actions":[`)
	actions, _, _ = strings.Cut(actions, `],"transitions":`)
	return actions
}

func TestTheWrapperOfExtensionActionsIsShownInExplainOnly(t *testing.T) {
	const retry = `"retry":{"count":3,"backoff":"exponential","delay":"1m"},`
	p, err := ism.ParsePolicy("p", []byte(action(`{"open":{},"custom":{"close":{}}}`)), 0)
	if err != nil {
		t.Fatal(err)
	}
	for form, want := range map[ism.Form]string{
		ism.API: `{` + retry + `"close":{}}`, ism.Explain: `{` + retry + `"custom":{"close":{}}}`, ism.Stored: `{` + retry + `"custom":{"close":{}}}`,
	} {
		if got := printedActions(t, p, form); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestReadableTimesStandBeforeEachTime(t *testing.T) {
	p := templated(t, "p", `{"index_patterns":["a"]}`)
	p.LastUpdated = t0.UnixMilli()
	body, err := p.JSON(ism.API, true).MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	const want = `"last_updated_time_in_millis":"2026-03-02T10:00:00.000Z","last_updated_time":1772445600000`
	if n := strings.Count(string(body), want); n != 2 {
		t.Errorf("%d times in %s", n, body)
	}
}
