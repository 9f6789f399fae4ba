// SPDX-License-Identifier: Apache-2.0

package rollup

import (
	"bytes"
	"cmp"
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"github.com/opensteward/steward/rollup/dimension"
)

// The values of a key are nil, bool, int64, uint64 (beyond int64), float64 and string.

// keyValue reads one value.
func keyValue(text []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	if n, ok := v.(json.Number); ok {
		return number(n.String()), nil
	}
	return v, nil
}

// number is an int64 if the text is a whole number, else a float64. A whole number with a point, 1.0, is a float64.
func number(text string) any {
	if !strings.ContainsAny(text, ".eEIN") {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n
		}
		if n, err := strconv.ParseUint(text, 10, 64); err == nil {
			return n
		}
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil && !math.IsInf(f, 0) {
		return nil
	}
	return f
}

// keyJSON is a value as it is written: floating-point numbers with a point.
func keyJSON(v any) any {
	if f, ok := v.(float64); ok {
		return dimension.Double(f)
	}
	return v
}

// rank orders values of different types.
func rank(v any) int {
	switch v.(type) {
	case nil:
		return 0
	case bool:
		return 1
	case string:
		return 3
	}
	return 2
}

// compareKeys orders buckets as a composite aggregation does: value by value, what is missing first.
func compareKeys(a, b []any) int {
	for i := range min(len(a), len(b)) {
		if n := compareValues(a[i], b[i]); n != 0 {
			return n
		}
	}
	return cmp.Compare(len(a), len(b))
}

func compareValues(a, b any) int {
	if n := cmp.Compare(rank(a), rank(b)); n != 0 {
		return n
	}
	switch x := a.(type) {
	case nil:
		return 0
	case bool:
		y := b.(bool)
		switch {
		case x == y:
			return 0
		case y:
			return -1
		}
		return 1
	case string:
		return strings.Compare(x, b.(string))
	case int64:
		if y, ok := b.(int64); ok {
			return cmp.Compare(x, y)
		}
	case uint64:
		if y, ok := b.(uint64); ok {
			return cmp.Compare(x, y)
		}
	}
	return cmp.Compare(toFloat(a), toFloat(b))
}

// toFloat is a number or boolean as a metric takes it; NaN for anything else.
func toFloat(v any) float64 {
	switch x := v.(type) {
	case int64:
		return float64(x)
	case uint64:
		return float64(x)
	case float64:
		return x
	case bool:
		if x {
			return 1
		}
		return 0
	}
	return math.NaN()
}

// keyText is a key as one text that no other key has.
func keyText(key []any) string {
	var b strings.Builder
	for _, v := range key {
		text := javaText(v)
		b.WriteByte("nbis"[rank(v)])
		b.WriteString(strconv.Itoa(len(text)))
		b.WriteByte(':')
		b.WriteString(text)
	}
	return b.String()
}

// magicNull stands for a missing value in what document ids are hashes of; it is the plugin's.
const magicNull = "#ODFE-MAGIC-NULL-MAGIC-ODFE#"

// documentID is the id of a bucket's document, the plugin's: a hash of the job and the key.
func (j *Job) documentID(key []any) string {
	separator := "#"
	if j.Kind == Transform {
		separator = ":"
	}
	texts := make([]string, len(key))
	for i, v := range key {
		texts[i] = javaText(v)
	}
	return hashID(j.ID + "#" + strings.Join(texts, separator))
}

// javaText is a value as the server's language prints it.
func javaText(v any) string {
	switch x := v.(type) {
	case nil:
		return magicNull
	case bool:
		return strconv.FormatBool(x)
	case int64:
		return strconv.FormatInt(x, 10)
	case uint64:
		return strconv.FormatUint(x, 10)
	case float64:
		return javaDouble(x)
	case string:
		return x
	}
	return ""
}

// javaDouble prints 0.001 to 10,000,000 as plain decimals and the rest with an exponent: 12.0, 1.0E7.
func javaDouble(x float64) string {
	switch {
	case math.IsNaN(x):
		return "NaN"
	case math.IsInf(x, 0):
		return strings.TrimPrefix(strconv.FormatFloat(x, 'g', -1, 64), "+") + "inity"
	}
	abs := math.Abs(x)
	if x == 0 || abs >= 1e-3 && abs < 1e7 {
		text := strconv.FormatFloat(x, 'f', -1, 64)
		if !strings.Contains(text, ".") {
			text += ".0"
		}
		return text
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(x, 'e', -1, 64), "e")
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	n, err := strconv.Atoi(exponent)
	if err != nil {
		return mantissa
	}
	return mantissa + "E" + strconv.Itoa(n)
}
