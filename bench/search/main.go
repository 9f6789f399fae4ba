// SPDX-License-Identifier: Apache-2.0

// Search measures how many searches a second come out of an index of many documents, for several kinds of query.
//
//	go run ./bench/search [-docs 100000] [-n 2000] [-cluster URL]
package main

import (
	"flag"
	"fmt"
	"strings"
	"time"

	"github.com/opensteward/steward/bench/internal/measure"
)

var (
	docs    = flag.Int("docs", 100_000, "documents in the index")
	n       = flag.Int("n", 2000, "searches of each kind")
	clients = flag.Int("clients", 2, "clients at once")
	cluster = flag.String("cluster", "", "measure in front of this cluster instead of the embedded engine")
)

// The kinds of search. %d is another number each time.
var searches = []struct{ name, body string }{
	{"match_all, 10 hits", `{"query":{"match_all":{}}}`},
	{"one by id", `{"query":{"ids":{"values":["%d"]}}}`},
	{"term of 50", `{"query":{"term":{"service":"service-%d"}}}`},
	{"match of a rare word", `{"query":{"match":{"message":"word%d"}}}`},
	{"bool of term and range, sorted by date", `{"sort":[{"@timestamp":"desc"}],"query":{"bool":{"filter":[{"term":{"service":"service-%d"}},{"range":{"status":{"gte":202}}}]}}}`},
	{"count of a range", `{"size":0,"track_total_hits":true,"query":{"range":{"status":{"gte":201,"lte":203}}}}`},
}

func main() { measure.Main(run) }

func run() error {
	p, err := measure.Start(*cluster)
	if err != nil {
		return err
	}
	if err := fill(p); err != nil {
		return err
	}
	for _, s := range searches {
		began := time.Now()
		times, err := measure.Each(*n, *clients, func(i int) error {
			body := s.body
			if strings.Contains(body, "%d") {
				body = fmt.Sprintf(body, i%50)
			}
			return p.Send("POST", "/bench/_search", body, nil)
		})
		if err != nil {
			return err
		}
		fmt.Printf("%-40s %7.0f searches/s; %v\n", s.name, float64(*n)/time.Since(began).Seconds(), times)
	}
	if err := p.Send("DELETE", "/bench", "", nil); err != nil {
		return err
	}
	return p.Close()
}

func fill(p *measure.Program) error {
	if err := p.Send("PUT", "/bench", `{"settings":{"number_of_replicas":0},"mappings":{"properties":{"service":{"type":"keyword"}}}}`, nil); err != nil {
		return err
	}
	return p.Fill("bench", *docs, func(i int) string {
		return fmt.Sprintf(`{"@timestamp":%d,"service":"service-%d","status":%d,"message":"request answered by node %d with word%d"}`,
			1_767_225_600_000+i*1000, i%50, 200+i%5, i%7, i%5000)
	})
}
