// SPDX-License-Identifier: Apache-2.0

package ml

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/opensteward/steward/fault"
)

// awsCredential is what a request to AWS is signed with.
type awsCredential struct {
	accessKey, secretKey, sessionToken string
	service, region                    string
}

// checkAWS refuses a connector whose calls could not be signed.
func (c *Connector) checkAWS() error {
	has := func(name string) bool { return c.Credential[name] != "" }
	inEither := func(name string) bool { return has(name) || c.Parameters[name] != "" }
	switch {
	case has("roleArn"):
		return fault.Unsupported("the credential [roleArn] of a connector")
	case !has("access_key") || !has("secret_key"):
		return fault.Illegal("Missing credential")
	case !inEither("service_name"):
		return fault.Illegal("Missing service name")
	case !inEither("region"):
		return fault.Illegal("Missing region")
	}
	return nil
}

func (c *Connector) awsCredential(secrets map[string]string) awsCredential {
	either := func(name string) string {
		if v := c.Parameters[name]; v != "" {
			return v
		}
		return secrets[name]
	}
	return awsCredential{
		accessKey: secrets["access_key"], secretKey: secrets["secret_key"], sessionToken: secrets["session_token"],
		service: either("service_name"), region: either("region"),
	}
}

// contentHash is the header of the payload's hash, which some services want.
const contentHash = "X-Amz-Content-Sha256"

// signAWS signs a request with AWS Signature Version 4, all its headers included.
func signAWS(req *http.Request, payload []byte, c awsCredential, now time.Time) {
	at := now.UTC().Format("20060102T150405Z")
	hash := hexHash(payload)
	if req.Body == nil {
		hash = hexHash(nil)
	}
	req.Header.Set("X-Amz-Date", at)
	if req.Header.Get(contentHash) != "" { // "required", as connectors write
		req.Header.Set(contentHash, hash)
	}
	if c.sessionToken != "" {
		req.Header.Set("X-Amz-Security-Token", c.sessionToken)
	}
	names, headers := canonicalHeaders(req)
	canonical := strings.Join([]string{
		req.Method, canonicalPath(req.URL), canonicalQuery(req.URL), headers, names, hash,
	}, "\n")
	scope := strings.Join([]string{at[:8], c.region, c.service, "aws4_request"}, "/")
	text := strings.Join([]string{"AWS4-HMAC-SHA256", at, scope, hexHash([]byte(canonical))}, "\n")
	key := []byte("AWS4" + c.secretKey)
	for _, part := range []string{at[:8], c.region, c.service, "aws4_request"} {
		key = hmacOf(key, part)
	}
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+c.accessKey+"/"+scope+
		", SignedHeaders="+names+", Signature="+hex.EncodeToString(hmacOf(key, text)))
}

// canonicalHeaders are the names of the signed headers and the headers, a line each.
func canonicalHeaders(req *http.Request) (names, headers string) {
	values := map[string]string{"host": req.URL.Host}
	for name, list := range req.Header {
		values[strings.ToLower(name)] = strings.Join(list, ",")
	}
	sorted := make([]string, 0, len(values))
	for name := range values {
		sorted = append(sorted, name)
	}
	slices.Sort(sorted)
	var b strings.Builder
	for _, name := range sorted {
		b.WriteString(name + ":" + strings.Join(strings.Fields(values[name]), " ") + "\n")
	}
	return strings.Join(sorted, ";"), b.String()
}

// canonicalPath escapes each segment of the path as it is sent once more, as AWS asks for (S3 apart).
func canonicalPath(u *url.URL) string {
	path := u.EscapedPath()
	if path == "" {
		return "/"
	}
	segments := strings.Split(path, "/")
	for i, s := range segments {
		segments[i] = awsEscape(s)
	}
	return strings.Join(segments, "/")
}

func canonicalQuery(u *url.URL) string {
	var pairs []string
	for name, values := range u.Query() {
		for _, v := range values {
			pairs = append(pairs, awsEscape(name)+"="+awsEscape(v))
		}
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "&")
}

// awsEscape escapes all but letters, digits, "-", ".", "_" and "~".
func awsEscape(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}

func hexHash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func hmacOf(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}
