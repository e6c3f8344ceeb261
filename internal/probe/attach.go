// SPDX-License-Identifier: Apache-2.0

package probe

import (
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

// hook is one place in the kernel: the program that serves it and what the
// verdicts lose without it.
type hook struct {
	program string
	name    string
	without string
}

// hooks lists every hook; signal_generate comes first and is required.
func hooks() []hook {
	return []hook{
		{"on_signal_generate", "signal_generate", "nothing can be seen"},
		{"on_signal_deliver", "signal_deliver", "fatal is not known for core-dumping, blocked and traced signals; a debugger's injected signals are not seen"},
		{"on_exit", "sched_process_exit", "exits are not seen"},
		{"on_fork", "sched_process_fork", "ancestry shows present parents only"},
		{"on_exec", "sched_process_exec", "args of processes that are hit may be missing"},
		{"on_mark_victim", "mark_victim", "OOM kills are seen as signals only"},
		{"on_cgroup_mkdir", "cgroup_mkdir", "short-lived containers may stay without a name"},
		{"on_cgroup_rmdir", "cgroup_rmdir", "names of removed containers are kept longer"},
		{"on_oom_kill_fentry", "oom_kill_process(fentry)", "the kprobe is used instead"},
		{"on_oom_kill_kprobe", "oom_kill_process(kprobe)", "with neither: an OOM kill's scope is inferred from memory counters, order and gfp flags are not known"},
	}
}

// Cost says what the verdicts lose without the named hook; empty if unknown.
func Cost(name string) string {
	for _, h := range hooks() {
		if h.name == name {
			return h.without
		}
	}
	return ""
}

func coreNames() []string {
	var names []string
	for _, h := range hooks() {
		if h.program != "on_oom_kill_fentry" && h.program != "on_oom_kill_kprobe" {
			names = append(names, h.program)
		}
	}
	return append(names, "seed_tasks")
}

func hookOf(program string) string {
	for _, h := range hooks() {
		if h.program == program {
			return h.name
		}
	}
	return program
}

func (p *Probe) attach() error {
	for _, h := range hooks() {
		prog, ok := p.programs[h.program]
		if !ok {
			continue
		}
		if h.program == "on_oom_kill_kprobe" && p.hooks["oom_kill_process(fentry)"] == Attached {
			p.hooks[h.name] = "not needed beside fentry"
			continue
		}
		l, err := p.attachOne(h, prog)
		if err != nil {
			if h.name == "signal_generate" {
				return fmt.Errorf("attach %s: %w", h.name, err)
			}
			p.hooks[h.name] = firstLine(err)
			continue
		}
		p.links = append(p.links, l)
		p.hooks[h.name] = Attached
	}
	return nil
}

func (p *Probe) attachOne(h hook, prog *ebpf.Program) (link.Link, error) {
	switch prog.Type() {
	case ebpf.Kprobe:
		return link.Kprobe("oom_kill_process", prog, nil)
	case ebpf.RawTracepoint:
		return link.AttachRawTracepoint(link.RawTracepointOptions{Name: h.name, Program: prog})
	default:
		return link.AttachTracing(link.TracingOptions{Program: prog})
	}
}
