// SPDX-License-Identifier: Apache-2.0

package rest_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opensteward/steward/engine"
	"github.com/opensteward/steward/secret"
)

func keyring(t *testing.T) *secret.Keyring {
	t.Helper()
	return keys(t, newKey(t))
}

func newKey(t *testing.T) string {
	t.Helper()
	line, err := secret.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return line
}

// keys is a ring of keys, of which the first encrypts.
func keys(t *testing.T, lines ...string) *secret.Keyring {
	t.Helper()
	ring, err := secret.Parse([]byte(strings.Join(lines, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func TestWithoutAKeyNoCredentialIsStored(t *testing.T) {
	s := start(t, engine.Options{})
	s.trust()
	wants(t, s.call("POST", "/_plugins/_ml/connectors/_create", connector("http://127.0.0.1:1")), 500,
		reason("illegal_state_exception", "the credential of a connector: no encryption key is configured", "500"))
}

// TestNoSecretIsReadable looks for a credential in all answers and in the whole data directory.
func TestNoSecretIsReadable(t *testing.T) {
	dir := t.TempDir()
	s := open(t, engine.Options{Dir: dir, Keys: keyring(t)})
	s.trust()
	service := serve(t, `{"you sent":"{auth}"}`)
	c := s.made("POST", "/_plugins/_ml/connectors/_create", strings.ReplaceAll(connector(service.URL), `,
		"pre_process_function":"connector.pre_process.cohere.embedding","post_process_function":"connector.post_process.cohere.embedding"`, ""), "connector_id")
	m := s.made("POST", "/_plugins/_ml/models/_register", `{"name":"m","function_name":"remote","connector_id":"`+c+`"}`, "model_id")
	for _, call := range [][3]string{
		{"GET", "/_plugins/_ml/connectors/" + c, ""},
		{"POST", "/_plugins/_ml/connectors/_search", `{"query":{"match_all":{}}}`},
		{"GET", "/.plugins-ml-connector/_search", ""},
		{"GET", "/.plugins-ml-connector/_doc/" + c, ""},
		{"POST", "/_plugins/_ml/models/" + m + "/_predict", `{"parameters":{"texts":["a"]}}`},
		{"GET", "/_plugins/_ml/models/" + m, ""},
	} {
		w := s.call(call[0], call[1], call[2])
		if w.Code != 200 || strings.Contains(w.Body.String(), planted) {
			t.Errorf("%s %s: %d %s", call[0], call[1], w.Code, w.Body)
		}
	}
	if strings.Contains(s.text("/_plugins/_ml/connectors/_search"), "credential\"") {
		t.Error("a search shows credentials")
	}
	s.stop()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := os.ReadFile(path)
		if strings.Contains(string(body), planted) {
			t.Errorf("the secret is in %s", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestAnOldKeyCanGoWhenANewOneHasBeenPutFirst(t *testing.T) {
	dir, first, second := t.TempDir(), newKey(t), newKey(t)
	service := serve(t, `{"embeddings":[[1]]}`)
	s := open(t, engine.Options{Dir: dir, Keys: keys(t, first)})
	s.do("PUT", "/_cluster/settings", `{"persistent":{"plugins.ml_commons.trusted_connector_endpoints_regex":[".*"],"plugins.ml_commons.connector.private_ip_enabled":true}}`)
	m := s.model(connector(service.URL))
	s.stop()
	s = open(t, engine.Options{Dir: dir, Keys: keys(t, second, first)})
	s.stop()
	s = open(t, engine.Options{Dir: dir, Keys: keys(t, second)})
	s.do("POST", "/_plugins/_ml/models/"+m+"/_predict", `{"text_docs":["a"]}`)
	if got := service.header.Get("Authorization"); got != "Bearer "+planted {
		t.Errorf("the service was called with %q", got)
	}
	s.stop()
	s = open(t, engine.Options{Dir: dir, Keys: keys(t, first)})
	defer s.stop()
	w := s.call("POST", "/_plugins/_ml/models/"+m+"/_predict", `{"text_docs":["a"]}`)
	if w.Code != 500 || !strings.Contains(w.Body.String(), "the encryption key is not in the key file") {
		t.Errorf("without the key: %d %s", w.Code, w.Body)
	}
}
