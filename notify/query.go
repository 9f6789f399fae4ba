// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// The fields that lists can be filtered and sorted by, as the plugin groups them. Those of kinds that are not supported
// are known as well: no document has them.
var (
	timeFields = []string{"last_updated_time_ms", "created_time_ms"}
	boolFields = []string{"is_enabled"}
	textFields = []string{
		"name", "description", "slack.url", "chime.url", "microsoft_teams.url", "webhook.url", "smtp_account.host",
		"smtp_account.from_address", "sns.topic_arn", "sns.role_arn", "ses_account.role_arn", "ses_account.from_address",
	}
	keywordFields = slices.Concat(
		[]string{"config_type", "email.email_account_id", "email.email_group_id_list", "smtp_account.method", "ses_account.region"},
		suffixed(textFields, ".keyword"))
	nestedFields = []string{"email.recipient_list.recipient", "email_group.recipient_list.recipient"}

	filterFields = slices.Concat(timeFields, boolFields, textFields, keywordFields, nestedFields,
		suffixed(nestedFields, ".keyword"), []string{"query", "text_query"})
)

func suffixed(names []string, suffix string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = n + suffix
	}
	return out
}

// listQuery is what a list of channels is asked for.
type listQuery struct {
	from, size  int
	sort, order string
	filters     map[string]string
}

// check refuses numbers out of range.
func (q listQuery) check() error {
	var errs []string
	if q.from < 0 {
		errs = append(errs, "fromIndex is -ve")
	}
	if q.size <= 0 {
		errs = append(errs, "maxItems is not +ve")
	}
	if len(errs) > 0 {
		return fault.Validation(errs...)
	}
	return nil
}

// search is the body of the search.
func (q listQuery) search() (wire.Object, error) {
	field, err := sortField(q.sort)
	if err != nil {
		return nil, err
	}
	filters := []any{}
	for _, name := range slices.Sorted(maps.Keys(q.filters)) {
		f, err := filter(name, q.filters[name])
		if err != nil {
			return nil, err
		}
		filters = append(filters, f)
	}
	sorting := wire.Obj("order", q.order, "unmapped_type", "keyword")
	return wire.Obj("from", q.from, "size", q.size, "track_total_hits", true, "sort", []any{wire.Obj(field, sorting)},
		"query", wire.Obj("bool", wire.Obj("filter", filters))), nil
}

func sortField(name string) (string, error) {
	switch {
	case name == "":
		return "metadata.last_updated_time_ms", nil
	case slices.Contains(timeFields, name):
		return "metadata." + name, nil
	case slices.Contains(boolFields, name), slices.Contains(keywordFields, name):
		return "config." + name, nil
	case slices.Contains(textFields, name):
		return "config." + name + ".keyword", nil
	}
	return "", fault.Status(http.StatusNotAcceptable, "Sort on %s not acceptable", name)
}

// filter is the query of one filter parameter.
func filter(name, value string) (any, error) {
	field := "config." + name
	switch {
	case name == "query":
		return queryString(value, slices.Concat(keywordFields, textFields)), nil
	case name == "text_query":
		return queryString(value, textFields), nil
	case slices.Contains(timeFields, name):
		return timeFilter("metadata."+name, value)
	case slices.Contains(boolFields, name):
		return wire.Obj("term", wire.Obj(field, value)), nil
	case slices.Contains(keywordFields, name):
		return wire.Obj("terms", wire.Obj(field, strings.Split(value, ","))), nil
	case slices.Contains(textFields, name):
		return wire.Obj("match", wire.Obj(field, value)), nil
	case slices.Contains(nestedFields, name):
		return wire.Obj("match_none", wire.Object{}), nil // of e-mail, which there is none of
	}
	return nil, fault.Status(http.StatusNotAcceptable, "Query on %s not acceptable", name)
}

func queryString(text string, fields []string) wire.Object {
	return wire.Obj("query_string", wire.Obj("query", text, "fields", prefixed(fields)))
}

func prefixed(fields []string) []string {
	out := make([]string, len(fields))
	for i, f := range fields {
		out[i] = "config." + f
	}
	return out
}

// timeFilter reads "at" or "from..to", both included.
func timeFilter(field, value string) (any, error) {
	switch parts := strings.Split(value, ".."); len(parts) {
	case 1:
		return wire.Obj("term", wire.Obj(field, value)), nil
	case 2:
		return wire.Obj("range", wire.Obj(field, wire.Obj("gte", parts[0], "lte", parts[1]))), nil
	}
	return nil, fault.Status(http.StatusNotAcceptable, "Invalid Range format %s, allowed format 'exact' or 'from..to'", value)
}
