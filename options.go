// SPDX-License-Identifier: Apache-2.0

package steward

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/opensteward/steward/clock"
	"github.com/opensteward/steward/gateway"
	"github.com/opensteward/steward/ism/manager"
	"github.com/opensteward/steward/opensearch"
)

// The defaults of Options.
const (
	DefaultListen  = "127.0.0.1:9200"
	DefaultData    = "steward-data"
	DefaultVersion = "3.4.0"
)

// The values of Options.Pace.
const (
	PaceDue    = "due"
	PaceNative = "native"
)

// Options say what program to assemble. The zero value is the embedded engine on 127.0.0.1:9200 with its data in
// ./steward-data.
type Options struct {
	// Listen is host:port; "" means [DefaultListen]. Port 0 picks a free one, which [Steward.URL] tells.
	Listen string
	// Insecure allows listening beyond loopback although anybody who reaches the port has all rights.
	Insecure bool
	// TLSCertificate and TLSKey are paths of PEM files; both or none.
	TLSCertificate, TLSKey string
	// Data is the directory of the embedded engine; "" means [DefaultData]. It is created if it does not exist, and
	// belongs to one process at a time. With Cluster it is not used.
	Data string
	// KeyFile is the file with the keys that encrypt secrets at rest, mode 0600, one a line: an id, white space, 32 bytes
	// in base64; the first one encrypts, all decrypt. "" means the file keys in Data, which is made with a fresh key at
	// first start; with Cluster, secrets are then refused. Key is the text of such a file in place of one.
	KeyFile, Key string
	// Cluster, if it names any URL, puts Steward in front of a real cluster instead of the embedded engine.
	Cluster Cluster
	// Settings are node settings by OpenSearch's own names: cluster.name, node.name, path.data (the same as Data),
	// path.repo, network.host and http.port (the same as Listen), node.attr.*, version.number (what GET / reports,
	// [DefaultVersion] unless set), and start values of dynamic cluster settings. Lists are joined with commas.
	Settings map[string]string
	// VirtualTime makes the clock stand still but for POST /_plugins/_steward/clock; embedded engine only. The data
	// directory keeps the time, and opens under virtual time only.
	VirtualTime bool
	// Pace is "due" (or "") for a lifecycle that moves whenever it can, or "native" for one move per run of the job
	// document's own schedule, as the ISM plugin does.
	Pace string
	// Transport, if not nil, is given the way to what stands behind the program and returns the one that is taken, by its own
	// requests and by those that it passes on; the election of a leader takes the shorter one.
	Transport func(http.RoundTripper) http.RoundTripper
	// Clock gives the time of lifecycles and documents; nil means the machine's.
	Clock clock.Clock
	// Logger gets what happens; nil means nobody.
	Logger *slog.Logger
}

// Cluster says how to reach a real cluster. Steward uses this account for its own work; requests that are passed on
// carry their caller's credentials.
type Cluster struct {
	// URLs are the cluster's nodes; credentials may stand in them.
	URLs []string
	// Username and Password are the account; PasswordFile is a file that holds the password, read at start, a line
	// break at its end left out.
	Username, Password, PasswordFile string
	// CACertificate is a PEM file of the authorities that may sign the cluster's certificate; "" means the system's.
	CACertificate string
	// InsecureSkipVerify accepts any certificate.
	InsecureSkipVerify bool
}

// embedded reports whether the program has its own engine.
func (o Options) embedded() bool { return len(o.Cluster.URLs) == 0 }

