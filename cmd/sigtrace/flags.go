// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/fence"
	"github.com/sigtrace/sigtrace/internal/output"
	"github.com/sigtrace/sigtrace/internal/signal"
	"github.com/sigtrace/sigtrace/internal/target"
	"github.com/sigtrace/sigtrace/internal/tracer"
)

// watchFlags are the flags of watch.
type watchFlags struct {
	target     target.Spec
	senderPID  int
	senderComm string

	signals string
	types   []string
	causes  []string
	all     bool

	criEndpoint string
	dockerHost  string
	kernelLog   string
	btf         string
	node        string
	kube        kubeFlags

	format    string
	color     string
	utc       bool
	noHeaders bool
	maskArgs  bool
	timeout   time.Duration
	maxEvents int
	readyFile string
	record    string
	verbose   bool
	// fence catches panics, one event at a time; made before anything streams.
	fence *fence.Fence

	// forceRaw is for tests: raw tracepoints although BTF ones would do.
	forceRaw bool
	// kernelTypes are being read while everything else is opened; nil where that
	// has not begun.
	kernelTypes *tracer.Types
	// pins are where the kernel side outlives us; nil for nowhere.
	pins *tracer.Pins
	// without is for tests: fentry, kprobe, symbols are left out.
	without []string
}

func (f *watchFlags) register(c *cobra.Command) {
	f.registerTargets(c)
	f.registerShown(c)
	f.registerSources(c)
	f.registerHow(c)
	f.registerRun(c)
}

// registerRun: how the run itself goes; watch and agent have these.
func (f *watchFlags) registerRun(c *cobra.Command) {
	fs := c.Flags()
	fs.SortFlags = false
	fs.StringVar(&f.record, "record", "", "record the stream into this `file`, for sigtrace replay")
	fs.DurationVar(&f.timeout, "timeout", 0, "stop after this time")
	fs.StringVar(&f.readyFile, "ready-file", "", "create this `file` once everything is attached")
	fs.BoolVarP(&f.verbose, "verbose", "v", false, "diagnostics on stderr")
}

// registerTargets: the filters on the process that is hit.
func (f *watchFlags) registerTargets(c *cobra.Command) {
	fs := c.Flags()
	fs.SortFlags = false
	fs.StringVarP(&f.target.Pod, "pod", "p", "", "watch this pod, `[NS/]NAME`; waits for it, follows restarts")
	fs.StringVarP(&f.target.Namespace, "namespace", "n", "", "watch pods of this namespace")
	fs.StringVarP(&f.target.Container, "container", "c", "", "watch containers of this `name`")
	fs.StringVarP(&f.target.Selector, "selector", "l", "", "watch pods with these labels, as in kubectl")
	fs.StringVar(&f.target.ContainerID, "container-id", "", "watch the container whose id begins so")
	fs.StringVar(&f.target.Cgroup, "cgroup", "", "watch this cgroup `path` and everything below it")
	fs.IntVarP(&f.target.PID, "pid", "T", 0, "watch this process (its pid on the host)")
}

// registerShown: what to tell of what happens.
func (f *watchFlags) registerShown(c *cobra.Command) {
	fs := c.Flags()
	fs.SortFlags = false
	fs.IntVar(&f.senderPID, "sender-pid", 0, "only signals and deaths by this sender")
	fs.StringVar(&f.senderComm, "sender-comm", "", "only signals and deaths by senders of this name")
	fs.StringVarP(&f.signals, "signal", "s", "", "only these signals: 9,SIGTERM,hup (those that a process handles need --all)")
	fs.StringSliceVar(&f.causes, "cause", nil, "only deaths of these causes or groups of causes: cgroup_oom,crash; !exited leaves out")
	fs.StringSliceVar(&f.types, "type", []string{"signal", "oom", "death", "stuck"}, "only these events: signal,oom,exit,death,stuck")
	fs.BoolVar(&f.all, "all", false, "every signal and every exit, routine ones too")
	fs.IntVar(&f.maxEvents, "max-events", 0, "stop after this many events")
	complete(c, "type", typeNames())
	complete(c, "cause", event.CauseWords())
}

