// SPDX-License-Identifier: Apache-2.0

//go:build !whole

package steward

import (
	"context"
	"errors"
)

var errNoEngine = errors.New("this build has no embedded engine: give --cluster")

func (s *Steward) openEngine() (backend, error) { return backend{}, errNoEngine }

// Check walks through everything stored in a data directory that is not in use, and reports every inconsistency as a
// sentence.
func Check(context.Context, string) (findings []string, err error) { return nil, errNoEngine }
