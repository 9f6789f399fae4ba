// SPDX-License-Identifier: Apache-2.0

// Package wire reads and writes what OpenSearch puts on the wire: JSON with OpenSearch's own error texts, time and
// size units, filter_path, index names, patterns and date maths.
//
// [Parser] walks a body token by token as OpenSearch's XContent parsers do, so that a client gets the same message at
// the same line and column. [Object] writes JSON members in a fixed order. Nothing here knows a route or an index.
package wire
