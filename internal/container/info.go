// SPDX-License-Identifier: Apache-2.0

package container

import (
	"context"
	"errors"

	"github.com/sigtrace/sigtrace/internal/event"
)

// The values of [Info.State].
const (
	StateCreated = "created"
	StateRunning = "running"
	StateExited  = "exited"
)

// Info is what is known about a container, or about a pod where ID is empty.
// An empty field is unknown. It is shared between callers: Pod must not be
// written to.
type Info struct {
	ID string
	// Name is the container's name in its pod's spec, or the one that Docker,
	// Podman or ctr knows it by. A pod's sandbox has none.
	Name    string
	Image   string
	Runtime string
	// PID is the init process in the host's PID namespace, 0 if unknown. It
	// may have been reused if the container is not running any more.
	PID int
	// StopSignal is what the container is stopped with, SIGTERM or what its
	// image or its pod chose; empty where no runtime shows.
	StopSignal string
	// Sandbox marks a pod's infrastructure container ("pause").
	Sandbox bool
	// Kind is "", init, ephemeral or sidecar. No runtime shows it; it is for
	// whoever has the pod's spec.
	Kind string
	// State is one of the State constants.
	State string
	// Attempt counts the container's restarts in its pod, from 0.
	Attempt int
	Pod     *event.Pod
	// CgroupPath is the container's (else the pod's) cgroup.
	CgroupPath string
	// InitCgroup is the cgroup in which its init has been seen, down to the
	// container's own.
	InitCgroup string
	// Confirmed is set where a runtime says that the container of this ID runs in
	// CgroupPath, and not only the name of that: anybody may name a cgroup.
	Confirmed bool
	// Partial is set where the container's own name is not known (yet), only
	// what its path and its pod report.
	Partial bool
}

// Source is one place that names containers.
type Source interface {
	// Name identifies the source in [Directory.Sources] and in logs.
	Name() string
	// List gives every container that the source knows, and pods as an Info
	// without ID.
	List(ctx context.Context) ([]Info, error)
	// Inspect shows about one container, or about the pod where ref has only
	// the pod's UID. It answers false, without an error, for what the source
	// does not know. An Info without ID is an answer about the pod alone.
	Inspect(ctx context.Context, ref Ref) (Info, bool, error)
	Close() error
}

// ErrAbsent is wrapped by the errors of a source that is not there on this
// host: no such socket, no such directory.
var ErrAbsent = errors.New("not found on this host")

// complete reports whether no other source needs to be asked. Files know no
// state, so a runtime that answers is asked too: it has the pod's labels.
func (i Info) complete() bool {
	if i.ID == "" {
		return podNamed(i.Pod)
	}
	named := i.Sandbox || i.Name != "" && i.Image != ""
	return named && i.PID != 0 && i.State != "" && i.Runtime != "" && (i.Pod == nil || podNamed(i.Pod))
}

// ByNameAlone reports whether nothing but the ID in its cgroup's name makes it a
// container.
func (i Info) ByNameAlone() bool { return isID(i.ID) && !i.Confirmed }

// known reports whether the container itself has been named.
func (i Info) known() bool { return i.ID != "" && (i.Name != "" || i.Sandbox) }

func podNamed(pod *event.Pod) bool { return pod != nil && pod.Name != "" && pod.Namespace != "" }

// fill takes from other what i does not know.
func (i Info) fill(other Info) Info {
	fillZero(&i.ID, other.ID)
	fillZero(&i.Name, other.Name)
	if i.Image == "" || isDigest(i.Image) && other.Image != "" {
		i.Image = other.Image // a name says more than a digest
	}
	fillZero(&i.Runtime, other.Runtime)
	fillZero(&i.PID, other.PID)
	fillZero(&i.StopSignal, other.StopSignal)
	fillZero(&i.Sandbox, other.Sandbox)
	fillZero(&i.Kind, other.Kind)
	fillZero(&i.State, other.State)
	fillZero(&i.Attempt, other.Attempt)
	fillZero(&i.CgroupPath, other.CgroupPath)
	fillZero(&i.InitCgroup, other.InitCgroup)
	i.Pod = mergePod(i.Pod, other.Pod)
	return i
}

// mergePod gives what the two know together; neither is written to.
func mergePod(pod, other *event.Pod) *event.Pod {
	if pod == nil || other == nil || pod == other {
		if pod == nil {
			return other
		}
		return pod
	}
	merged := *pod
	fillZero(&merged.Namespace, other.Namespace)
	fillZero(&merged.Name, other.Name)
	fillZero(&merged.UID, other.UID)
	if merged.Labels == nil {
		merged.Labels = other.Labels
	}
	return &merged
}

func fillZero[T comparable](dst *T, value T) {
	var zero T
	if *dst == zero {
		*dst = value
	}
}
