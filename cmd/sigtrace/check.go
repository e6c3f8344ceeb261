// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/sigtrace/sigtrace/internal/cgroup"
	"github.com/sigtrace/sigtrace/internal/kubefact"
	"github.com/sigtrace/sigtrace/internal/proc"
	"github.com/sigtrace/sigtrace/internal/session"
	"github.com/sigtrace/sigtrace/internal/tracer"
)

func newCheck() *cobra.Command {
	f := &sourceFlags{}
	c := &cobra.Command{
		Use:   "check",
		Short: "Report what this kernel, its cgroups and its runtimes allow",
		Long:  "check attaches each hook and asks each source. For each one that is missing it\nprints why, and what sigtrace cannot report without it.",
		Args:  noArgs,
	}
	f.register(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		if err := f.validate(); err != nil {
			return err
		}
		return check(c, f)
	}
	return c
}

// check reports on everything that it can look at, and fails in the end where
// sigtrace could not run.
func check(c *cobra.Command, f *sourceFlags) error {
	w := c.OutOrStdout()
	fmt.Fprintf(w, "kernel   %s\n", proc.KernelRelease())
	if mounts, err := cgroup.Detect("/"); err == nil {
		fmt.Fprintf(w, "cgroups  %s\n", mounts.Mode)
	}
	s, err := openCheck(c, f)
	if err != nil {
		fmt.Fprintf(w, "\nhooks\n  not tried: %v\n", err)
		reportSources(c.Context(), w, f)
		reportSandboxes(w)
		reportPins(w)
		return err
	}
	defer s.Close()
	fmt.Fprintln(w, "\nhooks")
	hooks := s.Status(0).Hooks
	for _, name := range slices.Sorted(maps.Keys(hooks)) {
		cost := ""
		if !needless(name, hooks) {
			cost = tracer.Cost(name)
		}
		line(w, name, hooks[name], tracer.Attached, cost)
	}
	fmt.Fprintln(w, "\nsources")
	lines(w, s.CheckSources(c.Context()))
	reportSandboxes(w)
	reportPins(w)
	return nil
}

// reportPins: can the agent leave its programs behind, and has one?
func reportPins(w io.Writer) {
	const usable = "usable"
	state := usable
	if err := tracer.CheckPinDir(tracer.PinDir); err != nil {
		state = err.Error()
	}
	fmt.Fprintln(w, "\npins")
	line(w, "agent --pin", state, usable, "deaths during a restart of the agent are known from the runtime and the kernel log only")
	if tracer.Pinned(tracer.PinDir) {
		fmt.Fprintf(w, "      %s holds an agent's programs; sigtrace agent --unpin unloads them\n", tracer.PinDir)
	}
}

func openCheck(c *cobra.Command, f *sourceFlags) (*session.Session, error) {
	if err := session.MayRun(); err != nil {
		return nil, err
	}
	s := session.Config{Version: versionString(), Node: f.nodeName(), Sources: f.Sources, Log: newLog(c.ErrOrStderr(), false)}
	f.forced.apply(&s)
	return session.Open(c.Context(), s)
}

// needless: one of the two ways to hook oom_kill_process is enough.
func needless(name string, hooks map[string]string) bool {
	const fentry, kprobe = "oom_kill_process(fentry)", "oom_kill_process(kprobe)"
	return name == kprobe && hooks[fentry] == tracer.Attached || name == fentry && hooks[kprobe] == tracer.Attached
}

// reportSources is for where no hook could be had.
func reportSources(ctx context.Context, w io.Writer, f *sourceFlags) {
	states, err := session.CheckSources(ctx, f.Sources, f.nodeName())
	if err != nil {
		return
	}
	fmt.Fprintln(w, "\nsources")
	lines(w, states)
}

// reportSandboxes names the kinds of sandboxes of this node whose processes the
// host's kernel does not see.
func reportSandboxes(w io.Writer) {
	kinds := session.Sandboxes("/proc")
	if len(kinds) == 0 {
		return
	}
	fmt.Fprintln(w, "\nnot seen")
	for _, kind := range kinds {
		fmt.Fprintf(w, "  %s: this kernel sees its sandboxes' own processes, not those inside\n", kind)
	}
}

func lines(w io.Writer, states map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(states)) {
		line(w, name, states[name], "connected", sourceCost(name))
	}
}

// line is one hook or source: ok, or why not and what that costs.
func line(w io.Writer, name, state, good, cost string) {
	if state == good {
		fmt.Fprintf(w, "  ok  %s\n", name)
		return
	}
	fmt.Fprintf(w, "  no  %s: %s\n", name, state)
	if cost != "" {
		fmt.Fprintf(w, "      without it: %s\n", cost)
	}
}

// sourceCost is what verdicts lose where a source is missing.
func sourceCost(name string) string {
	switch name {
	case session.KernelSymbols:
		return "mechanisms of signals from the kernel are inferred from flags"
	case session.KernelLog:
		return "OOM kills have one source only, and fragmentation is not reported"
	case kubefact.SourceCRI:
		return "pods are named from files only, without labels"
	case "docker":
		return "Docker containers are shown by their IDs"
	case "pod-logs":
		return "naming pods takes a runtime's socket"
	case kubefact.SourceAPI:
		return "deletions, evictions and preemptions are known from kubelet's log only, and the container's reported state from the runtime"
	case kubefact.SourceCounters:
		return "liveness and startup probes have one source less"
	case kubefact.SourceKubeletLog:
		return "liveness probes, deletions and the like have one source less; only Kubernetes nodes have this log"
	}
	return ""
}