// complete fills in defaults and refuses what does not go together.
func (o Options) complete() (Options, error) {
	o.Settings = maps.Clone(o.Settings)
	if o.Settings == nil {
		o.Settings = map[string]string{}
	}
	if err := o.completeListen(); err != nil {
		return o, err
	}
	if err := o.completeClock(); err != nil {
		return o, err
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if err := o.completeData(); err != nil {
		return o, err
	}
	return o, errors.Join(o.checkListen(), o.checkSettings(), o.checkKeys(), o.checkCluster(), o.checkPace())
}

func (o Options) checkPace() error {
	switch o.Pace {
	case "", PaceDue, PaceNative:
		return nil
	}
	return fmt.Errorf("pace %q is neither %s nor %s", o.Pace, PaceDue, PaceNative)
}

func (o Options) pace() manager.Pace {
	if o.Pace == PaceNative {
		return manager.Native
	}
	return manager.Due
}

func (o *Options) completeClock() error {
	switch {
	case o.VirtualTime && !o.embedded():
		return errors.New("virtual time is for the embedded engine: a cluster has a clock of its own")
	case o.VirtualTime && o.Clock != nil:
		return errors.New("virtual time and a clock are given")
	case o.VirtualTime:
		o.Clock = clock.NewVirtual(time.Now().Truncate(time.Millisecond))
	case o.Clock == nil:
		o.Clock = clock.Real{}
	}
	return nil
}

// completeListen makes one of Listen, network.host and http.port.
func (o *Options) completeListen() error {
	host, port, err := net.SplitHostPort(DefaultListen)
	if err != nil {
		return err
	}
	settings := map[string]*string{"network.host": &host, "http.port": &port}
	given := ""
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		if v := o.Settings[name]; v != "" {
			*settings[name], given = v, name
		}
		delete(o.Settings, name)
	}
	address := net.JoinHostPort(host, port)
	if given != "" && o.Listen != "" && o.Listen != address {
		return fmt.Errorf("the address is given twice: listen is %q and %s makes it %q", o.Listen, given, address)
	}
	if o.Listen == "" {
		o.Listen = address
	}
	return nil
}

// completeData makes one of Data and path.data.
func (o *Options) completeData() error {
	if path := o.Settings["path.data"]; path != "" {
		if o.Data != "" && filepath.Clean(o.Data) != filepath.Clean(path) {
			return fmt.Errorf("the data directory is given twice: data is %q and path.data is %q", o.Data, path)
		}
		o.Data = path
	}
	delete(o.Settings, "path.data")
	if !o.embedded() {
		if o.Data != "" {
			return errors.New("there is no data directory in front of a cluster: give either data or cluster")
		}
		return nil
	}
	if o.Data == "" {
		o.Data = DefaultData
	}
	return nil
}

func (o Options) checkListen() error {
	if o.Insecure || gateway.IsLoopback(o.Listen) {
		return nil
	}
	return fmt.Errorf("refusing to listen on %s: whoever reaches it would have all rights; "+
		"listen on 127.0.0.1, or say --insecure", o.Listen)
}

func (o Options) checkCluster() error {
	c := o.Cluster
	if o.embedded() {
		if c.Username != "" || c.Password != "" || c.PasswordFile != "" || c.CACertificate != "" || c.InsecureSkipVerify {
			return errors.New("cluster credentials or certificates are given, but no cluster")
		}
		return nil
	}
	if c.Password != "" && c.PasswordFile != "" {
		return errors.New("the cluster's password is given twice, as text and as a file")
	}
	return nil
}

// nodeSettings are the settings of a node that are not declared with the plugins or the engine.
var nodeSettings = []string{"cluster.name", "http.port", "network.host", "node.name", "path.data", "path.repo", "version.number"}

// attributePrefix begins the names of a node's own attributes.
const attributePrefix = "node.attr."

// checkSettings refuses unknown settings and bad values.
func (o Options) checkSettings() error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(o.Settings)) {
		def, declared := settings.Lookup(name)
		if !declared && o.embedded() {
			def, declared = engineSettings.Lookup(name)
		}
		if declared && !def.Index {
			if err := def.Validate(o.Settings[name]); err != nil {
				errs = append(errs, err)
			}
			continue
		}
		_, engines := engineSettings.Lookup(name)
		switch {
		case !engines && !slices.Contains(nodeSettings, name) && !strings.HasPrefix(name, attributePrefix):
			errs = append(errs, unknown("setting", name, settingNames()))
		case !o.embedded():
			errs = append(errs, fmt.Errorf("setting %q is one of the embedded engine: in front of a cluster, set it there", name))
		}
	}
	return errors.Join(errs...)
}

func settingNames() []string {
	names := slices.Clone(nodeSettings)
	for _, def := range slices.Concat(settings.All(), engineSettings.All()) {
		if !def.Index {
			names = append(names, def.Key)
		}
	}
	return names
}

// dial is how the seam reaches the cluster.
func (c Cluster) dial() (opensearch.DialOptions, error) {
	password := c.Password
	if c.PasswordFile != "" {
		text, err := os.ReadFile(c.PasswordFile)
		if err != nil {
			return opensearch.DialOptions{}, fmt.Errorf("read the cluster's password: %w", err)
		}
		password = strings.TrimRight(string(text), "\r\n")
	}
	return opensearch.DialOptions{
		URLs: c.URLs, Username: c.Username, Password: password,
		CACertificate: c.CACertificate, InsecureSkipVerify: c.InsecureSkipVerify,
	}, nil
}
