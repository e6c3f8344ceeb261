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
	"github.com/sigtrace/sigtrace/internal/output"
	"github.com/sigtrace/sigtrace/internal/pipeline"
	"github.com/sigtrace/sigtrace/internal/session"
	"github.com/sigtrace/sigtrace/internal/signal"
	"github.com/sigtrace/sigtrace/internal/target"
)

// Groups of flags that several commands have.

// targetFlags are the filters on the process that is hit.
type targetFlags struct{ target.Spec }

func (f *targetFlags) register(c *cobra.Command) {
	fs := c.Flags()
	fs.SortFlags = false
	fs.StringVarP(&f.Pod, "pod", "p", "", "watch this pod, `[NS/]NAME`; waits for it, follows restarts")
	fs.StringVarP(&f.Namespace, "namespace", "n", "", "watch pods of this namespace")
	fs.StringVarP(&f.Container, "container", "c", "", "watch containers of this `name`")
	fs.StringVarP(&f.Selector, "selector", "l", "", "watch pods with these labels, as in kubectl")
	fs.StringVar(&f.ContainerID, "container-id", "", "watch containers whose ID starts with this prefix")
	fs.StringVar(&f.Cgroup, "cgroup", "", "watch this cgroup `path` and everything below it")
	fs.IntVarP(&f.PID, "pid", "T", 0, "watch this process (its pid on the host)")
}

func (f *targetFlags) validate() error {
	if err := f.Spec.Validate(); err != nil {
		return usageError{err}
	}
	return nil
}

// shownFlags choose what is shown of what happens.
type shownFlags struct {
	senderPID  int
	senderComm string
	signals    string
	types      []string
	causes     causeFlag
	all        bool
	maxEvents  int
}

func (f *shownFlags) register(c *cobra.Command) {
	fs := c.Flags()
	fs.SortFlags = false
	fs.IntVar(&f.senderPID, "sender-pid", 0, "only signals and deaths by this sender")
	fs.StringVar(&f.senderComm, "sender-comm", "", "only signals and deaths by senders of this name")
	fs.StringVarP(&f.signals, "signal", "s", "", "only these signals: 9,SIGTERM,hup (those that a process handles need --all)")
	f.causes.register(c, "only deaths of these causes or groups of causes: cgroup_oom,crash; !exited leaves out")
	fs.StringSliceVar(&f.types, "type", defaultTypes(), "only these events: signal,oom,exit,death,stuck")
	fs.BoolVar(&f.all, "all", false, "every signal and every exit, routine ones too")
	fs.IntVar(&f.maxEvents, "max-events", 0, "stop after this many events")
	complete(c, "type", typeNames())
}

func defaultTypes() []string { return []string{"signal", "oom", "death", "stuck"} }

func typeNames() []string {
	var names []string
	for _, t := range event.Types() {
		names = append(names, string(t))
	}
	return names
}

func (f *shownFlags) validate() error {
	if _, err := signal.ParseSet(f.signals); err != nil {
		return usageError{fmt.Errorf("--signal: %w", err)}
	}
	for _, t := range f.types {
		if !slices.Contains(typeNames(), t) {
			return usageError{fmt.Errorf("--type: no type %q: choose from %s", t, strings.Join(typeNames(), ", "))}
		}
	}
	if err := f.causes.validate(); err != nil {
		return err
	}
	if f.maxEvents < 0 {
		return usageError{errors.New("--max-events cannot be negative")}
	}
	return nil
}

// filter is what the flags let through; typesGiven: the types were named, so that
// --all adds none.
func (f *shownFlags) filter(typesGiven bool) pipeline.Filter {
	types := map[event.Type]bool{}
	for _, t := range f.types {
		types[event.Type(t)] = true
	}
	if f.all && !typesGiven {
		types[event.TypeExit] = true
	}
	signals, _ := signal.ParseSet(f.signals) // validated
	return pipeline.Filter{
		Types: types, All: f.all, MaxEvents: f.maxEvents, Signals: signals,
		SenderPID: f.senderPID, SenderComm: f.senderComm, Causes: f.causes.set(),
	}
}

// causeFlag chooses deaths by their causes.
type causeFlag struct{ names []string }

func (f *causeFlag) register(c *cobra.Command, usage string) {
	c.Flags().StringSliceVar(&f.names, "cause", nil, usage)
	complete(c, "cause", event.CauseWords())
}

func (f *causeFlag) validate() error {
	if _, err := event.ParseCauses(f.names); err != nil {
		return usageError{fmt.Errorf("--cause: %w", err)}
	}
	return nil
}

