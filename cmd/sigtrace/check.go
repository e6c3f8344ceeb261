// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/sigtrace/sigtrace/internal/probe"
)

func newCheck() *cobra.Command {
	f := &watchFlags{}
	c := &cobra.Command{
		Use:   "check",
		Short: "Say what this kernel, its cgroups and its runtimes allow",
		Long:  "check attaches each hook and asks each source, and says of what is missing why, and what is lost by it.",
		Args:  noArgs,
	}
	f.registerSources(c)
	c.RunE = func(c *cobra.Command, _ []string) error { return check(c, f) }
	return c
}

func check(c *cobra.Command, f *watchFlags) error {
	if err := mayRun(); err != nil {
		return err
	}
	s, err := open(c.Context(), f, newLog(c.ErrOrStderr(), false))
	if err != nil {
		return err
	}
	defer s.close()
	_ = s.dir.Refresh(c.Context()) // what failed stands in Sources
	w := tabwriter.NewWriter(c.OutOrStdout(), 0, 8, 2, ' ', 0)
	fmt.Fprintf(w, "kernel\t%s\ncgroups\t%s\n\n", kernelRelease(), s.cache.Mounts().Mode)
	report(w, "HOOK", s.probe.Hooks(), probe.Attached, probe.Cost)
	fmt.Fprintln(w)
	symbols := "connected"
	if _, err := s.symbols(); err != nil {
		symbols = err.Error()
	}
	sources := s.sources()
	sources["kernel symbols"] = symbols
	report(w, "SOURCE", sources, "connected", sourceCost)
	return w.Flush()
}

func report(w io.Writer, title string, states map[string]string, good string, cost func(string) string) {
	fmt.Fprintf(w, "%s\tSTATE\tWITHOUT IT\n", title)
	for _, name := range slices.Sorted(maps.Keys(states)) {
		without := ""
		if states[name] != good {
			without = cost(name)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", name, states[name], without)
	}
}

func sourceCost(name string) string {
	switch name {
	case "kernel symbols":
		return "mechanisms of kernel-made signals are told by flags only"
	case "cri":
		return "pods are named from files only, without labels"
	case "docker":
		return "Docker containers are shown by their ids"
	case "pod-logs":
		return "pods need a runtime's socket for their names"
	}
	return ""
}
