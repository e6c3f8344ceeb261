// SPDX-License-Identifier: Apache-2.0

package resolve

import (
	"path"
	"strings"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/proc"
	"github.com/sigtrace/sigtrace/internal/tracer/wire"
)

// Kernel is what the resolver asks the kernel side.
type Kernel interface {
	// LastExec returns how a process was last executed.
	LastExec(tgid int, startNS uint64) (wire.LastExec, bool)
	// Lineage returns who forked whom, beginning with the process itself.
	Lineage(tgid int, startNS uint64) []wire.Forker
	// Forget asks for every process to be described again.
	Forget(epoch uint32) error
}

// Resolver turns raw events into the contract's. It is not safe for concurrent
// use: one goroutine owns the stream.
type Resolver struct {
	kernel     Kernel
	proc       proc.FS
	names      *Names
	clock      Clock
	memory     *memory
	images     images
	mechanisms *Mechanisms
	symbols    *proc.Symbols
	node       string
	// hostNS is the host's mount namespace, 0 while it is not known.
	hostNS uint32
	// older are container inits that were there before sigtrace.
	older map[proc.Identity]proc.Image
}

// New returns a resolver; node is what events carry as their node.
func New(kernel Kernel, fs proc.FS, names *Names, node string) *Resolver {
	r := &Resolver{kernel: kernel, proc: fs, names: names, node: node, mechanisms: NewMechanisms()}
	r.memory = newMemory(func(epoch uint32) { _ = kernel.Forget(epoch) })
	return r
}

// Mechanisms says which kernel functions the resolver wants to know.
func (r *Resolver) Mechanisms() *Mechanisms { return r.mechanisms }

// Names returns the names that the resolver was made with.
func (r *Resolver) Names() *Names { return r.names }

// SetOlder gives what the inits of containers execute that were there before.
func (r *Resolver) SetOlder(older map[proc.Identity]proc.Image) { r.older = older }

// SetSymbols gives the kernel's functions; until then the flags have to do.
func (r *Resolver) SetSymbols(s *proc.Symbols) { r.symbols = s }

// Describe takes in what the kernel reports a process.
func (r *Resolver) Describe(e *wire.Proc) {
	k := r.memory.edit(e.Key)
	switch {
	case e.Boottime < k.describedAt:
		return // the other lane has reported what came later
	case e.Exe == "" && len(e.Args) == 0:
		return // looked at when its memory was gone: an earlier look reported more
	case e.Given && path.Base(k.exe) == path.Base(e.Exe) && len(e.Args) > 0 && begins(k.args, e.Args):
		return // the same, cut short
	}
	k.describedAt = e.Boottime
	r.memory.describe(k, e.Exe, e.Args, e.ProcFlags&wire.ProcArgsTruncated != 0)
	k.place, k.tracer = e.Place, e.Tracer
}

// begins reports whether a snapshot of arguments, which may be cut in the last one, is
// of these.
func begins(args, snapshot []string) bool {
	if len(snapshot) > len(args) {
		return false
	}
	for i, s := range snapshot {
		if s != args[i] && (i < len(snapshot)-1 || !strings.HasPrefix(args[i], s)) {
			return false
		}
	}
	return true
}

// Chain takes in the parents of a process.
func (r *Resolver) Chain(e *wire.Chain) {
	k := r.memory.edit(e.Key)
	switch {
	case !e.Lineage && e.Boottime < k.presentAt:
		return
	case !e.Lineage:
		r.memory.chain(&k.present, e.Nodes)
		k.presentAt = e.Boottime
	case k.forkedByAnother(e.Nodes):
		return
	default:
		r.memory.chain(&k.lineage, e.Nodes)
	}
	r.learnHost(e.Nodes)
	r.images.learn(r, e.Nodes)
}

// forkedByAnother reports whether a lineage contradicts the one that is known.
// Nobody is forked twice: when two threads both look like the last to exit, the
// first drops the process's entry in the kernel's map, and the second seeds it
// anew from whoever is its parent by then.
func (k *known) forkedByAnother(nodes []wire.Node) bool {
	return len(k.lineage) > 0 && (len(nodes) == 0 || nodes[0].Key != k.lineage[0].Key)
}

// Header makes the header of an event.
func (r *Resolver) Header(t event.Type, boottime uint64) event.Header {
	return event.Header{Schema: event.Schema, Type: t, Time: r.clock.Wall(boottime), BoottimeNS: boottime, Node: r.node}
}

func (r *Resolver) functions(frames []uint64) []string {
	var names []string
	for _, f := range frames {
		if name := r.symbols.Find(f); name != "" {
			names = append(names, name)
		}
	}
	return names
}
