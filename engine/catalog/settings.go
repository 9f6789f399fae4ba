// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/setting"
)

// scope says when a setting can be changed.
type scope int

const (
	dynamic scope = iota // always
	static               // at creation, and while the index is closed
	final                // at creation
	private              // by the server only
)

// row declares one setting in the tables of this package.
type row struct {
	key       string
	kind      setting.Kind
	def       string
	low, high string
	scope     scope
	check     func(key, value string) error
}

func (r row) definition(index bool) setting.Definition {
	d := setting.Definition{Key: r.key, Index: index, Kind: r.kind, Default: r.def, Min: r.low, Max: r.high, Final: r.scope != dynamic}
	if r.check != nil {
		d.Check = func(value string) error { return r.check(r.key, value) }
	}
	return d
}

// ClusterDefinitions declares the cluster settings that the engine knows by itself.
func ClusterDefinitions() []setting.Definition {
	out := make([]setting.Definition, len(clusterSettings))
	for i, r := range clusterSettings {
		out[i] = r.definition(false)
	}
	return out
}

func newEnvironment(o Options) (*environment, error) {
	env := &environment{config: setting.Values{}, version: o.NodeVersion}
	if env.version == "" {
		env.version = "3.4.0"
	}
	var index []setting.Definition
	cluster := ClusterDefinitions()
	for _, r := range indexSettings {
		index = append(index, r.definition(true))
	}
	for _, d := range o.Settings {
		if d.Index {
			index = append(index, d)
		} else {
			cluster = append(cluster, d)
		}
	}
	env.index, env.cluster = setting.NewRegistry(index...), setting.NewRegistry(cluster...)
	for key, value := range o.Config {
		d, known := env.cluster.Lookup(key)
		if !known {
			continue // a setting of the node, of which the catalog knows nothing
		}
		if err := d.Validate(value); err != nil {
			return nil, err
		}
		env.config[key] = value
	}
	return env, nil
}

// scopeOf is when an index setting can be changed.
func scopeOf(d setting.Definition) scope {
	for _, r := range indexSettings {
		if r.key == d.Key || (strings.HasSuffix(r.key, ".*") && wire.Match(r.key, d.Key)) {
			return r.scope
		}
	}
	if d.Final {
		return final
	}
	return dynamic
}

// IndexRegistry are the declared index settings, those of plugins included.
func (s *State) IndexRegistry() *setting.Registry { return s.env.index }

// ClusterRegistry are the declared cluster settings, those of plugins included.
func (s *State) ClusterRegistry() *setting.Registry { return s.env.cluster }

// SettingsChange is a request for settings: values, and names (also patterns with *) that fall back to their default.
type SettingsChange struct {
	Set   setting.Values
	Reset []string
}

// ParseIndexSettings reads the settings of a create, template or update request, nested or dotted, "index." left out or
// not.
func ParseIndexSettings(body []byte) (SettingsChange, error) {
	values, nulls, err := setting.Flatten(body)
	if err != nil {
		return SettingsChange{}, err
	}
	change := SettingsChange{Set: setting.Values{}}
	for key, value := range values {
		change.Set[prefixed(key)] = value
	}
	for _, key := range nulls {
		change.Reset = append(change.Reset, prefixed(key))
	}
	slices.Sort(change.Reset)
	return change, nil
}

func prefixed(key string) string {
	if strings.HasPrefix(key, "index.") || strings.HasPrefix(key, "archived.") || strings.HasSuffix(key, "*") {
		return key
	}
	return "index." + key
}

// checkIndexSettings refuses unknown settings, those of the server included that no request may name, and bad values. The
// first error carries the others as suppressed.
func (e *environment) checkIndexSettings(change SettingsChange) error {
	names := slices.Sorted(maps.Keys(change.Set))
	for _, key := range change.Reset {
		if !wire.IsPattern(key) {
			names = append(names, key)
		}
	}
	slices.Sort(names)
	var wrong []*fault.Error
	for _, key := range names {
		d, known := e.index.Lookup(key)
		if !known || (scopeOf(d) == private && !settable[key]) {
			wrong = append(wrong, e.unknownSetting(key))
			continue
		}
		value, set := change.Set[key]
		if !set {
			continue
		}
		if err := d.Validate(value); err != nil {
			wrong = append(wrong, fault.Of(err))
		}
	}
	return allOf(wrong)
}

// allOf is the first error, with the others as suppressed; nil if there are none.
func allOf(wrong []*fault.Error) error {
	if len(wrong) == 0 {
		return nil
	}
	return suppressing(wrong[0], wrong[1:]...)
}

// suppressing adds further errors to one. Its root cause is shown without them.
func suppressing(err *fault.Error, others ...*fault.Error) *fault.Error {
	if len(others) == 0 {
		return err
	}
	bare := *err
	err.Roots = []*fault.Error{&bare}
	return err.With("suppressed", others)
}

// settable are the private settings whose names a request may use: it is told more than "unknown".
var settable = map[string]bool{"index.uuid": true, "index.verified_before_close": true, "index.version.created": true}

func (e *environment) unknownSetting(key string) *fault.Error {
	var all []string
	for _, d := range e.index.All() {
		if scopeOf(d) != private {
			all = append(all, strings.TrimSuffix(d.Key, ".*"))
		}
	}
	tail := cmp.Or(wire.DidYouMean(" ", wire.Similar(key, all, wire.SettingSimilarity)),
		" please check that any required plugins are installed, or check the breaking changes documentation for removed settings")
	return fault.New(http.StatusBadRequest, "settings_exception", "unknown setting [%s]%s", key, tail)
}

// oneOf checks a value that is one of a few words, whatever its case.
func oneOf(text string, words ...string) func(key, value string) error {
	return func(_, value string) error {
		if !slices.Contains(words, strings.ToLower(value)) {
			return fault.Illegal(text, strings.ToUpper(value))
		}
		return nil
	}
}

// only refuses every value but the ones that mean that a feature is not used.
func only(unused ...string) func(key, value string) error {
	return func(key, value string) error {
		if !slices.Contains(unused, value) {
			return fault.Unsupported("setting [" + key + "]")
		}
		return nil
	}
}
