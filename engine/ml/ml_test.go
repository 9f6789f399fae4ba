// SPDX-License-Identifier: Apache-2.0

package ml

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/setting"
)

// TestRequestsToAWSAreSigned has the examples of AWS's own test suite.
func TestRequestsToAWSAreSigned(t *testing.T) {
	at := time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)
	for _, c := range []struct{ name, method, url, body, token, signed, signature string }{
		{"a request without anything", "GET", "https://example.amazonaws.com/", "", "", "host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"a query in another order", "GET", "https://example.amazonaws.com/?Param2=value2&Param1=value1", "", "", "host;x-amz-date", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
		{"a request that posts nothing", "POST", "https://example.amazonaws.com/", "", "", "host;x-amz-date", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
	} {
		t.Run(c.name, func(t *testing.T) {
			req, err := http.NewRequest(c.method, c.url, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			signAWS(req, []byte(c.body), awsCredential{
				accessKey: "AKIDEXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
				sessionToken: c.token, service: "service", region: "us-east-1",
			}, at)
			want := "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=" + c.signed + ", Signature=" + c.signature
			if got := req.Header.Get("Authorization"); got != want {
				t.Errorf("%s\nwant %s", got, want)
			}
		})
	}
}

func TestPaths(t *testing.T) {
	const text = `{"data":[{"embedding":[1,2]},{"embedding":[3]}],"a.b":{"c":"x"},"n":null}`
	for _, c := range []struct{ path, want string }{
		{"$", ""},
		{"$.data[*].embedding", `[[1,2],[3]]`},
		{"$.data[-1].embedding[0]", `3`},
		{"$['a.b'].c", `"x"`},
		{"$.data[*].nothing", `null`},
		{"$.n", `null`},
		{"$.nothing", "error"},
		{"$..embedding", "error"},
		{"$.data[?(@.x)]", "error"},
		{"data", "error"},
	} {
		got, err := readPath([]byte(text), c.path)
		body, _ := json.Marshal(got)
		if (err != nil) != (c.want == "error") || (err == nil && c.want != "" && string(body) != c.want) {
			t.Errorf("%s: %s %v, want %s", c.path, body, err, c.want)
		}
	}
}

func TestSettingsHaveDefaultsThatTheyAllow(t *testing.T) {
	for _, d := range Settings() {
		if d.Default != "" && d.Validate(d.Default) != nil {
			t.Errorf("%s: %v", d.Key, d.Validate(d.Default))
		}
		if !strings.HasPrefix(d.Key, prefix) {
			t.Errorf("%s is no setting of ML Commons", d.Key)
		}
	}
	registry := setting.NewRegistry(Settings()...)
	d, _ := registry.Lookup(trustedEndpoints)
	if d.Validate("^https://x(?=y)$") == nil {
		t.Error("look-ahead is accepted")
	}
}

func TestCallsAreBounded(t *testing.T) {
	for _, c := range []struct {
		config string
		want   time.Duration
	}{
		{`{}`, callTimeout},
		{`{"connection_timeout":500}`, callTimeout + 500*time.Millisecond},
		{`{"read_timeout":5}`, 5 * time.Second},
		{`{"read_timeout":5,"connection_timeout":250,"max_connection":3,"max_retry_times":0,"retry_backoff_policy":"constant"}`, 5250 * time.Millisecond},
		{`{"read_timeout":2000000000,"connection_timeout":2000000000}`, maxTimeout},
	} {
		parsed, err := clientOf(t, c.config)
		if err != nil {
			t.Fatalf("%s: %v", c.config, err)
		}
		if got := parsed.timeout(); got != c.want {
			t.Errorf("%s: %s", c.config, got)
		}
	}
	if got := (*ClientConfig)(nil).timeout(); got != callTimeout {
		t.Errorf("without a configuration: %s", got)
	}
	for config, want := range map[string]string{
		`{"max_retry_times":3}`: "[max_retry_times] in the [client_config] of a connector, other than 0, is not supported by the embedded engine",
		`{"other":3}`:           "[other] in the [client_config] of a connector is not supported by the embedded engine",
		`{"read_timeout":0}`:    "[read_timeout] in the client_config of a connector must be positive",
	} {
		if _, err := clientOf(t, config); err == nil || err.Error() != "illegal_argument_exception: "+want {
			t.Errorf("%s: %v", config, err)
		}
	}
}

func clientOf(t *testing.T, config string) (*ClientConfig, error) {
	t.Helper()
	p := wire.NewParser([]byte(config))
	if err := p.NextExpect(wire.StartObject); err != nil {
		t.Fatal(err)
	}
	return parseClient(p)
}

func TestASecretThatBeginsWithAnotherIsMaskedWhole(t *testing.T) {
	mask := masked(map[string]string{"a": "12345678", "b": "1234567890", "c": "123456789", "short": "123"})
	if got := string(mask([]byte("1234567890 123456789 12345678 123"))); got != "*** *** *** 123" {
		t.Error(got)
	}
}
