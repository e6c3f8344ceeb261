// SPDX-License-Identifier: Apache-2.0

package tracer

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/features"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/ringbuf"
	"golang.org/x/sys/unix"
)

// Attached is what Hooks says of a hook that works.
const Attached = "attached"

// Tracer is the kernel side, loaded and attached.
type Tracer struct {
	mu       sync.Mutex // guards programs, links and hooks while hooks come up
	programs map[string]*ebpf.Program
	links    []link.Link
	hooks    map[string]string

	seeding sync.Mutex // guards spec and options once hooks are up
	spec    *ebpf.CollectionSpec
	options ebpf.CollectionOptions
	maps    map[string]*ebpf.Map
	vars    map[string]*ebpf.Variable
	// routine is that lane's reader while it is read; routineRests reports whether it
	// may be long before that looks again.
	routine      atomic.Pointer[ringbuf.Reader]
	routineRests atomic.Bool
	levels       levels
	lost         lossReader
	budgets      budgetReader
	// pins is nil where nothing is to outlive us.
	pins     *Pins
	unpinned map[string]bool // programs that this kernel cannot pin links of
	epoch    uint32          // describe_epoch before Forget was first called
}

// Hooks maps each hook to Attached or to the reason why it is not.
func (p *Tracer) Hooks() map[string]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.hooks)
}

// Types are the kernel's types, being read.
type Types struct {
	cache *btf.Cache
	read  chan struct{}
}

// ReadTypes begins to read the kernel's types, which one Load needs and which
// takes as long as all the rest: whoever has other things to do first calls it
// before them.
func ReadTypes() *Types {
	cache, read := btf.NewCache(), make(chan struct{})
	go func() {
		defer close(read)
		_, _ = cache.Kernel() // an error comes again in Load
	}()
	return &Types{cache, read}
}

// wait returns the types once they have been read, for all programs to share.
func (t *Types) wait() *btf.Cache {
	<-t.read
	return t.cache
}

// Load loads the programs and attaches every hook that this kernel allows. It
// fails only where there would be nothing to see: without signal_generate.
func Load(c Config) (*Tracer, error) {
	if c.Types == nil {
		c.Types = ReadTypes()
	}
	locked := raiseMemlock()
	p, err := loadEither(c)
	c.Types.cache = nil // megabytes, and whoever called holds the rest of it
	if err != nil {
		if locked != nil && (errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOMEM)) {
			return nil, fmt.Errorf("%w; %w", explain(err, c), locked)
		}
		return nil, explain(err, c)
	}
	return p, nil
}

// raiseMemlock is for kernels up to 5.10, where maps count as locked memory. From
// 5.11 on the memory cgroup has them, and that the limit cannot be raised without
// CAP_SYS_RESOURCE does not matter.
func raiseMemlock() error {
	all := unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY}
	if err := unix.Setrlimit(unix.RLIMIT_MEMLOCK, &all); err != nil {
		return fmt.Errorf("raise the limit of locked memory, which counts up to Linux 5.10 (CAP_SYS_RESOURCE, or LimitMEMLOCK=infinity of whoever starts it): %w", err)
	}
	return nil
}

// loadEither takes raw tracepoints where BTF ones are refused.
func loadEither(c Config) (*Tracer, error) {
	rawObject := object{loadRaw, _RawBytes}
	if c.Raw || c.BTFPath != "" {
		return load(c, rawObject)
	}
	typed := object{loadTyped, _TypedBytes}
	if c.loops() {
		typed = object{loadLoop, _LoopBytes}
	}
	p, err := load(c, typed)
	if err == nil {
		return p, nil
	}
	raw, rawErr := load(c, rawObject)
	if rawErr != nil {
		return nil, err
	}
	raw.hooks["tp_btf"] = "refused, raw tracepoints serve instead: " + firstLine(err)
	return raw, nil
}

// loops reports whether this kernel has bpf_loop(), from 5.17 on. It asks the
// kernel and not its types, which are still being read.
func (c Config) loops() bool {
	return !slices.Contains(c.Without, "loop") && features.HaveProgramHelper(ebpf.SocketFilter, asm.FnLoop) == nil
}

// object is one of the compiled BPF objects.
type object struct {
	spec  func() (*ebpf.CollectionSpec, error)
	bytes []byte
}

func load(c Config, o object) (*Tracer, error) {
	s, err := o.spec()
	if err != nil {
		return nil, fmt.Errorf("read the BPF object: %w", err)
	}
	if err := c.apply(s); err != nil {
		return nil, err
	}
	dropSources(s)
	p := &Tracer{hooks: map[string]string{}, programs: map[string]*ebpf.Program{}, unpinned: map[string]bool{}, spec: s, pins: c.Pins}
	if err := p.bringUp(c, o); err != nil {
		_ = p.Close()
		return nil, err
	}
	return p, nil
}

func (p *Tracer) bringUp(c Config, o object) (err error) {
	if p.pins != nil {
		return p.bringUpPinned(c, o)
	}
	if err := p.makeMaps(nil); err != nil {
		return err
	}
	if p.options, err = collectionOptions(c); err != nil {
		return err
	}
	return p.bringAll(c.Without)
}

func collectionOptions(c Config) (ebpf.CollectionOptions, error) {
	var o ebpf.CollectionOptions
	if c.BTFPath == "" {
		o.Cache = c.Types.wait()
		return o, nil
	}
	types, err := btf.LoadSpec(c.BTFPath)
	if err != nil {
		return o, fmt.Errorf("read kernel types from %s: %w", c.BTFPath, err)
	}
	o.Programs.KernelTypes = types
	return o, nil
}

// makeMaps creates the maps that all programs share, but for those that are
// there.
func (p *Tracer) makeMaps(there map[string]*ebpf.Map) error {
	part := p.spec.Copy()
	clear(part.Programs)
	dropTypes(part.Maps)
	coll, err := ebpf.NewCollectionWithOptions(part, ebpf.CollectionOptions{MapReplacements: there})
	if err != nil {
		return err
	}
	p.maps, p.vars = coll.Maps, coll.Variables
	coll.Maps = nil
	coll.Close()
	return nil
}

// program loads one program onto the shared maps.
func (p *Tracer) program(name string) (*ebpf.Program, error) {
	spec, ok := p.spec.Programs[name]
	if !ok {
		return nil, fmt.Errorf("the object has no program %s", name)
	}
	part := &ebpf.CollectionSpec{
		Maps: mapsOf(spec, p.spec.Maps), Types: p.spec.Types, ByteOrder: p.spec.ByteOrder,
		Programs: map[string]*ebpf.ProgramSpec{name: spec},
	}
	o := p.options
	o.MapReplacements = mapsOf(spec, p.maps)
	coll, err := ebpf.NewCollectionWithOptions(part, o)
	if err != nil {
		return nil, err
	}
	defer coll.Close()
	prog := coll.DetachProgram(name)
	p.mu.Lock()
	p.programs[name] = prog
	p.mu.Unlock()
	return prog, nil
}

// Close detaches everything and frees the maps, but for what is pinned.
func (p *Tracer) Close() error {
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
