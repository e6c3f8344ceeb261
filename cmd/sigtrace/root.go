// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sigtrace/sigtrace/internal/tracer"
)

const longHelp = `sigtrace finds out who or what killed a process or a container, and why.

It watches this node: every signal that matters with its true sender, the
sender's whole ancestry, OOM kills and exits. The filters are about the process
that is hit, and are applied in the kernel.`

const examples = `  sigtrace                                  # everything that matters on this host
  sigtrace --pod shop/web-0                 # one pod, through restarts; waits for it
  sigtrace --pod web-0 -c app -s KILL,TERM  # one container, these signals
  sigtrace --pid 7942 -o stap               # one process, in the SystemTap recipe's form
  sigtrace --cgroup /system.slice/nginx.service -o json | jq .
  sigtrace --type death --cause cgroup_oom  # deaths by a memory limit alone
  sigtrace --record kill.jsonl              # for sigtrace replay kill.jsonl
  sigtrace --all --type signal,exit -o json # every signal and every exit`

// newRoot makes all commands; types, which may be nil, are for the one that runs.
func newRoot(types *tracer.Types) *cobra.Command {
	root := &cobra.Command{
		Use:           "sigtrace",
		Short:         "Find out who or what killed a process or a container, and why",
		Long:          longHelp,
		Example:       examples,
		Version:       versionString(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noArgs,
	}
	makeWatch(root, types)
	root.PersistentPreRunE = refuseEmptyFilters
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w (see sigtrace --help)", err)}
	})
	root.AddCommand(newWatch(types), newAgent(types), newWhy(), newReport(), newReplay(), newExplain(), newCheck(), newVersion())
	return root
}

// noArgs refuses words that are no command or flag.
func noArgs(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return usageError{errors.New("unknown command or argument " + quoted(args) + " (see sigtrace --help)")}
}

func quoted(args []string) string {
	var q []string
	for _, a := range args {
		q = append(q, fmt.Sprintf("%q", a))
	}
	return strings.Join(q, " ")
}
