// SPDX-License-Identifier: Apache-2.0

package recorded

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/opensteward/steward"
	"github.com/opensteward/steward/clock"
	"github.com/opensteward/steward/test"
)

// call is one recorded request, or a pause. Without a name its answer was not kept.
type call struct {
	Name, Method, Path string
	Body               json.RawMessage
	Raw                *string
	ContentType        string `json:"content_type"`
	// Advance lets time pass. Wait names an index whose entry in explain has to have Value at Member (anything at all if
	// Value is nil); time passes until it does.
	Advance, Wait, Member string
	Value                 any
}

// answer is what was answered, to a HEAD nothing but a status.
type answer struct {
	Status   int
	Response any
}

// TestTheRecordedAnswersAreGivenAgain replays every call on a fresh data directory, once at each pace. The program rests
// before the next call, so that each answer is of the state that all calls before have led to.
func TestTheRecordedAnswersAreGivenAgain(t *testing.T) {
	if test.OnCluster() {
		t.Skip("the calls want a cluster without any index, which a shared one is not")
	}
	for _, pace := range []string{steward.PaceNative, steward.PaceDue} {
		listed := differences(t, "testdata/differences.txt")
		maps.Copy(listed, differences(t, "testdata/differences-"+pace+".txt"))
		t.Run("at pace "+pace, func(t *testing.T) { replay(t, pace, listed) })
	}
}

// replay makes all calls and compares. listed are the answers that may differ, with their reasons.
func replay(t *testing.T, pace string, listed map[string]string) {
	now := clock.NewVirtual(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	p := test.Program(t, test.Virtual(now), test.Pace(pace), func(o *steward.Options) {
		o.Settings = map[string]string{"path.repo": t.TempDir()}
	})
	var seq, term string
	for _, c := range calls(t) {
		if pace == steward.PaceDue && c.isPause() {
			break // from here on the recording waits for runs of jobs
		}
		if c.pause(t, p, now) {
			continue
		}
		path := strings.NewReplacer("{seq}", seq, "{term}", term).Replace(c.Path)
		got := send(t, p.URL()+path, c)
		settle(t, now)
		if o, ok := got.Response.(map[string]any); ok && c.Method == "GET" && c.Name == "" && o["_seq_no"] != nil {
			seq, term = string(o["_seq_no"].(json.Number)), string(o["_primary_term"].(json.Number))
		}
		want, kept := recording(t, c.Name)
		if !kept {
			continue
		}
		t.Run(c.Name, func(t *testing.T) { judge(t, c, want, got, listed[c.Name]) })
		delete(listed, c.Name)
	}
	for name := range listed {
		t.Errorf("%s is listed as different, and there is no such recording", name)
	}
}

// isPause reports whether the call only lets time pass.
func (c call) isPause() bool { return c.Advance != "" || c.Wait != "" }

// waitLimit is how long, in virtual time, a call waits for an index: the longest of the recording's own limits.
const waitLimit = 5 * time.Minute

// pause lets time pass if the call is a pause.
func (c call) pause(t *testing.T, p *test.Running, now *clock.Virtual) bool {
	t.Helper()
	switch {
	case !c.isPause():
		return false
	case c.Advance != "":
		d, err := time.ParseDuration(c.Advance)
		if err != nil {
			t.Fatal(err)
		}
		advance(t, now, d)
		return true
	}
	for waited := time.Duration(0); waited < waitLimit; waited += time.Second {
		if c.reached(t, p) {
			return true
		}
		advance(t, now, time.Second)
	}
	t.Logf("%s has not reached %s: %s", c.Wait, c.Member, p.Explain(c.Wait))
	return true
}

// reached reports whether the index is what the call waits for.
func (c call) reached(t *testing.T, p *test.Running) bool {
	t.Helper()
	var entries map[string]any
	if err := json.Unmarshal([]byte(p.Explain(c.Wait)), &entries); err != nil {
		t.Fatal(err)
	}
	v := entries[c.Wait]
	for part := range strings.SplitSeq(c.Member, ".") {
		o, _ := v.(map[string]any)
		v = o[part]
	}
	return v != nil && (c.Value == nil || v == c.Value)
}

func advance(t *testing.T, now *clock.Virtual, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := now.Advance(ctx, d); err != nil {
		t.Fatal(err)
	}
}

// judge compares two answers; reason is why they may differ, or "".
func judge(t *testing.T, c call, want, got answer, reason string) {
	diff := ""
	if want.Status != got.Status {
		diff = "status " + strconv.Itoa(got.Status) + ", want " + strconv.Itoa(want.Status) + ": " + text(got.Response)
	} else {
		diff = Difference(want.Response, got.Response)
	}
	switch {
	case diff != "" && reason == "":
		t.Errorf("%s %s%s", c.Method, c.Path, ": "+diff)
	case diff == "" && reason != "":
		t.Errorf("the answer is equal, but listed as different: %s", reason)
	}
}

func settle(t *testing.T, now *clock.Virtual) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := now.Settle(ctx); err != nil {
		t.Fatal(err)
	}
}

func calls(t *testing.T) (list []call) {
	t.Helper()
	for _, line := range lines(t, "testdata/ism-calls.jsonl") {
		var c call
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			t.Fatal(err)
		}
		list = append(list, c)
	}
	return list
}

// differences are the listed names with their reasons.
func differences(t *testing.T, path string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, line := range lines(t, path) {
		name, reason, ok := strings.Cut(line, ": ")
		if !ok {
			t.Fatalf("a line without a reason: %q", line)
		}
		out[name] = reason
	}
	return out
}

// lines are the lines of a file but for empty ones and comments.
func lines(t *testing.T, path string) (out []string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		if line := s.Text(); line != "" && !strings.HasPrefix(line, "#") {
			out = append(out, line)
		}
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// recording is the plugin's answer, if it was kept.
func recording(t *testing.T, name string) (a answer, kept bool) {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata/native-3.4.0", name+".json"))
	if name == "" || errors.Is(err, fs.ErrNotExist) {
		return a, false
	}
	if err == nil {
		err = decode(body, &a)
	}
	if err != nil {
		t.Fatal(err)
	}
	return a, true
}

func decode(body []byte, out any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	return d.Decode(out)
}

func send(t *testing.T, url string, c call) answer {
	t.Helper()
	var body io.Reader
	switch {
	case c.Raw != nil:
		body = strings.NewReader(*c.Raw)
	case c.Body != nil:
		body = bytes.NewReader(c.Body)
	}
	req, err := http.NewRequestWithContext(t.Context(), c.Method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.ContentType != "" {
		req.Header.Set("Content-Type", c.ContentType)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{Status: res.StatusCode}
	if decode(raw, &a.Response) != nil {
		a.Response = string(raw)
	}
	return a
}
