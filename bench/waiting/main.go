// SPDX-License-Identifier: Apache-2.0

// Waiting measures what many indices cost that wait for their age: requests, writes and processor time a minute, and
// memory. The reconciler runs on the embedded engine, with a counter between them.
//
//	go run ./bench/waiting [-n 10000] [-for 1m]
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/opensteward/steward/bench/internal/measure"
	"github.com/opensteward/steward/engine"
	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/ism/manager"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire/setting"
)

var (
	n    = flag.Int("n", 10_000, "indices")
	span = flag.Duration("for", time.Minute, "how long to look")
)

const policy = `{"policy":{"policy_id":"bench","description":"waits","last_updated_time":1,"schema_version":30,"default_state":"hot","states":[
	{"name":"hot","actions":[],"transitions":[{"state_name":"hot","conditions":{"min_index_age":"3650d"}}]}],
	"ism_template":[{"index_patterns":["bench-*"],"priority":1,"last_updated_time":1}]}}`

func main() { measure.Main(run) }

func run() (err error) {
	dir, err := os.MkdirTemp("", "steward-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	e, err := engine.Open(engine.Options{Dir: filepath.Join(dir, "data"), Settings: ism.Settings(), Config: map[string]string{"cluster.max_shards_per_node": "1000000"}})
	if err != nil {
		return err
	}
	counter := &measure.Counter{Next: opensearch.InProcess(e)}
	client := opensearch.NewClient(counter)
	ctx := context.Background()
	if err := manager.EnsureConfigIndex(ctx, client); err != nil {
		return err
	}
	put := opensearch.Call{Method: "PUT", Path: opensearch.Path(manager.ConfigIndex, "_doc", "bench"), Body: json.RawMessage(policy)}
	if err := client.Do(ctx, put, nil); err != nil {
		return err
	}
	began := time.Now()
	for i := range *n {
		if err := client.CreateIndex(ctx, fmt.Sprintf("bench-%06d", i), json.RawMessage(`{"settings":{"number_of_replicas":0}}`)); err != nil {
			return err
		}
	}
	fmt.Printf("%d indices created in %v\n", *n, time.Since(began).Round(time.Millisecond))
	m := manager.New(manager.Options{Client: client, Registry: setting.NewRegistry(ism.Settings()...)})
	running, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	began = time.Now()
	go func() { defer close(ended); m.Run(running) }()
	for m.Status().Waiting < *n {
		time.Sleep(10 * time.Millisecond)
	}
	fmt.Printf("attached and waiting after %v\n", time.Since(began).Round(time.Millisecond))
	time.Sleep(10 * time.Second) // what it wrote is read and refreshed
	counter.Take()
	cpu := measure.CPU()
	time.Sleep(*span)
	requests, writes := counter.Take()
	minutes := span.Minutes()
	fmt.Printf("a minute of waiting: %.0f requests, %.0f writes, %.2f s of processor time; %d MB resident\n",
		float64(requests)/minutes, float64(writes)/minutes, (measure.CPU()-cpu).Seconds()/minutes, measure.RSS()>>20)
	stop()
	<-ended
	return e.Close()
}
