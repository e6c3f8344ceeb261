// SPDX-License-Identifier: Apache-2.0

package tracer

import (
	"fmt"
	"os"

	"github.com/cilium/ebpf"
)

// Config is what the kernel side is reported before it is loaded.
type Config struct {
	// Signals has bit n-1 set for each signal n that is wanted; 0 is all.
	Signals uint64
	// All asks for routine signals and every exit too.
	All bool
	// Exits asks for every exit of the targets.
	Exits bool
	// TargetPID is the host tgid to filter on, 0 for none, and TargetStart when it
	// started, in ticks of 10 ms since boot: a pid alone is used again.
	TargetPID   int
	TargetStart uint64
	// TargetCgroups filters on the cgroups that AddCgroup names.
	TargetCgroups bool
	// MemoryV1 says that containers are reported apart by v1's memory hierarchy.
	MemoryV1 bool
	// Pins are where programs, links and maps outlive us; nil for nowhere.
	// They keep, as Keep does.
	Pins *Pins
	// Version of sigtrace, for people who look at pins.
	Version string
	// Keep keeps what each death is judged by until Release says that its
	// record has been written.
	Keep bool
	// KeptRoom is how many deaths can be kept; 0 for the default of 4096.
	KeptRoom uint32
	// Types are the kernel's, if ReadTypes has been called before.
	Types *Types
	// BTFPath names a BTF file for kernels without one in /sys; empty if none.
	BTFPath string
	// RoutineBytes is the size of the routine lane, a power of two; 0 for 16 MiB
	// where All brings floods, and with pins; 4 MiB otherwise: its pages are a
	// twentieth of what starting takes.
	RoutineBytes uint32
	// Without names what is left out although it could be had, for tests:
	// fentry, kprobe.
	Without []string
	// Raw forces raw tracepoints instead of BTF ones.
	Raw bool
}

func (c Config) apply(spec *ebpf.CollectionSpec) error {
	signals := c.Signals
	if signals == 0 {
		signals = ^uint64(0)
	}
	cost := uint64(eventCost)
	if c.All {
		cost = 0 // whoever asks for everything gets what the rings hold
	}
	values := map[string]any{
		"config_event_cost_ns":  cost,
		"config_signals":        signals,
		"config_all":            flag(c.All),
		"config_exits":          flag(c.All || c.Exits),
		"config_target_pid":     uint32(c.TargetPID),
		"config_target_start":   c.TargetStart,
		"config_target_cgroups": flag(c.TargetCgroups),
		"config_memory_v1":      flag(c.MemoryV1),
		"config_keep":           flag(c.keeps()),
		"config_page_size":      uint32(os.Getpagesize()),
	}
	for name, value := range values {
		v, ok := spec.Variables[name]
		if !ok {
			return fmt.Errorf("the object has no variable %s", name)
		}
		if err := v.Set(value); err != nil {
			return fmt.Errorf("set %s: %w", name, err)
		}
	}
	switch {
	case c.RoutineBytes != 0:
		spec.Maps["routine"].MaxEntries = c.RoutineBytes
	case c.All || c.Pins != nil: // pins are for any later configuration
		spec.Maps["routine"].MaxEntries *= 4
	}
	if c.KeptRoom != 0 {
		spec.Maps["kept_deaths"].MaxEntries = c.KeptRoom
	}
	if !c.keeps() {
		for _, name := range []string{"kept_deaths", "kept_stories"} {
			spec.Maps[name].MaxEntries = 1
		}
	}
	return nil
}

func (c Config) keeps() bool { return c.Keep || c.Pins != nil }

func flag(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}
