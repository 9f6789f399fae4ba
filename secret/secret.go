// SPDX-License-Identifier: Apache-2.0

// Package secret encrypts what must not be readable where it is stored: credentials in templates and connectors, kept
// parameters of a provisioning.
//
// A [Keyring] holds AES-256 keys by id. The first one encrypts; all decrypt, so a key is rotated by putting a new one
// first and removing the old one when nothing is sealed with it any more. A sealed text names its key. It is bound to
// the place it stands in: a text copied from one document into another does not open.
package secret

import (
	"bufio"
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const (
	prefix  = "steward:v1:"
	keySize = 32 // AES-256
)

var (
	// ErrNoKey is returned by a nil Keyring: nothing was configured to encrypt with.
	ErrNoKey = errors.New("no encryption key is configured")
	// ErrUnknownKey is wrapped when a text was sealed with a key that the ring does not hold.
	ErrUnknownKey = errors.New("the encryption key is not in the key file")
	// ErrDamaged is wrapped when a text does not open: it was changed, moved, or never sealed.
	ErrDamaged = errors.New("the encrypted text is damaged")
)

// Keyring is a set of keys. A nil Keyring refuses everything with ErrNoKey. It is safe for concurrent use.
type Keyring struct {
	active string
	keys   map[string]cipher.AEAD
}

// Parse reads keys, one a line: an id, white space, 32 bytes in base64. The first line encrypts. Empty lines and lines
// that begin with # are skipped.
func Parse(text []byte) (*Keyring, error) {
	ring := &Keyring{keys: map[string]cipher.AEAD{}}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := ring.add(line); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if ring.active == "" {
		return nil, errors.New("there is no key")
	}
	return ring, nil
}

func (k *Keyring) add(line string) error {
	words := strings.Fields(line)
	if len(words) != 2 || strings.Contains(words[0], ":") {
		return errors.New("want an id without colon, white space, and 32 bytes in base64")
	}
	id := words[0]
	key, err := base64.StdEncoding.DecodeString(words[1])
	if err != nil || len(key) != keySize {
		return fmt.Errorf("key %s is not 32 bytes in base64", id)
	}
	if _, twice := k.keys[id]; twice {
		return fmt.Errorf("key %s stands twice", id)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return err
	}
	k.keys[id] = aead
	if k.active == "" {
		k.active = id
	}
	return nil
}

// LoadOrCreate reads the key file at path, and makes one with a fresh key, mode 0600, if there is none. A file that
// others can read is refused.
func LoadOrCreate(path string) (*Keyring, error) {
	ring, err := Load(path)
	if !errors.Is(err, os.ErrNotExist) {
		return ring, err
	}
	line, err := NewKey()
	if err != nil {
		return nil, err
	}
	if err := writeFile(path, []byte(line+"\n")); err != nil {
		return nil, fmt.Errorf("make key file: %w", err)
	}
	return Load(path)
}

// Load reads the key file at path. A file that others can read is refused.
func Load(path string) (*Keyring, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("key file %s can be read by others; its mode must be 0600", path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	ring, err := Parse(text)
	if err != nil {
		return nil, fmt.Errorf("key file %s: %w", path, err)
	}
	return ring, nil
}

// NewKey returns a line for a key file: a fresh id and a fresh key.
func NewKey() (string, error) {
	raw := make([]byte, 6+keySize)
	if _, err := rand.Read(raw); err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(raw[:6]) + " " + base64.StdEncoding.EncodeToString(raw[6:]), nil
}

// writeFile writes a new file durably. It fails if the file exists.
func writeFile(path string, body []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(body)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// Seal encrypts text for one place, such as "index/id/field".
func (k *Keyring) Seal(text, place string) (string, error) {
	if k == nil {
		return "", ErrNoKey
	}
	sealed := k.keys[k.active].Seal(nil, nil, []byte(text), []byte(place))
	return prefix + k.active + ":" + base64.StdEncoding.EncodeToString(sealed), nil
}

// Open decrypts what Seal made for the same place.
func (k *Keyring) Open(sealed, place string) (string, error) {
	rest, ok := strings.CutPrefix(sealed, prefix)
	if !ok {
		return "", ErrDamaged
	}
	if k == nil {
		return "", ErrNoKey
	}
	id, encoded, _ := strings.Cut(rest, ":")
	aead, ok := k.keys[id]
	if !ok {
		return "", fmt.Errorf("key %s: %w", id, ErrUnknownKey)
	}
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return "", ErrDamaged
	}
	text, err := aead.Open(nil, nil, raw, []byte(place))
	if err != nil {
		return "", ErrDamaged
	}
	return string(text), nil
}

// Sealed reports whether text looks like the result of Seal.
func Sealed(text string) bool { return strings.HasPrefix(text, prefix) }

// Rotating reports whether there are keys besides the one that encrypts.
func (k *Keyring) Rotating() bool { return k != nil && len(k.keys) > 1 }

// Current reports whether a sealed text was made with the key that encrypts now.
func (k *Keyring) Current(sealed string) bool {
	return k != nil && strings.HasPrefix(sealed, prefix+k.active+":")
}
