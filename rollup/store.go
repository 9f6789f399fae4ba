// SPDX-License-Identifier: Apache-2.0

package rollup

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire"
)

// store reads and writes the documents of jobs.
type store struct {
	client *opensearch.Client
	// wrote is told the sequence number of each write to the config index; nil if nobody asks.
	wrote func(seqNo int64)
}

// job reads a job in real time; nil if there is none, or the document is something else.
func (s *store) job(ctx context.Context, k *Kind, id string) (*Job, opensearch.Document, error) {
	doc, err := s.client.Get(ctx, ConfigIndex, id, "")
	if err != nil {
		return nil, doc, noConfigIndex(err)
	}
	if !doc.Found {
		return nil, doc, nil
	}
	j, err := readJob(k, doc)
	if err != nil {
		return nil, doc, nil
	}
	return j, doc, nil
}

// errOther is returned for a document that is no job of a kind.
var errOther = errors.New("the document is something else")

// readJob reads a stored job.
func readJob(k *Kind, doc opensearch.Document) (*Job, error) {
	p := wire.NewParser(doc.Source)
	for _, want := range []wire.Token{wire.StartObject, wire.FieldName} {
		if err := p.NextExpect(want); err != nil {
			return nil, err
		}
	}
	if p.Name() != k.Name {
		return nil, errOther
	}
	j, err := Parse(k, doc.ID, doc.Source, time.UnixMilli(1<<52), false)
	if j != nil {
		j.Version = doc.Version
	}
	return j, err
}

// noConfigIndex turns the cluster's error about the missing config index into the plugin's: nobody named that index.
func noConfigIndex(err error) error {
	if fault.Is(err, "index_not_found_exception") {
		return fault.IndexNotFound(ConfigIndex, "index_expression")
	}
	return err
}

// putJob replaces a job under the version that was read, and returns it under its new one.
func (s *store) putJob(ctx context.Context, j *Job) (*Job, error) {
	done, err := s.client.Write(ctx, opensearch.Write{Op: opensearch.OpIndex, Index: ConfigIndex, ID: j.ID, If: j.Version, Source: j}, "true")
	if err != nil {
		return nil, err
	}
	s.noted(done)
	out := *j
	out.Version = done.Version
	return &out, nil
}

func (s *store) noted(w opensearch.Written) {
	if s.wrote != nil {
		s.wrote(w.SeqNo)
	}
}

// progress reads the progress of a job in real time; nil if there is none.
func (s *store) progress(ctx context.Context, j *Job) (*Progress, error) {
	if j.MetadataID == nil {
		return nil, nil
	}
	doc, err := s.client.Get(ctx, ConfigIndex, *j.MetadataID, j.ID)
	if err != nil || !doc.Found {
		return nil, err
	}
	p, err := ReadProgress(j.Kind, doc.ID, doc.Source)
	if err != nil {
		return nil, err
	}
	p.Version = doc.Version
	return p, nil
}

// putProgress writes progress under the version that was read, or creates it, and returns it under its new version. A
// document that this same job created before the process died is taken over.
func (s *store) putProgress(ctx context.Context, p *Progress) (*Progress, error) {
	w := opensearch.Write{Op: opensearch.OpIndex, Index: ConfigIndex, ID: p.ID, Routing: p.JobID, If: p.Version, Source: p}
	if p.Version == (opensearch.Version{}) {
		w.Op = opensearch.OpCreate
	}
	done, err := s.client.Write(ctx, w, "")
	out := *p
	if w.Op == opensearch.OpCreate && fault.HasStatus(err, http.StatusConflict) {
		doc, getErr := s.client.Get(ctx, ConfigIndex, p.ID, p.JobID)
		if getErr != nil {
			return nil, getErr
		}
		w.Op, w.If = opensearch.OpIndex, doc.Version
		done, err = s.client.Write(ctx, w, "")
	}
	if err != nil {
		return nil, err
	}
	s.noted(done)
	out.Version = done.Version
	return &out, nil
}

// bulk writes documents. refused is the first one's failure that would come again; what a busy cluster did not take is
// sent again, every pause, up to tries times, and is then the error.
func (s *store) bulk(ctx context.Context, writes []opensearch.Write, pause time.Duration, tries int) (refused *fault.Error, err error) {
	for ; ; tries-- {
		results, err := s.client.Bulk(ctx, writes)
		if err != nil {
			return nil, err
		}
		var again []opensearch.Write
		var last error
		for i, r := range results {
			switch {
			case r.Err == nil:
			case Busy(r.Err):
				again, last = append(again, writes[i]), r.Err
			case refused == nil:
				refused = fault.Of(r.Err)
			}
		}
		switch {
		case refused != nil || len(again) == 0:
			return refused, nil
		case tries <= 0:
			return nil, last
		}
		writes = again
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Busy reports whether an error says nothing against a job: the cluster did not answer, could not take it just now, or
// the process ends.
func Busy(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	f := fault.Of(err)
	switch f.Status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return f.Type == "transport_exception" || f.Type == "exception"
}
