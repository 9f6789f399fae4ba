// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"encoding/json"
)

// PutDocument writes one piece of named metadata. check, if it is not nil, sees the state that the change is made to and
// what the name holds now (nil for nothing), and may refuse.
func (c *Catalog) PutDocument(ctx context.Context, kind Kind, name string, body json.RawMessage, check func(s *State, now json.RawMessage) error) error {
	return c.update(ctx, func(next *State) error {
		if err := next.clusterBlock(MetadataWrite, ""); err != nil {
			return err
		}
		if check != nil {
			if err := check(next, next.Documents[kind][name]); err != nil {
				return err
			}
		}
		if next.Documents[kind] == nil {
			next.Documents[kind] = map[string]json.RawMessage{}
		}
		next.Documents[kind][name] = body
		return nil
	})
}

// DeleteDocuments deletes named metadata. check, if it is not nil, sees the state and may refuse. Names that are not
// there are passed over.
func (c *Catalog) DeleteDocuments(ctx context.Context, kind Kind, names []string, check func(s *State) error) error {
	return c.update(ctx, func(next *State) error {
		if err := next.clusterBlock(MetadataWrite, ""); err != nil {
			return err
		}
		if check != nil {
			if err := check(next); err != nil {
				return err
			}
		}
		for _, name := range names {
			delete(next.Documents[kind], name)
		}
		return nil
	})
}
