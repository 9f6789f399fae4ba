// SPDX-License-Identifier: Apache-2.0

package rest

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

// column is one column of a cat table.
type column struct {
	name string
	// alias are further names, with commas between them.
	alias, help string
	// right aligns to the right.
	right bool
	// extra columns are shown only when they are asked for.
	extra bool
}

// Cells are nil, strings, integers, or one of these, whose units the request may choose.
type (
	byteCell int64
	timeCell time.Duration
)

// table is the answer of a cat API.
type table struct {
	columns []column
	rows    [][]any
}

func (t *table) add(cells ...any) { t.rows = append(t.rows, cells) }

// shown is a column of an answer: its place in the table and the name that the client uses for it.
type shown struct {
	at    int
	title string
}

// catView is how a client wants a table: the parameters that all cat APIs have.
type catView struct {
	help, titles, times bool
	chosen              bool // whether wanted was given, maybe as none
	wanted, sort        []string
	bytes, time         string
	json                bool
}

func readCatView(r *rest.Request) (v catView, err error) {
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
func (v catView) answer(t *table) (*rest.Response, error) {
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
	return plain(v.text(t, columns)), nil
}

func plain(text string) *rest.Response {
	return &rest.Response{Status: http.StatusOK, Body: []byte(text), ContentType: "text/plain; charset=UTF-8"}
}

// find is the place of a column by name or alias; -1 if there is none. Of several columns that a name means it is the
// last, as in OpenSearch.
func (t *table) find(name string) int {
	for at, c := range slices.Backward(t.columns) {
		if c.name == name || slices.Contains(strings.Split(c.alias, ","), name) {
			return at
		}
	}
	return -1
}

// choose are the columns to show. Names that do not exist are left out, as OpenSearch does.
func (v catView) choose(t *table) []shown {
	var out []shown
	add := func(at int, title string) {
		name := t.columns[at].name
		if s := (shown{at, title}); (v.times || name != "epoch" && name != "timestamp") && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	for at, c := range t.columns {
		if !v.chosen && !c.extra {
			add(at, c.name)
		}
	}
	for _, name := range v.wanted {
		if !wire.IsPattern(name) {
			if at := t.find(name); at >= 0 {
				add(at, name)
			}
			continue
		}
		for at, c := range t.columns {
			if wire.MatchAny([]string{name}, c.name) || slices.ContainsFunc(strings.Split(c.alias, ","), func(a string) bool { return wire.Match(name, a) }) {
				add(at, c.name)
			}
		}
	}
	return out
}

// order sorts the rows by the columns of ?s.
func (v catView) order(t *table) error {
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
	case byteCell:
		return int64(n), true
	case timeCell:
		return int64(n), true
	}
	return 0, false
}

// value is a cell's text, nil for one that has none.
func (v catView) value(cell any) any {
	switch c := cell.(type) {
	case nil:
		return nil
	case byteCell:
		if unit := byteUnits[v.bytes]; unit > 0 {
			return strconv.FormatInt(int64(c)/unit, 10)
		}
		return wire.HumanBytes(int64(c))
	case timeCell:
		if unit := timeUnits[v.time]; unit > 0 {
			return strconv.FormatInt(int64(time.Duration(c)/unit), 10)
		}
		return wire.HumanDuration(time.Duration(c))
	}
	return fmt.Sprint(cell)
}

// text is the table with a space between columns as wide as what they hold.
func (v catView) text(t *table, columns []shown) string {
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
		right[i] = t.columns[c.at].right
	}
	return layOut(lines, right, " ")
}

// helpText lists the columns of a table.
func (t *table) helpText() string {
	longest := 0
	for _, c := range t.columns {
		longest = max(longest, len(c.help))
	}
	var lines [][]string
	for _, c := range t.columns {
		lines = append(lines, []string{c.name, c.alias, fmt.Sprintf("%-*s", longest, c.help)})
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
