// SPDX-License-Identifier: Apache-2.0

package tracer

import (
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sync/errgroup"
)

// hook is one place in the kernel: the program that serves it and what the
// verdicts lose without it.
type hook struct {
	program string
	name    string
	without string
	// alone: two programs that share the maps must not serve it at once.
	alone bool
}

// hooks lists every hook; signal_generate comes first and is required.
func hooks() []hook {
	return []hook{
		{"on_signal_generate", "signal_generate", "nothing can be seen", false},
		{"on_signal_deliver", "signal_deliver", "fatal is not known for core-dumping, blocked and traced signals; a debugger's injected signals are not seen", true},
		{"on_exit", "sched_process_exit", "exits are not seen", false},
		{"on_fork", "sched_process_fork", "ancestry shows present parents only", false},
		{"on_exec", "sched_process_exec", "args of processes that are hit may be missing", false},
		{"on_mark_victim", "mark_victim", "OOM kills are seen as signals only", false},
		{"on_cgroup_mkdir", "cgroup_mkdir", "short-lived containers may stay without a name", false},
		{"on_cgroup_rmdir", "cgroup_rmdir", "names of removed containers are kept longer", false},
		{"on_oom_kill_fentry", "oom_kill_process(fentry)", "the kprobe is used instead", false},
		{"on_oom_kill_kprobe", "oom_kill_process(kprobe)", "with neither: an OOM kill's scope is inferred from memory counters, order and gfp flags are not known", false},
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

func hookOf(program string) string {
	for _, h := range hooks() {
		if h.program == program {
			return h.name
		}
	}
	return program
}

// bringAll loads and attaches the hooks side by side: most of the time goes
// into relocation here and the verifier there.
func (p *Tracer) bringAll(without []string) error {
	var g errgroup.Group
	g.SetLimit(runtime.NumCPU())
	for _, h := range hooks() {
		if h.oomKill() {
			continue
		}
		g.Go(func() error {
			err := p.bring(h)
			if h.name == "signal_generate" {
				return err
			}
			return nil
		})
	}
	g.Go(func() error {
		p.bringOOM(without)
		return nil
	})
	return g.Wait()
}

func (h hook) oomKill() bool { return strings.HasPrefix(h.name, "oom_kill_process") }

// bring loads and attaches one hook, and notes what came of it.
func (p *Tracer) bring(h hook) error {
	prog, err := p.program(h.program)
	if err != nil {
		p.note(h, firstLine(err), nil)
		return err
	}
	if p.pins != nil && h.alone {
		p.pins.leave(h)
	}
	l, err := attachOne(h, prog)
	if err != nil {
		p.note(h, firstLine(err), nil)
		return fmt.Errorf("attach %s: %w", h.name, err)
	}
	p.pin(h, prog, l)
	p.note(h, Attached, l)
	return nil
}

func (p *Tracer) note(h hook, state string, l link.Link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hooks[h.name] = state
	if l != nil {
		p.links = append(p.links, l)
	}
}

// bringOOM tries the two ways to hook oom_kill_process: without either, the
// tracepoints and the memory cgroups' counters have to do.
func (p *Tracer) bringOOM(without []string) {
	done := false
	for _, h := range hooks() {
		switch {
		case !h.oomKill():
		case slices.ContainsFunc(without, func(w string) bool { return strings.HasSuffix(h.program, w) }):
			p.note(h, "left out as asked", nil)
		case done:
			p.note(h, "not needed beside fentry", nil)
		default:
			done = p.bring(h) == nil
		}
	}
}

func attachOne(h hook, prog *ebpf.Program) (link.Link, error) {
	switch prog.Type() {
	case ebpf.Kprobe:
		return link.Kprobe("oom_kill_process", prog, nil)
	case ebpf.RawTracepoint:
		return link.AttachRawTracepoint(link.RawTracepointOptions{Name: h.name, Program: prog})
	default:
		return link.AttachTracing(link.TracingOptions{Program: prog})
	}
}
