// SPDX-License-Identifier: Apache-2.0

package steward

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/opensteward/steward/wire"
)

// An option is what can be set by a flag, in the config file and in the environment, under one name: the flag
// --cluster-username is cluster_username in the file and STEWARD_CLUSTER_USERNAME in the environment.
type option struct {
	name string
	set  func(o *Options, value string) error
}

var optionTable = []option{
	{"listen", func(o *Options, v string) error { o.Listen = v; return nil }},
	{"insecure", func(o *Options, v string) (err error) { o.Insecure, err = strconv.ParseBool(v); return err }},
	{"virtual_time", func(o *Options, v string) (err error) { o.VirtualTime, err = strconv.ParseBool(v); return err }},
	{"pace", func(o *Options, v string) error { o.Pace = v; return nil }},
	{"tls_certificate", func(o *Options, v string) error { o.TLSCertificate = v; return nil }},
	{"tls_key", func(o *Options, v string) error { o.TLSKey = v; return nil }},
	{"data", func(o *Options, v string) error { o.Data = v; return nil }},
	{"key_file", func(o *Options, v string) error { o.KeyFile = v; return nil }},
	{"key", func(o *Options, v string) error { o.Key = v; return nil }},
	{"cluster", func(o *Options, v string) error { o.Cluster.URLs = strings.Split(v, ","); return nil }},
	{"cluster_username", func(o *Options, v string) error { o.Cluster.Username = v; return nil }},
	{"cluster_password", func(o *Options, v string) error { o.Cluster.Password = v; return nil }},
	{"cluster_password_file", func(o *Options, v string) error { o.Cluster.PasswordFile = v; return nil }},
	{"cluster_ca", func(o *Options, v string) error { o.Cluster.CACertificate = v; return nil }},
	{"cluster_insecure", func(o *Options, v string) (err error) {
		o.Cluster.InsecureSkipVerify, err = strconv.ParseBool(v)
		return err
	}},
}

func optionNames() []string {
	names := make([]string, len(optionTable))
	for i, opt := range optionTable {
		names[i] = opt.name
	}
	return names
}

// Set sets one option by its name in the config file. Lists are joined with commas.
func (o *Options) Set(name, value string) error {
	for _, opt := range optionTable {
		if opt.name != name {
			continue
		}
		if err := opt.set(o, value); err != nil {
			return fmt.Errorf("%s: %q is neither true nor false", name, value)
		}
		return nil
	}
	return unknown("option", name, optionNames())
}

// SetSetting sets one node setting, written as name=value.
func (o *Options) SetSetting(text string) error {
	name, value, found := strings.Cut(text, "=")
	if !found || name == "" {
		return fmt.Errorf("setting %q is not of the form name=value", text)
	}
	if o.Settings == nil {
		o.Settings = map[string]string{}
	}
	o.Settings[name] = value
	return nil
}

// ReadFile adds the options and settings of a YAML file. Node settings go by OpenSearch's names, dotted or nested. An
// unknown key is an error that names it and the nearest known one.
func (o *Options) ReadFile(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read the config file: %w", err)
	}
	var tree map[string]any
	if err := yaml.Unmarshal(text, &tree); err != nil {
		return fmt.Errorf("config file %s: %w", path, err)
	}
	flat := map[string]string{}
	if err := flatten(flat, "", tree); err != nil {
		return fmt.Errorf("config file %s: %w", path, err)
	}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(flat)) {
		if err := o.setAny(name, flat[name]); err != nil {
			errs = append(errs, fmt.Errorf("config file %s: %w", path, err))
		}
	}
	return errors.Join(errs...)
}

// setAny sets an option or a setting. Only settings have a dot in their names.
func (o *Options) setAny(name, value string) error {
	if slices.Contains(optionNames(), name) {
		return o.Set(name, value)
	}
	if known := settingNames(); !slices.Contains(known, name) {
		if _, declared := settings.Lookup(name); !declared {
			return unknown("key", name, append(known, optionNames()...))
		}
	}
	return o.SetSetting(name + "=" + value)
}

func flatten(out map[string]string, prefix string, tree map[string]any) error {
	for name, value := range tree {
		key := prefix + name
		switch v := value.(type) {
		case map[string]any:
			if err := flatten(out, key+".", v); err != nil {
				return err
			}
			continue
		case nil:
			return fmt.Errorf("key %q has no value", key)
		case []any:
			items := make([]string, len(v))
			for i, item := range v {
				items[i] = fmt.Sprint(item)
			}
			value = strings.Join(items, ",")
		}
		if _, twice := out[key]; twice {
			return fmt.Errorf("key %q is given twice", key)
		}
		out[key] = fmt.Sprint(value)
	}
	return nil
}

// environmentPrefix begins the names of all our variables; those of testPrefix are for tests.
const (
	environmentPrefix = "STEWARD_"
	testPrefix        = "STEWARD_TEST_"
)

// ReadEnvironment adds the options of an environment (see os.Environ) and returns the config file it names, or "". An
// unknown variable of ours is an error that names it and the nearest known one.
func (o *Options) ReadEnvironment(environ []string) (configFile string, err error) {
	var errs []error
	for _, entry := range environ {
		variable, value, _ := strings.Cut(entry, "=")
		name, ours := strings.CutPrefix(variable, environmentPrefix)
		if !ours || strings.HasPrefix(variable, testPrefix) {
			continue
		}
		switch option := strings.ToLower(name); {
		case option == "config":
			configFile = value
		case option == "log_format" || option == "log_level": // of the command
		case !slices.Contains(optionNames(), option):
			errs = append(errs, unknown("environment variable", variable, variables()))
		default:
			if err := o.Set(option, value); err != nil {
				errs = append(errs, fmt.Errorf("environment variable %s: %w", variable, err))
			}
		}
	}
	return configFile, errors.Join(errs...)
}

func variables() []string {
	names := []string{"STEWARD_CONFIG", "STEWARD_LOG_FORMAT", "STEWARD_LOG_LEVEL"}
	for _, name := range optionNames() {
		names = append(names, environmentPrefix+strings.ToUpper(name))
	}
	return names
}

// unknown is the error for a name that is none of known.
func unknown(what, name string, known []string) error {
	return fmt.Errorf("unknown %s %q: the nearest known one is %q", what, name, wire.Similar(name, known, -1)[0])
}
