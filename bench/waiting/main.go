// SPDX-License-Identifier: Apache-2.0

// Waiting measures what many indices cost that wait for their age: requests, writes and processor time a minute, memory,
// how long explain takes, and how long a change of policy of all of them. What is measured is the program as it is
// built and run, a process of its own: on its embedded engine, or, with -simulated, in front of a cluster that a second
// process simulates in memory, so that there can be a hundred thousand indices on one machine and the figures are those
// of the program alone.
//
//	go run ./bench/waiting [-n 10000] [-for 1m] [-simulated] [-steward binary]
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"github.com/opensteward/steward/bench/internal/measure"
	"github.com/opensteward/steward/ism/manager"
	"github.com/opensteward/steward/opensearch"
)

var (
	n       = flag.Int("n", 10_000, "indices")
	span    = flag.Duration("for", time.Minute, "how long to look")
	fake    = flag.Bool("simulated", false, "in front of a cluster that another process simulates")
	binary  = flag.String("steward", "", "the program to measure (default: it is built from ./cmd/steward)")
	cluster = flag.Bool("cluster", false, "be the simulated cluster, and nothing else")
)

const policy = `{"policy":{"policy_id":"bench","description":"waits","last_updated_time":1,"schema_version":30,"default_state":"hot","states":[
	{"name":"hot","actions":[],"transitions":[{"state_name":"hot","conditions":{"min_index_age":"3650d"}}]}],
	"ism_template":[{"index_patterns":["bench-*"],"priority":1,"last_updated_time":1}]}}`

const otherPolicy = `{"policy":{"policy_id":"other","description":"waits longer","last_updated_time":1,"schema_version":30,"default_state":"hot","states":[
	{"name":"hot","actions":[],"transitions":[{"state_name":"hot","conditions":{"min_index_age":"7300d"}}]}]}}`

func main() { measure.Main(run) }

func run() (err error) {
	if *cluster {
		return serveSimulated(*n)
	}
	p, err := start()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	b := &bench{processes: p, program: opensearch.NewClient(p.transport), documents: opensearch.NewClient(p.transport)}
	if *fake {
		direct, err := dial(p.clusterURL)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, direct.(io.Closer).Close()) }()
		b.documents = opensearch.NewClient(direct)
	}
	for _, phase := range []func() error{b.prepare, b.attach, b.wait, b.explain, b.change, b.rest} {
		if err := phase(); err != nil {
			return err
		}
	}
	return nil
}

// bench is one measurement.
type bench struct {
	*processes
	program *opensearch.Client
	// documents reads the config index, past the program where it can.
	documents *opensearch.Client

	// When the policies were stored, and the program's processor time then.
	began time.Time
	cpu   time.Duration
}

// send makes one request of the program.
func (b *bench) send(method, path, body string, out any) error {
	return measure.Send(b.program, method, path, body, out)
}

// prepare makes the indices, if the cluster does not have them already, and stores the policies, which are older.
func (b *bench) prepare() error {
	began := time.Now()
	for i := range *n {
		if *fake {
			break
		}
		if err := b.send("PUT", "/"+nameOf(i), `{"settings":{"number_of_replicas":0}}`, nil); err != nil {
			return err
		}
	}
	fmt.Printf("%d indices made after %v; the program has %v\n", *n, time.Since(began).Round(time.Millisecond), b.steward.Memory())
	ctx := context.Background()
	if err := manager.EnsureConfigIndex(ctx, b.documents); err != nil {
		return err
	}
	var writes []opensearch.Write
	for id, text := range map[string]string{"bench": policy, "other": otherPolicy} {
		writes = append(writes, opensearch.Write{Op: opensearch.OpIndex, Index: manager.ConfigIndex, ID: id, Source: json.RawMessage(text)})
	}
	b.began, b.cpu = time.Now(), b.steward.CPU()
	_, err := b.documents.Bulk(ctx, writes)
	return err
}

// attach waits until all indices are attached and wait.
func (b *bench) attach() error {
	if err := b.untilWaiting(); err != nil {
		return err
	}
	fmt.Printf("%d indices attached and waiting after %v, %.1f s of processor time; %v\n",
		*n, time.Since(b.began).Round(time.Millisecond), (b.steward.CPU() - b.cpu).Seconds(), b.steward.Memory())
	return nil
}

