// SPDX-License-Identifier: Apache-2.0

// Waiting measures what many indices cost that wait for their age: requests, writes and processor time a minute, memory,
// how long explain takes, and how long a change of policy of all of them. The reconciler runs on the embedded engine,
// with a counter between them; with -simulated it runs on a cluster that is simulated in memory, so that there can be a
// hundred thousand indices on one machine, and what is measured is the reconciler alone.
//
//	go run ./bench/waiting [-n 10000] [-for 1m] [-simulated]
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/opensteward/steward/bench/internal/measure"
	"github.com/opensteward/steward/clock"
	"github.com/opensteward/steward/engine"
	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/ism/ismapi"
	"github.com/opensteward/steward/ism/manager"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire/setting"
)

var (
	n    = flag.Int("n", 10_000, "indices")
	span = flag.Duration("for", time.Minute, "how long to look")
	fake = flag.Bool("simulated", false, "a cluster in memory")
)

const policy = `{"policy":{"policy_id":"bench","description":"waits","last_updated_time":1,"schema_version":30,"default_state":"hot","states":[
	{"name":"hot","actions":[],"transitions":[{"state_name":"hot","conditions":{"min_index_age":"3650d"}}]}],
	"ism_template":[{"index_patterns":["bench-*"],"priority":1,"last_updated_time":1}]}}`

const otherPolicy = `{"policy":{"policy_id":"other","description":"waits longer","last_updated_time":1,"schema_version":30,"default_state":"hot","states":[
	{"name":"hot","actions":[],"transitions":[{"state_name":"hot","conditions":{"min_index_age":"7300d"}}]}]}}`

var registry = setting.NewRegistry(ism.Settings()...)

func main() { measure.Main(run) }

func run() (err error) {
	cluster, closeCluster, err := openCluster()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeCluster()) }()
	counter := &measure.Counter{Next: cluster}
	b := &bench{client: opensearch.NewClient(counter), counter: counter}
	if err := b.prepare(); err != nil {
		return err
	}
	b.manager = manager.New(manager.Options{Client: b.client, Registry: registry})
	running, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); b.manager.Run(running) }()
	b.attach()
	b.wait()
	err = errors.Join(b.explain(), b.change())
	stop()
	<-ended
	return err
}

// openCluster is what stands behind the reconciler.
func openCluster() (cluster http.RoundTripper, closeCluster func() error, err error) {
	if *fake {
		return newSimulated(*n), func() error { return nil }, nil
	}
	dir, err := os.MkdirTemp("", "steward-bench-")
	if err != nil {
		return nil, nil, err
	}
	e, err := engine.Open(engine.Options{
		Dir: filepath.Join(dir, "data"), Settings: ism.Settings(), Config: map[string]string{"cluster.max_shards_per_node": "1000000"},
	})
	if err != nil {
		return nil, nil, errors.Join(err, os.RemoveAll(dir))
	}
	return opensearch.InProcess(e), func() error { return errors.Join(e.Close(), os.RemoveAll(dir)) }, nil
}

// bench is one measurement.
type bench struct {
	client  *opensearch.Client
	counter *measure.Counter
	manager *manager.Manager
}

// prepare stores the policies and makes the indices.
func (b *bench) prepare() error {
	ctx := context.Background()
	if err := manager.EnsureConfigIndex(ctx, b.client); err != nil {
		return err
	}
	var writes []opensearch.Write
	for id, text := range map[string]string{"bench": policy, "other": otherPolicy} {
		writes = append(writes, opensearch.Write{Op: opensearch.OpIndex, Index: manager.ConfigIndex, ID: id, Source: json.RawMessage(text)})
	}
	if _, err := b.client.Bulk(ctx, writes); err != nil || *fake {
		return err
	}
	began := time.Now()
	for i := range *n {
		if err := b.client.CreateIndex(ctx, nameOf(i), json.RawMessage(`{"settings":{"number_of_replicas":0}}`)); err != nil {
			return err
		}
	}
	fmt.Printf("%d indices created in %v\n", *n, time.Since(began).Round(time.Millisecond))
	return nil
}

// attach waits until all indices are attached and wait.
func (b *bench) attach() {
	began := time.Now()
	for b.manager.Status().Waiting < *n {
		time.Sleep(10 * time.Millisecond)
	}
	fmt.Printf("%d indices attached and waiting after %v\n", *n, time.Since(began).Round(time.Millisecond))
}

// wait measures what waiting costs.
func (b *bench) wait() {
	time.Sleep(20 * time.Second) // what it wrote is read and refreshed
	debug.FreeOSMemory()
	b.counter.Take()
	cpu := measure.CPU()
	time.Sleep(*span)
	requests, writes := b.counter.Take()
	minutes := span.Minutes()
	fmt.Printf("a minute of waiting: %.0f requests, %.0f writes, %.2f s of processor time; %d MB resident",
		float64(requests)/minutes, float64(writes)/minutes, (measure.CPU()-cpu).Seconds()/minutes, measure.RSS()>>20)
	if s, is := b.counter.Next.(*simulated); is {
		fmt.Printf(", of which %d MB are the simulated cluster's documents", s.size()>>20)
	}
	fmt.Println()
}

// send makes one call of the API and returns its answer.
func (b *bench) send(method, path, body string) (string, error) {
	api := ismapi.New(ismapi.Options{
		Client: b.client, Manager: b.manager, Clock: clock.Real{}, Registry: registry, Version: "3.4.0",
		Logger: slog.New(slog.DiscardHandler),
	})
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	api.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		return "", fmt.Errorf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
	return w.Body.String(), nil
}

// explain measures how long explain takes: of one index, and of the first pages of all.
func (b *bench) explain() error {
	for what, path := range map[string]func(i int) string{
		"one index": func(i int) string { return "/_plugins/_ism/explain/" + nameOf(i*7919%*n) },
		"a page":    func(i int) string { return fmt.Sprintf("/_plugins/_ism/explain?size=20&from=%d", i%100*20) },
	} {
		times, err := measure.Each(200, 1, func(i int) error {
			_, err := b.send("GET", path(i), "")
			return err
		})
		if err != nil {
			return err
		}
		fmt.Printf("explain of %s: %v\n", what, times)
	}
	return nil
}

// change measures a change of policy of all indices, from the request to the last document.
func (b *bench) change() error {
	began := time.Now()
	answer, err := b.send("POST", "/_plugins/_ism/change_policy/bench-*", `{"policy_id":"other"}`)
	if err != nil {
		return err
	}
	answered := time.Since(began)
	for {
		done, err := b.changed()
		if err != nil {
			return err
		}
		if done {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	fmt.Printf("a change of policy of all: answered after %v with %.40s..., done after %v\n",
		answered.Round(time.Millisecond), answer, time.Since(began).Round(time.Millisecond))
	return nil
}

// changed reports whether the policy of every index is the other one.
func (b *bench) changed() (bool, error) {
	for at := 0; at < *n; at += 1000 {
		var names []string
		for i := at; i < min(at+1000, *n); i++ {
			names = append(names, nameOf(i))
		}
		infos, err := b.client.Indices(context.Background(), names)
		if err != nil {
			return false, err
		}
		var keys []opensearch.Key
		for _, info := range infos {
			keys = append(keys, opensearch.Key{ID: info.UUID + "#metadata", Routing: info.UUID})
		}
		docs, err := b.client.MultiGet(context.Background(), manager.ConfigIndex, keys)
		if err != nil {
			return false, err
		}
		for _, doc := range docs {
			if !bytes.Contains(doc.Source, []byte(`"policy_id":"other"`)) {
				return false, nil
			}
		}
	}
	return true, nil
}
