// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/opensteward/steward"
)

func checkCommand() *cobra.Command {
	var data string
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Look for inconsistencies in a data directory",
		Long: "Walk through everything stored in a data directory and print every inconsistency, one per line. Nothing is\n" +
			"changed. The directory must not be in use.\n\n" +
			"Exit codes: 0 nothing found, 1 something is wrong or the directory cannot be read, 2 bad flags.",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runCheck(cmd.Context(), data, cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&data, "data", steward.DefaultData, "data `directory`")
	return cmd
}

// runCheck prints what is wrong with a data directory.
func runCheck(ctx context.Context, data string, stdout io.Writer) error {
	findings, err := steward.Check(ctx, data)
	for _, f := range findings {
		if _, err := fmt.Fprintln(stdout, f); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	if len(findings) > 0 {
		return errors.New("the data directory is damaged")
	}
	return nil
}
