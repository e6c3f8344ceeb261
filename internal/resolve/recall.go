// SPDX-License-Identifier: Apache-2.0

package resolve

import "github.com/sigtrace/sigtrace/internal/tracer/wire"

// Recall takes in what the kernel side kept of a process. It is less than what
// it had reported of it, which goes before.
func (r *Resolver) Recall(key wire.Key, p wire.KeptProcess) {
	if !p.Known {
		return
	}
	known := r.memory.get(key)
	if known != nil && known.exe != "" && len(known.lineage) > 0 {
		return
	}
	k := r.memory.edit(key)
	exe, args, truncated := k.exe, k.args, k.truncated
	if exe == "" {
		exe = absolute(p.Exe)
	}
	if args == nil {
		args, truncated = p.Args, p.ArgsTruncated
	}
	r.memory.describe(k, exe, args, truncated)
	if len(k.lineage) == 0 && p.Forker.TGID != 0 {
		r.memory.chain(&k.lineage, r.nodes(p.Forker))
	}
}

// lineage asks the kernel side for the forkers of a process of which nothing
// was reported, or only to somebody before.
func (r *Resolver) lineage(key wire.Key) []wire.Node {
	if nodes := r.nodes(key); len(nodes) > 0 {
		return nodes[1:]
	}
	return nil
}

// nodes begins with the process itself.
func (r *Resolver) nodes(key wire.Key) []wire.Node {
	var nodes []wire.Node
	for _, f := range r.kernel.Lineage(int(key.TGID), key.Start) {
		nodes = append(nodes, wire.Node{
			Key: wire.Key{TGID: uint32(f.TGID), Start: f.Start}, Cgroup: f.Cgroup, Hierarchy: f.Hierarchy, Dead: f.Dead, Comm: f.Comm,
		})
	}
	return nodes
}
