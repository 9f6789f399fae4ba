// SPDX-License-Identifier: Apache-2.0

// Package measure is what the benchmark commands share: the program under measurement, what it costs this process, and
// how figures are printed.
package measure

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/opensteward/steward"
	"github.com/opensteward/steward/opensearch"
)

// Program is a running Steward and a client of it.
type Program struct {
	*steward.Steward
	Client *opensearch.Client
	dir    string
	closer io.Closer
}

// Start runs the program: before the cluster of this URL, or, without one, on the embedded engine in a directory of its
// own.
func Start(cluster string) (*Program, error) {
	o := steward.Options{Listen: "127.0.0.1:0"}
	p := &Program{}
	if cluster != "" {
		o.Cluster = steward.Cluster{URLs: []string{cluster}, InsecureSkipVerify: true}
	} else {
		dir, err := os.MkdirTemp("", "steward-bench-")
		if err != nil {
			return nil, err
		}
		p.dir, o.Data = dir, dir+"/data"
		o.Settings = map[string]string{"path.repo": dir + "/repo"}
	}
	s, err := steward.New(o)
	if err != nil {
		return nil, err
	}
	if err := s.Start(context.Background()); err != nil {
		return nil, err
	}
	transport, err := opensearch.Dial(opensearch.DialOptions{URLs: []string{s.URL()}})
	if err != nil {
		return nil, err
	}
	p.Steward, p.Client, p.closer = s, opensearch.NewClient(transport), transport.(io.Closer)
	return p, nil
}

// Close stops the program and removes its directory.
func (p *Program) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	err := errors.Join(p.closer.Close(), p.Stop(ctx))
	if p.dir != "" {
		err = errors.Join(err, os.RemoveAll(p.dir))
	}
	return err
}

// Send sends a JSON body and fails unless the answer is a success; out may be nil.
func (p *Program) Send(method, path, body string, out any) error {
	return Send(p.Client, method, path, body, out)
}

// Send sends a JSON body by a client and fails unless the answer is a success; out may be nil.
func Send(client *opensearch.Client, method, path, body string, out any) error {
	c := opensearch.Call{Method: method, Path: path}
	if body != "" {
		c.Body = []byte(body)
	}
	if at := strings.IndexByte(path, '?'); at >= 0 {
		c.Path = path[:at]
		c.Query = query(path[at+1:])
	}
	return client.Do(context.Background(), c, out)
}

func query(text string) map[string][]string {
	out := map[string][]string{}
	for pair := range strings.SplitSeq(text, "&") {
		k, v, _ := strings.Cut(pair, "=")
		out[k] = []string{v}
	}
	return out
}

// Main parses the flags and runs a benchmark.
func Main(run func() error) {
	flag.Parse()
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

// Times are durations to be summed up.
type Times []time.Duration

// String is the middle, the 99th of a hundred, and the longest.
func (t Times) String() string {
	if len(t) == 0 {
		return "none"
	}
	s := slices.SortedFunc(slices.Values(t), cmp.Compare[time.Duration])
	at := func(part float64) time.Duration {
		return s[min(len(s)-1, int(part*float64(len(s))))].Round(10 * time.Microsecond)
	}
	return fmt.Sprintf("p50 %v, p99 %v, max %v", at(0.5), at(0.99), s[len(s)-1].Round(10*time.Microsecond))
}

// Each calls fn n times from several goroutines and returns how long each call took.
func Each(n, workers int, fn func(i int) error) (Times, error) {
	times := make(Times, n)
	errs := make([]error, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < n; i += workers {
				began := time.Now()
				if errs[w] = fn(i); errs[w] != nil {
					return
				}
				times[i] = time.Since(began)
			}
		})
	}
	wg.Wait()
	return times, errors.Join(errs...)
}
