// SPDX-License-Identifier: Apache-2.0

package resolve

import "strings"

// ancestorArgsMax is how many bytes of arguments an ancestor is shown with. Of
// who acted and who was hit all are shown; an event names dozens of ancestors,
// and build scripts, Java and Kubernetes' own daemons carry kilobytes each.
const ancestorArgsMax = 1 << 10

// shortArgs are the arguments of a process where it is an ancestor.
type shortArgs struct {
	args      []string
	truncated bool
}

// asAncestor returns what is shown of the arguments, worked out once.
func (k *known) asAncestor() (args []string, truncated bool) {
	if k.short == nil {
		args, truncated := ancestorArgs(k.args, k.truncated)
		k.short = &shortArgs{args, truncated}
	}
	return k.short.args, k.short.truncated
}

// ancestorArgs returns what fits. What is cut shares no memory with the whole,
// which would be held in full by every event that names the ancestor.
func ancestorArgs(args []string, truncated bool) (short []string, cut bool) {
	if size(args) <= ancestorArgsMax {
		return args, truncated
	}
	room := ancestorArgsMax
	for _, a := range args {
		if len(a) > room {
			if room > 0 {
				short = append(short, strings.Clone(a[:room]))
			}
			break
		}
		short = append(short, strings.Clone(a))
		room -= len(a) + 1
	}
	return short, true
}

// size is in bytes, with the byte that ends each argument.
func size(args []string) int {
	n := 0
	for _, a := range args {
		n += len(a) + 1
	}
	return n
}
