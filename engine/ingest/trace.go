// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"context"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// The outcomes of a processor.
const (
	succeeded    = "success"
	failedStep   = "error"
	failedQuiet  = "error_ignored"
	skipped      = "skipped"
	droppedState = "dropped"
)

// Step is what one processor did with a document.
type Step struct {
	step   *step
	status string
	err    *fault.Error // nil unless it failed
	after  *Document    // nil where nothing is shown of the document
}

// note adds a processor to the trace, if somebody asks for one.
func (d *Document) note(one Step) {
	if d.trace != nil {
		*d.trace = append(*d.trace, one)
	}
}

// traced runs the processor itself and notes the outcome.
func (s *step) traced(ctx context.Context, d *Document) (keep bool, err error) {
	if d.trace == nil {
		return s.run(ctx, d)
	}
	if s.typ == callType {
		return s.tracedCall(ctx, d)
	}
	keep, err = s.run(ctx, d)
	one := Step{step: s}
	switch {
	case err != nil && s.ignoreFailure:
		one.status, one.err, one.after = failedQuiet, fault.Of(err), d.clone()
	case err != nil:
		one.status, one.err = failedStep, fault.Of(err)
	case !keep:
		one.status = droppedState
	default:
		one.status, one.after = succeeded, d.clone()
	}
	d.note(one)
	return keep, err
}

// tracedCall notes the call of another pipeline before what that one does.
func (s *step) tracedCall(ctx context.Context, d *Document) (keep bool, err error) {
	at := len(*d.trace)
	d.note(Step{step: s, status: succeeded})
	keep, err = s.run(ctx, d)
	if err != nil && len(*d.trace) == at+1 { // it did not come to run
		(*d.trace)[at] = Step{step: s, status: failedStep, err: fault.Of(err)}
	}
	return keep, err
}

// Trace runs the pipeline and returns what each processor did.
func (p *Pipeline) Trace(ctx context.Context, d *Document) []Step {
	steps := []Step{}
	d.trace = &steps
	_, _ = p.Run(ctx, d) // failures are in the trace
	return steps
}

// MarshalJSON prints the step as the simulate API does.
func (s Step) MarshalJSON() ([]byte, error) {
	o := wire.Obj("processor_type", s.step.typ, "status", s.status)
	o.AddIf(s.step.description != "", "description", s.step.description)
	o.AddIf(s.step.tag != "", "tag", s.step.tag)
	if c := s.step.condition; c != nil {
		o.Add("if", wire.Obj("condition", c.source, "result", s.status != skipped))
	}
	switch {
	case s.err != nil && s.after != nil:
		o.Add("ignored_error", Failure(s.err))
	case s.err != nil:
		o = append(o, Failure(s.err)...)
	}
	if s.after != nil {
		o.Add("doc", s.after)
	}
	return wire.Marshal(o)
}

// MarshalJSON prints the document as the simulate API does.
func (d *Document) MarshalJSON() ([]byte, error) {
	o := wire.Object{}
	for _, name := range metadataFields {
		if v, _ := d.fields.Get(name); v != nil {
			o.Add(name, text(v))
		}
	}
	o.Add("_source", d.Source())
	o.Add("_ingest", d.ingest)
	return wire.Marshal(o)
}

// Failure is an error as the simulate API shows it in a document's place.
func Failure(err error) wire.Object {
	e := fault.Of(err)
	bare := wire.Object{}
	for _, f := range fault.Fields(&fault.Error{Type: e.Type, Reason: e.Reason, Fields: e.Fields}) {
		bare.Add(f.Name, f.Value)
	}
	whole := wire.Obj("root_cause", []wire.Object{bare})
	for _, f := range fault.Fields(e) {
		whole.Add(f.Name, f.Value)
	}
	return wire.Obj("error", whole)
}
