// SPDX-License-Identifier: Apache-2.0

package provision

import (
	"context"
	"encoding/json"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/lease"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire"
)

// runPrefix begins the ids of run documents in [lease.Index]; the workflow's id follows.
const runPrefix = "run-"

// What a run is to lead to.
const (
	goalProvision   = "provision"
	goalReprovision = "reprovision"
	goalDeprovision = "deprovision"
)

// runDocument is what is known of the last provisioning of a workflow besides the plugin's own documents.
type runDocument struct {
	Workflow string `json:"workflow_id"`
	// Open is true while there is something to do.
	Open bool `json:"open"`
	// Fence is that of the lease under which it was written last.
	Fence int64  `json:"fence"`
	Goal  string `json:"goal"`
	// Start is the provision_start_time of the state that it belongs to: a state that says PROVISIONING since another
	// instant has no run document yet.
	Start int64 `json:"start_time"`
	// Rollback asks to take away what the run made if it fails; Cancel to stop at the next step boundary.
	Rollback bool `json:"rollback,omitempty"`
	Cancel   bool `json:"cancel,omitempty"`
	// Kept is the plan with all its inputs and the request's parameters, sealed, or in clear where nothing in it is
	// secret; empty once the workflow is COMPLETED.
	Kept  string        `json:"kept,omitempty"`
	Nodes []*nodeRecord `json:"nodes"`
	// Failure is why the last run failed.
	Failure *failureRecord `json:"failure,omitempty"`
	// Undo is the last deprovisioning that was asked for.
	Undo *undoRecord `json:"undo,omitempty"`
}

// The statuses of a node.
const (
	nodePending   = "pending"
	nodeRunning   = "running"
	nodeCompleted = "completed"
	nodeFailed    = "failed"
)

// nodeRecord is the progress of one node.
type nodeRecord struct {
	ID     string   `json:"workflow_step_id"`
	Type   string   `json:"workflow_step_name"`
	After  []string `json:"after,omitempty"`
	Status string   `json:"status"`
	// Start and End are epoch milliseconds, 0 for not yet.
	Start    int64 `json:"start_time,omitempty"`
	End      int64 `json:"end_time,omitempty"`
	Attempts int   `json:"attempts"`
	// Unseen is true from the note of an attempt until its end is known.
	Unseen bool            `json:"unseen,omitempty"`
	Note   json.RawMessage `json:"note,omitempty"`
	// Outputs are for the nodes after it, sealed if there is a key.
	Outputs string `json:"outputs,omitempty"`
	Adopted bool   `json:"adopted,omitempty"`
	// Made are the resources that this node made in this run.
	Made  []Resource     `json:"made,omitempty"`
	Error *failureRecord `json:"error,omitempty"`
}

// failureRecord is a failure as it is told, secrets masked.
type failureRecord struct {
	Text   string `json:"text"`
	Status int    `json:"status"`
	// Type and Reason are the cluster's own.
	Type   string `json:"type,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// undoRecord is a deprovisioning that was asked for, and what came of it.
type undoRecord struct {
	ID    string   `json:"id"`
	Allow []string `json:"allow_delete,omitempty"`
	Done  bool     `json:"done,omitempty"`
	// Failure is the answer if something stayed.
	Failure *failureRecord `json:"failure,omitempty"`
}

// node is the record of a node, or nil.
func (d *runDocument) node(id string) *nodeRecord {
	for _, n := range d.Nodes {
		if n.ID == id {
			return n
		}
	}
	return nil
}

// storedRun is a run document as it was read; found is false if there is none.
type storedRun struct {
	*runDocument
	version opensearch.Version
	found   bool
}

func readRun(ctx context.Context, c *opensearch.Client, id string) (storedRun, error) {
	doc, err := lease.Read(ctx, c, runPrefix+id)
	if fault.Is(err, "index_not_found_exception") {
		return storedRun{}, nil
	}
	if err != nil || !doc.Found {
		return storedRun{}, err
	}
	d, err := parseRun(doc.Source)
	return storedRun{d, doc.Version, err == nil}, err
}

func parseRun(source json.RawMessage) (*runDocument, error) {
	var body struct {
		Run *runDocument `json:"run"`
	}
	if err := json.Unmarshal(source, &body); err != nil {
		return nil, err
	}
	if body.Run == nil {
		body.Run = &runDocument{}
	}
	return body.Run, nil
}

// runWrite is the write of a run document over a version; a zero version writes over whatever is there.
func runWrite(d *runDocument, over opensearch.Version) opensearch.Write {
	return opensearch.Write{
		Op: opensearch.OpIndex, Index: lease.Index, ID: runPrefix + d.Workflow, If: over, Source: wire.Obj("run", d),
	}
}

func (s *Service) writeRun(ctx context.Context, r *storedRun) error {
	written, err := s.client.Write(ctx, runWrite(r.runDocument, r.version), "")
	if err == nil {
		r.version, r.found = written.Version, true
	}
	return err
}

// deleteRun deletes a run document as it was read; a zero version means whatever is there.
func (s *Service) deleteRun(ctx context.Context, id string, was opensearch.Version) error {
	_, err := s.client.Write(ctx, opensearch.Write{Op: opensearch.OpDelete, Index: lease.Index, ID: runPrefix + id, If: was}, "")
	if fault.Is(err, "index_not_found_exception") {
		return nil
	}
	return err
}
