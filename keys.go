// SPDX-License-Identifier: Apache-2.0

package steward

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/opensteward/steward/engine"
	"github.com/opensteward/steward/secret"
)

// keys are the keys that encrypt secrets at rest: those that are given, else those of the data directory, where a file
// with a fresh key is made at first start. Before a cluster nothing is made: without keys, what is secret is refused.
func (o Options) keys() (*secret.Keyring, error) {
	switch {
	case o.Key != "":
		ring, err := secret.Parse([]byte(o.Key))
		if err != nil {
			return nil, fmt.Errorf("the encryption key: %w", err)
		}
		return ring, nil
	case o.KeyFile != "":
		ring, err := secret.Load(o.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("read the encryption keys: %w", err)
		}
		return ring, nil
	case !o.embedded():
		return nil, nil
	}
	return o.dataKeys()
}

// dataKeys are the keys of the data directory. None are made in a directory that has something else in it and that the
// engine will refuse.
func (o Options) dataKeys() (*secret.Keyring, error) {
	if err := os.MkdirAll(o.Data, 0o755); err != nil {
		return nil, fmt.Errorf("make the data directory: %w", err)
	}
	if !engine.IsData(o.Data) {
		return nil, nil
	}
	return secret.LoadOrCreate(filepath.Join(o.Data, engine.KeyFile))
}

func (o Options) checkKeys() error {
	if o.Key != "" && o.KeyFile != "" {
		return errors.New("the encryption key is given twice, as text and as a file")
	}
	return nil
}
