// SPDX-License-Identifier: Apache-2.0

// Command steward runs the lifecycle and provisioning control plane for OpenSearch, on its embedded engine or in front
// of a real cluster.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// The exit codes.
const (
	exitOK     = 0
	exitFailed = 1 // it did not work; for check: something is wrong with the data
	exitUsage  = 2 // bad flags, configuration or environment
)

// usageError is a mistake in how the program was called.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func main() {
	os.Exit(run(untilSignal(), os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}

// untilSignal returns a context that ends with the first SIGINT or SIGTERM. A second one ends the process at once.
func untilSignal() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		cancel()
		<-signals
		os.Exit(exitFailed)
	}()
	return ctx
}

// run is the program: arguments and environment in, exit code out.
func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	root := command(environ)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	_, _ = fmt.Fprintln(stderr, "steward:", err)
	if _, usage := errors.AsType[usageError](err); usage {
		return exitUsage
	}
	return exitFailed
}

// command is the tree of commands.
func command(environ []string) *cobra.Command {
	root := &cobra.Command{
		Use:   "steward",
		Short: "Lifecycle and provisioning control plane for OpenSearch",
		Long: "Steward serves OpenSearch's Index State Management API itself and passes everything else on to the\n" +
			"cluster behind it: an embedded engine, or a real OpenSearch.\n\n" +
			"Exit codes: 0 success, 1 failure, 2 bad flags, configuration or environment.",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          noArguments,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.SuggestionsMinimumDistance = 2 // changed letters
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(serveCommand(environ), checkCommand(), versionCommand())
	return root
}

// noArguments refuses positional arguments, a misspelt command among them.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	err := fmt.Errorf("unknown command or argument %q for %q", args[0], cmd.CommandPath())
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		err = fmt.Errorf("%w: did you mean %q?", err, near[0])
	}
	return usageError{err}
}
