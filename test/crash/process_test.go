// SPDX-License-Identifier: Apache-2.0

package crash

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// build compiles the program once per test.
func build(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "steward")
	cmd := exec.Command("go", "build", "-o", bin, "github.com/opensteward/steward/cmd/steward")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return bin
}

// process is one life of the program.
type process struct {
	cmd  *exec.Cmd
	url  string
	log  *bytes.Buffer
	done chan struct{}
}

var address = regexp.MustCompile(`http://[0-9.:]+`)

// start runs the program on a data directory, with one for snapshots beside it, and waits for its ready line.
func start(t *testing.T, bin, data string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(bin, "serve", "--listen", "127.0.0.1:0", "--data", data, "-E", "path.repo="+data+"-snapshots"), log: &bytes.Buffer{}, done: make(chan struct{})}
	p.cmd.Stderr = p.log
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ready := make(chan string, 1)
	go func() {
		defer close(p.done)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if url := address.FindString(lines.Text()); url != "" {
				select {
				case ready <- url:
				default:
				}
			}
		}
		_ = p.cmd.Wait()
	}()
	select {
	case p.url = <-ready:
	case <-p.done:
		t.Fatalf("the program ended before it was ready:\n%s", p.log)
	case <-time.After(30 * time.Second):
		_ = p.cmd.Process.Kill()
		t.Fatalf("the program was not ready after 30 s:\n%s", p.log)
	}
	return p
}

// kill ends the program as a power cut of the process would.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// errGone is what a call gets when the program was killed under it.
var errGone = errors.New("the program is gone")

var client = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 16}}

// call sends one request. It returns errGone if no answer came.
func (p *process) call(method, path string, body any) (int, []byte, error) {
	var reader io.Reader
	contentType := "application/json"
	switch b := body.(type) {
	case nil:
	case string: // newline-delimited JSON
		reader, contentType = strings.NewReader(b), "application/x-ndjson"
	default:
		text, err := json.Marshal(b)
		if err != nil {
			return 0, nil, err
		}
		reader = bytes.NewReader(text)
	}
	req, err := http.NewRequest(method, p.url+path, reader)
	if err != nil {
		return 0, nil, err
	}
	if reader != nil {
		req.Header.Set("Content-Type", contentType)
	}
	res, err := client.Do(req)
	if err != nil {
		return 0, nil, errGone
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, nil, errGone
	}
	return res.StatusCode, answer, nil
}

// must sends a request that has to succeed.
func (p *process) must(t *testing.T, method, path string, body any) []byte {
	t.Helper()
	status, answer, err := p.call(method, path, body)
	if err != nil || status >= 300 {
		t.Fatalf("%s %s: %d %v %s\n%s", method, path, status, err, answer, p.log)
	}
	return answer
}

func decode[T any](t *testing.T, body []byte) T {
	t.Helper()
	var out T
	if err := json.Unmarshal(body, &out); err != nil {
		t.Fatal(fmt.Errorf("%w in %s", err, body))
	}
	return out
}

// check runs the offline checker and returns what it complains about.
func check(t *testing.T, bin, data string) string {
	t.Helper()
	out, err := exec.Command(bin, "check", "--data", data).CombinedOutput()
	if err != nil {
		return fmt.Sprintf("%v\n%s", err, out)
	}
	return ""
}
