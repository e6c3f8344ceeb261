// SPDX-License-Identifier: Apache-2.0

package resolve

import (
	"strings"

	"golang.org/x/sys/unix"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/proc"
	"github.com/sigtrace/sigtrace/internal/proctree"
	"github.com/sigtrace/sigtrace/internal/tracer/wire"
)

// initialUserNS is PROC_USER_INIT_INO (include/linux/proc_ns.h).
const initialUserNS = 0xEFFFFFFD

// learnHost notes which mount namespace is the host's, pid 1's. The kernel side has
// it: pid 1's links in /proc may not be readable even to root.
func (r *Resolver) learnHost(nodes []wire.Node) {
	if r.hostNS != 0 {
		return
	}
	for _, n := range nodes {
		if n.TGID != 1 || n.Dead {
			continue
		}
		if last, ok := r.kernel.LastExec(1, n.Start); ok {
			r.hostNS = last.Place.MountNS
		}
		if r.hostNS == 0 {
			r.hostNS = r.proc.Namespace(1, "mnt")
		}
	}
}

// place returns what sets a process apart from those of the host, by where it
// stands; nil where nothing does.
func (r *Resolver) place(raw wire.Place, p *event.Process) *event.Place {
	if raw.UserNS[0] == 0 {
		return nil // not known
	}
	var pl event.Place
	if raw.UserNSLevel > 0 {
		pl.UserNS = append(pl.UserNS, raw.UserNS[:min(int(raw.UserNSLevel), len(raw.UserNS))]...)
		if raw.UserNSOwner != wire.UnsetID {
			pl.UserNSOwner = &raw.UserNSOwner
		}
	}
	if raw.ExeOwner != 0 {
		pl.ExeOwner = &raw.ExeOwner
	}
	if r.hostNS == 0 {
		r.learnHost(r.lineage(wire.Key{TGID: uint32(p.PID), Start: p.StartBoottimeNS}))
	}
	if r.hostNS != 0 && raw.MountNS != 0 && raw.MountNS != r.hostNS {
		pl.MountNS = raw.MountNS
		pl.HostFile = raw.UserNSLevel == 0 && proctree.HasRole(p.Exe) && r.executesHostFile(raw, p)
	}
	if pl.UserNS == nil && pl.ExeOwner == nil && pl.MountNS == 0 {
		return nil
	}
	return &pl
}

// executesHostFile reports whether a process executes the file that the host has at
// that path. The kernel's device is that of the super block; on btrfs and overlayfs
// stat(2) says another one, and only the living can be compared there.
func (r *Resolver) executesHostFile(raw wire.Place, p *event.Process) bool {
	host, err := r.proc.HostFile(strings.TrimSuffix(p.Exe, " (deleted)"), r.hostNS)
	if err != nil {
		return false
	}
	device := unix.Mkdev(raw.ExeDevice>>20, raw.ExeDevice&(1<<20-1))
	if raw.ExeDevice != 0 && host == (proc.File{Device: device, Inode: raw.ExeInode}) {
		return true
	}
	executed, err := r.proc.Executed(p.PID, p.StartBoottimeNS)
	return err == nil && executed == host
}

// placeOfImage is where a process stands whose executable was read from /proc: by
// that, or in full by what the kernel side has, where that is of the same namespaces.
func placeOfImage(kernel wire.Place, i proc.Image) wire.Place {
	seen := wire.Place{MountNS: i.Place.MountNS, ExeOwner: i.Place.ExeOwner, UserNSOwner: wire.UnsetID}
	seen.UserNS[0] = i.Place.UserNS
	if seen.UserNS[0] != 0 && seen.UserNS[0] != initialUserNS {
		seen.UserNSLevel = 1 // at least
	}
	if kernel.UserNS[0] == seen.UserNS[0] && kernel.MountNS == seen.MountNS {
		kernel.ExeOwner = seen.ExeOwner
		return kernel
	}
	if seen.UserNS[0] == 0 {
		return kernel // not readable
	}
	return seen
}
