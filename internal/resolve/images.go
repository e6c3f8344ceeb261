// SPDX-License-Identifier: Apache-2.0

package resolve

import "github.com/sigtrace/sigtrace/internal/event"

// images remembers exe and args of ancestors, which are asked for again with
// every chain that leads over them. An exec goes unnoticed until the entry is
// forgotten: the comm is compared for that.
type images struct{ young, old map[event.Key]image }

type image struct {
	comm, exe string
	args      []string
	truncated bool
}

const imagesMax = 2048

func (i *images) add(r *Resolver, p *event.Process) {
	k := event.Key{TGID: uint32(p.PID), Start: p.StartBoottimeNS}
	known, ok := i.young[k]
	if !ok {
		known, ok = i.old[k]
	}
	if !ok || known.comm != p.Comm {
		r.addImage(p)
		known = image{p.Comm, p.Exe, p.Args, p.ArgsTruncated}
		i.put(k, known)
	}
	p.Exe, p.Args, p.ArgsTruncated = known.exe, known.args, known.truncated
}

func (i *images) put(k event.Key, known image) {
	if i.young == nil || len(i.young) >= imagesMax {
		i.old, i.young = i.young, map[event.Key]image{}
	}
	i.young[k] = known
}
