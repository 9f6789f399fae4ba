// SPDX-License-Identifier: Apache-2.0

package simulated

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/test/scenario"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/setting"
)

// Cluster is one simulated cluster. It is not safe for concurrent use.
type Cluster struct {
	scenario.Answers // to the requests of steps
	now              time.Time
	indices          map[string]*index
	streams          map[string]int // data streams and their newest generation
	templates        []template
	policies         map[string]storedPolicy
	settings         setting.Values
	managed          map[string]*managed // by uuid of the index
	serial           int64               // of what was created or written last
}

type index struct {
	name, uuid string
	stream     string // the data stream it backs, or ""
	created    time.Time
	docs       int64
	open       bool
	settings   map[string]string
	aliases    map[string]*bool // with their write flag, nil if not set
	rolledOver map[string]time.Time
}

// template is an index template.
type template struct {
	patterns []string
	settings map[string]string
}

type storedPolicy struct {
	policy *ism.Policy
	seqNo  int64
}

// New returns an empty cluster whose clock stands at start.
func New(start time.Time) *Cluster {
	return &Cluster{
		now: start.UTC().Truncate(time.Millisecond), indices: map[string]*index{}, streams: map[string]int{},
		policies: map[string]storedPolicy{}, settings: setting.Values{}, managed: map[string]*managed{},
	}
}

// Now is the instant the clock stands at.
func (c *Cluster) Now() time.Time { return c.now }

// Eventually calls look once: everything that can be done has been done.
func (c *Cluster) Eventually(look func() error) error { return look() }

func (c *Cluster) next() int64 {
	c.serial++
	return c.serial
}

func noIndex(name string) error {
	return fault.New(http.StatusNotFound, "index_not_found_exception", "no such index [%s]", name)
}

func (c *Cluster) index(name string) (*index, error) {
	if i := c.indices[name]; i != nil {
		return i, nil
	}
	return nil, noIndex(name)
}

// create makes an index. aliases are those of the request, with their write flag.
func (c *Cluster) create(name string, settings map[string]string, aliases map[string]*bool) (*index, error) {
	if c.indices[name] != nil {
		return nil, fault.New(http.StatusBadRequest, "resource_already_exists_exception", "index [%s] already exists", name)
	}
	i := &index{
		name: name, uuid: fmt.Sprintf("uuid-%d", c.next()), created: c.now, open: true,
		settings: map[string]string{}, aliases: aliases, rolledOver: map[string]time.Time{},
	}
	for _, t := range c.templates {
		if wire.MatchAny(t.patterns, name) {
			maps.Copy(i.settings, t.settings)
		}
	}
	maps.Copy(i.settings, settings)
	c.indices[name] = i
	return i, nil
}

// createBacking makes the next backing index of a data stream.
func (c *Cluster) createBacking(stream string) (*index, error) {
	c.streams[stream]++
	i, err := c.create(fmt.Sprintf(".ds-%s-%06d", stream, c.streams[stream]), nil, map[string]*bool{})
	if err != nil {
		return nil, err
	}
	i.stream = stream
	for _, t := range c.templates {
		if wire.MatchAny(t.patterns, stream) {
			maps.Copy(i.settings, t.settings)
		}
	}
	return i, nil
}

// writeIndex is where a document for an index, alias or data stream goes.
func (c *Cluster) writeIndex(target string) (*index, error) {
	if i := c.indices[target]; i != nil {
		return i, nil
	}
	if generation, ok := c.streams[target]; ok {
		return c.index(fmt.Sprintf(".ds-%s-%06d", target, generation))
	}
	for _, name := range slices.Sorted(maps.Keys(c.indices)) {
		if c.writes(c.indices[name], target) {
			return c.indices[name], nil
		}
	}
	return nil, noIndex(target)
}

// writes reports whether an index is an alias's write index, or its only one while none is marked.
func (c *Cluster) writes(i *index, alias string) bool {
	flag, has := i.aliases[alias]
	if !has || flag != nil {
		return has && *flag
	}
	for _, other := range c.indices {
		if _, has := other.aliases[alias]; has && other != i {
			return false
		}
	}
	return true
}

var numbered = regexp.MustCompile(`^(.*-)(\d+)$`)

// rollOver starts a new index behind an alias or data stream.
func (c *Cluster) rollOver(target string) (*index, error) {
	old, err := c.writeIndex(target)
	switch {
	case err != nil:
		return nil, err
	case old.stream == target:
		i, err := c.createBacking(target)
		if err == nil {
			old.rolledOver[target] = c.now
		}
		return i, err
	}
	parts := numbered.FindStringSubmatch(old.name)
	if parts == nil {
		return nil, fault.Illegal(`index name [%s] does not match pattern '^.*-\d+$'`, old.name)
	}
	n, err := strconv.Atoi(parts[2])
	if err != nil {
		return nil, err
	}
	flagged := old.aliases[target] != nil
	aliases := map[string]*bool{target: nil}
	if flagged {
		aliases[target] = new(true)
	}
	i, err := c.create(fmt.Sprintf("%s%06d", parts[1], n+1), nil, aliases)
	if err != nil {
		return nil, err
	}
	old.rolledOver[target] = c.now
	if flagged {
		old.aliases[target] = new(false)
	} else {
		delete(old.aliases, target)
	}
	return i, nil
}

// setting is an index setting of the plugin's, under its new name or its old one.
func (i *index) setting(name string) string {
	for _, prefix := range []string{"index.plugins.index_state_management.", "index.opendistro.index_state_management."} {
		if v := strings.TrimSpace(i.settings[prefix+name]); v != "" {
			return v
		}
	}
	return ""
}

// bytes is a size that grows with the number of documents.
func (i *index) bytes() int64 { return 200 + 100*i.docs }