// set is the causes to show; empty for all.
func (f *causeFlag) set() event.CauseSet {
	causes, _ := event.ParseCauses(f.names) // validated
	return causes
}

// sourceFlags say where names, types and evidence come from.
type sourceFlags struct {
	session.Sources
	node   string
	forced forcedFlags
}

func (f *sourceFlags) register(c *cobra.Command) {
	fs := c.Flags()
	fs.StringVar(&f.CRIEndpoint, "cri-endpoint", "", "CRI `socket` (default: auto-detected; off disables)")
	fs.StringVar(&f.DockerHost, "docker-host", "", "Docker `URL` (default: auto-detected; off disables)")
	fs.StringVar(&f.KernelLog, "kernel-log", "", "kernel log `file` (default /dev/kmsg; off disables)")
	fs.StringVar(&f.Kubernetes.Kubeconfig, "kubeconfig", "", "kubeconfig `file` for the Kubernetes API (default: a pod's service account, $KUBECONFIG; off disables)")
	fs.StringVar(&f.Kubernetes.KubeletURL, "kubelet-url", "", "kubelet's `URL`, for its probe counters: https://NODE:10250 or http://NODE:10255 (off disables)")
	fs.StringVar(&f.Kubernetes.KubeletKubeconfig, "kubelet-kubeconfig", "", "kubeconfig `file` whose credentials and authority kubelet's URL takes (default: --kubeconfig)")
	fs.BoolVar(&f.Kubernetes.KubeletInsecureTLS, "kubelet-insecure-tls", false, "do not check kubelet's certificate")
	fs.StringVar(&f.Kubernetes.KubeletLog, "kubelet-log", "", "kubelet's log: a `file` or journal (default: auto-detected; off disables)")
	fs.StringVar(&f.BTF, "btf", "", "BTF `file` of this kernel, where /sys has none")
	fs.StringVar(&f.node, "node-name", "", "what events carry as node (default $NODE_NAME, else the host's name)")
	f.forced.register(c)
}

func (f *sourceFlags) validate() error {
	if err := f.Kubernetes.Validate(); err != nil {
		return usageError{err}
	}
	return nil
}

func (f *sourceFlags) nodeName() string {
	if f.node != "" {
		return f.node
	}
	if n := os.Getenv("NODE_NAME"); n != "" {
		return n
	}
	n, _ := os.Hostname()
	return n
}

// formFlags choose the form of the output.
type formFlags struct {
	format    string
	color     colorFlag
	utc       bool
	noHeaders bool
	maskArgs  bool
}

func (f *formFlags) register(c *cobra.Command) {
	fs := c.Flags()
	fs.StringVarP(&f.format, "output", "o", "table", "table, wide, json, jsonpretty or stap")
	f.color.register(c)
	fs.BoolVar(&f.utc, "utc", false, "times in UTC")
	fs.BoolVar(&f.noHeaders, "no-headers", false, "no header line")
	fs.BoolVar(&f.maskArgs, "mask-args", true, "show secrets in arguments as ***")
	complete(c, "output", output.Formats())
}

func (f *formFlags) validate() error {
	if !slices.Contains(output.Formats(), f.format) {
		return usageError{fmt.Errorf("--output: no format %q: choose from %s", f.format, strings.Join(output.Formats(), ", "))}
	}
	return f.color.validate()
}

// runFlags say how the run itself goes; watch and agent have them.
type runFlags struct {
	record    string
	timeout   time.Duration
	readyFile string
	verbose   bool
}

func (f *runFlags) register(c *cobra.Command) {
	fs := c.Flags()
	fs.SortFlags = false
	fs.StringVar(&f.record, "record", "", "record the stream into this `file`, for sigtrace replay")
	fs.DurationVar(&f.timeout, "timeout", 0, "stop after this time")
	fs.StringVar(&f.readyFile, "ready-file", "", "create this `file` once everything is attached")
	fs.BoolVarP(&f.verbose, "verbose", "v", false, "diagnostics on stderr")
}

func (f *runFlags) validate() error {
	if f.timeout < 0 {
		return usageError{errors.New("--timeout cannot be negative")}
	}
	return nil
}

func (f *runFlags) apply(c *session.Config) {
	c.Record, c.Timeout, c.ReadyFile = f.record, f.timeout, f.readyFile
}

func complete(c *cobra.Command, flag string, values []string) {
	_ = c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(toCompletions(values), cobra.ShellCompDirectiveNoFileComp))
}

func toCompletions(values []string) []cobra.Completion {
	return append([]cobra.Completion(nil), values...)
}
