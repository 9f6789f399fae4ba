// SPDX-License-Identifier: Apache-2.0

package simulated

import (
	"encoding/json"
	"net/http"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/wire"
)

// servePlugin answers the calls below /_plugins/_ism.
func (c *Cluster) servePlugin(method string, path []string, body []byte) (any, error) {
	if len(path) != 2 {
		return nil, fault.Unsupported(method + " without a name")
	}
	name := path[1]
	switch method + " " + path[0] {
	case "PUT policies":
		return c.putPolicy(name, body)
	case "DELETE policies":
		delete(c.policies, name)
		return acknowledged, nil
	}
	i, err := c.index(name)
	if err != nil {
		return nil, err
	}
	switch method + " " + path[0] {
	case "GET explain":
		return c.explain(i)
	case "POST add":
		return c.addPolicy(i, body)
	case "POST remove":
		delete(c.managed, i.uuid)
		i.settings["index.plugins.index_state_management.auto_manage"] = "false"
		return updated, nil
	case "POST change_policy":
		return c.changePolicy(i, body)
	case "POST retry":
		return c.retry(i, body)
	}
	return nil, fault.Unsupported(method + " " + path[0])
}

var updated = wire.Obj("updated_indices", 1, "failures", false, "failed_indices", []any{})

func refused(i *index, reason string) wire.Object {
	failed := wire.Obj("index_name", i.name, "index_uuid", i.uuid, "reason", reason)
	return wire.Obj("updated_indices", 0, "failures", true, "failed_indices", []any{failed})
}

func (c *Cluster) putPolicy(id string, body []byte) (any, error) {
	p, err := ism.ParsePolicy(id, body, c.now.UnixMilli())
	if err != nil {
		return nil, err
	}
	if err := p.CheckTemplates(); err != nil {
		return nil, err
	}
	p.LastUpdated = c.now.UnixMilli()
	c.policies[id] = storedPolicy{p, c.next()}
	return acknowledged, nil
}

// request is the body of the calls that manage an index.
type request struct {
	PolicyID string  `json:"policy_id"`
	State    *string `json:"state"`
}

func (c *Cluster) policy(body []byte) (r request, p storedPolicy, err error) {
	if err = json.Unmarshal(body, &r); err != nil {
		return r, p, err
	}
	p, ok := c.policies[r.PolicyID]
	if !ok {
		err = fault.Status(http.StatusNotFound, "Could not find policy=%s", r.PolicyID)
	}
	return r, p, err
}

func (c *Cluster) addPolicy(i *index, body []byte) (any, error) {
	_, p, err := c.policy(body)
	if err != nil {
		return nil, err
	}
	if c.managed[i.uuid] != nil {
		return refused(i, "This index already has a policy, use the update policy API to update index policies"), nil
	}
	return updated, c.attach(i, p)
}

func (c *Cluster) changePolicy(i *index, body []byte) (any, error) {
	r, p, err := c.policy(body)
	if err != nil {
		return nil, err
	}
	m := c.managed[i.uuid]
	if m == nil {
		return refused(i, "This index is not being managed"), nil
	}
	current := ""
	if m.meta != nil && m.meta.State != nil {
		current = m.meta.State.Name
	}
	job := *m.job
	job.ChangePolicy = &ism.ChangePolicy{
		PolicyID: r.PolicyID, State: r.State, IsSafe: ism.SafeToChange(current, m.job.Policy, p.policy, r.State),
	}
	job.LastUpdated = c.now.UnixMilli()
	m.job = &job
	return updated, nil
}

func (c *Cluster) retry(i *index, body []byte) (any, error) {
	var r request
	if len(body) > 0 {
		if err := json.Unmarshal(body, &r); err != nil {
			return nil, err
		}
	}
	m := c.managed[i.uuid]
	if m == nil {
		return refused(i, "This index is not being managed."), nil
	}
	if m.meta == nil || !m.meta.Failed() {
		return refused(i, "This index is not in failed state."), nil
	}
	state := ""
	if r.State != nil {
		state = *r.State
	}
	m.job, m.meta = m.job.Enable(c.now), m.meta.RetryOf(state)
	return updated, nil
}

// explain is the answer for one index.
func (c *Cluster) explain(i *index) (any, error) {
	o := wire.Object{}
	m := c.managed[i.uuid]
	var policy, enabled any
	total := 0
	if m != nil {
		policy, enabled, total = m.job.PolicyID, m.job.Enabled, 1
	}
	o.Add("index.plugins.index_state_management.policy_id", policy)
	o.Add("index.opendistro.index_state_management.policy_id", policy)
	switch {
	case m == nil:
	case m.meta == nil:
		o = append(o, wire.Obj("index", i.name, "index_uuid", i.uuid, "policy_id", policy)...)
	default:
		meta := *m.meta
		if now := ism.CurrentConditions(c.input(m)); now != nil {
			meta.Info = meta.Info.With("conditions", now)
		}
		o = append(o, meta.Explain()...)
	}
	o.Add("enabled", enabled)
	return wire.Obj(i.name, o, "total_managed_indices", total), nil
}
