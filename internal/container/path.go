// SPDX-License-Identifier: Apache-2.0

package container

import "strings"

// The values of [Ref.QoS] and of a pod's status.qosClass.
const (
	QoSGuaranteed = "Guaranteed"
	QoSBurstable  = "Burstable"
	QoSBestEffort = "BestEffort"
)

// The values of [Ref.Runtime] and [Info.Runtime]: the scheme of a Kubernetes
// container id where there is one. nerdctl's and ctr's containers are
// containerd's.
const (
	RuntimeContainerd = "containerd"
	RuntimeCRIO       = "cri-o"
	RuntimeDocker     = "docker"
	RuntimePodman     = "podman"
	RuntimeLXC        = "lxc"
	RuntimeNspawn     = "systemd-nspawn"
)

// Ref is what a cgroup path says by itself. An empty field is not reported by it.
type Ref struct {
	// ID is the container's id: 64 hex digits, except for LXC and
	// systemd-nspawn (a name), AWS Fargate (32 hex digits, dash, digits) and
	// candidates (a name). Empty for a cgroup above or beside containers.
	ID string
	// Runtime is one of the Runtime constants. Kubelet's cgroupfs driver
	// writes paths that do not report it.
	Runtime string
	// PodUID is the pod's UID as the API writes it. Mirror pods of static
	// pods have another UID in the API than the 32 hex digits reported here.
	PodUID string
	// QoS is the pod's quality of service class.
	QoS string
	// Unit is the innermost systemd service or scope with its \xNN escapes
	// undone, for people; UnitID is the same as systemctl and the journal
	// write it.
	Unit, UnitID string
	// Namespace is containerd's namespace in paths of the form
	// /<namespace>/<name>, which ctr and nerdctl write.
	Namespace string
	// Candidate is set where the path has the form /<namespace>/<name> and
	// may as well be no container's.
	Candidate bool
	// Path is the container's cgroup, or the pod's where ID is empty: the
	// given path up to there.
	Path string
}

// deletedSuffix is what the kernel appends in /proc/PID/cgroup to the path of
// a removed cgroup (kernel/cgroup/cgroup.c, proc_cgroup_show).
const deletedSuffix = " (deleted)"

// ParsePath reads a cgroup path as /proc/PID/cgroup shows it, on cgroup v1
// the one of the memory line. The innermost container wins, so that a
// container inside a kind node or below Docker-in-Docker is itself and not the
// outer one. It never fails: what it does not know leaves the fields empty.
func ParsePath(cgroupPath string) Ref {
	path := strings.TrimSuffix(cgroupPath, deletedSuffix)
	var ref Ref
	parts := split(path)
	for i := range parts {
		ref.read(path, parts, i)
	}
	if ref.ID == "" && ref.PodUID == "" && ref.QoS == "" {
		ref.readCandidate(path, parts)
	}
	return ref
}

// read takes in component i.
func (r *Ref) read(path string, parts []part, i int) {
	name := parts[i].name
	if isUnit(name) {
		r.UnitID = cgroupUnescape(name)
		r.Unit = unescapeUnit(r.UnitID)
	}
	kube := kubeOf(parts, i)
	switch kube.level {
	case LevelPod:
		// Whatever container was above is the node's (kind, minikube).
		*r = Ref{PodUID: kube.uid, QoS: kube.qos, Unit: r.Unit, UnitID: r.UnitID, Path: path[:parts[i].end]}
	case LevelQoS:
		r.QoS = kube.qos
	}
	if id, runtime, ok := containerOf(parts, i); ok {
		r.ID, r.Runtime, r.Path = id, runtime, path[:parts[i].end]
		if i == 1 && runtime == "" && isIdentifier(parts[0].name) {
			r.Namespace = parts[0].name
		}
	}
}

// readCandidate takes /<namespace>/<name>, and what is below it, for a
// container of ctr's until somebody who can look says otherwise.
func (r *Ref) readCandidate(path string, parts []part) {
	if len(parts) < 2 {
		return
	}
	namespace, name := parts[0].name, parts[1].name
	if !isIdentifier(namespace) || !isIdentifier(name) || name == kubepods || isReserved(namespace) || isSystemd(namespace) {
		return
	}
	r.ID, r.Namespace, r.Candidate = name, namespace, true
	r.Runtime, r.Path = RuntimeContainerd, path[:parts[1].end]
}

// isReserved reports the first components that are known not to be namespaces
// of containerd.
func isReserved(name string) bool {
	switch name {
	case kubepods, "docker", "ecs", "lxc", "lxc.payload", "libpod_parent":
		return true
	}
	return strings.HasPrefix(name, lxcPayload) || strings.HasPrefix(name, "lxc.monitor")
}

// part is one component of a path; path[:end] is the path down to it.
type part struct {
	name string
	end  int
}

// split cuts a path into its components and leaves out empty ones.
func split(path string) []part {
	parts := make([]part, 0, 8)
	start := 0
	for i := 0; i <= len(path); i++ {
		if i < len(path) && path[i] != '/' {
			continue
		}
		if i > start {
			parts = append(parts, part{name: path[start:i], end: i})
		}
		start = i + 1
	}
	return parts
}

// nameAt gives the name of component i, "" outside of the path.
func nameAt(parts []part, i int) string {
	if i < 0 || i >= len(parts) {
		return ""
	}
	return parts[i].name
}
