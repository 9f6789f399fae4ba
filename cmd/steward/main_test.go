// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"steward": main})
}

// TestScripts runs the scripts of testdata/script. Beside the usual commands they have
//
//	start [flags]   steward serve on a free port, in the background, until it is ready; sets URL and READY
//	end             SIGTERM, and wait for the end; the exit code must be 0; what it logged is in the file "log"
//	quit            SIGTERM, wait until it drains, SIGTERM again, and wait for the end; the exit code must be 1
//	get PATH        the answer's body goes to the file "answer"
//	hang            a cluster that takes requests and never answers; sets CLUSTER
//	ask PATH        a request through Steward that has reached that cluster, and waits there
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:      "testdata/script",
		Deadline: time.Now().Add(time.Minute),
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"start": start, "end": end, "quit": quit, "get": get, "hang": hang, "ask": ask,
		},
	})
}

// process is the background process of a script.
type process struct {
	cmd  *exec.Cmd
	log  *logs
	done chan struct{} // closed after err is set
	err  error
}

// logs keeps what a process logs.
type logs struct {
	mu      sync.Mutex
	text    strings.Builder
	changed chan struct{} // closed and replaced by each write
}

func (l *logs) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.changed)
	l.changed = make(chan struct{})
	return l.text.Write(b)
}

func (l *logs) read() (text string, changed <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String(), l.changed
}

var address = regexp.MustCompile(`https?://\S+:\d+`)

func start(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("start cannot be expected to fail: use exec")
	}
	cmd := exec.Command(lookPath(ts, "steward"), append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
	cmd.Dir = ts.Getenv("WORK")
	cmd.Env = []string{"HOME=" + ts.Getenv("WORK"), "PATH=" + ts.Getenv("PATH")}
	p := &process{cmd: cmd, log: &logs{changed: make(chan struct{})}, done: make(chan struct{})}
	cmd.Stderr = p.log
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	ts.Defer(func() { _ = cmd.Process.Kill() })
	in := bufio.NewReader(out)
	line, _ := in.ReadString('\n')
	go func() {
		_, _ = io.Copy(io.Discard, in)
		p.err = cmd.Wait()
		close(p.done)
	}()
	if !address.MatchString(line) {
		_ = cmd.Process.Kill()
		<-p.done
		text, _ := p.log.read()
		ts.Fatalf("it printed %q and on standard error\n%s", line, text)
	}
	ts.Setenv("READY", strings.TrimSpace(line))
	ts.Setenv("URL", address.FindString(line))
	current.Store(ts, p)
}

// current is the background process of each script, by *testscript.TestScript: scripts run side by side.
var current sync.Map

func running(ts *testscript.TestScript) *process {
	v, started := current.LoadAndDelete(ts)
	if !started {
		ts.Fatalf("nothing was started")
	}
	return v.(*process)
}

func end(ts *testscript.TestScript, _ bool, _ []string) {
	p := running(ts)
	ts.Check(p.cmd.Process.Signal(syscall.SIGTERM))
	<-p.done
	ts.Check(p.err)
	text, _ := p.log.read()
	ts.Check(os.WriteFile(ts.MkAbs("log"), []byte(text), 0o600))
}

func quit(ts *testscript.TestScript, _ bool, _ []string) {
	p := running(ts)
	ts.Check(p.cmd.Process.Signal(syscall.SIGTERM))
	for {
		text, changed := p.log.read()
		if strings.Contains(text, "stopping") {
			break
		}
		select {
		case <-changed:
		case <-p.done:
			ts.Fatalf("it ended at the first signal: %v", p.err)
		}
	}
	ts.Check(p.cmd.Process.Signal(syscall.SIGTERM))
	<-p.done
	if code := p.cmd.ProcessState.ExitCode(); code != exitFailed {
		ts.Fatalf("exit code %d", code)
	}
}

// hanging is the cluster of a script, by *testscript.TestScript: it delivers each request for /slow that has come.
var hanging sync.Map

func hang(ts *testscript.TestScript, _ bool, _ []string) {
	came, end := make(chan struct{}, 1), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/slow" {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		came <- struct{}{}
		<-end
	}))
	hanging.Store(ts, came)
	ts.Setenv("CLUSTER", server.URL)
	ts.Defer(func() { close(end); server.Close() })
}

func ask(ts *testscript.TestScript, _ bool, args []string) {
	came, _ := hanging.Load(ts)
	url := ts.Getenv("URL") + args[0]
	go func() {
		if res, err := http.Get(url); err == nil {
			_ = res.Body.Close()
		}
	}()
	<-came.(chan struct{})
}

func get(ts *testscript.TestScript, _ bool, args []string) {
	res, err := http.Get(ts.Getenv("URL") + args[0])
	ts.Check(err)
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("answer"), body, 0o600))
}

// lookPath finds a program in the script's PATH.
func lookPath(ts *testscript.TestScript, name string) string {
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		if path := filepath.Join(dir, name); isFile(path) {
			return path
		}
	}
	ts.Fatalf("no %s in PATH", name)
	return ""
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}
