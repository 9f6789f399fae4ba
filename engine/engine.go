// SPDX-License-Identifier: Apache-2.0

// Package engine is a small search engine that speaks OpenSearch's REST protocol: an http.Handler over one data
// directory, for one process.
//
//	e, err := engine.Open(engine.Options{Dir: dir})
//	if err != nil { ... }
//	defer e.Close()
//	e.ServeHTTP(w, r)
//
// A write is acknowledged after it is synced to disk, and survives kill -9. What the engine does not support it refuses
// with a 400 that names the feature; nothing is accepted and ignored. There is one node: replicas are accepted and
// reported unassigned (yellow).
//
// The engine does not know that it has a control plane: settings and plugin rows of plugins are handed in.
package engine

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/opensteward/steward/clock"
	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/engine/documents"
	"github.com/opensteward/steward/engine/ml"
	"github.com/opensteward/steward/engine/query"
	"github.com/opensteward/steward/engine/rest"
	"github.com/opensteward/steward/engine/snapshot"
	"github.com/opensteward/steward/secret"
	wirerest "github.com/opensteward/steward/wire/rest"
	"github.com/opensteward/steward/wire/setting"
)

// format is the number of the data directory's layout. History: 1, the first.
const format = 1

// The parts of a data directory.
const (
	markFile    = "steward.json"
	lockFile    = "lock"
	catalogFile = "catalog.db"
	indicesDir  = "indices"
)

// DefaultVersion is the version of OpenSearch that the engine speaks unless told otherwise.
const DefaultVersion = "3.4.0"

// ErrInUse is wrapped when another process has the data directory open.
var ErrInUse = errors.New("the data directory is in use")

// Plugin is a row of _cat/plugins.
type Plugin = rest.Plugin

// Options of an engine.
type Options struct {
	// Dir is the data directory, made if it does not exist.
	Dir string
	// Clock gives the dates that documents and metadata show; nil means the machine's.
	Clock clock.Clock
	// Settings are further settings, those of plugins.
	Settings []setting.Definition
	Plugins  []Plugin
	// Config are the settings that the node was started with ("cluster.name", "node.name", ...).
	Config map[string]string
	// Address is host:port where the engine is reached, for clients that ask its node; "" means 127.0.0.1:9200.
	Address string
	// Version is the version of OpenSearch that it reports; "" means DefaultVersion.
	Version string
	Logger  *slog.Logger
	// Keys encrypt the credentials of connectors; nil means that no connector can be made. What was encrypted with another
	// key than the first is encrypted with that when the engine opens.
	Keys *secret.Keyring
	// OpenFile opens document files; nil means os.OpenFile. Tests put a failing disk here.
	OpenFile func(name string, flag int, perm os.FileMode) (*os.File, error)
}

// Settings declares the dynamic cluster settings that Options.Config may give start values.
func Settings() []setting.Definition {
	return slices.Concat(catalog.ClusterDefinitions(), ml.Settings())
}

// Engine is an open engine. It is safe for concurrent use.
type Engine struct {
	dir     string
	lock    *os.File
	catalog *catalog.Catalog
	docs    *documents.Store
	// snapshots use both.
	snapshots *snapshot.Service
	server    *rest.Server
	router    *wirerest.Router
}

// mark is what a data directory says of itself.
type mark struct {
	Format int `json:"format"`
	// Virtual is true for a directory whose dates come from a virtual clock.
	Virtual bool `json:"virtual_time"`
	// Now is where the virtual clock stands, or is about to move to.
	Now *time.Time `json:"virtual_now,omitempty"`
}

// Open opens a data directory. Another process that has it open is ErrInUse; a directory of an unknown format, or one
// with other things in it, is refused.
func Open(o Options) (*Engine, error) {
	if o.Clock == nil {
		o.Clock = clock.Real{}
	}
	o.Version = cmp.Or(o.Version, DefaultVersion)
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	e := &Engine{dir: o.Dir}
	if err := e.open(o); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	e.serve(o)
	return e, nil
}

// open locks the directory and opens what is in it.
func (e *Engine) open(o Options) (err error) {
	if e.lock, err = claim(o.Dir); err != nil {
		return err
	}
	if err := settleTime(o.Dir, o.Clock); err != nil {
		return err
	}
	_, virtual := o.Clock.(*clock.Virtual)
	e.docs = documents.New(documents.Options{
		Dir: filepath.Join(o.Dir, indicesDir), Logger: o.Logger, Now: o.Clock.Now, AtOnce: virtual, OpenFile: o.OpenFile,
	})
	e.catalog, err = catalog.Open(catalog.Options{
		Path: filepath.Join(o.Dir, catalogFile), Clock: o.Clock, Shards: e.docs, Config: o.Config,
		Settings: slices.Concat(o.Settings, ml.Settings()), NodeVersion: o.Version, Logger: o.Logger,
	})
	if err != nil {
		return err
	}
	e.docs.Use(e.catalog)
	state := e.catalog.State()
	if err := e.docs.Orphans(func(uuid string) bool { return state.IndexByUUID(uuid) != nil }); err != nil {
		return err
	}
	e.snapshots, err = openSnapshots(o, e.catalog, e.docs)
	return err
}

