// SPDX-License-Identifier: Apache-2.0

package resolve

import (
	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/tracer/wire"
)

// images remembers exe and args of ancestors, which are asked for again with
// every chain that leads over them. An exec goes unnoticed until the entry is
// forgotten: the comm is compared for that.
type images struct{ young, old map[wire.Key]image }

type image struct {
	comm, exe string
	args      []string
	truncated bool
	place     *event.Place
}

const imagesMax = 2048

func (i *images) add(r *Resolver, p *event.Process) {
	k := wire.Key{TGID: uint32(p.PID), Start: p.StartBoottimeNS}
	known, ok := i.young[k]
	if !ok {
		known, ok = i.old[k]
	}
	if !ok || known.comm != p.Comm {
		c := *p
		r.addImage(&c)
		known = image{comm: c.Comm, exe: c.Exe, place: c.Place}
		known.args, known.truncated = ancestorArgs(c.Args, c.ArgsTruncated)
		i.put(k, known)
	}
	if p.Exe == "" {
		p.Exe, p.Place = known.exe, known.place
	}
	if p.Args == nil {
		p.Args, p.ArgsTruncated = known.args, known.truncated
	}
}

// learn looks the living parents up at once: a shim may be gone before the
// event that names it has waited for its container's name.
func (i *images) learn(r *Resolver, nodes []wire.Node) {
	for _, n := range nodes {
		if n.TGID != 0 && !n.Dead {
			i.add(r, &event.Process{PID: int(n.TGID), Comm: n.Comm, StartBoottimeNS: n.Start})
		}
	}
}

func (i *images) put(k wire.Key, known image) {
	if i.young == nil || len(i.young) >= imagesMax {
		i.old, i.young = i.young, map[wire.Key]image{}
	}
	i.young[k] = known
}
