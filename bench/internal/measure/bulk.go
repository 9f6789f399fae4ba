// SPDX-License-Identifier: Apache-2.0

package measure

import (
	"fmt"
	"strings"
)

// fillBatch is how many documents Fill writes at a time.
const fillBatch = 5000

// Bulk writes the documents from one up to another in one request. named makes their numbers their ids. It fails if one
// of them is not written.
func (p *Program) Bulk(index string, from, to int, named bool, document func(i int) string) error {
	var b strings.Builder
	for i := from; i < to; i++ {
		action := `{"index":{}}`
		if named {
			action = fmt.Sprintf(`{"index":{"_id":"%d"}}`, i)
		}
		b.WriteString(action + "\n" + document(i) + "\n")
	}
	var answer struct{ Errors bool }
	if err := p.Send("POST", "/"+index+"/_bulk", b.String(), &answer); err != nil {
		return err
	}
	if answer.Errors {
		return fmt.Errorf("documents %d to %d: a bulk request had errors", from, to)
	}
	return nil
}

// Fill writes n documents, with their numbers as ids, and shows them to searches.
func (p *Program) Fill(index string, n int, document func(i int) string) error {
	for from := 0; from < n; from += fillBatch {
		if err := p.Bulk(index, from, min(from+fillBatch, n), true, document); err != nil {
			return err
		}
	}
	return p.Send("POST", "/"+index+"/_refresh", "", nil)
}
