// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"

	"github.com/opensteward/steward/bench/internal/measure"
	"github.com/opensteward/steward/opensearch"
)

// processes are the program under measurement, and the cluster behind it if there is one.
type processes struct {
	steward    measure.Process
	transport  http.RoundTripper // to the program
	clusterURL string            // "" for the embedded engine
	running    []*exec.Cmd
	dir        string
}

// start runs them. What was started is closed again if something fails.
func start() (p *processes, err error) {
	p = &processes{}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.close())
		}
	}()
	if p.dir, err = os.MkdirTemp("", "steward-bench-"); err != nil {
		return p, err
	}
	program, err := p.build()
	if err != nil {
		return p, err
	}
	arguments := []string{"serve", "--listen", "127.0.0.1:0"}
	if *fake {
		self, err := os.Executable()
		if err != nil {
			return p, err
		}
		if p.clusterURL, _, err = p.run(self, "-cluster", "-n", strconv.Itoa(*n)); err != nil {
			return p, err
		}
		arguments = append(arguments, "--cluster", p.clusterURL)
	} else {
		arguments = append(arguments, "--data", filepath.Join(p.dir, "data"), "-E", "cluster.max_shards_per_node=1000000")
	}
	url, pid, err := p.run(program, arguments...)
	if err != nil {
		return p, err
	}
	p.steward = measure.Process(pid)
	p.transport, err = dial(url)
	return p, err
}

func dial(url string) (http.RoundTripper, error) {
	return opensearch.Dial(opensearch.DialOptions{URLs: []string{url}})
}

// build is the binary to measure.
func (p *processes) build() (string, error) {
	if *binary != "" {
		return *binary, nil
	}
	path := filepath.Join(p.dir, "steward")
	build := exec.CommandContext(context.Background(), "go", "build", "-o", path, "./cmd/steward")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the program: %w: %s", err, out)
	}
	return path, nil
}

// address is the URL in the line that a process prints when it is ready.
var address = regexp.MustCompile(`https?://[^\s,]+`)

// run starts a process and returns where it answers.
func (p *processes) run(path string, arguments ...string) (url string, pid int, err error) {
	cmd := exec.CommandContext(context.Background(), path, arguments...)
	log, err := os.Create(filepath.Join(p.dir, fmt.Sprintf("%d.log", len(p.running))))
	if err != nil {
		return "", 0, err
	}
	cmd.Stderr = log
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", 0, err
	}
	if err := cmd.Start(); err != nil {
		return "", 0, err
	}
	p.running = append(p.running, cmd)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return "", 0, fmt.Errorf("%s did not start, see %s: %w", path, log.Name(), err)
	}
	return address.FindString(line), cmd.Process.Pid, nil
}

// requests are the requests that the cluster has served since it was asked last, by kind; none for the embedded engine, whose
// requests nobody can count from outside.
func (p *processes) requests() (counts map[string]int, err error) {
	if p.clusterURL == "" {
		return nil, nil
	}
	direct, err := dial(p.clusterURL)
	if err != nil {
		return nil, err
	}
	err = opensearch.NewClient(direct).Do(context.Background(), opensearch.Call{Method: http.MethodGet, Path: countPath}, &counts)
	return counts, errors.Join(err, direct.(io.Closer).Close())
}

// close ends the processes, the last one first, and removes what they left.
func (p *processes) close() error {
	var errs []error
	if c, is := p.transport.(io.Closer); is {
		errs = append(errs, c.Close())
	}
	for i := len(p.running) - 1; i >= 0; i-- {
		errs = append(errs, p.running[i].Process.Signal(os.Interrupt))
		_ = p.running[i].Wait() // the simulated cluster is killed by the signal
	}
	return errors.Join(append(errs, os.RemoveAll(p.dir))...)
}
