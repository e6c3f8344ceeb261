// SPDX-License-Identifier: Apache-2.0

package probe

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/rlimit"
)

// Attached is what Hooks says of a hook that works.
const Attached = "attached"

// Probe is the kernel side, loaded and attached.
type Probe struct {
	programs map[string]*ebpf.Program
	maps     map[string]*ebpf.Map
	vars     map[string]*ebpf.Variable
	links    []link.Link
	hooks    map[string]string
	typed    bool
	levels   levels
	lost     lossReader
}

// Hooks maps each hook to Attached or to the reason why it is not.
func (p *Probe) Hooks() map[string]string { return maps.Clone(p.hooks) }

// Load loads the programs and attaches every hook that this kernel allows. It
// fails only where there would be nothing to see: without signal_generate.
func Load(c Config) (*Probe, error) {
	// Kernels from 5.11 account maps to the memory cgroup: where the limit
	// cannot be raised (no CAP_SYS_RESOURCE) it does not matter there.
	rlimitErr := rlimit.RemoveMemlock()
	p, err := loadEither(c)
	if err != nil {
		if rlimitErr != nil {
			err = errors.Join(err, rlimitErr)
		}
		return nil, explain(err)
	}
	if err := p.attach(); err != nil {
		_ = p.Close()
		return nil, explain(err)
	}
	return p, nil
}

func loadEither(c Config) (*Probe, error) {
	if !c.Raw && c.BTFPath == "" {
		p, err := load(c, loadTyped, true)
		if err == nil {
			return p, nil
		}
		raw, rawErr := load(c, loadRaw, false)
		if rawErr == nil {
			raw.hooks["tp_btf"] = "refused, raw tracepoints serve instead: " + firstLine(err)
			return raw, nil
		}
		return nil, err
	}
	return load(c, loadRaw, false)
}

func load(c Config, spec func() (*ebpf.CollectionSpec, error), typed bool) (*Probe, error) {
	s, err := spec()
	if err != nil {
		return nil, fmt.Errorf("read the BPF object: %w", err)
	}
	if err := c.apply(s); err != nil {
		return nil, err
	}
	options, err := collectionOptions(c)
	if err != nil {
		return nil, err
	}
	p := &Probe{hooks: map[string]string{}, programs: map[string]*ebpf.Program{}, typed: typed}
	if err := p.loadCore(s, options); err != nil {
		return nil, err
	}
	p.loadOOM(s, options, c.Without)
	return p, nil
}

func collectionOptions(c Config) (ebpf.CollectionOptions, error) {
	var o ebpf.CollectionOptions
	if c.BTFPath == "" {
		return o, nil
	}
	types, err := btf.LoadSpec(c.BTFPath)
	if err != nil {
		return o, fmt.Errorf("read kernel types from %s: %w", c.BTFPath, err)
	}
	o.Programs.KernelTypes = types
	return o, nil
}

// loadCore loads the hooks that nearly every kernel has at once; where that
// fails, signal_generate alone and then each of the others by itself.
func (p *Probe) loadCore(s *ebpf.CollectionSpec, o ebpf.CollectionOptions) error {
	names := coreNames()
	err := p.loadPrograms(s, o, names...)
	if err == nil {
		return nil
	}
	if required := p.loadPrograms(s, o, names[0]); required != nil {
		return required
	}
	for _, name := range names[1:] {
		if err := p.loadPrograms(s, o, name); err != nil {
			p.hooks[hookOf(name)] = firstLine(err)
		}
	}
	return nil
}

// loadOOM tries the two ways to hook oom_kill_process: without either, the
// tracepoints and the memory cgroups' counters have to do.
func (p *Probe) loadOOM(s *ebpf.CollectionSpec, o ebpf.CollectionOptions, without []string) {
	for _, name := range []string{"on_oom_kill_fentry", "on_oom_kill_kprobe"} {
		if slices.ContainsFunc(without, func(w string) bool { return strings.HasSuffix(name, w) }) {
			p.hooks[hookOf(name)] = "left out as asked"
			continue
		}
		if err := p.loadPrograms(s, o, name); err != nil {
			p.hooks[hookOf(name)] = firstLine(err)
		}
	}
}

func (p *Probe) loadPrograms(s *ebpf.CollectionSpec, o ebpf.CollectionOptions, names ...string) error {
	part := s.Copy()
	keep := map[string]bool{}
	for _, n := range names {
		keep[n] = true
	}
	maps.DeleteFunc(part.Programs, func(n string, _ *ebpf.ProgramSpec) bool { return !keep[n] })
	o.MapReplacements = p.maps
	if p.maps != nil {
		part.Variables = nil
	}
	coll, err := ebpf.NewCollectionWithOptions(part, o)
	if err != nil {
		return err
	}
	maps.Copy(p.programs, coll.Programs)
	coll.Programs = nil
	if p.maps == nil {
		p.maps, p.vars = coll.Maps, coll.Variables
		coll.Maps = nil
	}
	coll.Close()
	return nil
}

// Close detaches everything and frees the maps.
func (p *Probe) Close() error {
	var errs []error
	for _, l := range p.links {
		errs = append(errs, l.Close())
	}
	for _, prog := range p.programs {
		errs = append(errs, prog.Close())
	}
	for _, m := range p.maps {
		errs = append(errs, m.Close())
	}
	return errors.Join(errs...)
}
