// SPDX-License-Identifier: Apache-2.0

package event

import "time"

// Process is a process as it was at the time of the event. It is immutable
// once it has been handed on: events share it.
type Process struct {
	// PID is the thread-group id in the host's PID namespace.
	PID int `json:"pid"`
	// TID is set when another thread than the leader acted or was hit.
	TID int `json:"tid,omitempty"`
	// NSPID is the pid in the innermost PID namespace.
	NSPID         int      `json:"ns_pid,omitempty"`
	Comm          string   `json:"comm"`
	Exe           string   `json:"exe,omitempty"`
	Args          []string `json:"args,omitempty"`
	ArgsTruncated bool     `json:"args_truncated,omitempty"`
	UID           *uint32  `json:"uid,omitempty"`
	EUID          *uint32  `json:"euid,omitempty"`
	LoginUID      *uint32  `json:"login_uid,omitempty"`
	SessionID     *uint32  `json:"session_id,omitempty"`
	// StartTime is wall-clock, StartBoottimeNS nanoseconds of CLOCK_BOOTTIME.
	StartTime       *time.Time `json:"start_time,omitempty"`
	StartBoottimeNS uint64     `json:"start_boottime_ns,omitempty"`
	Cgroup          string     `json:"cgroup,omitempty"`
	Unit            string     `json:"unit,omitempty"`
	Container       *Container `json:"container,omitempty"`
	Pod             *Pod       `json:"pod,omitempty"`
	// Dead marks an ancestor that has died since it forked.
	Dead bool `json:"dead,omitempty"`
	// Reparented is true where the kernel's present parent is another process
	// than the one that forked; nil where that is not known.
	Reparented    *bool    `json:"reparented,omitempty"`
	PresentParent *Process `json:"present_parent,omitempty"`
	// Ancestors is the lineage, nearest first, up to pid 1 and then pid 0.
	Ancestors []*Process `json:"ancestors,omitempty"`
	// PresentAncestors is the chain of present parents, nearest first, as
	// real_parent shows it (what -o stap prints). It is in recordings, and not
	// in the output.
	PresentAncestors []*Process `json:"present_ancestors,omitempty"`
	// ProcessDetail is in recordings, and not in the output.
	ProcessDetail `json:"detail,omitzero"`
}

// ProcessDetail is what sigtrace itself needs of a process.
type ProcessDetail struct {
	// Place is where the process stands, where that is not plainly the host.
	Place *Place `json:"place,omitempty"`
	// Unconfirmed: that it runs in its container is said by its cgroup's name alone,
	// and by no runtime.
	Unconfirmed bool `json:"unconfirmed,omitempty"`
	// Traced: it had a tracer when it acted. Tracer is who that was, nil where that
	// is not known.
	Traced bool     `json:"traced,omitempty"`
	Tracer *Process `json:"tracer,omitempty"`
}

// Place sets a process apart from those of the host: other namespaces, or an
// executable that is not root's. What is the host's is absent.
type Place struct {
	// UserNS are the inodes of its user namespace and of those around that,
	// without the initial one; UserNSOwner is the uid of who made its own.
	UserNS      []uint32 `json:"user_ns,omitempty"`
	UserNSOwner *uint32  `json:"user_ns_owner,omitempty"`
	// MountNS is the inode of its mount namespace, absent for that of pid 1.
	MountNS uint32 `json:"mount_ns,omitempty"`
	// HostFile: its executable is the file that the host has at that path.
	HostFile bool `json:"host_file,omitempty"`
	// ExeOwner is the uid of who owns its executable, absent for root.
	ExeOwner *uint32 `json:"exe_owner,omitempty"`
}

// Container is the container that a process runs in.
type Container struct {
	ID      string `json:"id"`
	Name    string `json:"name,omitempty"`
	Image   string `json:"image,omitempty"`
	Runtime string `json:"runtime,omitempty"`
	// StopSignal is what its runtime stops it with, where that is known: the
	// image or the pod may choose another one than SIGTERM.
	StopSignal string `json:"stop_signal,omitempty"`
	// Init reports whether the process is the container's init.
	Init *bool `json:"init,omitempty"`
}

// Pod is the Kubernetes pod that a process belongs to.
type Pod struct {
	Namespace string            `json:"namespace,omitempty"`
	Name      string            `json:"name,omitempty"`
	UID       string            `json:"uid,omitempty"`
	Labels    map[string]string `json:"labels,omitempty"`
}
