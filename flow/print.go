// SPDX-License-Identifier: Apache-2.0

package flow

import "github.com/opensteward/steward/wire"

// MarshalJSON prints the template as the API returns it and as it is stored.
func (t *Template) MarshalJSON() ([]byte, error) {
	o := wire.Obj("name", t.Name, "description", t.Description, "use_case", t.UseCase)
	if version := t.Version.object(); len(version) > 0 {
		o.Add("version", version)
	}
	workflows := wire.Object{}
	for i := range t.Workflows {
		workflows.Add(t.Workflows[i].Name, t.Workflows[i].object())
	}
	o.Add("workflows", workflows)
	o.AddIf(len(t.UIMetadata) > len("{}"), "ui_metadata", t.UIMetadata)
	o.AddIf(len(t.User) > 0, "user", t.User)
	o.AddIf(t.Created != 0, "created_time", t.Created)
	o.AddIf(t.LastUpdated != 0, "last_updated_time", t.LastUpdated)
	o.AddIf(t.LastProvisioned != 0, "last_provisioned_time", t.LastProvisioned)
	o.AddIf(t.TenantID != "", "tenant_id", t.TenantID)
	o.AddIf(len(t.Principals) > 0, "all_shared_principals", t.Principals)
	return o.MarshalJSON()
}

func (v Version) object() wire.Object {
	var o wire.Object
	o.AddIf(v.Template != "", "template", v.Template)
	o.AddIf(len(v.Compatibility) > 0, "compatibility", v.Compatibility)
	return o
}

func (w *Workflow) object() wire.Object {
	nodes := make([]wire.Object, len(w.Nodes))
	for i, n := range w.Nodes {
		nodes[i] = wire.Obj("id", n.ID, "type", n.Type,
			"previous_node_inputs", paramsJSON(n.Previous), "user_inputs", n.Inputs.JSON())
	}
	edges := w.Edges
	if edges == nil {
		edges = []Edge{}
	}
	return wire.Obj("user_params", paramsJSON(w.UserParams), "nodes", nodes, "edges", edges)
}
