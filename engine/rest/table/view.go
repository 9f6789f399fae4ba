// SPDX-License-Identifier: Apache-2.0

package table

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

// shown is a column of an answer: its place in the table and the name that the client uses for it.
type shown struct {
	at    int
	title string
}

// view is how a client wants a table: the parameters that all cat APIs have.
type view struct {
	help, titles, times bool
	chosen              bool // whether wanted was given, maybe as none
	wanted, sort        []string
	bytes, time         string
	json                bool
}

// readView refuses formats that are not supported.
func readView(r *rest.Request) (v view, err error) {
	v.help, v.titles, v.times = r.Bool("help", false), r.Bool("v", false), r.Bool("ts", true)
	v.wanted, v.sort = r.List("h"), r.List("s")
	v.chosen = r.Has("h")
	v.bytes, v.time = r.Param("bytes", ""), r.Param("time", "") // a unit that does not exist is passed over
	r.Ignore("size")
	format := r.Param("format", "")
	if format == "" {
		format = r.HTTP.Header.Get("Accept")
	}
	for _, name := range []string{"smile", "cbor"} {
		if strings.Contains(format, name) {
			return v, fault.Unsupported("format [" + name + "]")
		}
	}
	v.json = strings.Contains(format, "json") || strings.Contains(format, "yaml")
	return v, nil
}

var (
	byteUnits = map[string]int64{
		"b": 1, "k": 1 << 10, "kb": 1 << 10, "m": 1 << 20, "mb": 1 << 20, "g": 1 << 30, "gb": 1 << 30, "t": 1 << 40, "tb": 1 << 40, "p": 1 << 50, "pb": 1 << 50,
	}
	timeUnits = map[string]time.Duration{
		"nanos": time.Nanosecond, "micros": time.Microsecond, "ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour,
	}
)

// answer is the table as the client wants it.
func (v view) answer(t *Table) (*rest.Response, error) {
	if err := v.order(t); err != nil {
		return nil, err
	}
	columns := v.choose(t)
	if v.json {
		list := []wire.Object{}
		for _, row := range t.rows {
			o := wire.Object{}
			for _, c := range columns {
				o.Add(c.title, v.value(row[c.at]))
			}
			list = append(list, o)
		}
		return rest.OK(list), nil
	}
	return Plain(v.text(t, columns)), nil
}

// find is the place of a column by name or alias; -1 if there is none. Of several columns that a name means it is the
// last, as in OpenSearch.
func (t *Table) find(name string) int {
	for at, c := range slices.Backward(t.Columns) {
		if c.Name == name || slices.Contains(strings.Split(c.Alias, ","), name) {
			return at
		}
	}
	return -1
}

// choose are the columns to show. Names that do not exist are left out, as OpenSearch does.
func (v view) choose(t *Table) []shown {
	var out []shown
	add := func(at int, title string) {
		name := t.Columns[at].Name
		if s := (shown{at, title}); (v.times || name != "epoch" && name != "timestamp") && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	for at, c := range t.Columns {
		if !v.chosen && !c.Extra {
			add(at, c.Name)
		}
	}
	for _, name := range v.wanted {
		if !wire.IsPattern(name) {
			if at := t.find(name); at >= 0 {
				add(at, name)
			}
			continue
		}
		for at, c := range t.Columns {
			if wire.MatchAny([]string{name}, c.Name) || slices.ContainsFunc(strings.Split(c.Alias, ","), func(a string) bool { return wire.Match(name, a) }) {
				add(at, c.Name)
			}
		}
	}
	return out
}

// order sorts the rows by the columns of ?s.
func (v view) order(t *Table) error {
	type key struct{ at, sign int }
	var keys []key
	for _, text := range v.sort {
		name, down := strings.CutSuffix(text, ":desc")
		name = strings.TrimSuffix(name, ":asc")
		at := t.find(name)
		if at < 0 {
			return fault.New(http.StatusInternalServerError, "unsupported_operation_exception", "Unable to sort by unknown sort key `%s`", name)
		}
		k := key{at, 1}
		if down {
			k.sign = -1
		}
		keys = append(keys, k)
	}
	slices.SortStableFunc(t.rows, func(a, b []any) int {
		for _, k := range keys {
			if c := compareCells(a[k.at], b[k.at]); c != 0 {
				return c * k.sign
			}
		}
		return 0
	})
	return nil
}

func compareCells(a, b any) int {
	if a == nil || b == nil {
		return cmp.Compare(boolInt(a != nil), boolInt(b != nil))
	}
	x, numberX := number(a)
	y, numberY := number(b)
	if numberX && numberY {
		return cmp.Compare(x, y)
	}
	return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b))
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func number(cell any) (int64, bool) {
	switch n := cell.(type) {
	case int:
		return int64(n), true
	case int64:
		return n, true
	case Bytes:
		return int64(n), true
	case Duration:
		return int64(n), true
	}
	return 0, false
}

// value is a cell's text, nil for one that has none.
func (v view) value(cell any) any {
	switch c := cell.(type) {
	case nil:
		return nil
	case Bytes:
		if unit := byteUnits[v.bytes]; unit > 0 {
			return strconv.FormatInt(int64(c)/unit, 10)
		}
		return wire.HumanBytes(int64(c))
	case Duration:
		if unit := timeUnits[v.time]; unit > 0 {
			return strconv.FormatInt(int64(time.Duration(c)/unit), 10)
		}
		return wire.HumanDuration(time.Duration(c))
	}
	return fmt.Sprint(cell)
}

// text is the table with a space between columns as wide as what they hold.
func (v view) text(t *Table, columns []shown) string {
	var lines [][]string
	if v.titles {
		titles := make([]string, len(columns))
		for i, c := range columns {
			titles[i] = c.title
		}
		lines = append(lines, titles)
	}
	for _, row := range t.rows {
		line := make([]string, len(columns))
		for i, c := range columns {
			line[i], _ = v.value(row[c.at]).(string)
		}
		lines = append(lines, line)
	}
	right := make([]bool, len(columns))
	for i, c := range columns {
		right[i] = t.Columns[c.at].Right
	}
	return layOut(lines, right, " ")
}

// help lists the columns of a table.
func (t *Table) help() string {
	longest := 0
	for _, c := range t.Columns {
		longest = max(longest, len(c.Help))
	}
	var lines [][]string
	for _, c := range t.Columns {
		lines = append(lines, []string{c.Name, c.Alias, fmt.Sprintf("%-*s", longest, c.Help)})
	}
	return layOut(lines, make([]bool, 3), " | ")
}

// layOut pads cells to columns. The last one is not padded on its right.
func layOut(lines [][]string, right []bool, between string) string {
	widths := make([]int, len(right))
	for _, line := range lines {
		for i, cell := range line {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	var b strings.Builder
	for _, line := range lines {
		for i, cell := range line {
			if i > 0 {
				b.WriteString(between)
			}
			pad := strings.Repeat(" ", widths[i]-len([]rune(cell)))
			switch {
			case right[i]:
				b.WriteString(pad + cell)
			case i == len(line)-1:
				b.WriteString(cell)
			default:
				b.WriteString(cell + pad)
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}
