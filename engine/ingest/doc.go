// SPDX-License-Identifier: Apache-2.0

// Package ingest runs pipelines. An ingest pipeline is a list of processors that change a document before it is written; a
// search pipeline ([SearchPipeline]) changes a search before it runs and its hits afterwards.
//
// A [Pipeline] is parsed once and never changes; it may run on many documents at once. A [Document] belongs to one
// goroutine. A [Service] finds pipelines by id among the stored ones and keeps them parsed. What a processor refuses, at
// parsing and at running, it refuses in OpenSearch's words.
//
// Processors of OpenSearch that are not here (script, grok, those that need a library of rules) are refused by name when
// a pipeline is stored. Processors that ask a model do so through a [Predictor].
package ingest
