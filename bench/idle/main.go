// SPDX-License-Identifier: Apache-2.0

// Idle measures what indices cost the embedded engine that nobody uses: memory and processor time.
//
//	go run ./bench/idle [-n 500] [-docs 10] [-for 30s]
package main

import (
	"flag"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"github.com/opensteward/steward/bench/internal/measure"
)

var (
	n    = flag.Int("n", 500, "indices of one shard")
	docs = flag.Int("docs", 10, "documents in each")
	span = flag.Duration("for", 30*time.Second, "how long to look")
)

func main() { measure.Main(run) }

func run() error {
	p, err := measure.Start("")
	if err != nil {
		return err
	}
	before := measure.Self().RSS()
	for i := range *n {
		index := fmt.Sprintf("/bench-%d", i)
		if err := p.Send("PUT", index, "", nil); err != nil {
			return err
		}
		var b strings.Builder
		for k := range *docs {
			fmt.Fprintf(&b, "{\"index\":{}}\n{\"n\":%d,\"text\":\"idle\"}\n", k)
		}
		if *docs > 0 {
			if err := p.Send("POST", index+"/_bulk", b.String(), nil); err != nil {
				return err
			}
		}
	}
	if err := p.Send("POST", "/_refresh", "", nil); err != nil {
		return err
	}
	fmt.Printf("%d indices made: %d MB resident, %d MB before\n", *n, measure.Self().RSS()>>20, before>>20)
	var answer map[string]any
	for range 3 { // until what is not used has been put away
		time.Sleep(*span)
		debug.FreeOSMemory()
		cpu := measure.Self().CPU()
		time.Sleep(*span)
		fmt.Printf("idle: %d MB resident, %.2f s of processor time a minute\n", measure.Self().RSS()>>20, (measure.Self().CPU()-cpu).Seconds()/span.Minutes())
	}
	if err := p.Send("GET", "/_count", "", &answer); err != nil {
		return err
	}
	fmt.Println("documents found afterwards:", answer["count"])
	return p.Close()
}
