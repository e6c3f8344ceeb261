// SPDX-License-Identifier: Apache-2.0

package resolve

import (
	"path"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/proc"
	"github.com/sigtrace/sigtrace/internal/tracer/wire"
)

// Process makes the contract's process of a brief and of what the kernel has
// reported it before.
func (r *Resolver) Process(b wire.Brief) *event.Process {
	k := r.memory.get(b.Key)
	if k != nil && k.built != nil && k.builtFor == b && k.builtNames == r.names.Version() {
		return k.built
	}
	p := r.base(b)
	if k != nil {
		p.Exe, p.Args, p.ArgsTruncated = k.exe, k.args, k.truncated
		p.Place = r.place(k.place, p)
		r.addAncestry(p, k)
		r.addTracer(p, k)
	}
	if len(p.Ancestors) == 0 {
		r.addAncestry(p, &known{lineage: r.lineage(b.Key)})
	}
	if p.Exe == "" || p.Args == nil {
		r.addImage(p)
	}
	if k != nil {
		k.built, k.builtFor, k.builtNames = p, b, r.names.Version()
	}
	return p
}

func (r *Resolver) base(b wire.Brief) *event.Process {
	p := &event.Process{
		PID: int(b.TGID), NSPID: int(b.NSPID), Comm: b.Comm,
		UID: &b.UID, EUID: &b.EUID,
		StartBoottimeNS: b.Start,
	}
	p.Traced = b.Traced
	if b.TID != b.TGID {
		p.TID = int(b.TID)
	}
	if b.LoginUID != wire.UnsetID {
		p.LoginUID = &b.LoginUID
	}
	if b.Session != wire.UnsetID {
		p.SessionID = &b.Session
	}
	if b.Start != 0 {
		start := r.clock.Wall(b.Start)
		p.StartTime = &start
	}
	r.names.put(p, b.Hierarchy, b.Cgroup, b.NSPID == 1)
	return p
}

// addImage fills in exe and args of a process that lives long enough: from its
// last exec, else from /proc, now or when sigtrace began.
func (r *Resolver) addImage(p *event.Process) {
	last, ok := r.kernel.LastExec(p.PID, p.StartBoottimeNS)
	if ok {
		if p.Exe == "" && absolute(last.Exe) != "" {
			p.Exe = absolute(last.Exe)
			p.Place = r.place(last.Place, p)
		}
		if p.Args == nil {
			p.Args, p.ArgsTruncated = wire.SplitArgs(last.Args), last.ArgsTruncated
		}
	}
	if p.Exe != "" && p.Args != nil && !p.ArgsTruncated {
		return
	}
	image, err := r.proc.Image(p.PID, p.StartBoottimeNS)
	if older := r.older[proc.IdentityOf(p.PID, p.StartBoottimeNS)]; err != nil || image.Exe == "" {
		image = older
	}
	if p.Exe == "" && image.Exe != "" {
		p.Exe = image.Exe
		p.Place = r.place(placeOfImage(last.Place, image), p)
	}
	if p.Args == nil || p.ArgsTruncated && len(image.Args) > 0 {
		p.Args, p.ArgsTruncated = image.Args, false
	}
}

// absolute drops a name that was relative to a directory that is not known. What a
// last exec was given may lead out of /usr again: /usr/../tmp/runc.
func absolute(exe string) string {
	if len(exe) == 0 || exe[0] != '/' {
		return ""
	}
	return path.Clean(exe)
}

// addTracer names who traced a process when it acted. What was described before that
// or since does not.
func (r *Resolver) addTracer(p *event.Process, k *known) {
	if !p.Traced || k.tracer.TGID == 0 {
		return
	}
	p.Tracer = r.ancestor(k.tracer)
	r.addAncestry(p.Tracer, &known{lineage: r.lineage(k.tracer.Key)})
}
