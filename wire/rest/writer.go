// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

const jsonType = "application/json; charset=UTF-8"

// writer makes bytes of answers and errors.
type writer struct {
	w      http.ResponseWriter
	req    *Request // nil before a route was chosen
	head   bool
	logger *slog.Logger
}

func (o *writer) error(err error) {
	e := fault.Of(err)
	status, contentType, body := fault.Body(err)
	if status >= http.StatusInternalServerError && e.Err != nil {
		o.logger.Error("request failed", "status", status, "error", e)
	}
	for k, v := range e.Header {
		o.w.Header()[k] = v
	}
	o.send(status, contentType, o.shape(contentType, body))
}

func (o *writer) response(res *Response) {
	for k, v := range res.Header {
		o.w.Header()[k] = v
	}
	status := res.Status
	if status == 0 {
		status = http.StatusOK
	}
	if raw, ok := res.Body.([]byte); ok {
		contentType := res.ContentType
		if contentType == "" {
			contentType = jsonType
		}
		o.send(status, contentType, o.shape(contentType, raw))
		return
	}
	if res.Body == nil {
		o.send(status, res.ContentType, nil)
		return
	}
	body, err := wire.Marshal(res.Body)
	if err != nil {
		o.error(err)
		return
	}
	if filters := o.req.List("filter_path"); filters != nil {
		if body, err = wire.FilterPath(body, filters); err != nil {
			o.error(err)
			return
		}
	}
	o.send(status, jsonType, o.shape(jsonType, body))
}

// shape applies ?format=yaml and ?pretty to a JSON body.
func (o *writer) shape(contentType string, body []byte) []byte {
	if o.req == nil || !strings.HasPrefix(contentType, "application/json") {
		return body
	}
	if o.req.yamlAnswer() {
		if out, err := wire.ToYAML(body); err == nil {
			return out
		}
	}
	if o.req.flag("pretty") {
		return wire.Indent(body)
	}
	return body
}

func (o *writer) send(status int, contentType string, body []byte) {
	h := o.w.Header()
	if o.req != nil {
		for _, text := range o.req.warnings {
			h.Add("Warning", text)
		}
		if strings.HasPrefix(contentType, "application/json") && o.req.yamlAnswer() {
			contentType = "application/yaml"
		}
	}
	if contentType != "" {
		h.Set("Content-Type", contentType)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	o.w.WriteHeader(status)
	if !o.head {
		_, _ = o.w.Write(body)
	}
}
