// SPDX-License-Identifier: Apache-2.0

// Package table is the frame of the cat APIs. An API declares its columns and fills a [Table] with rows; [Handler] reads
// what all of them have in common (v, h, s, help, ts, bytes, time, format) and answers with the columns that the client
// asks for, in its order and units, as text, JSON or YAML.
//
// A table belongs to one request. Names, alignment and sorting are those of OpenSearch; the engine is unknown here.
package table

import (
	"context"
	"net/http"
	"time"

	"github.com/opensteward/steward/wire/rest"
)

// Column is one column of a table.
type Column struct {
	Name string
	// Alias are further names, with commas between them.
	Alias, Help string
	// Right aligns to the right.
	Right bool
	// Extra columns are shown only when they are asked for.
	Extra bool
}

// Bytes is a cell whose unit the request may choose.
type Bytes int64

// Duration is a cell whose unit the request may choose.
type Duration time.Duration

// Table is what a cat API answers.
type Table struct {
	Columns []Column
	rows    [][]any
}

// Add adds a row. Cells are nil, texts, integers, Bytes or Durations; those that are missing at the end are nil.
func (t *Table) Add(cells ...any) {
	t.rows = append(t.rows, append(cells, make([]any, max(len(t.Columns)-len(cells), 0))...))
}

// Filler fills a table when the action runs. It may add columns first.
type Filler = func(ctx context.Context, t *Table) error

// Handler answers with a table of these columns. read takes the API's own parameters; where the request asks for help,
// what it returns is not called.
func Handler(columns []Column, read func(r *rest.Request) (Filler, error)) rest.Handler {
	return func(r *rest.Request) (rest.Action, error) {
		v, err := readView(r)
		if err != nil {
			return nil, err
		}
		fill, err := read(r)
		if err != nil {
			return nil, err
		}
		t := &Table{Columns: columns}
		if v.help {
			return rest.Now(Plain(t.help())), nil
		}
		return func(ctx context.Context) (*rest.Response, error) {
			if err := fill(ctx, t); err != nil {
				return nil, err
			}
			return v.answer(t)
		}, nil
	}
}

// Plain is an answer of plain text.
func Plain(text string) *rest.Response {
	return &rest.Response{Status: http.StatusOK, Body: []byte(text), ContentType: "text/plain; charset=UTF-8"}
}
