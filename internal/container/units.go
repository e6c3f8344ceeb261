// SPDX-License-Identifier: Apache-2.0

package container

import "strings"

// UnitLevel is the depth at which units or containers lie below a cgroup of the
// first level with this name, where that is not 2 as with systemd (its units and its
// users' slices), Docker and Podman. ok is false for those.
func UnitLevel(name string) (level uint32, ok bool) {
	switch {
	case strings.HasPrefix(name, "kubepods"): // QoS class, pod, container
		return 4, true
	case strings.HasPrefix(name, "nomad"): // share or reserve, allocation
		return 3, true
	case strings.HasPrefix(name, "lxc.payload"): // a machine with a tree of its own
		return 1, true
	}
	return 0, false
}
