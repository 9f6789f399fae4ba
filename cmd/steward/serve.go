// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/opensteward/steward"
)

// serveOptions are the flags of serve that are not options of the program itself.
type serveOptions struct {
	config   string
	settings []string
}

func serveCommand(environ []string) *cobra.Command {
	var so serveOptions
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run Steward",
		Long: "Run Steward until SIGINT or SIGTERM, which lets requests under way finish; a second signal quits at once.\n" +
			"When it is ready it prints one line with its URL and its data directory.\n\n" +
			"Every flag but -E is a variable of the environment too (STEWARD_LISTEN), and all but -E, --config,\n" +
			"--log-format and --log-level are keys of the config file (underscores for dashes), which also takes node\n" +
			"settings; flags go before the environment, and that before the file. A cluster's password comes as a file or in\n" +
			"STEWARD_CLUSTER_PASSWORD, and an encryption key as a file or in STEWARD_KEY, not as a flag.\n\n" +
			"Exit codes: 0 stopped by a signal, 1 failed, 2 bad flags, configuration or environment.",
		Example: "  steward serve --data ./data\n" +
			"  steward serve --cluster https://localhost:9200 --cluster-ca ca.pem --cluster-username steward --cluster-password-file pw\n" +
			"  steward serve -E cluster.name=demo -E plugins.index_state_management.job_interval=1",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := so.read(cmd.Flags(), environ, cmd.ErrOrStderr())
			if err != nil {
				return usageError{err}
			}
			return runServe(cmd.Context(), o, cmd.OutOrStdout())
		},
	}
	so.addFlags(cmd.Flags())
	return cmd
}

func (so *serveOptions) addFlags(f *pflag.FlagSet) {
	f.StringVar(&so.config, "config", "", "YAML file with options and node settings")
	f.StringArrayVarP(&so.settings, "setting", "E", nil, "node setting by OpenSearch's name, as `name=value` (repeatable)")
	f.String("log-format", "text", "format of the log on standard error: text or json")
	f.String("log-level", "info", "what the log tells at least: debug (every step), info, warn or error")
	f.String("listen", steward.DefaultListen, "`host:port` to listen on; port 0 picks a free one")
	f.Bool("insecure", false, "allow listening beyond loopback, where whoever reaches it has all rights")
	f.Bool("virtual-time", false, "let the clock stand still but for POST /_plugins/_steward/clock {\"advance\":\"30d\"}; embedded engine only")
	f.String("pace", steward.PaceDue, "when lifecycles move: due (whenever they can) or native (one step per run of the job's schedule, as the plugin)")
	f.String("tls-certificate", "", "PEM `file` with the certificate to serve https with")
	f.String("tls-key", "", "PEM `file` with its key")
	f.String("data", steward.DefaultData, "data `directory` of the embedded engine")
	f.String("key-file", "", "`file` with the keys that encrypt secrets at rest (default: keys in the data directory; none in front of a cluster)")
	f.StringArray("cluster", nil, "`URL` of a cluster to serve in front of, instead of the embedded engine (repeatable)")
	f.String("cluster-username", "", "account for Steward's own work on the cluster")
	f.String("cluster-password-file", "", "`file` with its password")
	f.String("cluster-ca", "", "PEM `file` of the authorities that sign the cluster's certificate")
	f.Bool("cluster-insecure", false, "accept any certificate of the cluster")
}

// read puts the options together: the file, over it the environment, over it the flags that were given.
func (so *serveOptions) read(flags *pflag.FlagSet, environ []string, log io.Writer) (steward.Options, error) {
	var o, fromEnvironment steward.Options
	file, err := fromEnvironment.ReadEnvironment(environ)
	if err != nil {
		return o, err
	}
	if so.config != "" {
		file = so.config
	}
	if file != "" {
		if err := o.ReadFile(file); err != nil {
			return o, err
		}
	}
	if _, err := o.ReadEnvironment(environ); err != nil {
		return o, err
	}
	for _, text := range so.settings {
		if err := o.SetSetting(text); err != nil {
			return o, err
		}
	}
	if err := setFlags(&o, flags); err != nil {
		return o, err
	}
	o.Logger, err = newLogger(log, ofTheLog(flags, environ, "log-format"), ofTheLog(flags, environ, "log-level"))
	return o, err
}

// setFlags sets the options whose flags were given.
func setFlags(o *steward.Options, flags *pflag.FlagSet) (err error) {
	flags.Visit(func(f *pflag.Flag) {
		if f.Name == "config" || f.Name == "setting" || f.Name == "log-format" || f.Name == "log-level" || err != nil {
			return
		}
		value := f.Value.String()
		if list, is := f.Value.(pflag.SliceValue); is {
			value = strings.Join(list.GetSlice(), ",")
		}
		err = o.Set(strings.ReplaceAll(f.Name, "-", "_"), value)
	})
	return err
}

// ofTheLog is the value of a flag of the log: as given, or as the environment has it, or its default.
func ofTheLog(flags *pflag.FlagSet, environ []string, name string) string {
	flag := flags.Lookup(name)
	variable := "STEWARD_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_")) + "="
	for _, entry := range environ {
		if value, is := strings.CutPrefix(entry, variable); is && !flag.Changed {
			return value
		}
	}
	return flag.Value.String()
}

func newLogger(w io.Writer, format, level string) (*slog.Logger, error) {
	var least slog.Level
	if err := least.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("log level %q is none of debug, info, warn, error", level)
	}
	o := &slog.HandlerOptions{Level: least}
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(w, o)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, o)), nil
	default:
		return nil, fmt.Errorf("log format %q is neither text nor json", format)
	}
}

// runServe runs the program until ctx is done.
func runServe(ctx context.Context, o steward.Options, stdout io.Writer) error {
	s, err := steward.New(o)
	if err != nil {
		return usageError{err}
	}
	return s.Run(ctx, func() {
		where := "in front of " + s.Behind()
		if dir := s.Data(); dir != "" {
			where = "data in " + dir
		}
		_, _ = fmt.Fprintf(stdout, "steward is ready at %s, %s\n", s.URL(), where)
	})
}
