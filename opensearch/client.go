// SPDX-License-Identifier: Apache-2.0

// Package opensearch is the seam: everything above it reaches the cluster only through this small typed client, which
// speaks OpenSearch's REST protocol over an http.RoundTripper. [InProcess] calls the embedded engine's handler;
// [Dial] goes over the network. Nothing above knows which.
//
// Every failure is a *fault.Error that carries the cluster's own status, type and reason; a transport failure is a
// fault of status 503 and type "transport_exception" whose Err says what happened. The client never repeats a call by
// itself: whether a call may be sent twice is known only to its caller.
package opensearch

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"
)

// Client calls one cluster. It is safe for concurrent use.
type Client struct{ transport http.RoundTripper }

// NewClient returns a client over a round-tripper.
func NewClient(transport http.RoundTripper) *Client { return &Client{transport: transport} }

// Call is one request.
type Call struct {
	Method string
	// Path is escaped already; see [Path].
	Path  string
	Query url.Values
	// Body is marshalled as JSON; a []byte or json.RawMessage is sent as it is.
	Body any
	// NDJSON marks the body as newline-delimited JSON.
	NDJSON bool
	// OpaqueID goes out as X-Opaque-Id and shows in _tasks.
	OpaqueID string
	// Header is added (a caller's own credentials, for example).
	Header http.Header
}

// Path joins segments into an escaped path: Path("a/b", "_doc", "x y") is "/a%2Fb/_doc/x%20y".
func Path(segments ...string) string { panic("stub") }

// Do sends a call and decodes a 2xx answer into out (nil: ignored; *json.RawMessage: kept). Any other status is the
// cluster's fault.
func (c *Client) Do(ctx context.Context, call Call, out any) error { panic("stub") }

// Send sends a call and returns status, header and the whole body, whatever the status.
func (c *Client) Send(ctx context.Context, call Call) (status int, header http.Header, body []byte, err error) {
	panic("stub")
}

// ---- documents

// Version is the sequence number and primary term that a conditional write needs. The zero value means no condition.
type Version struct {
	SeqNo       int64 `json:"_seq_no"`
	PrimaryTerm int64 `json:"_primary_term"`
}

// Document is a stored document.
type Document struct {
	Index   string          `json:"_index"`
	ID      string          `json:"_id"`
	Routing string          `json:"_routing,omitempty"`
	Found   bool            `json:"found"`
	Number  int64           `json:"_version"`
	Source  json.RawMessage `json:"_source"`
	Sort    []any           `json:"sort,omitempty"`
	Version
}

// Get reads one document, in real time. A document that is not there has Found false; a missing index is the
// index_not_found_exception.
func (c *Client) Get(ctx context.Context, index, id, routing string) (Document, error) { panic("stub") }

// Key names a document for MultiGet.
type Key struct{ ID, Routing string }

// MultiGet reads documents of one index in real time, in the order of keys. A missing index makes all of them not
// found.
func (c *Client) MultiGet(ctx context.Context, index string, keys []Key) ([]Document, error) {
	panic("stub")
}

// Op is what a write does.
type Op string

// The operations of a write.
const (
	OpIndex  Op = "index"
	OpCreate Op = "create" // 409 if the document exists
	OpUpdate Op = "update" // Source is merged into the document
	OpDelete Op = "delete"
)

// Write is one write of a document.
type Write struct {
	Op      Op
	Index   string
	ID      string // "" lets the cluster choose (OpIndex only)
	Routing string
	If      Version // sent unless zero
	Source  any
}

// Written is the result of one write.
type Written struct {
	ID     string
	Number int64
	Result string // created, updated, deleted, noop, not_found
	Version
	// Raw is the cluster's answer, whole.
	Raw json.RawMessage
	// Err is set in the results of Bulk for an item that failed.
	Err error
}

// Write writes one document. refresh is "", "true", "false" or "wait_for".
func (c *Client) Write(ctx context.Context, w Write, refresh string) (Written, error) { panic("stub") }

// Bulk writes many documents in one request. An item that fails has Err set; the error is for the request itself.
func (c *Client) Bulk(ctx context.Context, writes []Write) ([]Written, error) { panic("stub") }

// SearchResult is a page of hits.
type SearchResult struct {
	Total int64
	Hits  []Document
	Raw   json.RawMessage
}

// Search searches one index expression. body is a search body; seq_no_primary_term is asked for always.
func (c *Client) Search(ctx context.Context, index string, body any, query url.Values) (SearchResult, error) {
	panic("stub")
}

// Scan calls fn for every document that query (a query DSL value) finds, by search_after over _seq_no, in pages.
func (c *Client) Scan(ctx context.Context, index string, query any, fn func(Document) error) error {
	panic("stub")
}

// Refresh makes writes to an index visible to searches. A missing index is no error.
func (c *Client) Refresh(ctx context.Context, index string) error { panic("stub") }

// ---- the cluster

// Mark is what changes when the cluster's metadata changes.
type Mark struct {
	Version int64  `json:"version"`
	UUID    string `json:"state_uuid"`
}

// Mark reads the cluster state's version: the cheap probe of "did anything change".
func (c *Client) Mark(ctx context.Context) (Mark, error) { panic("stub") }

