// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/spf13/cobra"

	"github.com/sigtrace/sigtrace/internal/session"
)

// forcedFlags are for tests: the ways that this kernel would not take.
type forcedFlags struct{ session.Forced }

func (f *forcedFlags) register(c *cobra.Command) {
	fs := c.Flags()
	fs.BoolVar(&f.RawTracepoints, "force-raw-tracepoints", false, "")
	fs.StringSliceVar(&f.Without, "force-without", nil, "")
	_ = fs.MarkHidden("force-raw-tracepoints")
	_ = fs.MarkHidden("force-without")
}

func (f *forcedFlags) apply(c *session.Config) { c.Forced = f.Forced }
