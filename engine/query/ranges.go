// SPDX-License-Identifier: Apache-2.0

package query

import (
	"math"
	"math/big"
	"strconv"

	"github.com/blevesearch/bleve/v2"
	bq "github.com/blevesearch/bleve/v2/search/query"

	"github.com/opensteward/steward/engine/mapping"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// bound is one end of a range.
type bound struct {
	text      string
	inclusive bool
}

// rangeQuery finds values between two bounds, of which one may be absent.
type rangeQuery struct {
	field        string
	lower, upper *bound
	format       string
	zone         string
}

func (q rangeQuery) build(c *scope) (bq.Query, error) { return constantly(q.find(c)) }

func (q rangeQuery) find(c *scope) (bq.Query, error) {
	if q.field == mapping.SeqNo {
		if c.nested != "" {
			return nil, fault.Unsupported("a query on [" + mapping.SeqNo + "] within [nested]")
		}
		return q.integers(&mapping.Field{Path: mapping.SeqNo, Type: "long"})
	}
	f := c.field(q.field)
	if f == nil {
		return none(), nil
	}
	if err := searchable(c, f); err != nil {
		return nil, err
	}
	switch {
	case q.lower == nil && q.upper == nil:
		return term(mapping.FieldNames, f.Path), nil
	case f.IsDate():
		return q.dates(c, f)
	case f.IsInteger():
		r, err := q.integers(f)
		if err != nil {
			err = c.notCreated(err)
		}
		return r, err
	case f.IsFloat():
		return q.floats(c, f)
	case f.Type == "ip":
		return q.addresses(c, f)
	case f.Type == "boolean" || f.IsTerm() || f.Type == "text":
		return termRange(f.Path, q.lower, q.upper), nil
	}
	return nil, c.notCreated(fault.Illegal("Field [%s] of type [%s] does not support range queries", q.field, f.Type))
}

// dates turns the bounds into instants: the end of a rounded unit where the bound takes it in.
func (q rangeQuery) dates(c *scope, f *mapping.Field) (bq.Query, error) {
	format := q.format
	if format == "" {
		format = f.Format
	}
	zone, err := wire.ParseZone(q.zone)
	if err != nil {
		return nil, err
	}
	instant := func(b *bound, roundUp bool) (int64, error) {
		t, err := wire.ParseDateMath(b.text, format, c.now, roundUp, zone)
		if err != nil {
			return 0, c.notCreated(err)
		}
		return t.UnixMilli(), nil
	}
	low, high := int64(math.MinInt64), int64(math.MaxInt64)
	if q.lower != nil {
		if low, err = instant(q.lower, !q.lower.inclusive); err != nil {
			return nil, err
		}
		if !q.lower.inclusive {
			low++
		}
	}
	if q.upper != nil {
		if high, err = instant(q.upper, q.upper.inclusive); err != nil {
			return nil, err
		}
		if !q.upper.inclusive {
			high--
		}
	}
	return between(f.Path, low, high), nil
}

func (q rangeQuery) integers(f *mapping.Field) (bq.Query, error) {
	integerBound := integerBound
	if f.IsUnsigned() {
		integerBound = unsignedBound
	}
	low, high := int64(math.MinInt64), int64(math.MaxInt64)
	if q.lower != nil {
		n, ok, err := integerBound(*q.lower, true)
		if err != nil || !ok {
			return none(), err
		}
		low = n
	}
	if q.upper != nil {
		n, ok, err := integerBound(*q.upper, false)
		if err != nil || !ok {
			return none(), err
		}
		high = n
	}
	if f.IsUnsigned() {
		return exactBetween(f.Path, low, high), nil
	}
	return between(f.Path, low, high), nil
}

// integerBound is the first or last whole number that a bound takes in; ok is false if there is none.
func integerBound(b bound, lower bool) (n int64, ok bool, err error) {
	n, err = strconv.ParseInt(b.text, 10, 64)
	if err != nil {
		x, ferr := strconv.ParseFloat(b.text, 64)
		if ferr != nil || math.IsNaN(x) {
			return 0, false, fault.New(400, "number_format_exception", "For input string: \"%s\"", b.text)
		}
		return fractionBound(x, b.inclusive, lower)
	}
	switch {
	case b.inclusive:
		return n, true, nil
	case lower:
		return n + 1, n < math.MaxInt64, nil
	default:
		return n - 1, n > math.MinInt64, nil
	}
}

// unsignedBound is integerBound for an unsigned long, whose integers are moved down by 2^63.
func unsignedBound(b bound, lower bool) (n int64, ok bool, err error) {
	x, _, err := big.ParseFloat(b.text, 10, 200, big.ToNearestEven)
	if err != nil {
		return 0, false, fault.New(400, "number_format_exception", "For input string: \"%s\"", b.text)
	}
	whole, _ := x.Int(nil)
	down, fraction := x.Sign() < 0, !x.IsInt()
	switch {
	case lower && (fraction && !down || !fraction && !b.inclusive):
		whole.Add(whole, big.NewInt(1))
	case !lower && (fraction && down || !fraction && !b.inclusive):
		whole.Sub(whole, big.NewInt(1))
	}
	switch {
	case whole.IsUint64():
		return mapping.Unsigned(whole.Uint64()), true, nil
	case whole.Sign() < 0:
		return math.MinInt64, lower, nil
	default:
		return math.MaxInt64, !lower, nil
	}
}

func fractionBound(x float64, inclusive, lower bool) (int64, bool, error) {
	if lower {
		c := math.Ceil(x)
		if c == x && !inclusive {
			c++
		}
		if c < math.MinInt64 {
			return math.MinInt64, true, nil
		}
		return int64(c), c < math.MaxInt64, nil
	}
	c := math.Floor(x)
	if c == x && !inclusive {
		c--
	}
	if c >= math.MaxInt64 {
		return math.MaxInt64, true, nil
	}
	return int64(c), c >= math.MinInt64, nil
}

// exactFloat is up to where floating-point numbers hold every integer.
const exactFloat = 1 << 53

// between finds integers from low to high. The index's numbers are floating-point: bounds beyond 2^53 are compared as
// terms.
func between(path string, low, high int64) bq.Query {
	if low > high {
		return none()
	}
	fits := func(n, open int64) bool { return n == open || (n > -exactFloat && n < exactFloat) }
	if !fits(low, math.MinInt64) || !fits(high, math.MaxInt64) {
		return exactBetween(path, low, high)
	}
	var lo, hi *float64
	if low != math.MinInt64 {
		f := float64(low)
		lo = &f
	}
	if high != math.MaxInt64 {
		f := float64(high)
		hi = &f
	}
	if lo == nil && hi == nil {
		return term(mapping.FieldNames, path)
	}
	yes := true
	r := bleve.NewNumericRangeInclusiveQuery(lo, hi, &yes, &yes)
	r.SetField(path)
	return r
}

func exactBetween(path string, low, high int64) bq.Query {
	return termRange(mapping.Exact(path), &bound{mapping.ExactTerm(low), true}, &bound{mapping.ExactTerm(high), true})
}

func (q rangeQuery) floats(c *scope, f *mapping.Field) (bq.Query, error) {
	number := func(b *bound) (*float64, *bool, error) {
		if b == nil {
			return nil, nil, nil
		}
		n, err := strconv.ParseFloat(b.text, 64)
		if err != nil {
			return nil, nil, c.notCreated(fault.New(400, "number_format_exception", "For input string: \"%s\"", b.text))
		}
		return &n, &b.inclusive, nil
	}
	low, withLow, err := number(q.lower)
	if err != nil {
		return nil, err
	}
	high, withHigh, err := number(q.upper)
	if err != nil {
		return nil, err
	}
	r := bleve.NewNumericRangeInclusiveQuery(low, high, withLow, withHigh)
	r.SetField(f.Path)
	return r, nil
}

func (q rangeQuery) addresses(c *scope, f *mapping.Field) (bq.Query, error) {
	address := func(b *bound) (*bound, error) {
		if b == nil {
			return nil, nil
		}
		t, err := mapping.IPTerm(b.text)
		if err != nil {
			return nil, c.notCreated(err)
		}
		return &bound{t, b.inclusive}, nil
	}
	low, err := address(q.lower)
	if err != nil {
		return nil, err
	}
	high, err := address(q.upper)
	if err != nil {
		return nil, err
	}
	return termRange(f.Path, low, high), nil
}

func termRange(path string, lower, upper *bound) bq.Query {
	var low, high string
	var withLow, withHigh *bool
	if lower != nil {
		low, withLow = lower.text, &lower.inclusive
	}
	if upper != nil {
		high, withHigh = upper.text, &upper.inclusive
	}
	r := bleve.NewTermRangeInclusiveQuery(low, high, withLow, withHigh)
	r.SetField(path)
	return r
}
