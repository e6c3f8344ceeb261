// SPDX-License-Identifier: Apache-2.0

// Package kubefact holds what Kubernetes reports of pods and containers, as facts
// that every source gives in one form: kubelet's log, the API, probe counters, the
// runtime's statuses. They are in recordings, and not in the output.
package kubefact

import "time"

// Kind is what a fact of Kubernetes' shows.
type Kind string

// Kinds about one container: kubelet stops it, and what it said of why.
const (
	// Stopping: kubelet stops the container, the reason is not in the words.
	Stopping          Kind = "stopping"
	LivenessFailed    Kind = "failed_liveness_probe"
	StartupFailed     Kind = "failed_startup_probe"
	DefinitionChanged Kind = "definition_changed"
	ResizeRestarts    Kind = "resize_requires_restart"
	PostStartFailed   Kind = "poststart_hook_failed"
	PreStopHook       Kind = "prestop_hook"
	ProbeResults      Kind = "probe_results"
	Terminated        Kind = "container_terminated"
)

// Kinds about a whole pod: why kubelet stops all of it.
const (
	Deleted          Kind = "pod_deleted"
	Evicted          Kind = "pod_evicted"
	Preempted        Kind = "pod_preempted"
	NodeShutdown     Kind = "node_shutdown"
	DeadlineExceeded Kind = "deadline_exceeded"
	SandboxChanged   Kind = "sandbox_changed"
	Finished         Kind = "pod_finished"
	// Disrupted says who asked for a deletion: a drain, a taint.
	Disrupted Kind = "pod_disrupted"
	// Requested says which object or controller had the pod deleted, in Requester.
	Requested Kind = "pod_deletion_requested"
	// Pod carries the pod's settings.
	Pod Kind = "pod"
	// Mirrored: a static pod has a mirror in the API. Whatever was deleted by
	// its name before was another mirror, and its containers live on.
	Mirrored Kind = "static_pod_mirrored"
	// Replaced: a static pod's manifest was changed, which makes another pod of it.
	Replaced Kind = "static_pod_replaced"
)

// Kinds about a source itself.
const (
	// Available: from Time on the source sees; Detail is what it can report.
	Available Kind = "source_sees"
	// Unavailable: from Time on it does not, and Text says why.
	Unavailable Kind = "source_blind"
)

// The sources of facts, as evidence names them.
const (
	SourceKubeletLog = "kubelet log"
	SourceAPI        = "kubernetes api"
	SourceCounters   = "probe counters"
	SourceCRI        = "cri"
	// SourceKubeletPods is kubelet's own list of its pods.
	SourceKubeletPods = "kubelet pods"
)

// Fact is one thing that Kubernetes said of a pod: in its kubelet's log, in
// the API, in a probe counter, in a container's status. It is a second source
// of deaths, and the only one that knows reasons.
type Fact struct {
	// Time is when it was so, as its source shows it; else when it was read.
	Time time.Time `json:"time"`
	// Read is when it was read, where that is another time.
	Read   time.Time `json:"read,omitzero"`
	Source string    `json:"source"`
	Kind   Kind      `json:"kind"`
	// Event: an Event of the API says so. Whoever may create Events in the
	// namespace chooses every field of one, its source and host included.
	Event bool `json:"event,omitempty"`
	// Reporter is the component that an Event names as its writer, where that is
	// not kubelet.
	Reporter string `json:"reporter,omitempty"`
	// After: it was said once it was done, or as a state whose beginning is not
	// reported.
	After bool `json:"after,omitempty"`
	// The pod, by UID or by namespace and name, whatever the source shows.
	Namespace string `json:"namespace,omitempty"`
	Pod       string `json:"pod,omitempty"`
	UID       string `json:"uid,omitempty"`
	// The container, by name or by the runtime's id.
	Container   string `json:"container,omitempty"`
	ContainerID string `json:"container_id,omitempty"`
	// Probe is liveness, startup or readiness, with how often it Failed and
	// Succeeded since Since (zero: Failed is one failure at Time).
	Probe     string    `json:"probe,omitempty"`
	Failed    int       `json:"failed,omitempty"`
	Succeeded int       `json:"succeeded,omitempty"`
	Since     time.Time `json:"since,omitzero"`
	// GraceSeconds is the grace period that kubelet gave.
	GraceSeconds *int64 `json:"grace_seconds,omitempty"`
	// Reason and ExitCode of a container's status.
	Reason   string `json:"reason,omitempty"`
	ExitCode *int   `json:"exit_code,omitempty"`
	// Detail of a source that sees: whether the absence of a word of its means
	// that kubelet did not stop a container.
	Complete bool `json:"complete,omitempty"`
	// Text is what it said, one line.
	Text string `json:"text,omitempty"`
	// Settings are the pod's, with Pod.
	Settings *PodSettings `json:"settings,omitempty"`
	// Requester is who had the pod deleted, with Requested.
	Requester *Requester `json:"requester,omitempty"`
}

