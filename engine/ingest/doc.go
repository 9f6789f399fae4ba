// SPDX-License-Identifier: Apache-2.0

// Package ingest runs ingest pipelines: lists of processors that change a document before it is written.
//
// A [Pipeline] is parsed once and never changes; it may run on many documents at once. A [Document] belongs to one
// goroutine. A [Service] finds pipelines by id among the stored ones and keeps them parsed. What a processor refuses, at
// parsing and at running, it refuses in OpenSearch's words.
//
// Processors of OpenSearch that are not here (script, grok, those that need a library of rules) are refused by name when
// a pipeline is stored. Processors that ask a model do so through a [Predictor].
package ingest
