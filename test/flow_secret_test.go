// SPDX-License-Identifier: Apache-2.0

package test

import (
	"bytes"
	"encoding/base64"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/opensteward/steward"
	"github.com/opensteward/steward/secret"
)

// lockedBuffer is a buffer for a log that several goroutines write to.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write is part of io.Writer.
func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// TestASecretIsFoundNowhere plants secrets in a credential and in a parameter, goes through everything that a workflow
// can go through, and looks for them in all files of the data directory, in the log at its most talkative, and in every
// answer.
func TestASecretIsFoundNowhere(t *testing.T) {
	if OnCluster() {
		t.Skip("a cluster's files are its own")
	}
	const inTemplate, inParameter = "correct-horse-battery", "staple-open-sesame"
	var log lockedBuffer
	dir := t.TempDir()
	p := Program(t, func(o *steward.Options) {
		o.Data = dir
		o.Logger = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	connector := `{"id":"c","type":"create_connector","user_inputs":{"name":"c","description":"d","version":"1","protocol":"http","parameters":{"a":"b"},
		"credential":{"key":"` + inTemplate + `","other":"${{key}}"},"actions":[{"action_type":"predict","method":"POST","url":"https://api.openai.com/v1/x","request_body":"{}"}]}}`
	p.Must("PUT", "/"+p.Name("-in-the-way"), nil, nil)
	id := p.createWorkflow(template(connector, pipelineNode("pipe", p.Name(""), "${{key}}"), indexNode("index", p.Name("-in-the-way"))))
	var answers bytes.Buffer
	call := func(method, path string, body any) {
		_, answer := p.Call(method, path, body)
		answers.Write(answer)
	}
	everything := func() {
		call("GET", workflows+"/"+id, nil)
		call("GET", workflows+"/"+id+"/_status?all&steps", nil)
		call("GET", "/.steward,.plugins-flow-framework-*/_search?expand_wildcards=all&size=100", nil)
		for _, path := range []string{workflows + "/_search", workflows + "/state/_search", "/_plugins/_ml/connectors/_search"} {
			call("POST", path, []byte(`{"query":{"match_all":{}},"_source":true}`))
		}
	}
	call("POST", workflows+"/"+id+"/_provision?dry_run=true", []byte(`{"key":"`+inParameter+`"}`))
	call("POST", workflows+"/"+id+"/_provision?wait_for_completion_timeout=30s", []byte(`{"key":"`+inParameter+`"}`))
	everything() // of a failed run, whose parameters are kept
	if s := p.workflow(id); s.State != "FAILED" {
		t.Fatalf("the state is %+v", s)
	}
	files := contents(t, dir)
	p.Must("DELETE", "/"+p.Name("-in-the-way"), nil, nil)
	call("POST", workflows+"/"+id+"/_provision?resume=true&wait_for_completion_timeout=30s", nil)
	everything()
	if s := p.workflow(id); s.State != "COMPLETED" {
		t.Fatalf("the state is %+v", s)
	}
	p.Stop()
	files = append(files, contents(t, dir)...)
	for _, planted := range []string{inTemplate, inParameter} {
		for where, text := range map[string][]byte{"an answer": answers.Bytes(), "the log": log.buf.Bytes()} {
			if bytes.Contains(text, []byte(planted)) {
				t.Errorf("%s has %s", where, planted)
			}
		}
	}
	// The description of a pipeline is what the template's author puts there; the credential is nobody's to see.
	for _, f := range files {
		if bytes.Contains(f.body, []byte(inTemplate)) || bytes.Contains(f.body, []byte(base64.StdEncoding.EncodeToString([]byte(inTemplate)))) {
			t.Errorf("%s has the credential", f.path)
		}
	}
	if info, err := os.Stat(filepath.Join(dir, "keys")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key file: %v %v", info, err)
	}
}

type content struct {
	path string
	body []byte
}

// contents are all files below a directory.
func contents(t *testing.T, dir string) (files []content) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return ignoreGone(err)
		}
		body, err := os.ReadFile(path)
		files = append(files, content{path, body})
		return ignoreGone(err)
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// ignoreGone makes nothing of files that went away meanwhile.
func ignoreGone(err error) error {
	if os.IsNotExist(err) {
		return nil
	}
	return err
}

// TestALostKeyIsAClearError starts the program again with another key.
func TestALostKeyIsAClearError(t *testing.T) {
	if OnCluster() {
		t.Skip("on the engine's data directory")
	}
	dir := t.TempDir()
	p := Program(t, func(o *steward.Options) { o.Data = dir })
	id := p.createWorkflow(template(`{"id":"c","type":"create_connector","user_inputs":{"name":"c","description":"d","version":"1","protocol":"http","parameters":{},
		"credential":{"key":"correct-horse"},"actions":[]}}`))
	p.Stop()
	if err := os.Remove(filepath.Join(dir, "keys")); err != nil {
		t.Fatal(err)
	}
	again := Program(t, func(o *steward.Options) { o.Data = dir })
	code, answer := again.provision(id, "")
	again.wantRefusal(code, answer, http.StatusInternalServerError, "the encryption key is not in the key file")
	again.wantState(id, "NOT_STARTED")
}

// TestAKeyIsRotatedByPuttingANewOneFirst: when the program has started with both, the old one can go.
func TestAKeyIsRotatedByPuttingANewOneFirst(t *testing.T) {
	if OnCluster() {
		t.Skip("on the engine's data directory")
	}
	dir := t.TempDir()
	p := Program(t, func(o *steward.Options) { o.Data = dir })
	id := p.createWorkflow(template(`{"id":"c","type":"create_connector","user_inputs":{"name":"c","description":"d","version":"1","protocol":"http","parameters":{},
		"credential":{"key":"correct-horse"},"actions":[{"action_type":"predict","method":"POST","url":"https://api.openai.com/v1/x","request_body":"{}"}]}}`))
	p.Stop()
	path := filepath.Join(dir, "keys")
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	line, err := secret.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(line+"\n"+string(old)), 0o600); err != nil {
		t.Fatal(err)
	}
	newID, _, _ := strings.Cut(line, " ")
	again := Program(t, func(o *steward.Options) { o.Data = dir })
	again.Eventually("the template is sealed with the new key", func() (bool, string) {
		_, stored := again.Call("GET", "/.plugins-flow-framework-templates/_doc/"+id, nil)
		return strings.Contains(string(stored), "steward:v1:"+newID), string(stored)
	})
	again.Stop()
	if err := os.WriteFile(path, []byte(line+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	last := Program(t, func(o *steward.Options) { o.Data = dir })
	if code, answer := last.provision(id, ""); code != http.StatusAccepted {
		t.Fatalf("%d %s", code, answer)
	}
	last.wantState(id, "COMPLETED", "c")
}
