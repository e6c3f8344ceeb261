// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/sigtrace/sigtrace/internal/cgroup"
	"github.com/sigtrace/sigtrace/internal/container"
	"github.com/sigtrace/sigtrace/internal/tracer"
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
	c.RunE = func(c *cobra.Command, _ []string) error {
		if err := f.kube.validate(); err != nil {
			return usageError{err}
		}
		return check(c, f)
	}
	return c
}

// check reports on everything that it can look at, and fails in the end where
// sigtrace could not run.
func check(c *cobra.Command, f *watchFlags) error {
	w := c.OutOrStdout()
	fmt.Fprintf(w, "kernel   %s\n", kernelRelease())
	if mounts, err := cgroup.Detect("/"); err == nil {
		fmt.Fprintf(w, "cgroups  %s\n", mounts.Mode)
	}
	s, err := attempt(c, f)
	if err != nil {
		fmt.Fprintf(w, "\nhooks\n  not tried: %v\n", err)
		reportSources(c.Context(), w, f)
		reportSandboxes(w)
		reportPins(w)
		return err
	}
	defer s.close()
	fmt.Fprintln(w, "\nhooks")
	hooks := s.probe.Hooks()
	for _, name := range slices.Sorted(maps.Keys(hooks)) {
		cost := ""
		if !needless(name, hooks) {
			cost = tracer.Cost(name)
		}
		line(w, name, hooks[name], tracer.Attached, cost)
	}
	_ = s.dir.Refresh(c.Context()) // what failed stands in Sources
	fmt.Fprintln(w, "\nsources")
	sources := s.sources()
	maps.Copy(sources, s.checkKube(c.Context()))
	sources["kernel symbols"] = "connected"
	if _, err := s.symbols(); err != nil {
		sources["kernel symbols"] = err.Error()
	}
	lines(w, sources)
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
	line(w, "agent --pin", state, usable, "what dies while the agent restarts is told from the runtime and the kernel log only")
	if tracer.Pinned(tracer.PinDir) {
		fmt.Fprintf(w, "      %s holds an agent's programs; sigtrace agent --unpin removes them\n", tracer.PinDir)
	}
}

func attempt(c *cobra.Command, f *watchFlags) (*session, error) {
	if err := mayRun(); err != nil {
		return nil, err
	}
	return open(c.Context(), f, newLog(c.ErrOrStderr(), false))
}

// needless: one of the two ways to hook oom_kill_process is enough.
func needless(name string, hooks map[string]string) bool {
	const fentry, kprobe = "oom_kill_process(fentry)", "oom_kill_process(kprobe)"
	return name == kprobe && hooks[fentry] == tracer.Attached || name == fentry && hooks[kprobe] == tracer.Attached
}

// reportSources is for where no hook could be had.
func reportSources(ctx context.Context, w io.Writer, f *watchFlags) {
	found, notes, err := container.Discover(ctx, container.Options{CRIEndpoint: f.criEndpoint, DockerHost: f.dockerHost})
	if err != nil {
		return
	}
	dir := container.NewDirectory(slog.New(slog.DiscardHandler), found...)
	defer dir.Close()
	_ = dir.Refresh(ctx)
	all := dir.Sources()
	maps.Copy(all, notes)
	ctx, cancel := context.WithTimeout(ctx, checkKube)
	defer cancel()
	maps.Copy(all, f.kube.sources(f.nodeName()).Check(ctx))
	fmt.Fprintln(w, "\nsources")
	lines(w, all)
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

func sourceCost(name string) string {
	switch name {
	case "kernel symbols":
		return "mechanisms of kernel-made signals are told by flags only"
	case kernelLogName:
		return "OOM kills have one witness, and fragmentation is not told"
	case "cri":
		return "pods are named from files only, without labels"
	case "docker":
		return "Docker containers are shown by their ids"
	case "pod-logs":
		return "pods need a runtime's socket for their names"
	}
	return kubeCost(name)
}
