// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// Vectors and features are checked and kept in the source; nothing searches them.

// maxDimension is the k-NN plugin's limit.
const maxDimension = 16_000

// IsVector reports whether a field's values are kept but cannot be searched, sorted or read one by one.
func (f *Field) IsVector() bool { return f.Type == "knn_vector" || f.Type == "rank_features" }

// vectorParameters are those of the two types, with the values that a text may have.
var vectorParameters = map[string][]string{
	"dimension": nil, "method": nil, "positive_score_impact": nil,
	"data_type":         {"float", "byte", "binary"},
	"space_type":        {"l2", "l1", "linf", "cosinesimil", "innerproduct", "hamming"},
	"mode":              {"in_memory", "on_disk"},
	"compression_level": {"1x", "2x", "4x", "8x", "16x", "32x"},
}

// vectorParam reads a parameter of a vector as it is printed.
func vectorParam(name string, raw json.RawMessage) (any, error) {
	text := unquote(raw)
	switch name {
	case "dimension":
		n, err := strconv.Atoi(text)
		if err != nil {
			return nil, mapperParsing("Failed to parse mapping: Unable to parse [dimension] from provided value [%s] for vector", text)
		}
		return n, nil
	case "positive_score_impact":
		return wire.ParseBool(text)
	case "method":
		return rawText(raw), nil
	}
	return text, nil
}

// setVector gives a parameter of a vector its meaning.
func (f *Field) setVector(leaf, name string, value any) error {
	switch name {
	case "dimension":
		f.Dimension, _ = value.(int)
		switch {
		case f.Dimension <= 0:
			return mapperParsing("Dimension value must be greater than 0 for vector: %s", leaf)
		case f.Dimension > maxDimension:
			return mapperParsing("Dimension value cannot be greater than %d for vector: %s", maxDimension, leaf)
		}
	case "method":
		return checkMethod(value)
	default:
		text, isText := value.(string)
		if isText && !slices.Contains(vectorParameters[name], text) {
			return mapperParsing("Failed to parse mapping: Invalid value provided for \"%s\" field. Value must be one of %s", name, strings.Join(vectorParameters[name], ", "))
		}
		if name == "data_type" {
			f.DataType = text
		}
	}
	return nil
}

// checkMethod refuses a method of a vector that the k-NN plugin does not know.
func checkMethod(value any) error {
	raw, _ := value.(rawText)
	var m struct {
		Name       *string         `json:"name"`
		Engine     string          `json:"engine"`
		SpaceType  string          `json:"space_type"`
		Parameters json.RawMessage `json:"parameters"`
	}
	if json.Unmarshal([]byte(raw), &m) != nil {
		return mapperParsing("Failed to parse mapping: Unable to parse mapping into KNNMethodContext. Object not of type \"Map\"")
	}
	switch {
	case m.Name == nil:
		return mapperParsing("Failed to parse mapping: name needs to be set")
	case !slices.Contains([]string{"hnsw", "ivf", "flat"}, *m.Name):
		return mapperParsing("Failed to parse mapping: Invalid method name: %s", *m.Name)
	case m.Engine != "" && !slices.Contains([]string{"lucene", "faiss", "nmslib"}, m.Engine):
		return mapperParsing("Failed to parse mapping: Invalid engine type: %s", m.Engine)
	case m.SpaceType != "" && !slices.Contains(vectorParameters["space_type"], m.SpaceType):
		return mapperParsing("Failed to parse mapping: Unable to find space: %s", m.SpaceType)
	}
	return nil
}

// vector checks a vector or the features of a document.
func (w *walker) vector(f *Field) error {
	if w.p.Token() == wire.Null {
		return nil
	}
	var err error
	if f.Type == "knn_vector" {
		err = w.components(f)
	} else {
		err = w.features(f)
	}
	if err != nil {
		bad := w.bad(f, "null")
		bad.CausedBy = fault.Of(err)
		return bad
	}
	w.note(f)
	return nil
}

// components checks the numbers of a vector.
func (w *walker) components(f *Field) error {
	n := 0
	err := w.p.Array(func() error {
		n++
		text, err := w.p.Text()
		if err != nil {
			return err
		}
		x, err := strconv.ParseFloat(text, 64)
		switch {
		case err != nil:
			return fault.New(400, "number_format_exception", "For input string: \"%s\"", text)
		case f.DataType == "byte" || f.DataType == "binary":
			if x != math.Trunc(x) || x < math.MinInt8 || x > math.MaxInt8 {
				return fault.Illegal("[data_type] field was set as [%s] in index mapping. But, KNN vector values are not within in the byte range [-128, 127]", f.DataType)
			}
		case math.IsInf(float64(float32(x)), 0):
			return fault.Illegal("KNN vector values cannot be infinity")
		}
		return nil
	})
	want := f.Dimension
	if f.DataType == "binary" {
		want /= 8
	}
	if err == nil && n != want {
		err = fault.Illegal("Vector dimension mismatch. Expected: %d, Given: %d", want, n)
	}
	return err
}

// smallestFeature is the least weight of a feature: the least normal number of 32 bits.
const smallestFeature = 0x1p-126

// features checks the weights of features.
func (w *walker) features(f *Field) error {
	if w.p.Token() != wire.StartObject {
		return fault.Illegal("[rank_features] fields must be json objects, expected a START_OBJECT but got: %s", w.p.Token())
	}
	return w.p.Object(func(name string) error {
		switch w.p.Token() {
		case wire.Null:
			return nil
		case wire.Number, wire.String:
		default:
			return fault.Illegal("[rank_features] fields take hashes that map a feature to a strictly positive float, but got unexpected token %s", w.p.Token())
		}
		x, err := w.p.Double()
		if err == nil && (x < smallestFeature || math.IsInf(float64(float32(x)), 0)) {
			err = fault.Illegal("featureValue must be a positive normal float, got: %s for feature %s on field %s", double(x), name, f.Path)
		}
		return err
	})
}
