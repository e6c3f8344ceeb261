// SPDX-License-Identifier: Apache-2.0

package tracer

import (
	"errors"
	"os"
	"testing"

	"github.com/cilium/ebpf"
)

// Every combination of constants makes the verifier see another program.
func TestLoad(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("loading BPF programs needs root")
	}
	for name, c := range map[string]Config{
		"whole host":      {},
		"all":             {All: true},
		"v1 memory":       {MemoryV1: true},
		"one process":     {TargetPID: 1},
		"cgroups":         {TargetCgroups: true, MemoryV1: true},
		"unified cgroups": {TargetCgroups: true},
		"without loop":    {Without: []string{"loop"}},
		"cgroups without": {TargetCgroups: true, MemoryV1: true, Without: []string{"loop"}},
		"raw":             {Raw: true},
		"kept":            {Keep: true},
		"kept cgroups":    {Keep: true, TargetCgroups: true, MemoryV1: true},
		"kept typed":      {Keep: true, TargetCgroups: true, MemoryV1: true, Without: []string{"loop"}},
		"kept raw":        {Keep: true, Raw: true, TargetCgroups: true, MemoryV1: true, All: true},
		"raw cgroups":     {Raw: true, TargetCgroups: true, MemoryV1: true, All: true},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := Load(c)
			if verifier := (*ebpf.VerifierError)(nil); errors.As(err, &verifier) {
				t.Logf("%-8v", verifier)
			}
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			for _, h := range []string{"signal_generate", "signal_deliver", "sched_process_exit", "sched_process_fork", "sched_process_exec", "mark_victim", "cgroup_mkdir"} {
				if p.Hooks()[h] != Attached {
					t.Errorf("%s: %s", h, p.Hooks()[h])
				}
			}
			if why, refused := p.Hooks()["tp_btf"]; refused {
				t.Errorf("tp_btf: %s", why)
			}
			if err := p.Seed(); err != nil {
				t.Error(err)
			}
		})
	}
}
