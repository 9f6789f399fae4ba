// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The channels of most tests.
const (
	slackChannel = `{"config_id":"ops","config":{"name":"Ops desk","description":"on call","config_type":"slack",
		"slack":{"url":"https://hooks.slack.com/services/T1/B1/xyz"}}}`
	chimeChannel = `{"config_id":"dev","config":{"name":"Developers","config_type":"chime","is_enabled":false,
		"chime":{"url":"https://hooks.chime.aws/incomingwebhooks/1?token=2"}}}`
	webhookChannel = `{"config_id":"hook","config":{"name":"Ticket system","config_type":"webhook",
		"webhook":{"url":"https://tickets.example.com/new","header_params":{"X-Key":"k","Accept":"*/*"},"method":"PUT"}}}`
)

// What they look like when they were created at the world's beginning.
const (
	slackShown = `{"config_id":"ops","last_updated_time_ms":1700000000000,"created_time_ms":1700000000000,` +
		`"config":{"name":"Ops desk","description":"on call","config_type":"slack","is_enabled":true,"slack":{"url":"https://hooks.slack.com/services/T1/B1/xyz"}}}`
	chimeShown = `{"config_id":"dev","last_updated_time_ms":1700000001000,"created_time_ms":1700000001000,` +
		`"config":{"name":"Developers","description":"","config_type":"chime","is_enabled":false,"chime":{"url":"https://hooks.chime.aws/incomingwebhooks/1?token=2"}}}`
	webhookShown = `{"config_id":"hook","last_updated_time_ms":1700000002000,"created_time_ms":1700000002000,` +
		`"config":{"name":"Ticket system","description":"","config_type":"webhook","is_enabled":true,"webhook":{"url":"https://tickets.example.com/new","header_params":{"X-Key":"k","Accept":"*/*"},"method":"PUT"}}}`
)

