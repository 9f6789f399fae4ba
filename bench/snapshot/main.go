// SPDX-License-Identifier: Apache-2.0

// Snapshot measures how long snapshots of an index take: the first, one of what has not changed, one after a document was
// added, and bringing the index back; and how many small ones are taken one after another.
//
//	go run ./bench/snapshot [-docs 100000] [-cluster URL]
package main

import (
	"flag"
	"fmt"
	"strings"
	"time"

	"github.com/opensteward/steward/bench/internal/measure"
)

var (
	docs    = flag.Int("docs", 100_000, "documents of the index, of half a kilobyte each")
	cluster = flag.String("cluster", "", "measure in front of this cluster, whose path.repo is set, instead of the embedded engine")
)

func main() { measure.Main(run) }

func run() error {
	p, err := measure.Start(*cluster)
	if err != nil {
		return err
	}
	b := bench{p}
	for _, step := range []func() error{b.prepare, b.large, b.small, b.remove} {
		if err := step(); err != nil {
			return err
		}
	}
	return p.Close()
}

type bench struct{ *measure.Program }

// name is what everything is called that the benchmark makes.
const name = "bench-snapshot"

// document is a line of a log with a text that does not repeat.
func document(i int) string {
	var b strings.Builder
	for word := range 60 {
		fmt.Fprintf(&b, "%x ", (i*60+word)*2654435761%(1<<28))
	}
	return fmt.Sprintf(`{"status":%d,"message":%q}`, 200+i%5, b.String())
}

func (b bench) prepare() error {
	if err := b.Send("PUT", "/_snapshot/"+name, `{"type":"fs","settings":{"location":"`+name+`"}}`, nil); err != nil {
		return err
	}
	const settings = `{"settings":{"number_of_replicas":0},"mappings":{"properties":{"message":{"type":"keyword","index":false,"doc_values":false}}}}`
	for _, index := range []string{name, name + "-small"} {
		if err := b.Send("PUT", "/"+index, settings, nil); err != nil {
			return err
		}
	}
	return b.Fill(name, *docs, document)
}

func (b bench) take(snapshot, index string) error {
	return b.Send("PUT", "/_snapshot/"+name+"/"+snapshot+"?wait_for_completion=true", `{"indices":"`+index+`","include_global_state":false}`, nil)
}

// timed prints how long something takes.
func timed(what string, do func() error) error {
	began := time.Now()
	err := do()
	fmt.Printf("%-40s %7.0f ms\n", what, float64(time.Since(began).Microseconds())/1000)
	return err
}

func (b bench) large() error {
	if err := timed("the first", func() error { return b.take("s1", name) }); err != nil {
		return err
	}
	if err := timed("of what has not changed", func() error { return b.take("s2", name) }); err != nil {
		return err
	}
	if err := b.Send("PUT", "/"+name+"/_doc/new?refresh=true", document(0), nil); err != nil {
		return err
	}
	if err := timed("after one document more", func() error { return b.take("s3", name) }); err != nil {
		return err
	}
	return timed("bringing it back, searchable", func() error {
		return b.Send("POST", "/_snapshot/"+name+"/s3/_restore?wait_for_completion=true", `{"rename_pattern":"$","rename_replacement":"-back"}`, nil)
	})
}

func (b bench) small() error {
	const n = 200
	times, err := measure.Each(n, 1, func(i int) error {
		if err := b.Send("PUT", fmt.Sprintf("/%s-small/_doc/%d", name, i), document(i), nil); err != nil {
			return err
		}
		return b.take(fmt.Sprint("small", i), name+"-small")
	})
	fmt.Printf("a document and a snapshot of a small index: %v\n", times)
	return err
}

func (b bench) remove() error {
	for _, path := range []string{"/_snapshot/" + name + "/*", "/_snapshot/" + name, "/" + name + "*"} {
		if err := b.Send("DELETE", path, "", nil); err != nil {
			return err
		}
	}
	return nil
}
