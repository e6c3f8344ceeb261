// SPDX-License-Identifier: Apache-2.0

package tracer

import (
	"errors"
	"fmt"
	"io"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"

	"github.com/sigtrace/sigtrace/internal/tracer/wire"
)

// ErrNoIterator says that this kernel has no task iterator.
var ErrNoIterator = errors.New("no task iterator")

// Seed records the processes that are older than sigtrace, with their exact
// start times, in the kernel's lineage map. ErrNoIterator where the kernel
// (before 5.8) or its settings do not let it.
func (p *Tracer) Seed() error {
	prog, err := p.seeder()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNoIterator, short{err})
	}
	it, err := link.AttachIter(link.IterOptions{Program: prog})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNoIterator, err)
	}
	defer it.Close()
	r, err := it.Open()
	if err != nil {
		return fmt.Errorf("iterate over tasks: %w", err)
	}
	defer r.Close()
	if _, err := io.Copy(io.Discard, r); err != nil {
		return fmt.Errorf("iterate over tasks: %w", err)
	}
	return nil
}

// seeder loads the task iterator once, when it is first needed: being ready does
// not wait for it. It is the last program to be loaded; then the kernel's types,
// which take more memory than all the rest, are let go of.
func (p *Tracer) seeder() (*ebpf.Program, error) {
	p.seeding.Lock()
	defer p.seeding.Unlock()
	if prog := p.loaded("seed_tasks"); prog != nil {
		return prog, nil
	}
	if p.spec == nil {
		return nil, errors.New("it could not be loaded before")
	}
	prog, err := p.program("seed_tasks")
	p.spec, p.options = nil, ebpf.CollectionOptions{}
	return prog, err
}

func (p *Tracer) loaded(name string) *ebpf.Program {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.programs[name]
}

// Forget shows the kernel that userspace no longer knows the processes that
// were described to it before this epoch, so that they are described again.
func (p *Tracer) Forget(epoch uint32) error {
	epoch += p.epoch
	if err := p.vars["describe_epoch"].Set(epoch); err != nil {
		return fmt.Errorf("set describe_epoch: %w", err)
	}
	if p.pins == nil {
		return nil
	}
	return p.pins.update(func(r *pinRecord) { r.Epoch = epoch })
}

// LastExec looks a process up in the kernel's lineage map. The entry lives as
// long as the process or a descendant does.
func (p *Tracer) LastExec(tgid int, start uint64) (wire.LastExec, bool) {
	var e typedProcEntry
	k := typedProcKey{Start: start, Tgid: uint32(tgid)}
	if err := p.maps["procs"].Lookup(&k, &e); err != nil {
		return wire.LastExec{}, false
	}
	n := min(int(e.ArgsLen), len(e.Args))
	return wire.LastExec{Exe: cString(e.Exe[:]), Args: bytesOf(e.Args[:n]), ArgsTruncated: e.ArgsTruncated != 0, Place: placeOf(e.Place)}, true
}

func placeOf(p typedPlace) wire.Place {
	return wire.Place{
		ExeInode: p.ExeInode, ExeDevice: p.ExeDevice, ExeOwner: p.ExeOwner, MountNS: p.MountNs,
		UserNSLevel: p.UserNsLevel, UserNS: p.UserNs, UserNSOwner: p.UserNsOwner,
	}
}

func bytesOf(s []int8) []byte {
	b := make([]byte, len(s))
	for i, c := range s {
		b[i] = byte(c)
	}
	return b
}

func cString(s []int8) string {
	b := bytesOf(s)
	for i, c := range b {
		if c == 0 {
			return string(b[:i])
		}
	}
	return string(b)
}
