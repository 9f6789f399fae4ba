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
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

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
	c := opensearch.Call{Method: method, Path: path}
	if body != "" {
		c.Body = []byte(body)
	}
	if at := strings.IndexByte(path, '?'); at >= 0 {
		c.Path = path[:at]
		c.Query = query(path[at+1:])
	}
	return p.Client.Do(context.Background(), c, out)
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

// CPU is the processor time that this process has used.
func CPU() time.Duration {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// RSS is the memory that this process has resident, in bytes; 0 where the system does not tell.
func RSS() int64 {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var total, resident int64
	if _, err := fmt.Sscan(string(b), &total, &resident); err != nil {
		return 0
	}
	return resident * int64(os.Getpagesize())
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

// Counter counts requests and those of them that write.
type Counter struct {
	Next             http.RoundTripper
	mu               sync.Mutex
	requests, writes int
}

// RoundTrip is part of http.RoundTripper.
func (c *Counter) RoundTrip(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	c.requests++
	if r.Method != http.MethodGet && r.Method != http.MethodHead && !strings.HasSuffix(r.URL.Path, "/_search") && !strings.HasSuffix(r.URL.Path, "/_refresh") {
		c.writes++
	}
	c.mu.Unlock()
	return c.Next.RoundTrip(r)
}

// Take returns the counts and begins again.
func (c *Counter) Take() (requests, writes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	requests, writes = c.requests, c.writes
	c.requests, c.writes = 0, 0
	return requests, writes
}
