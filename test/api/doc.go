// SPDX-License-Identifier: Apache-2.0

// Package api plays stories of requests on the embedded engine and compares every answer with what OpenSearch 3.4.0
// answered to the same story.
//
// A story is testdata/NAME.http: requests one after another, each "METHOD /path" with its body in the lines below it,
// a blank line between them. "# " begins a comment; "# differs: reason" before a request says that its answer is
// another one on purpose, and fails if it is not. testdata/NAME.json holds the recorded answers.
//
// A new story is recorded from a real node that holds nothing else, whose indices and templates are deleted for it:
//
//	go test ./test/api -record http://127.0.0.1:9310 [-run TestStories/NAME]
package api
