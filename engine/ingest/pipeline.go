// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"context"
	"slices"

	"github.com/opensteward/steward/fault"
)

// Pipeline is a parsed pipeline.
type Pipeline struct {
	ID    string
	steps []*step
	// onFailure run instead of the steps that are left when one has failed.
	onFailure []*step
	// metric is kept when the pipeline changes.
	metric *metric
}

// processor changes a document. It reports false for a document that is to be dropped.
type processor func(ctx context.Context, d *Document) (keep bool, err error)

// changing is a processor that never drops a document and asks nobody.
func changing(change func(d *Document) error) processor {
	return func(_ context.Context, d *Document) (bool, error) { return true, change(d) }
}

// step is a processor in a pipeline.
type step struct {
	typ, tag, description string
	condition             *condition // nil for always
	ignoreFailure         bool
	onFailure             []*step
	run                   processor
	metric                metric
}

// failure is an error with the processor that it came from.
type failure struct {
	err                *fault.Error
	typ, tag, pipeline string
}

// Error is the error's text.
func (f *failure) Error() string { return f.err.Error() }

// Unwrap is the error.
func (f *failure) Unwrap() error { return f.err }

// from notes which processor failed, unless that is known from further inside.
func (s *step) from(err error, d *Document) *failure {
	if f, ok := err.(*failure); ok { //nolint:errorlint // wrapped by nobody
		return f
	}
	f := &failure{err: fault.Of(err), typ: s.typ, tag: s.tag}
	if s.condition != nil && !s.handles() {
		f.typ = "conditional"
	}
	if len(d.running) > 1 {
		f.pipeline = d.running[len(d.running)-1]
	}
	return f
}

// handles reports whether the step has its own way with failures.
func (s *step) handles() bool { return s.ignoreFailure || len(s.onFailure) > 0 }

// execute runs the step and what it does about its failures.
func (s *step) execute(ctx context.Context, d *Document) (keep bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	if s.condition != nil {
		holds, err := s.condition.holds(d)
		if err != nil {
			return false, err
		}
		if !holds {
			d.note(Step{step: s, status: skipped})
			return true, nil
		}
	}
	done := s.metric.begin()
	keep, err = s.traced(ctx, d)
	done(err)
	switch {
	case err == nil, !s.handles():
		return keep, err
	case s.ignoreFailure:
		return true, nil
	}
	return rescue(ctx, d, s.onFailure, s.from(err, d))
}

// runAll runs steps one after another; onFailure take over when one has failed.
func runAll(ctx context.Context, d *Document, steps, onFailure []*step) (keep bool, err error) {
	for _, s := range steps {
		keep, err := s.execute(ctx, d)
		switch {
		case err != nil && len(onFailure) > 0:
			return rescue(ctx, d, onFailure, s.from(err, d))
		case err != nil:
			return false, s.from(err, d)
		case !keep:
			return false, nil
		}
	}
	return true, nil
}

// The members of _ingest that steps on failure may read.
const (
	failureMessage  = "on_failure_message"
	failureType     = "on_failure_processor_type"
	failureTag      = "on_failure_processor_tag"
	failurePipeline = "on_failure_pipeline"
)

// rescue runs the steps for a failure, which they may read about.
func rescue(ctx context.Context, d *Document, steps []*step, f *failure) (keep bool, err error) {
	root := f.err
	for root.CausedBy != nil {
		root = root.CausedBy
	}
	d.ingest.Set(failureMessage, root.Reason)
	d.ingest.Set(failureType, f.typ)
	d.ingest.Set(failureTag, nil)
	if f.tag != "" {
		d.ingest.Set(failureTag, f.tag)
	}
	if f.pipeline != "" {
		d.ingest.Set(failurePipeline, f.pipeline)
	}
	defer func() {
		for _, name := range []string{failureMessage, failureType, failureTag, failurePipeline} {
			d.ingest.Delete(name)
		}
	}()
	return runAll(ctx, d, steps, nil)
}

// Run runs the pipeline on a document. It reports false for a document that was dropped. A document that failed is left
// as it was when it did.
func (p *Pipeline) Run(ctx context.Context, d *Document) (keep bool, err error) {
	if slices.Contains(d.running, p.ID) {
		return false, fault.IllegalState("Cycle detected for pipeline: %s", p.ID)
	}
	d.running = append(d.running, p.ID)
	outer, nested := d.ingest.Get("pipeline")
	d.ingest.Set("pipeline", p.ID)
	defer func() {
		d.running = d.running[:len(d.running)-1]
		d.ingest.Delete("pipeline")
		if nested {
			d.ingest.Set("pipeline", outer)
		}
	}()
	done := p.metric.begin()
	defer func() { done(err) }()
	return runAll(ctx, d, p.steps, p.onFailure)
}
