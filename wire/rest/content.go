// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// mediaType is what a Content-Type may begin with, as OpenSearch takes it apart.
var mediaType = regexp.MustCompile("^[a-zA-Z0-9!#$%&'*+.^_`|~-]+/[a-zA-Z0-9!#$%&'*+.^_`|~-]+$")

// contentKind is the media type of a request, in lower case and without parameters; "" if it has none. One that is
// malformed is a 400 content_type_header_exception, whatever the path and with or without a body.
func contentKind(h http.Header) (string, error) {
	headers := h["Content-Type"]
	if len(headers) == 0 {
		return "", nil
	}
	kind, _, _ := strings.Cut(headers[0], ";")
	kind = strings.TrimRight(kind, " \t")
	switch {
	case len(headers) > 1:
		return "", contentTypeHeader("only one Content-Type header should be provided")
	case kind == "" && headers[0] != "":
		return "", contentTypeHeader("empty Content-Type header")
	case !mediaType.MatchString(kind):
		return "", contentTypeHeader("invalid Content-Type header [" + headers[0] + "]")
	}
	return strings.ToLower(kind), nil
}

func contentTypeHeader(reason string) error {
	e := fault.New(http.StatusBadRequest, "content_type_header_exception", "java.lang.IllegalArgumentException: %s", reason)
	e.CausedBy = fault.Illegal("%s", reason)
	return e
}

// readable are the media types of bodies; true for YAML.
var readable = map[string]bool{
	"application/json": false, "application/x-ndjson": false, "application/vnd.opensearch+json": false,
	"application/yaml": true, "application/vnd.opensearch+yaml": true,
}

// checkContent refuses a body of another type, or of none, with a 406, whether the handler will read it or not.
func (r *Request) checkContent() error {
	if _, known := readable[r.kind]; known || r.HTTP.ContentLength == 0 || !r.HasBody() {
		return nil
	}
	e := fault.New(http.StatusNotAcceptable, "", "Content-Type header [%s] is not supported", r.HTTP.Header.Get("Content-Type"))
	e.Form = fault.Plain
	return e
}

// Body is the body as JSON: a YAML body is converted, comments are blanked; nil without a body.
func (r *Request) Body() (json.RawMessage, error) {
	raw, err := r.RawBody()
	switch {
	case err != nil || len(raw) == 0:
		return nil, err
	case readable[r.kind]:
		return wire.FromYAML(raw)
	}
	return wire.WithoutComments(raw), nil
}
