// SPDX-License-Identifier: Apache-2.0

package wire

import "bytes"

// WithoutComments is a JSON body (or lines of them) whose comments, // to the end of the line and /* */, and byte order
// mark are blanked, since OpenSearch reads over them. What remains stands where it stood. A body that has none is
// returned as it is.
func WithoutComments(body []byte) []byte {
	mark := []byte("\ufeff")
	if !bytes.HasPrefix(body, mark) && !bytes.Contains(body, []byte("//")) && !bytes.Contains(body, []byte("/*")) {
		return body
	}
	out := body
	blank := func(from, to int) {
		if &out[0] == &body[0] {
			out = bytes.Clone(body)
		}
		for i := from; i < to; i++ {
			if out[i] != '\n' {
				out[i] = ' '
			}
		}
	}
	if bytes.HasPrefix(body, mark) {
		blank(0, len(mark))
	}
	quoted := false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case c == '\n':
			quoted = false // no string has one: this one was never closed
		case c == '"':
			quoted = !quoted
		case quoted && c == '\\':
			i++
		case !quoted && c == '/':
			if end := commentEnd(body, i); end > i {
				blank(i, end)
				i = end - 1
			}
		}
	}
	return out
}

// commentEnd is where the comment ends that begins at an offset; the offset itself if none does.
func commentEnd(body []byte, at int) int {
	opening, closing, length := "//", "\n", 0
	if bytes.HasPrefix(body[at:], []byte("/*")) {
		opening, closing, length = "/*", "*/", 2
	}
	if !bytes.HasPrefix(body[at:], []byte(opening)) {
		return at
	}
	n := bytes.Index(body[at+2:], []byte(closing))
	switch {
	case n >= 0:
		return at + 2 + n + length
	case length == 0:
		return len(body)
	}
	return at // never closed: for the parser to refuse
}
