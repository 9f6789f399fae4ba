// SPDX-License-Identifier: Apache-2.0

package secret

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func ring(t *testing.T, lines ...string) *Keyring {
	t.Helper()
	k, err := Parse([]byte(strings.Join(lines, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func key(t *testing.T) string {
	t.Helper()
	line, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return line
}

func seal(t *testing.T, k *Keyring, text, place string) string {
	t.Helper()
	sealed, err := k.Seal(text, place)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func TestATextOpensWhereItWasSealed(t *testing.T) {
	k := ring(t, key(t))
	sealed := seal(t, k, "hunter2", "templates/1/credential")
	if strings.Contains(sealed, "hunter2") || !Sealed(sealed) {
		t.Errorf("sealed text: %s", sealed)
	}
	if got, err := k.Open(sealed, "templates/1/credential"); err != nil || got != "hunter2" {
		t.Errorf("Open = %q, %v", got, err)
	}
}

func TestATextDoesNotOpen(t *testing.T) {
	first, second := key(t), key(t)
	k := ring(t, first)
	sealed := seal(t, k, "hunter2", "a")
	for _, c := range []struct {
		name   string
		ring   *Keyring
		text   string
		place  string
		reason error
	}{
		{"in another place", k, sealed, "b", ErrDamaged},
		{"with another key", ring(t, second), sealed, "a", ErrUnknownKey},
		{"without a key", nil, sealed, "a", ErrNoKey},
		{"when it was changed", k, sealed[:len(sealed)-4] + "AAA=", "a", ErrDamaged},
		{"when it was never sealed", k, "hunter2", "a", ErrDamaged},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, err := c.ring.Open(c.text, c.place); !errors.Is(err, c.reason) {
				t.Errorf("Open = %q, %v; want %v", got, err, c.reason)
			}
		})
	}
}

func TestARotatedKeyStillOpensAndNoLongerSeals(t *testing.T) {
	first, second := key(t), key(t)
	old := seal(t, ring(t, first), "hunter2", "a")
	rotated := ring(t, second, first)
	if got, err := rotated.Open(old, "a"); err != nil || got != "hunter2" {
		t.Errorf("Open = %q, %v", got, err)
	}
	if rotated.Current(old) || !rotated.Current(seal(t, rotated, "x", "a")) {
		t.Error("the new key is not the one that seals")
	}
}

func TestAnyWhiteSpaceStandsBetweenAnIDAndItsKey(t *testing.T) {
	line := key(t)
	tabbed := ring(t, strings.Replace(line, " ", "\t ", 1))
	if got, err := tabbed.Open(seal(t, ring(t, line), "hunter2", "a"), "a"); err != nil || got != "hunter2" {
		t.Errorf("Open = %q, %v", got, err)
	}
}

func TestBadKeyFilesAreRefused(t *testing.T) {
	good := key(t)
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "there is no key"},
		{"only a comment", "# none", "there is no key"},
		{"no id", "AAAA", "want an id"},
		{"something after the key", good + " x", "want an id"},
		{"a short key", "a AAAA", "key a is not 32 bytes"},
		{"the same id twice", good + "\n" + good, "stands twice"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := Parse([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Parse = %v, want %q in it", err, c.want)
			}
		})
	}
}

func TestAKeyFileIsMadeOnceAndForItsOwnerOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	k, err := LoadOrCreate(path)
	if err != nil {
		t.Fatal(err)
	}
	sealed := seal(t, k, "x", "a")
	again, err := LoadOrCreate(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.Open(sealed, "a"); err != nil || got != "x" {
		t.Errorf("after a second load: %q, %v", got, err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err == nil || !strings.Contains(err.Error(), "0600") {
		t.Errorf("a file that others can read: %v", err)
	}
}
