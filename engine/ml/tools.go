// SPDX-License-Identifier: Apache-2.0

package ml

// ToolInfo describes one sort of tool that an agent may have.
type ToolInfo struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	Type        string `json:"type"`
	Version     string `json:"version"`
}

// tools are those of ML Commons and of the skills that come with it, by name. An agent may name others.
var tools = [][2]string{
	{"AgentTool", "Runs another agent."},
	{"CatIndexTool", "Lists indices with their health, state, number of documents and size."},
	{"ConnectorTool", "Calls the execute action of a connector."},
	{"CreateAnomalyDetectorTool", "Suggests the configuration of an anomaly detector for an index."},
	{"DynamicTool", "Runs a tool that is chosen when the agent runs."},
	{"IndexMappingTool", "Returns the mappings and settings of indices."},
	{"ListIndexTool", "Lists indices, all or those of the names that are given."},
	{"LogPatternTool", "Groups log lines by their patterns."},
	{"MLModelTool", "Asks a model."},
	{"NeuralSparseSearchTool", "Searches with a neural sparse query."},
	{"PPLTool", "Translates a question into PPL and may run it."},
	{"QueryPlanningTool", "Translates a question into a query in the query DSL."},
	{"RAGTool", "Finds documents for a question and has a model summarize them."},
	{"ReadFromScratchPadTool", "Reads the notes that the agent has kept."},
	{"SearchAlertsTool", "Finds alerts."},
	{"SearchAnomalyDetectorsTool", "Finds anomaly detectors."},
	{"SearchAnomalyResultsTool", "Finds results of anomaly detectors."},
	{"SearchIndexTool", "Searches an index with a query in the query DSL."},
	{"SearchMonitorsTool", "Finds alerting monitors."},
	{"VectorDBTool", "Searches vectors with a neural query."},
	{"VisualizationTool", "Finds visualizations."},
	{"WebSearchTool", "Searches the web."},
	{"WriteToScratchPadTool", "Adds to the notes of the agent."},
}

// ListTools describes all tools.
func ListTools() []ToolInfo {
	out := make([]ToolInfo, len(tools))
	for i, t := range tools {
		out[i] = ToolInfo{Name: t[0], Description: t[1], Type: t[0], Version: "no version found"}
	}
	return out
}

// GetTool describes one tool.
func GetTool(name string) (ToolInfo, error) {
	for _, t := range ListTools() {
		if t.Name == name {
			return t, nil
		}
	}
	return ToolInfo{}, notFound("Failed to find tool information with the provided tool name: %s", name)
}
