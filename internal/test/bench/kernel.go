// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

// empty attaches a program that does nothing, for comparison.
func empty() (*ebpf.Program, link.Link, error) {
	p, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Name: "empty", Type: ebpf.Tracing, AttachType: ebpf.AttachTraceRawTp, AttachTo: "signal_generate",
		Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, 0), asm.Return()}, License: "GPL",
	})
	if err != nil {
		return nil, nil, fmt.Errorf("load an empty program: %w", err)
	}
	l, err := link.AttachTracing(link.TracingOptions{Program: p})
	if err != nil {
		return nil, nil, fmt.Errorf("attach an empty program: %w", err)
	}
	return p, l, nil
}

// signalProgram finds the newest program of sigtrace's on signal_generate.
func signalProgram() (*ebpf.Program, error) {
	var found *ebpf.Program
	id := ebpf.ProgramID(0)
	for {
		next, err := ebpf.ProgramGetNextID(id)
		if errors.Is(err, os.ErrNotExist) {
			break
		}
		if err != nil {
			return nil, err
		}
		id = next
		p, err := ebpf.NewProgramFromID(id)
		if err != nil {
			continue
		}
		if info, err := p.Info(); err == nil && strings.HasPrefix(info.Name, "on_signal_gener") {
			found = p
		}
	}
	if found == nil {
		return nil, errors.New("sigtrace's program is not loaded")
	}
	return found, nil
}

// cost is what one run of a program takes, ns, between two readings.
type cost struct{ runtime, runs float64 }

func read(p *ebpf.Program) (cost, error) {
	s, err := p.Stats()
	if err != nil {
		return cost{}, err
	}
	return cost{float64(s.Runtime.Nanoseconds()), float64(s.RunCount)}, nil
}

func (c cost) since(before cost) float64 {
	return (c.runtime - before.runtime) / (c.runs - before.runs)
}

// dropped: what a signal costs in the kernel that the filter does not want.
func dropped(b *bench) error {
	stats, err := ebpf.EnableStats(uint32(unix.BPF_STATS_RUN_TIME))
	if err != nil {
		return fmt.Errorf("BPF run-time statistics: %w", err)
	}
	defer stats.Close()
	none, l, err := empty()
	if err != nil {
		return err
	}
	defer l.Close()
	t, _, err := b.watch(nil, "--pid", fmt.Sprint(os.Getpid()))
	if err != nil {
		return err
	}
	defer t.stop()
	ours, err := signalProgram()
	if err != nil {
		return err
	}
	var ratios []float64
	for range 7 {
		e0, err := read(none)
		if err != nil {
			return err
		}
		o0, err := read(ours)
		if err != nil {
			return err
		}
		b.killLoop(200_000, unix.SIGTERM)
		e1, _ := read(none)
		o1, _ := read(ours)
		ratios = append(ratios, o1.since(o0)/e1.since(e0))
	}
	figure("dropped by the filter, × an empty tp_btf program", median(ratios), 1.5, "×")
	return nil
}
