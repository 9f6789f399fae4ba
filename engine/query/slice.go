// SPDX-License-Identifier: Apache-2.0

package query

import (
	"hash/fnv"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// maxSlices is index.max_slices_per_scroll (OpenSearch's default).
const maxSlices = 1024

// Slice is one of several parts of what a scroll finds. Each document is in one of them, by its id.
type Slice struct{ ID, Max int }

// has reports whether a document is in the part.
func (s *Slice) has(id string) bool {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id))
	return int(h.Sum32()%uint32(s.Max)) == s.ID
}

func parseSlice(p *wire.Parser) (*Slice, error) {
	s := &Slice{}
	err := p.Object(func(name string) (err error) {
		switch name {
		case "id":
			s.ID, err = p.Int()
			if err == nil && s.ID < 0 {
				err = p.FailedField("slice", name, fault.Illegal("id must be greater than or equal to 0"))
			}
		case "max":
			s.Max, err = p.Int()
			switch {
			case err != nil:
			case s.Max <= 1:
				err = p.FailedField("slice", name, fault.Illegal("max must be greater than 1"))
			case s.Max <= s.ID:
				err = p.FailedField("slice", name, fault.Illegal("max must be greater than id"))
			}
		case "field":
			var field string
			if field, err = p.Text(); err == nil && field != "_id" {
				err = fault.Unsupported("a slice by another field than [_id]")
			}
		default:
			err = p.UnknownField("slice", name)
		}
		return err
	})
	switch {
	case err != nil || s.Max == 0: // without max it is everything
		return nil, err
	case s.Max <= s.ID:
		return nil, p.FailedField("slice", "id", fault.Illegal("max must be greater than id"))
	}
	return s, nil
}

// checkSlice refuses a slice that an index's shards do not give.
func (r *Request) checkSlice() error {
	switch {
	case r.Slice == nil:
		return nil
	case !r.scrolled:
		return fault.New(500, "search_exception", "`slice` cannot be used outside of a scroll context or PIT context")
	case r.Slice.Max > maxSlices:
		return fault.Illegal("The number of slices [%d] is too large. It must be less than [%d]. This limit can be set by changing the [index.max_slices_per_scroll] index level setting.",
			r.Slice.Max, maxSlices)
	}
	return nil
}
