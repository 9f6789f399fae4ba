// SPDX-License-Identifier: Apache-2.0

package dimension_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/opensteward/steward/rollup/dimension"
	"github.com/opensteward/steward/wire"
)

// parse reads body as the two APIs do: on its first token.
func parse[T any](t *testing.T, body string, read func(*wire.Parser) (T, error)) (T, error) {
	t.Helper()
	p := wire.NewParser([]byte(body))
	if _, err := p.Next(); err != nil {
		t.Fatal(err)
	}
	return read(p)
}

func same(t *testing.T, what string, v any, err error, want string) {
	t.Helper()
	got, wrong := json.Marshal(v)
	if err = errors.Join(err, wrong); err != nil {
		t.Errorf("%s: %v", what, err)
	} else if string(got) != want {
		t.Errorf("%s\n got %s\nwant %s", what, got, want)
	}
}

func TestDimensions(t *testing.T) {
	for body, want := range map[string]string{
		`[]`:                               `[]`,
		`[{"terms":{"source_field":"a"}}]`: `[{"terms":{"source_field":"a","target_field":"a"}}]`,
		`[{"histogram":{"source_field":"a","target_field":"b","interval":10}}]`:                        `[{"histogram":{"source_field":"a","target_field":"b","interval":10.0}}]`,
		`[{"date_histogram":{"source_field":"@t","fixed_interval":"1h"}}]`:                             `[{"date_histogram":{"fixed_interval":"1h","source_field":"@t","target_field":"@t","timezone":"UTC","format":null}}]`,
		`[{"date_histogram":{"source_field":"@t","calendar_interval":"1d","timezone":"Europe/Rome"}}]`: `[{"date_histogram":{"calendar_interval":"1d","source_field":"@t","target_field":"@t","timezone":"Europe/Rome","format":null}}]`,
	} {
		list, err := parse(t, body, dimension.ParseList)
		same(t, body, dimension.ListJSON(list), err, want)
		if again, err := parse(t, want, dimension.ParseList); err != nil {
			t.Errorf("what was printed is not read: %s: %v", want, err)
		} else {
			same(t, want, dimension.ListJSON(again), nil, want)
		}
	}
	for body, want := range map[string]string{
		`[{}]`:           `Dimension cannot be null`,
		`[{"geo":{}}]`:   `Invalid dimension type [geo] found in dimensions`,
		`[{"terms":{}}]`: `Source field cannot be null`,
		`[{"terms":{"source_field":"a","interval":1}}]`:                                            `Invalid field [interval] found in terms dimension.`,
		`[{"terms":{"source_field":"a","target_field":""}}]`:                                       `Source and target field must not be empty`,
		`[{"histogram":{"source_field":"a"}}]`:                                                     `Interval field must not be null`,
		`[{"histogram":{"source_field":"a","interval":0}}]`:                                        `Interval must be a positive decimal`,
		`[{"date_histogram":{"source_field":"a"}}]`:                                                `Must specify a fixed or calendar interval`,
		`[{"date_histogram":{"source_field":"a","fixed_interval":"1h","calendar_interval":"1d"}}]`: `Can only specify a fixed or calendar interval`,
		`[{"date_histogram":{"source_field":"a","fixed_interval":"1h","offset":"1h"}}]`:            `Invalid field [offset] found in date histogram`,
	} {
		_, err := parse(t, body, dimension.ParseList)
		refused(t, body, err, want)
	}
}

func TestMetrics(t *testing.T) {
	body := `[{"source_field":"a","metrics":[{"sum":{}},{"avg":{}},{"max":{}},{"min":{}},{"value_count":{}}]}]`
	list, err := parse(t, body, dimension.ParseMetrics)
	same(t, body, dimension.MetricsJSON(list), err, body)
	for body, want := range map[string]string{
		`[{}]`:                                                     `Source field must not be null`,
		`[{"source_field":"a","metrics":[]}]`:                      `Must specify at least one metric to aggregate on for a`,
		`[{"source_field":"a","metrics":[{}]}]`:                    `Metric is null`,
		`[{"source_field":"a","metrics":[{"median":{}}]}]`:         `Invalid metric type [median] found in metrics`,
		`[{"source_field":"a","metrics":[{"sum":{"x":1}}]}]`:       `Invalid field [x] found in sum metric`,
		`[{"source_field":"a","metrics":[{"sum":{}},{"sum":{}}]}]`: `Cannot have multiple metrics of the same type in a single rollup metric [[sum, sum]]`,
	} {
		_, err := parse(t, body, dimension.ParseMetrics)
		refused(t, body, err, want)
	}
}

func refused(t *testing.T, body string, err error, want string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s is read, want %q", body, want)
	} else if got := err.Error(); got != "illegal_argument_exception: "+want {
		t.Errorf("%s\n got %s\nwant %s", body, got, want)
	}
}