// registerSources: where names and types come from.
func (f *watchFlags) registerSources(c *cobra.Command) {
	fs := c.Flags()
	fs.StringVar(&f.criEndpoint, "cri-endpoint", "", "CRI `socket`; off leaves it out (default: found by itself)")
	fs.StringVar(&f.dockerHost, "docker-host", "", "Docker `URL`; off leaves it out (default: found by itself)")
	fs.StringVar(&f.kernelLog, "kernel-log", "", "kernel log `file`; off leaves it out (default /dev/kmsg)")
	f.kube.register(c)
	fs.StringVar(&f.btf, "btf", "", "BTF `file` of this kernel, where /sys has none")
	fs.StringVar(&f.node, "node-name", "", "what events carry as node (default $NODE_NAME, else the host's name)")
	f.registerForced(c)
}

// registerForced: for tests, the ways that this kernel would not take.
func (f *watchFlags) registerForced(c *cobra.Command) {
	fs := c.Flags()
	fs.BoolVar(&f.forceRaw, "force-raw-tracepoints", false, "")
	fs.StringSliceVar(&f.without, "force-without", nil, "")
	_ = fs.MarkHidden("force-raw-tracepoints")
	_ = fs.MarkHidden("force-without")
}

// registerHow: the form of the output.
func (f *watchFlags) registerHow(c *cobra.Command) {
	fs := c.Flags()
	fs.StringVarP(&f.format, "output", "o", "table", "table, wide, json, jsonpretty or stap")
	fs.StringVar(&f.color, "color", "auto", "auto, always or never")
	fs.BoolVar(&f.utc, "utc", false, "times in UTC")
	fs.BoolVar(&f.noHeaders, "no-headers", false, "no header line")
	fs.BoolVar(&f.maskArgs, "mask-args", true, "show secrets in arguments as ***")
	complete(c, "output", output.Formats())
	complete(c, "color", []string{"auto", "always", "never"})
}

func complete(c *cobra.Command, flag string, values []string) {
	_ = c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(toCompletions(values), cobra.ShellCompDirectiveNoFileComp))
}

func toCompletions(values []string) []cobra.Completion {
	return append([]cobra.Completion(nil), values...)
}

func typeNames() []string {
	var names []string
	for _, t := range event.Types() {
		names = append(names, string(t))
	}
	return names
}

// chosenCauses is the set of causes to print; empty for all.
func (f *watchFlags) chosenCauses() event.CauseSet {
	causes, _ := event.ParseCauses(f.causes)
	return causes
}

// validate finds the user's mistakes before anything is loaded.
func (f *watchFlags) validate() error {
	if err := f.target.Validate(); err != nil {
		return usageError{err}
	}
	if _, err := signal.ParseSet(f.signals); err != nil {
		return usageError{fmt.Errorf("--signal: %w", err)}
	}
	for _, t := range f.types {
		if !slices.Contains(typeNames(), t) {
			return usageError{fmt.Errorf("--type: no type %q: choose from %s", t, strings.Join(typeNames(), ", "))}
		}
	}
	if err := f.validateCauses(); err != nil {
		return err
	}
	if !slices.Contains(output.Formats(), f.format) {
		return usageError{fmt.Errorf("--output: no format %q: choose from %s", f.format, strings.Join(output.Formats(), ", "))}
	}
	if !slices.Contains([]string{"auto", "always", "never"}, f.color) {
		return usageError{fmt.Errorf("--color: %q is none of auto, always, never", f.color)}
	}
	if err := f.kube.validate(); err != nil {
		return usageError{err}
	}
	if f.maxEvents < 0 || f.timeout < 0 {
		return usageError{errors.New("--max-events and --timeout cannot be negative")}
	}
	return nil
}

func (f *watchFlags) validateCauses() error {
	if _, err := event.ParseCauses(f.causes); err != nil {
		return usageError{fmt.Errorf("--cause: %w", err)}
	}
	return nil
}

// chosen is the set of event types to print.
func (f *watchFlags) chosen(c *cobra.Command) map[event.Type]bool {
	types := map[event.Type]bool{}
	for _, t := range f.types {
		types[event.Type(t)] = true
	}
	if f.all && !c.Flags().Changed("type") {
		types[event.TypeExit] = true
	}
	return types
}

func (f *watchFlags) nodeName() string {
	if f.node != "" {
		return f.node
	}
	if n := os.Getenv("NODE_NAME"); n != "" {
		return n
	}
	n, _ := os.Hostname()
	return n
}
