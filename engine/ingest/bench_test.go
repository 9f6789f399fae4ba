// SPDX-License-Identifier: Apache-2.0

package ingest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/opensteward/steward/engine/ingest"
)

// BenchmarkPipeline sends a log line of 20 fields through five processors, from JSON to JSON.
func BenchmarkPipeline(b *testing.B) {
	o, err := ingest.ParseObject([]byte(`{"processors":[
		{"dissect":{"field":"message","pattern":"%{client} - [%{time}] \"%{verb} %{path}\" %{status}"}},
		{"convert":{"field":"status","type":"integer"}},{"lowercase":{"field":"verb"}},
		{"date":{"field":"time","formats":["ISO8601"]}},
		{"set":{"if":"ctx.status >= 500","field":"alert","value":"{{client}} {{path}}"}}]}`))
	if err != nil {
		b.Fatal(err)
	}
	p, err := service(nil).Parse("p", o)
	if err != nil {
		b.Fatal(err)
	}
	var source strings.Builder
	source.WriteString(`{"message":"10.0.0.1 - [2026-03-01T10:00:00Z] \"GET /a/b\" 503"`)
	for i := range 19 {
		fmt.Fprintf(&source, `,"field%d":{"name":"value %d","n":%d}`, i, i, i)
	}
	body := []byte(source.String() + "}")
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		o, err := ingest.ParseObject(body)
		if err != nil {
			b.Fatal(err)
		}
		d := ingest.NewDocument("i", "1", "", o, midday)
		if keep, err := p.Run(b.Context(), d); err != nil || !keep {
			b.Fatal(keep, err)
		}
		if _, err := d.Source().MarshalJSON(); err != nil {
			b.Fatal(err)
		}
	}
}
