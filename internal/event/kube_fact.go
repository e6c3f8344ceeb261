// SPDX-License-Identifier: Apache-2.0

package event

import "time"

// KubeKind is what a fact of Kubernetes' tells.
type KubeKind string

// Kinds about one container: kubelet stops it, and what it said of why.
const (
	// KubeStopping: kubelet stops the container, the reason is not in the words.
	KubeStopping   KubeKind = "stopping"
	KubeLiveness   KubeKind = "failed_liveness_probe"
	KubeStartup    KubeKind = "failed_startup_probe"
	KubeChanged    KubeKind = "definition_changed"
	KubeResized    KubeKind = "resize_requires_restart"
	KubePostStart  KubeKind = "poststart_hook_failed"
	KubePreStop    KubeKind = "prestop_hook"
	KubeProbe      KubeKind = "probe_results"
	KubeTerminated KubeKind = "container_terminated"
)

// Kinds about a whole pod: why kubelet stops all of it.
const (
	KubeDeleted  KubeKind = "pod_deleted"
	KubeEvicted  KubeKind = "pod_evicted"
	KubePreempt  KubeKind = "pod_preempted"
	KubeShutdown KubeKind = "node_shutdown"
	KubeDeadline KubeKind = "deadline_exceeded"
	KubeSandbox  KubeKind = "sandbox_changed"
	KubeFinished KubeKind = "pod_finished"
	// KubeDisrupted says who asked for a deletion: a drain, a taint.
	KubeDisrupted KubeKind = "pod_disrupted"
	// KubePod carries the pod's settings.
	KubePod KubeKind = "pod"
	// KubeMirrored: a static pod has a mirror in the API. Whatever was deleted by
	// its name before was another mirror, and its containers live on.
	KubeMirrored KubeKind = "static_pod_mirrored"
)

// Kinds about a source itself.
const (
	// KubeSees: from Time on the source sees; Detail is what it can tell.
	KubeSees KubeKind = "source_sees"
	// KubeBlind: from Time on it does not, and Text says why.
	KubeBlind KubeKind = "source_blind"
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

// KubeFact is one thing that Kubernetes said of a pod: in its kubelet's log, in
// the API, in a probe counter, in a container's status. It is a second witness
// of deaths, and the only one that knows reasons.
type KubeFact struct {
	// Time is when it was so, as its source tells it; else when it was read.
	Time time.Time `json:"time"`
	// Read is when it was read, where that is another time.
	Read   time.Time `json:"read,omitzero"`
	Source string    `json:"source"`
	Kind   KubeKind  `json:"kind"`
	// After: it was said once it was done, or as a state whose beginning is not
	// told.
	After bool `json:"after,omitempty"`
	// The pod, by UID or by namespace and name, whatever the source tells.
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
	// Settings are the pod's, with KubePod.
	Settings *PodSettings `json:"settings,omitempty"`
}

// PodSettings is what verdicts need of a pod's specification.
type PodSettings struct {
	RestartPolicy string              `json:"restart_policy,omitempty"`
	GraceSeconds  *int64              `json:"grace_seconds,omitempty"`
	Containers    []ContainerSettings `json:"containers,omitempty"`
	// Restarts is how often its containers have been restarted, together.
	Restarts int `json:"restarts,omitempty"`
	// Created is when the pod was, in whole seconds; zero for static pods where
	// kubelet tells of them.
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
}

// The roles of containers in their pods.
const (
	RoleInit      = "init"
	RoleSidecar   = "sidecar"
	RoleEphemeral = "ephemeral"
)