// threeChannels creates them a second apart.
func threeChannels(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	for _, c := range []string{slackChannel, chimeChannel, webhookChannel} {
		w.must("POST", "/configs", c)
		if err := w.clock.Advance(t.Context(), time.Second); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func listOf(total string, configs ...string) string {
	return `{"start_index":0,"total_hits":` + total + `,"total_hit_relation":"eq","config_list":[` + strings.Join(configs, ",") + `]}`
}

func TestChannelsAreListedAsThePluginListsThem(t *testing.T) {
	w := threeChannels(t)
	for _, c := range []struct{ name, target, want string }{
		{"all, the oldest first", "/configs", listOf("3", slackShown, chimeShown, webhookShown)},
		{"the newest first", "/configs?sort_order=desc", listOf("3", webhookShown, chimeShown, slackShown)},
		{"by name", "/configs?sort_field=name", listOf("3", chimeShown, slackShown, webhookShown)},
		{"by kind", "/configs?sort_field=config_type&sort_order=DESC", listOf("3", webhookShown, slackShown, chimeShown)},
		{"a page", "/configs?from_index=1&max_items=1", `{"start_index":1,"total_hits":3,"total_hit_relation":"eq","config_list":[` + chimeShown + `]}`},
		{"numbers that are none do not count", "/configs?from_index=x&max_items=y", listOf("3", slackShown, chimeShown, webhookShown)},
		{"one by path", "/configs/ops", listOf("1", slackShown)},
		{"one by parameter", "/configs?config_id=dev", listOf("1", chimeShown)},
		{"some in the order asked for", "/configs?config_id_list=hook,ops&max_items=1", listOf("2", webhookShown, slackShown)},
		{"of one kind", "/configs?config_type=chime", listOf("1", chimeShown)},
		{"of two kinds", "/configs?config_type=chime,slack", listOf("2", slackShown, chimeShown)},
		{"those that are enabled", "/configs?is_enabled=true", listOf("2", slackShown, webhookShown)},
		{"with a word in the name", "/configs?name=desk", listOf("1", slackShown)},
		{"with a whole name", "/configs?name.keyword=Developers", listOf("1", chimeShown)},
		{"with a word anywhere", "/configs?query=call", listOf("1", slackShown)},
		{"with a word in a text", "/configs?text_query=ticket", listOf("1", webhookShown)},
		{"created at an instant", "/configs?created_time_ms=1700000001000", listOf("1", chimeShown)},
		{"created between two instants", "/configs?created_time_ms=1700000000500..1700000002000", listOf("2", chimeShown, webhookShown)},
		{"of a kind that there is none of", "/configs?email.recipient_list.recipient=a@b.c", listOf("0")},
		{"filters together", "/configs?is_enabled=true&config_type=chime", listOf("0")},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, w.must("GET", c.target, "")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestChannelsAreOfferedToPolicies(t *testing.T) {
	w := threeChannels(t)
	want := `{"start_index":0,"total_hits":3,"total_hit_relation":"eq","channel_list":[` +
		`{"config_id":"ops","name":"Ops desk","description":"on call","config_type":"slack","is_enabled":true},` +
		`{"config_id":"dev","name":"Developers","description":"","config_type":"chime","is_enabled":false},` +
		`{"config_id":"hook","name":"Ticket system","description":"","config_type":"webhook","is_enabled":true}]}`
	if diff := cmp.Diff(want, w.must("GET", "/channels", "")); diff != "" {
		t.Error(diff)
	}
}

func TestWithoutAnyChannelListsAreEmpty(t *testing.T) {
	w := newWorld(t)
	if got, want := w.must("GET", "/configs", ""), listOf("0"); got != want {
		t.Error(got)
	}
	if got, want := w.must("GET", "/channels", ""), `{"start_index":0,"total_hits":0,"total_hit_relation":"eq","channel_list":[]}`; got != want {
		t.Error(got)
	}
}

func TestFeaturesAreTheKindsThatCanBeCreated(t *testing.T) {
	w := newWorld(t)
	want := `{"allowed_config_type_list":["slack","chime","webhook"],"plugin_features":{"tooltip_support":"true"}}`
	if got := w.must("GET", "/features", ""); got != want {
		t.Error(got)
	}
}

func TestADeletedChannelIsGone(t *testing.T) {
	w := threeChannels(t)
	if got, want := w.must("DELETE", "/configs/ops", ""), `{"delete_response_list":{"ops":"OK"}}`; got != want {
		t.Error(got)
	}
	if status, _ := w.call("GET", "/configs/ops", ""); status != http.StatusNotFound {
		t.Error(status)
	}
	if got, want := w.must("DELETE", "/configs?config_id_list=dev,hook", ""), `{"delete_response_list":{"dev":"OK","hook":"OK"}}`; got != want {
		t.Error(got)
	}
	if got, want := w.must("GET", "/configs", ""), listOf("0"); got != want {
		t.Error(got)
	}
}

func TestAnUpdateReplacesAllButKindAndCreation(t *testing.T) {
	w := threeChannels(t)
	body := `{"config":{"name":"New","config_type":"webhook","webhook":{"url":"http://10.0.0.1:8080/x"}}}`
	if got, want := w.must("PUT", "/configs/hook", body), `{"config_id":"hook"}`; got != want {
		t.Error(got)
	}
	want := listOf("1", `{"config_id":"hook","last_updated_time_ms":1700000003000,"created_time_ms":1700000002000,`+
		`"config":{"name":"New","description":"","config_type":"webhook","is_enabled":true,"webhook":{"url":"http://10.0.0.1:8080/x","header_params":{},"method":"POST"}}}`)
	if diff := cmp.Diff(want, w.must("GET", "/configs/hook", "")); diff != "" {
		t.Error(diff)
	}
	// An id in the body wins over the path's.
	other := `{"config_id":"ops","config":{"name":"Renamed","config_type":"slack","slack":{"url":"https://hooks.slack.com/services/T2"}}}`
	if got, want := w.must("PUT", "/configs/hook", other), `{"config_id":"ops"}`; got != want {
		t.Error(got)
	}
	if got := w.must("GET", "/configs/ops", ""); !strings.Contains(got, `"name":"Renamed"`) {
		t.Error(got)
	}
}

func TestAChannelWithoutAnIDGetsOne(t *testing.T) {
	w := newWorld(t)
	body := `{"config":{"name":"n","config_type":"webhook","webhook":{"url":"http://h/"}}}`
	got := w.must("POST", "/configs", body)
	id := strings.TrimSuffix(strings.TrimPrefix(got, `{"config_id":"`), `"}`)
	if len(id) != 20 {
		t.Fatal(got)
	}
	if list := w.must("GET", "/configs/"+id, ""); !strings.Contains(list, `"name":"n"`) {
		t.Error(list)
	}
}

func TestChannelsOfThePluginAreKeptAndShown(t *testing.T) {
	w := threeChannels(t)
	w.put("mail", `{"metadata":{"last_updated_time_ms":1800000000000,"created_time_ms":1800000000000,"access":["a"]},
		"config":{"name":"M","description":"d","config_type":"email","is_enabled":true,"email":{"email_account_id":"x"}}}`)
	want := listOf("1", `{"config_id":"mail","last_updated_time_ms":1800000000000,"created_time_ms":1800000000000,`+
		`"config":{"name":"M","description":"d","config_type":"email","is_enabled":true,"email":{"email_account_id":"x"}}}`)
	if diff := cmp.Diff(want, w.must("GET", "/configs/mail", "")); diff != "" {
		t.Error(diff)
	}
	status, answer := w.call("POST", "/feature/test/mail", "")
	if status != http.StatusBadRequest || !strings.Contains(answer, "Notification configurations of type [email] are not supported") {
		t.Errorf("%d %s", status, answer)
	}
}

func TestRefusals(t *testing.T) {
	w := threeChannels(t)
	const illegal, status = "illegal_argument_exception", "status_exception"
	config := func(rest string) string { return `{"config":{` + rest + `}}` }
	slack := func(url string) string {
		return config(`"name":"n","config_type":"slack","slack":{"url":"` + url + `"}`)
	}
	unsupported := func(kind string) string {
		return config(`"name":"n","config_type":"` + kind + `","` + kind + `":{"a":1}`)
	}
	for _, c := range []struct {
		name, method, target, body string
		status                     int
		typ, reason                string
	}{
		{"no body", "POST", "/configs", "", 400, "parse_exception", "request body is required"},
		{"no configuration", "POST", "/configs", `{"config_id":"x"}`, 400, illegal, "config field absent"},
		{"no name", "POST", "/configs", config(`"config_type":"slack"`), 400, illegal, "name field absent"},
		{"an empty name", "POST", "/configs", config(`"name":"","config_type":"slack"`), 400, illegal, "name is null or empty"},
		{"no kind", "POST", "/configs", config(`"name":"n"`), 400, illegal, "config_type field absent"},
		{"an unknown kind", "POST", "/configs", config(`"name":"n","config_type":"pigeon"`), 406, status, "NotificationConfig with type NONE is not acceptable"},
		{"no data", "POST", "/configs", config(`"name":"n","config_type":"slack"`), 400, illegal, "ConfigType: slack and data doesn't match"},
		{"other data", "POST", "/configs", config(`"name":"n","config_type":"slack","chime":{"url":"http://x"}`), 400, illegal, "ConfigType: slack and data doesn't match"},
		{"no URL", "POST", "/configs", config(`"name":"n","config_type":"slack","slack":{}`), 400, illegal, "url field absent"},
		{"an empty URL", "POST", "/configs", slack(""), 400, illegal, "URL is null or empty"},
		{"a URL without protocol", "POST", "/configs", slack("hooks.slack.com/services"), 400, "malformed_u_r_l_exception", "no protocol: hooks.slack.com/services"},
		{"a URL of an unknown protocol", "POST", "/configs", slack("gopher://x"), 400, "malformed_u_r_l_exception", "unknown protocol: gopher"},
		{"a URL of another protocol", "POST", "/configs", slack("file:///etc/passwd"), 400, illegal, "Invalid URL or unsupported"},
		{"a URL that is not Slack's", "POST", "/configs", slack("https://example.com/x"), 400, status, `Wrong Slack url. Should contain \"hooks.slack.com/services/\" or \"hooks.gov-slack.com/services/\"`},
		{"a URL that is not Chime's", "POST", "/configs", config(`"name":"n","config_type":"chime","chime":{"url":"https://example.com/x"}`), 400, status, `Wrong Chime url. Should contain \"hooks.chime.aws/incomingwebhooks/\" and \"?token=\"`},
		{"an id with other characters", "POST", "/configs", `{"config_id":"a b#c","config":{"name":"n","config_type":"webhook","webhook":{"url":"http://h"}}}`, 400, illegal, "Invalid characters in id :  #"},
		{"an id that exists", "POST", "/configs", slackChannel, 409, status, "[ops]: version conflict, document already exists (current version [1])"},
		{"text instead of an object", "POST", "/configs", `"x"`, 400, "parsing_exception", "Failed to parse object: expecting token of type [START_OBJECT] but found [VALUE_STRING]"},
		{"e-mail", "POST", "/configs", unsupported("email"), 400, illegal, "Notification configurations of type [email] are not supported"},
		{"SMTP", "POST", "/configs", unsupported("smtp_account"), 400, illegal, "Notification configurations of type [smtp_account] are not supported"},
		{"SES", "POST", "/configs", unsupported("ses_account"), 400, illegal, "Notification configurations of type [ses_account] are not supported"},
		{"groups", "POST", "/configs", unsupported("email_group"), 400, illegal, "Notification configurations of type [email_group] are not supported"},
		{"SNS", "POST", "/configs", unsupported("sns"), 400, illegal, "Notification configurations of type [sns] are not supported"},
		{"Teams", "POST", "/configs", unsupported("microsoft_teams"), 400, illegal, "Notification configurations of type [microsoft_teams] are not supported"},
		{"updating what is not there", "PUT", "/configs/nope", slack("https://hooks.slack.com/services/1"), 404, status, "NotificationConfig nope not found"},
		{"changing the kind", "PUT", "/configs/hook", slack("https://hooks.slack.com/services/1"), 409, status, "Config type cannot be changed after creation"},
		{"getting what is not there", "GET", "/configs/nope", "", 404, status, "NotificationConfig nope not found"},
		{"getting some that are not there", "GET", "/configs?config_id_list=nope,ops,neither", "", 404, status, "NotificationConfig [nope, neither] not found"},
		{"deleting what is not there", "DELETE", "/configs/nope", "", 404, status, "NotificationConfig nope not found"},
		{"deleting some that are not there", "DELETE", "/configs?config_id_list=ops,nope", "", 404, status, "NotificationConfig [nope] not found"},
		{"a negative page", "GET", "/configs?from_index=-1&max_items=0", "", 400, "action_request_validation_exception", "Validation Failed: 1: fromIndex is -ve;2: maxItems is not +ve;"},
		{"an unknown order", "GET", "/configs?sort_order=up", "", 400, illegal, "No enum constant org.opensearch.search.sort.SortOrder.UP"},
		{"an unknown sort field", "GET", "/configs?sort_field=x", "", 406, status, "Sort on x not acceptable"},
		{"a filter that only sorts", "GET", "/configs?email.recipient_list.recipient.keyword=x", "", 406, status, "Query on email.recipient_list.recipient.keyword not acceptable"},
		{"a range with three ends", "GET", "/configs?created_time_ms=1..2..3", "", 406, status, "Invalid Range format 1..2..3, allowed format 'exact' or 'from..to'"},
		{"an unknown parameter", "GET", "/configs?who=x", "", 400, illegal, "request [/_plugins/_notifications/configs] contains unrecognized parameter: [who]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, answer := w.call(c.method, c.target, c.body)
			if code != c.status || !strings.Contains(answer, `"type":"`+c.typ+`","reason":"`+c.reason+`"`) {
				t.Errorf("%d %s\nwant %d %s: %s", code, answer, c.status, c.typ, c.reason)
			}
		})
	}
	if got := w.must("GET", "/configs", ""); got != listOf("3", slackShown, chimeShown, webhookShown) {
		t.Errorf("something was changed: %s", got)
	}
}

func TestOtherPathsAreRefused(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		method, target string
		status         int
		want           string
	}{
		{"DELETE", "/configs", 400, "either config_id or config_id_list is required"},
		{"PUT", "/configs", 405, "allowed: [POST, DELETE, GET]"},
		{"POST", "/features", 405, "allowed: [GET]"},
		{"GET", "/events", 400, "no handler found for uri [/_plugins/_notifications/events] and method [GET]"},
	} {
		if status, answer := w.call(c.method, c.target, ""); status != c.status || !strings.Contains(answer, c.want) {
			t.Errorf("%s %s: %d %s", c.method, c.target, status, answer)
		}
	}
}

func TestRequestsArePassedOnToAClusterWithThePlugin(t *testing.T) {
	native := true
	api := New(Options{Native: func() bool { return native }})
	if api.Match("/_plugins/_notifications/configs") {
		t.Error("a request was not passed on")
	}
	native = false
	for path, want := range map[string]bool{
		"/_plugins/_notifications/configs": true, "/_plugins/_notifications": true, "/_plugins/_notificationsx": false, "/x": false,
	} {
		if api.Match(path) != want {
			t.Errorf("Match(%s) is not %v", path, want)
		}
	}
}
