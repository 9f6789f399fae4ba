// SPDX-License-Identifier: Apache-2.0

package provision

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/opensteward/steward/flow"
)

// Undoing says how [Undo] reaches the world.
type Undoing struct {
	// Delete takes one resource away with a step of this type; what is gone already is no error.
	Delete func(ctx context.Context, step string, r Resource) error
	// Forget takes a resource off the record.
	Forget func(ctx context.Context, r Resource) error
	// After are the direct predecessors of each node. What is known not to depend on each other goes at the same time.
	After map[string][]string
}

// undoParallel is how many resources of a workflow are taken away at the same time.
const undoParallel = 8

// Undo takes resources away, the last one first, in rounds: as long as a round took something away, what could not go
// may go now. allowed are the ids of resources that go only with the caller's consent. It returns what is left: what
// failed in the order it was tried, then what needs consent in the order it was made; and the API's error about it, if
// anything is. An error of Forget, or the end of ctx, ends it at once.
func Undo(ctx context.Context, made []Resource, allowed []string, u Undoing) (left []Resource, err error) {
	var work, refused []Resource
	for _, r := range made {
		if t := flow.Step(r.Step); t != nil && t.AllowDelete && !slices.Contains(allowed, r.ID) {
			refused = append(refused, r)
			continue
		}
		work = append(work, r)
	}
	slices.Reverse(work)
	for {
		rest, err := round(ctx, work, u)
		if err != nil {
			return append(rest, refused...), err
		}
		progress := len(rest) < len(work)
		work = rest
		if len(work) == 0 || !progress {
			return append(slices.Clone(work), refused...), leftOver(work, refused)
		}
	}
}

// round tries each resource once, those that depend on others before them, and returns those that stay.
func round(ctx context.Context, work []Resource, u Undoing) (rest []Resource, err error) {
	stays, errs := make([]bool, len(work)), make([]error, len(work))
	tried := make([]chan struct{}, len(work))
	slots := make(chan struct{}, undoParallel)
	var all sync.WaitGroup
	for i, r := range work {
		tried[i] = make(chan struct{})
		all.Go(func() {
			defer close(tried[i])
			for j := range i {
				if u.depends(work[j].Node, r.Node) {
					<-tried[j]
				}
			}
			slots <- struct{}{}
			defer func() { <-slots }()
			stays[i], errs[i] = u.one(ctx, r)
		})
	}
	all.Wait()
	for i, r := range work {
		if stays[i] {
			rest = append(rest, r)
		}
	}
	return rest, errors.Join(errs...)
}

// one tries one resource.
func (u Undoing) one(ctx context.Context, r Resource) (stays bool, err error) {
	if err := ctx.Err(); err != nil {
		return true, err
	}
	if undo := undoing(r); undo != "" && u.Delete(ctx, undo, r) != nil {
		return true, ctx.Err()
	}
	if err := u.Forget(ctx, r); err != nil {
		return true, err
	}
	return false, nil
}

// depends reports whether what one node made may need what another one made. What is not known may.
func (u Undoing) depends(node, on string) bool {
	if _, known := u.After[node]; !known || node == on {
		return true
	}
	if _, known := u.After[on]; !known {
		return true
	}
	seen := map[string]bool{}
	var reaches func(id string) bool
	reaches = func(id string) bool {
		if id == on {
			return true
		}
		if seen[id] {
			return false
		}
		seen[id] = true
		return slices.ContainsFunc(u.After[id], reaches)
	}
	return reaches(node)
}

// undoing is the step that takes a resource away; "" if none needs to.
func undoing(r Resource) string {
	t := flow.Step(r.Step)
	if t == nil || t.Undo == "noop" {
		return ""
	}
	return t.Undo
}

// leftOver words what stays: 202 if something failed, 403 if only consent is missing.
func leftOver(failed, refused []Resource) error {
	var sentences []string
	status := http.StatusForbidden
	if len(failed) > 0 {
		status = http.StatusAccepted
		sentences = append(sentences, "Failed to deprovision some resources: ["+named(failed)+"].")
	}
	if len(refused) > 0 {
		sentences = append(sentences, "These resources require the allow_delete parameter to deprovision: ["+named(refused)+"].")
	}
	if len(sentences) == 0 {
		return nil
	}
	return flow.Errorf(status, "%s", strings.Join(sentences, " "))
}

// named lists resources, each once.
func named(resources []Resource) string {
	var names []string
	for _, r := range resources {
		if name := r.Type + " " + r.ID; !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}
