// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// unfinished ends the names of files that are being written.
const unfinished = ".new"

// digest is the name of a content.
func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// writeFile makes a file, durably and whole or not at all. The directories above it are made too.
func writeFile(path string, content []byte) error {
	dir := filepath.Dir(path)
	if err := makeDir(dir); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, "*"+unfinished)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncDir(dir)
}

// makeDir makes a directory and those above it, durably.
func makeDir(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	parent := filepath.Dir(dir)
	if parent != dir {
		if err := makeDir(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(parent)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// writeRecord makes a file of JSON with its digest in the first line.
func writeRecord(path string, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return writeFile(path, append([]byte(digest(body)+"\n"), body...))
}

// readRecord reads what writeRecord wrote.
func readRecord(path string, v any) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	sum, body, ok := bytes.Cut(content, []byte("\n"))
	if !ok || string(sum) != digest(body) {
		return damaged(path)
	}
	if err := json.Unmarshal(body, v); err != nil {
		return fmt.Errorf("%w: %w", damaged(path), err)
	}
	return nil
}

// errDamaged is wrapped for a file that does not hold what was written to it.
var errDamaged = errors.New("is damaged")

func damaged(path string) error { return fmt.Errorf("%s %w", path, errDamaged) }

// names are the names in a directory but those of unfinished files; none if there is no such directory.
func names(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var out []string
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), unfinished) {
			out = append(out, e.Name())
		}
	}
	return out, err
}

// newest is the name of the file in a directory that was written last; "" if there is none.
func newest(dir string) (string, error) {
	all, err := names(dir)
	var last string
	var at time.Time
	for _, name := range all {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil && info.ModTime().After(at) {
			last, at = name, info.ModTime()
		}
	}
	return last, err
}
