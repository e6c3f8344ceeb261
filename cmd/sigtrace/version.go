// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/sigtrace/sigtrace/internal/tracer"
)

// version is set by the linker for releases.
var version = "0.1.0-dev"

func versionString() string { return version }

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print version, commit, Go and the hash of the BPF object",
		Args:  noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := fmt.Fprintf(c.OutOrStdout(), "sigtrace %s\ncommit %s\ngo %s %s/%s\nbpf %s\n",
				version, commit(), runtime.Version(), runtime.GOOS, runtime.GOARCH, tracer.ObjectHash())
			return err
		},
	}
}

func commit() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return "unknown"
}
