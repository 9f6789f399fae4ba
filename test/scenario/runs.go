// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// runLine is what a file says of one run.
type runLine struct {
	bodyLine
	// only is "same", "disabled", "gone" or "failed" for a run that executes nothing; "" for one that the other members are of.
	only string
	// state, action, step and status are "" where the document has null.
	state, action, step, status, message string
}

func newRunLine(l bodyLine) (runLine, error) {
	r := runLine{bodyLine: l}
	switch l.text {
	case "same", "disabled", "gone":
		r.only = l.text
		return r, nil
	}
	rest := l.text
	if message, failed := strings.CutPrefix(l.text, "failed "); failed {
		r.only, r.message = "failed", strings.TrimSpace(message)
		return r, nil
	}
	for _, column := range []*string{&r.state, &r.action, &r.step, &r.status} {
		var found bool
		if *column, rest, found = strings.Cut(strings.TrimSpace(rest), " "); !found {
			return r, fmt.Errorf("line %d: a run is <state> <action> <step> <status> <message>", l.line)
		}
		if *column == "-" {
			*column = ""
		}
	}
	r.message = strings.TrimSpace(rest)
	return r, nil
}

// expectRuns lets one run pass for each line and compares what it leaves.
func expectRuns(w []string, b block) (func(*player) error, error) {
	var lines []runLine
	for _, l := range b.body {
		r, err := newRunLine(l)
		if err != nil {
			return nil, err
		}
		lines = append(lines, r)
	}
	return func(p *player) error {
		if !p.late {
			return nil
		}
		d, err := p.documents(w[0])
		for _, l := range lines {
			if err != nil {
				return err
			}
			if err = p.run(d, l); err != nil {
				err = fmt.Errorf("line %d: %s: %w", l.line, l.text, err)
			}
		}
		return err
	}, nil
}

// documents are those of one managed index, as they were after the last run.
type documents struct {
	index, uuid string
	// job and meta are the members managed_index and managed_index_metadata; meta is nil before the first run.
	job, meta map[string]any
}

// documents reads those of an index.
func (p *player) documents(index string) (*documents, error) {
	answer, err := p.call(http.MethodGet, api+"explain/"+index, nil)
	if err != nil {
		return nil, err
	}
	entry, err := member(answer, index)
	if err != nil {
		return nil, err
	}
	uuid, _ := find(entry, "index_uuid")
	d := &documents{index: index}
	if d.uuid, _ = uuid.(string); d.uuid == "" {
		return nil, fmt.Errorf("it is not managed: %s", answer)
	}
	d.job, d.meta, err = p.read(d.uuid)
	return d, err
}

// read returns the job and the metadata of an index, each nil if there is none.
func (p *player) read(uuid string) (job, meta map[string]any, err error) {
	one := func(id, kind string) map[string]any {
		if err != nil {
			return nil
		}
		var answer []byte
		_, answer, err = p.Do(http.MethodGet, "/.opendistro-ism-config/_doc/"+id+"?routing="+uuid, nil)
		if err != nil {
			return nil
		}
		var v any
		if v, err = decode(answer); err != nil {
			return nil
		}
		found, _ := find(v, "_source."+kind)
		doc, _ := found.(map[string]any)
		return doc
	}
	return one(uuid, "managed_index"), one(uuid+"%23metadata", "managed_index_metadata"), err
}

// run lets the index's next run pass and compares what it leaves with a line. d becomes what is there then.
func (p *player) run(d *documents, l runLine) error {
	at, err := d.next(p.Now())
	if err != nil {
		return err
	}
	if err := p.Advance(at.Sub(p.Now())); err != nil {
		return err
	}
	job, meta, err := p.read(d.uuid)
	if err != nil {
		return err
	}
	wantJob, wantMeta := d.job, d.meta
	switch l.only {
	case "gone":
		return errors.Join(p.missing(d.index), differ("managed_index", job, nil), differ("managed_index_metadata", meta, nil))
	case "disabled":
		wantJob = with(d.job, "enabled", false, "enabled_time", nil, "last_updated_time", millis(at))
	case "failed":
		wantJob = with(d.job, "enabled", false, "enabled_time", nil, "last_updated_time", millis(at))
		wantMeta = with(d.meta, "info", l.info(), "retry_info", map[string]any{"failed": true, "consumed_retries": json.Number("0")})
	case "":
		wantMeta = d.after(l, at, job)
		switch {
		case l.changesPolicy():
			wantJob = changed(d.job, job)
		case l.status == "timed_out":
			wantJob = with(d.job, "enabled", false, "enabled_time", nil, "last_updated_time", millis(at))
		}
		wantMeta = unforeseen(wantMeta, meta)
	}
	d.job, d.meta = job, meta
	return errors.Join(differ("managed_index", job, wantJob), differ("managed_index_metadata", meta, wantMeta))
}

// next is the first nominal run of the job after now.
func (d *documents) next(now time.Time) (time.Time, error) {
	start, _ := find(d.job, "schedule.interval.start_time")
	period, _ := find(d.job, "schedule.interval.period")
	first, minutes := number(start), number(period)
	if minutes == 0 {
		return now, fmt.Errorf("the job has no schedule: %v", d.job)
	}
	every := time.Duration(minutes) * time.Minute
	passed := now.Sub(time.UnixMilli(first)) / every
	return time.UnixMilli(first).Add((passed + 1) * every), nil
}

// missing is an error if the index exists.
func (p *player) missing(index string) error {
	status, _, err := p.Do(http.MethodHead, "/"+index, nil)
	if err == nil && status != http.StatusNotFound {
		err = fmt.Errorf("it exists: %d", status)
	}
	return err
}

// differ lists the members in which a document is not what it ought to be.
func differ(kind string, got, want map[string]any) error {
	var wrong []error
	for _, name := range names(got, want) {
		g, has := got[name]
		w, wanted := want[name]
		if has != wanted || !same(g, w) {
			wrong = append(wrong, fmt.Errorf("%s.%s is %s, want %s", kind, name, show(g, has), show(w, wanted)))
		}
	}
	return errors.Join(wrong...)
}