func (b *bench) untilWaiting() error {
	for {
		var status struct {
			ISM struct{ Waiting int } `json:"ism"`
		}
		if err := b.send("GET", "/_plugins/_steward/status", "", &status); err != nil {
			return err
		}
		if status.ISM.Waiting >= *n {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// wait measures what waiting costs.
func (b *bench) wait() error {
	time.Sleep(40 * time.Second) // half a minute after the last change all indices are read once more
	if _, err := b.requests(); err != nil {
		return err
	}
	cpu := b.steward.CPU()
	before, err := b.documents.MaxSeqNo(context.Background(), manager.ConfigIndex)
	if err != nil {
		return err
	}
	time.Sleep(*span)
	requests, err := b.requests()
	if err != nil {
		return err
	}
	after, err := b.documents.MaxSeqNo(context.Background(), manager.ConfigIndex)
	if err != nil {
		return err
	}
	written := int64(0)
	for shard := range after {
		written += after[shard] - before[shard]
	}
	minutes := span.Minutes()
	fmt.Printf("a minute of waiting: %.2f s of processor time, %.0f writes of documents of indices; %v\n",
		(b.steward.CPU()-cpu).Seconds()/minutes, float64(written)/minutes, b.steward.Memory())
	for what, count := range requests {
		fmt.Printf("  %.0f requests a minute: %s\n", float64(count)/minutes, what)
	}
	return nil
}

// explain measures how long explain takes: of one index, and of the first pages of all.
func (b *bench) explain() error {
	for what, path := range map[string]func(i int) string{
		"one index": func(i int) string { return "/_plugins/_ism/explain/" + nameOf(i*7919%*n) },
		"a page":    func(i int) string { return fmt.Sprintf("/_plugins/_ism/explain?size=20&from=%d", i%100*20) },
	} {
		times, err := measure.Each(200, 1, func(i int) error { return b.send("GET", path(i), "", nil) })
		if err != nil {
			return err
		}
		fmt.Printf("explain of %s: %v\n", what, times)
	}
	return nil
}

// change measures a change of policy of all indices, from the request to the last document.
func (b *bench) change() error {
	began, cpu := time.Now(), b.steward.CPU()
	var answer json.RawMessage
	if err := b.send("POST", "/_plugins/_ism/change_policy/bench-*", `{"policy_id":"other"}`, &answer); err != nil {
		return err
	}
	answered := time.Since(began)
	for at := 0; at < *n; {
		done, err := b.changed(at)
		switch {
		case err != nil:
			return err
		case done:
			at += portion
		default:
			time.Sleep(100 * time.Millisecond)
		}
	}
	fmt.Printf("a change of policy of all: answered after %v with %.40s..., done after %v, %.1f s of processor time; %v\n",
		answered.Round(time.Millisecond), answer, time.Since(began).Round(time.Millisecond), (b.steward.CPU() - cpu).Seconds(), b.steward.Memory())
	return nil
}

// portion is how many indices are asked about at once.
const portion = 1000

// changed reports whether the policy of every index of a portion is the other one.
func (b *bench) changed(at int) (bool, error) {
	var names []string
	for i := at; i < min(at+portion, *n); i++ {
		names = append(names, nameOf(i))
	}
	infos, err := b.documents.Indices(context.Background(), names)
	if err != nil {
		return false, err
	}
	var keys []opensearch.Key
	for _, info := range infos {
		keys = append(keys, opensearch.Key{ID: info.UUID + "#metadata", Routing: info.UUID})
	}
	docs, err := b.documents.MultiGet(context.Background(), manager.ConfigIndex, keys)
	if err != nil {
		return false, err
	}
	for _, doc := range docs {
		if !bytes.Contains(doc.Source, []byte(`"policy_id":"other"`)) {
			return false, nil
		}
	}
	return true, nil
}

// rest looks at the memory once more, when everything is quiet again.
func (b *bench) rest() error {
	if err := b.untilWaiting(); err != nil {
		return err
	}
	time.Sleep(20 * time.Second)
	fmt.Printf("at rest again: %v\n", b.steward.Memory())
	return nil
}
