// SPDX-License-Identifier: Apache-2.0

package schedule

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// unixField is what cron-utils' UNIX definition, which the plugin uses, takes in one field.
type unixField struct {
	least, most int
	names       map[string]int
}

var unixFields = []unixField{
	{least: 0, most: 59},
	{least: 0, most: 23},
	{least: 1, most: 31},
	{least: 1, most: 12, names: numbered("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC")},
	{least: 0, most: 7, names: numbered("MON TUE WED THU FRI SAT SUN")},
}

// numbered counts names from 1.
func numbered(names string) map[string]int {
	list := map[string]int{}
	for i, name := range strings.Fields(names) {
		list[name] = i + 1
	}
	return list
}

// wrong is what is wrong with a field, which is in capitals, in the words of cron-utils; "" if nothing is. A list is read
// item by item.
func (f unixField) wrong(field string) string {
	for item := range strings.SplitSeq(field, ",") {
		if text := f.wrongItem(item); text != "" {
			return text
		}
	}
	return ""
}

func (f unixField) wrongItem(item string) string {
	from, to, ranged := strings.Cut(item, "-")
	switch {
	case ranged && (to == "" || strings.Contains(to, "-")):
		return "Missing values for range: " + item
	case ranged && from == "":
		return "Invalid expression! Expression: " + item + " does not describe a range. Negative numbers are not allowed."
	case strings.ContainsAny(item, "?#"):
		return "Invalid expression: " + item
	}
	start, step, stepped := strings.Cut(item, "/")
	switch {
	case stepped && step == "":
		return "Missing steps for expression: " + item
	case strings.Contains(step, "/"):
		return "Invalid expression: " + item
	case start != "*" && (start != "" || !stepped):
		if text := f.wrongRange(start); text != "" {
			return text
		}
	}
	if !stepped {
		return ""
	}
	return f.wrongStep(step)
}

// wrongRange looks at what stands before a step: a value or a range.
func (f unixField) wrongRange(text string) string {
	from, to, ranged := strings.Cut(text, "-")
	low, wrong := f.value(from)
	if wrong != "" || !ranged {
		return wrong
	}
	high, wrong := f.value(to)
	if wrong == "" && low > high {
		return fmt.Sprintf("Invalid range! [%d,%d]", low, high)
	}
	return wrong
}

func (f unixField) wrongStep(text string) string {
	n, err := strconv.Atoi(text)
	switch {
	case err != nil:
		return fmt.Sprintf("For input string: %q", text)
	case n < 1 || n > f.most-f.least+1:
		return fmt.Sprintf("Period %d not in range [%d, %d]", n, f.least, f.most)
	}
	return ""
}

// valid are the characters that every field may have.
var valid = regexp.MustCompile(`[0-9*,/-]`)

// value is a number or a name, or what is wrong with it.
func (f unixField) value(text string) (n int, wrong string) {
	if n, named := f.names[text]; named {
		return n, ""
	}
	n, err := strconv.Atoi(text)
	switch {
	case err != nil:
		return 0, fmt.Sprintf("Invalid chars in expression! Expression: %s Invalid chars: %s", text, valid.ReplaceAllString(text, ""))
	case n < f.least || n > f.most:
		return 0, fmt.Sprintf("Value %d not in range [%d, %d]", n, f.least, f.most)
	}
	return n, ""
}