// serve adds the routes of all APIs.
func (e *Engine) serve(o Options) {
	models := ml.New(ml.Options{Catalog: e.catalog, Docs: e.docs, Clock: o.Clock, Keys: o.Keys, Node: query.NodeID})
	if err := models.Reseal(context.Background()); err != nil { // they can still be called with the key they have
		o.Logger.Error("encrypt credentials of connectors with the current key", "err", err)
	}
	e.server = &rest.Server{
		Catalog: e.catalog, Docs: e.docs, Snapshots: e.snapshots, Clock: o.Clock, Logger: o.Logger, Version: o.Version, Plugins: o.Plugins,
		Config: o.Config, Address: o.Address, Dir: o.Dir, Predictor: models,
		SettingsChanged: models.SettingsChanged,
	}
	e.router = wirerest.NewRouter(o.Version)
	e.router.Logger(o.Logger)
	e.server.Register(e.router)
	e.server.RegisterML(e.router, models)
}

// claim locks the data directory, which is made if it does not exist.
func claim(dir string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Join(dir, indicesDir), 0o755); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		holder, _ := os.ReadFile(lock.Name())
		who := ""
		if pid := strings.TrimSpace(string(holder)); pid != "" {
			who = " by process " + pid
		}
		return nil, errors.Join(fmt.Errorf("%s: %w%s", dir, ErrInUse, who), lock.Close())
	}
	if err := errors.Join(lock.Truncate(0), writeAt(lock, fmt.Sprintln(os.Getpid()))); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return lock, nil
}

func writeAt(f *os.File, text string) error {
	_, err := f.WriteAt([]byte(text), 0)
	return err
}

// settleTime checks the directory's mark, or writes it into a new directory, and puts a virtual clock to where it stood.
func settleTime(dir string, c clock.Clock) error {
	v, virtual := c.(*clock.Virtual)
	m, err := readMark(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := onlyOurs(dir); err != nil {
			return err
		}
		m = mark{Format: format, Virtual: virtual}
		if virtual {
			now := v.Now()
			m.Now = &now
		}
		return writeMark(dir, m)
	case err != nil:
		return err
	case m.Virtual && !virtual:
		return fmt.Errorf("data directory %s was made under virtual time and does not open without it", dir)
	case !m.Virtual && virtual:
		return fmt.Errorf("data directory %s was made under the machine's time and does not open under virtual time", dir)
	}
	if virtual && m.Now != nil {
		v.Begin(*m.Now)
	}
	return nil
}

// readMark reads the directory's mark. A directory without one is fs.ErrNotExist.
func readMark(dir string) (m mark, err error) {
	body, err := os.ReadFile(filepath.Join(dir, markFile))
	if err != nil {
		return m, fmt.Errorf("data directory: %w", err)
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return m, fmt.Errorf("data directory %s: %s is damaged: %w", dir, markFile, err)
	}
	if m.Format != format {
		return m, fmt.Errorf("data directory %s has format %d, this version reads %d", dir, m.Format, format)
	}
	return m, nil
}

// onlyOurs refuses a directory without a mark that holds anything else.
func onlyOurs(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() != lockFile && e.Name() != indicesDir && e.Name() != KeyFile {
			return fmt.Errorf("data directory %s holds %s, which is not ours", dir, e.Name())
		}
	}
	return nil
}

func writeMark(dir string, m mark) error {
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	path := filepath.Join(dir, markFile)
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(body, '\n'))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// KeepTime stores where the virtual clock is about to move to: after a crash it goes on from there, and never back.
func (e *Engine) KeepTime(at time.Time) error {
	return writeMark(e.dir, mark{Format: format, Virtual: true, Now: &at})
}

// ServeHTTP answers a request.
func (e *Engine) ServeHTTP(w http.ResponseWriter, r *http.Request) { e.router.ServeHTTP(w, r) }

// Close releases everything. No request may be under way.
func (e *Engine) Close() error {
	var err error
	if e.server != nil {
		e.server.Stop()
	}
	if e.snapshots != nil {
		e.snapshots.Close()
	}
	if e.docs != nil {
		err = errors.Join(err, e.docs.Shutdown())
	}
	if e.catalog != nil {
		err = errors.Join(err, e.catalog.Close())
	}
	if e.lock != nil {
		err = errors.Join(err, e.lock.Close())
	}
	return err
}

// Check walks through everything stored in a data directory that is not in use, and reports every inconsistency as a
// sentence. The error says why it could not look.
func Check(ctx context.Context, dir string) (findings []string, err error) {
	if _, err := os.Stat(filepath.Join(dir, markFile)); err != nil {
		return nil, fmt.Errorf("%s is no data directory: %w", dir, err)
	}
	lock, err := claim(dir)
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	if _, err := readMark(dir); err != nil {
		return nil, err
	}
	state, findings, err := catalog.Check(filepath.Join(dir, catalogFile))
	if err != nil || state == nil {
		return findings, err
	}
	for _, index := range state.SortedIndices() {
		if err := ctx.Err(); err != nil {
			return findings, err
		}
		findings = append(findings, documents.Check(filepath.Join(dir, indicesDir), index)...)
	}
	entries, err := os.ReadDir(filepath.Join(dir, indicesDir))
	for _, entry := range entries {
		if state.IndexByUUID(entry.Name()) == nil {
			findings = append(findings, fmt.Sprintf("%s/%s belongs to no index", indicesDir, entry.Name()))
		}
	}
	return findings, err
}