// Requester is who had a pod deleted, by the kind and name of its object, and how
// that is known: the reason of an Event or of a condition.
type Requester struct {
	Kind string `json:"kind"`
	Name string `json:"name,omitempty"`
	Via  string `json:"via,omitempty"`
}

// The kinds of requesters that are no objects of the API.
const (
	ByEvictionAPI = "EvictionAPI"
	ByTaint       = "Taint"
	ByPodGC       = "PodGC"
	ByNamespace   = "Namespace"
)

// FromEvent reports whether only an Event says so. Facts that were recorded
// before Events were marked show it by their kind, or by lacking what a status or
// a condition has.
func (f *Fact) FromEvent() bool {
	if f.Source != SourceAPI {
		return false
	}
	switch f.Kind {
	case Stopping, LivenessFailed, StartupFailed, DefinitionChanged, ResizeRestarts, PostStartFailed, ProbeResults, SandboxChanged:
		return true // no object of the API says these
	case Evicted, Preempted, NodeShutdown, DeadlineExceeded, Disrupted:
		return f.Event || !f.After && f.Reason == ""
	}
	return f.Event
}

// IsStartFailure reports whether a container's status says by its reason that the
// runtime could not start it: containerd, CRI-O (StartError) or, by way of
// cri-dockerd, Docker (ContainerCannotRun).
func IsStartFailure(reason string) bool {
	return reason == "StartError" || reason == "ContainerCannotRun"
}

// PodSettings is what verdicts need of a pod's specification.
type PodSettings struct {
	RestartPolicy string              `json:"restart_policy,omitempty"`
	GraceSeconds  *int64              `json:"grace_seconds,omitempty"`
	Containers    []ContainerSettings `json:"containers,omitempty"`
	// Restarts is how often its containers have been restarted, together.
	Restarts int `json:"restarts,omitempty"`
	// Created is when the pod was, in whole seconds; zero for static pods where
	// kubelet reports them.
	Created time.Time `json:"created,omitzero"`
}

// ContainerSettings is what verdicts need of a container's specification.
type ContainerSettings struct {
	Name string `json:"name"`
	// Role is empty for a regular container, else init, sidecar or ephemeral.
	Role     string         `json:"role,omitempty"`
	Liveness *ProbeSettings `json:"liveness,omitempty"`
	Startup  *ProbeSettings `json:"startup,omitempty"`
	// PreStop is true where the container has such a hook.
	PreStop bool `json:"pre_stop,omitempty"`
}

// ProbeSettings are a probe's, in seconds; as the API server has filled them in.
type ProbeSettings struct {
	PeriodSeconds    int    `json:"period_seconds"`
	TimeoutSeconds   int    `json:"timeout_seconds"`
	FailureThreshold int    `json:"failure_threshold"`
	GraceSeconds     *int64 `json:"grace_seconds,omitempty"`
	// Handler is how it probes, empty where that is not known.
	Handler ProbeHandler `json:"handler,omitempty"`
	// Checks is what it probes, in short: ":8080/healthz", a command with its
	// secrets masked.
	Checks string `json:"checks,omitempty"`
}

// ProbeHandler is how a probe probes.
type ProbeHandler string

// The handlers of probes.
const (
	ProbeHTTP  ProbeHandler = "http"
	ProbeHTTPS ProbeHandler = "https"
	ProbeTCP   ProbeHandler = "tcp"
	ProbeGRPC  ProbeHandler = "grpc"
	ProbeExec  ProbeHandler = "exec"
)

// Target is how and what it probes, "tcp :5432"; empty where that is not known.
func (p *ProbeSettings) Target() string {
	if p == nil || p.Handler == "" {
		return ""
	}
	return string(p.Handler) + " " + p.Checks
}

// The roles of containers in their pods.
const (
	RoleInit      = "init"
	RoleSidecar   = "sidecar"
	RoleEphemeral = "ephemeral"
)
