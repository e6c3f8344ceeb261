// SPDX-License-Identifier: Apache-2.0

package proctree

import (
	"slices"

	"github.com/sigtrace/sigtrace/internal/event"
)

// Trust is how far a process is believed to be the program that the path of its
// executable names, and to act as that on another process.
type Trust int

// The degrees of trust, in order. A role that is believed to be Likely makes no
// verdict proven.
const (
	None Trust = iota
	Likely
	Proven
)

// trustFor is how far a process is believed to act on the target as the program that
// its executable's path names. Whoever makes a user namespace makes the paths in it
// what he likes; of other mount namespaces only those who are root make any. Where
// nothing is known of a process's place, as in older recordings, it is the host's.
func trustFor(p, target *event.Process) Trust {
	pl := p.Place
	switch {
	case pl == nil:
		return Proven
	case len(pl.UserNS) > 0:
		if ownsNamespace(pl, target.Place) {
			return Likely
		}
		return None
	case pl.MountNS != 0 && !pl.HostFile, ownedByUser(pl) && p.EUID != nil && *p.EUID != 0:
		return None
	case pl.MountNS != 0, ownedByUser(pl):
		return Likely // the latter as unpacked with its builder's uid: root runs it all the same
	}
	return Proven
}

// ownedByUser reports whether another than root may write the executable.
func ownedByUser(pl *event.Place) bool { return pl != nil && pl.ExeOwner != nil && *pl.ExeOwner != 0 }

// ownsNamespace reports whether one place has authority over the other in a user
// namespace that is not the initial one, as a rootless runtime has over its
// containers: the other's is the same or below it, and of the same owner.
func ownsNamespace(runtime, of *event.Place) bool {
	return of != nil && runtime.UserNSOwner != nil && of.UserNSOwner != nil && *runtime.UserNSOwner == *of.UserNSOwner &&
		slices.Contains(of.UserNS, runtime.UserNS[0])
}

// rootOfHost reports whether a process that stands in the initial user namespace is
// run by root, as what acts on the host's containers is. Anybody may execute
// /usr/bin/runc with a state directory of his own.
func rootOfHost(p *event.Process) bool {
	return p.EUID == nil || *p.EUID == 0 || p.Place != nil && len(p.Place.UserNS) > 0
}
