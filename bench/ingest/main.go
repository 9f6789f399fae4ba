// SPDX-License-Identifier: Apache-2.0

// Ingest measures how many documents a second go in: through _bulk in several sizes, and one by one, with several
// clients. Every acknowledged document is synced to disk; searches see it after a refresh, which is timed too.
//
//	go run ./bench/ingest [-docs 100000] [-cluster URL]
package main

import (
	"flag"
	"fmt"
	"time"

	"github.com/opensteward/steward/bench/internal/measure"
)

var (
	docs    = flag.Int("docs", 100_000, "documents of each bulk measurement")
	cluster = flag.String("cluster", "", "measure in front of this cluster instead of the embedded engine")
)

func main() { measure.Main(run) }

func run() error {
	p, err := measure.Start(*cluster)
	if err != nil {
		return err
	}
	for _, m := range []struct{ size, clients int }{{1000, 1}, {1000, 4}, {5000, 2}, {1, 1}, {1, 16}} {
		if err := ingest(p, m.size, m.clients); err != nil {
			return err
		}
	}
	return p.Close()
}

// document has text, keywords, a number and a date: a line of a log.
func document(i int) string {
	return fmt.Sprintf(`{"@timestamp":"2026-01-01T%02d:%02d:%02dZ","service":"service-%d","status":%d,"message":"request %d was answered in %d ms by node %d"}`,
		i/3600%24, i/60%60, i%60, i%50, 200+i%5, i, i%1000, i%7)
}

func ingest(p *measure.Program, size, clients int) error {
	index := fmt.Sprintf("bench-%d-%d", size, clients)
	if err := p.Send("PUT", "/"+index, `{"settings":{"number_of_replicas":0}}`, nil); err != nil {
		return err
	}
	n := *docs
	if size == 1 {
		n = max(n/50, 1)
	}
	began := time.Now()
	times, err := measure.Each((n+size-1)/size, clients, func(i int) error {
		if size == 1 {
			return p.Send("POST", "/"+index+"/_doc", document(i), nil)
		}
		return p.Bulk(index, i*size, (i+1)*size, false, document)
	})
	if err != nil {
		return err
	}
	took := time.Since(began)
	if err := p.Send("POST", "/"+index+"/_refresh", "", nil); err != nil {
		return err
	}
	fmt.Printf("%5d documents a request, %2d clients: %8.0f documents/s acknowledged, %6.0f/s until searches see them; requests: %v\n",
		size, clients, float64(n)/took.Seconds(), float64(n)/time.Since(began).Seconds(), times)
	return p.Send("DELETE", "/"+index, "", nil)
}
