// SPDX-License-Identifier: Apache-2.0

package tracer

import (
	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
)

// The kernel takes, with maps and programs, what only debuggers look at. Loading
// it is a tenth of the time that starting takes.

// dropSources removes the line of C that each instruction comes from, but for the
// first of each function: the kernel refuses a program in which only some functions
// have line info (check_btf_line of kernel/bpf/verifier.c).
func dropSources(s *ebpf.CollectionSpec) {
	for _, prog := range s.Programs {
		for i := range prog.Instructions {
			ins := &prog.Instructions[i]
			if btf.FuncMetadata(ins) == nil {
				*ins = ins.WithSource(nil)
			}
		}
	}
}

// dropTypes leaves out how keys and values look: none of ours holds what the
// kernel itself must find in them (a lock, a timer, a kptr).
func dropTypes(maps map[string]*ebpf.MapSpec) {
	for _, m := range maps {
		m.Key, m.Value = nil, nil
	}
}

// mapsOf returns those of all that a program refers to.
func mapsOf[T any](prog *ebpf.ProgramSpec, all map[string]T) map[string]T {
	used := map[string]T{}
	for i := range prog.Instructions {
		ins := &prog.Instructions[i]
		if !ins.IsLoadFromMap() {
			continue
		}
		if m, there := all[ins.Reference()]; there {
			used[ins.Reference()] = m
		}
	}
	return used
}