// MaxSeqNo is the highest sequence number of each shard of an index, the cheap probe of "did a document change"; nil if
// the index does not exist.
func (c *Client) MaxSeqNo(ctx context.Context, index string) (map[string]int64, error) { panic("stub") }

// ClusterSettings are the flat persistent and transient cluster settings, transient winning.
func (c *Client) ClusterSettings(ctx context.Context) (map[string]string, error) { panic("stub") }

// Health is the cluster's (or an index's) health.
func (c *Client) Health(ctx context.Context, index string) (status string, err error) { panic("stub") }

// IndexInfo is what the control plane knows about an index.
type IndexInfo struct {
	Name       string
	UUID       string
	Created    time.Time
	Open       bool
	Hidden     bool
	DataStream string // the data stream it backs, or ""
	Aliases    map[string]Alias
	Settings   map[string]string // flat, with "index." prefix, plugin settings included
}

// Alias is one alias of an index.
type Alias struct {
	Write  *bool           `json:"is_write_index,omitempty"`
	Hidden *bool           `json:"is_hidden,omitempty"`
	Filter json.RawMessage `json:"filter,omitempty"`
	Index  string          `json:"index_routing,omitempty"`
	Search string          `json:"search_routing,omitempty"`
}

// Indices reads the named indices (nil: all, hidden and closed included), settings and aliases and data streams, in a
// fixed number of requests. A name that does not exist is left out.
func (c *Client) Indices(ctx context.Context, names []string) (map[string]IndexInfo, error) {
	panic("stub")
}

// IndexNames lists all indices and their aliases, hidden and closed included: the cheap listing.
func (c *Client) IndexNames(ctx context.Context) (map[string]map[string]Alias, error) { panic("stub") }

// Resolve turns an index expression into concrete names as the lenient lookup of the ISM APIs does: open, closed and
// hidden, aliases and data streams resolved, unknown names ignored. strict makes an unknown concrete name the 404
// index_not_found_exception.
func (c *Client) Resolve(ctx context.Context, expressions []string, strict bool) ([]string, error) {
	panic("stub")
}

// IndexStats are the numbers conditions ask for.
type IndexStats struct {
	Docs         int64 // primaries, deleted documents excluded
	PrimaryBytes int64 // store size of the primaries
	MaxShard     int   // number of the largest shard copy
	MaxShardSize int64 // its store size in bytes
	// Segments is the number of segments per shard copy.
	Segments []int64
	// Failures are shard failures as text, one each.
	Failures []string
}

// Stats reads the numbers of many indices in one request. An index that is gone or closed is left out.
func (c *Client) Stats(ctx context.Context, names []string) (map[string]IndexStats, error) {
	panic("stub")
}

// RolloverInfo reads when indices were rolled over, by target (alias or data stream), from their metadata.
func (c *Client) RolloverInfo(ctx context.Context, names []string) (map[string]map[string]time.Time, error) {
	panic("stub")
}

// ---- administration

// Acknowledged is an answer {"acknowledged":true}.
type Acknowledged struct {
	Acknowledged bool `json:"acknowledged"`
}

// CreateIndex creates an index with this body.
func (c *Client) CreateIndex(ctx context.Context, name string, body any) error { panic("stub") }

// DeleteIndex deletes one index.
func (c *Client) DeleteIndex(ctx context.Context, name string) (Acknowledged, error) { panic("stub") }

// OpenIndex opens one index.
func (c *Client) OpenIndex(ctx context.Context, name string) (Acknowledged, error) { panic("stub") }

// CloseIndex closes one index.
func (c *Client) CloseIndex(ctx context.Context, name string) (Acknowledged, error) { panic("stub") }

// PutSettings changes settings of one index; nil values reset.
func (c *Client) PutSettings(ctx context.Context, name string, settings map[string]any) (Acknowledged, error) {
	panic("stub")
}

// UpdateAliases runs alias actions, each {"add":{...}} or {"remove":{...}}.
func (c *Client) UpdateAliases(ctx context.Context, actions []any) (Acknowledged, error) {
	panic("stub")
}

// RolledOver is the answer of a rollover.
type RolledOver struct {
	Acknowledged bool   `json:"acknowledged"`
	RolledOver   bool   `json:"rolled_over"`
	OldIndex     string `json:"old_index"`
	NewIndex     string `json:"new_index"`
}

// Rollover rolls target over. newIndex "" lets the cluster name it; conditions nil means unconditionally.
func (c *Client) Rollover(ctx context.Context, target, newIndex string, conditions map[string]any, dryRun bool) (RolledOver, error) {
	panic("stub")
}

// ForceMerge merges an index and returns when it is done, which may take hours. failures are shard failures as text.
func (c *Client) ForceMerge(ctx context.Context, name string, maxSegments int) (failures []string, err error) {
	panic("stub")
}

// ---- round-trippers

// InProcess calls a handler directly.
func InProcess(h http.Handler) http.RoundTripper { panic("stub") }

// DialOptions say how to reach a cluster.
type DialOptions struct {
	URLs               []string // credentials may stand in the URL
	Username, Password string
	CACertificate      string // path of a PEM file
	InsecureSkipVerify bool
}

// Dial returns a round-tripper over the network, with a node pool and without any retry.
func Dial(o DialOptions) (http.RoundTripper, error) { panic("stub") }
