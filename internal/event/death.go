// SPDX-License-Identifier: Apache-2.0

package event

import "time"

// Confidence is how well a cause is known.
type Confidence string

// Proven: the kernel showed it. Likely: it fits best with what was seen.
const (
	Proven  Confidence = "proven"
	Likely  Confidence = "likely"
	Unknown Confidence = "unknown"
)

// Relation is what the actor is to the victim.
type Relation string

// The relations, nearest first.
const (
	RelationSelf           Relation = "self"
	RelationParent         Relation = "parent"
	RelationAncestor       Relation = "ancestor"
	RelationChild          Relation = "child"
	RelationSibling        Relation = "sibling"
	RelationSameContainer  Relation = "same_container"
	RelationSamePod        Relation = "same_pod"
	RelationOtherContainer Relation = "other_container"
	RelationHost           Relation = "host"
)

// Death is one process's end with its cause.
type Death struct {
	Header
	// ID is the same whenever and by whomever it is computed.
	ID string `json:"id"`
	// Revision is 1, and higher when later evidence changed the record.
	Revision   int        `json:"revision"`
	Process    *Process   `json:"process"`
	Exit       ExitStatus `json:"exit"`
	Cause      Cause      `json:"cause"`
	Confidence Confidence `json:"confidence"`
	// Summary is for a person to act on: one sentence, then what is asked next.
	Summary string `json:"summary"`
	// TenantSummary is Summary without command lines and logins of the host, for
	// those who may only see a namespace.
	TenantSummary string   `json:"-"`
	Actor         *Process `json:"actor,omitempty"`
	Relation      Relation `json:"relation,omitempty"`
	// Chain leads from the first cause to the final blow.
	Chain       []Hop  `json:"chain,omitempty"`
	RequestedBy string `json:"requested_by,omitempty"`
	// Requester is who had its pod deleted, where that is known.
	Requester *Requester `json:"requester,omitempty"`
	Signals   []Sent     `json:"signals,omitempty"`
	// HandledSignals are signals that it handled shortly before and that do not ask
	// a process to end; of a burst the first and the last.
	HandledSignals []HandledSignal `json:"handled_signals,omitempty"`
	OOM            *OOM            `json:"oom,omitempty"`
	Memory         *Memory         `json:"memory,omitempty"`
	Collateral     *Collateral     `json:"collateral,omitempty"`
	Evidence       []Evidence      `json:"evidence"`
	// KubernetesSays is what Kubernetes reports for the same death.
	KubernetesSays *KubernetesSays `json:"kubernetes_says,omitempty"`
	// EventsLost counts those lost in the window that the verdict rests on.
	EventsLost uint64 `json:"events_lost"`
	// ContainerSurvives is about the init of the process's container: true where it
	// was seen alive after this death, false where it has ended too; nil where
	// neither is known.
	ContainerSurvives *bool `json:"container_survives,omitempty"`
	// Advice is what to do about it, at most three sentences, the most important
	// first; each rests on a figure of this record.
	Advice []Advice `json:"advice,omitempty"`
}

// Advice is one thing to do.
type Advice struct {
	// Text says what to do, Because on which figure of the record that rests.
	Text    string `json:"text"`
	Because string `json:"because"`
	// Doc is the page about the cause, a path in the repository.
	Doc string `json:"doc"`
	// TenantSafe: it names nothing of the host and no other tenant's processes.
	TenantSafe bool `json:"-"`
}

// Requester is who had a pod deleted.
type Requester struct {
	Kind string `json:"kind"`
	Name string `json:"name,omitempty"`
	// Via is the reason of the Event or condition that says so.
	Via string `json:"via,omitempty"`
}

// Hop is one step of a chain: a process and what it did.
type Hop struct {
	Process *Process `json:"process,omitempty"`
	// What it did, or what happened to it: "sent SIGTERM to tini(12)".
	What string `json:"what"`
}

// Sent is one stop signal that was sent to the dead process.
type Sent struct {
	Time       time.Time `json:"time"`
	BoottimeNS uint64    `json:"boottime_ns"`
	Signal     string    `json:"signal"`
	Via        Via       `json:"via"`
	Result     Result    `json:"result,omitempty"`
	Fatal      *bool     `json:"fatal,omitempty"`
	Sender     *Process  `json:"sender,omitempty"`
	Trigger    *Process  `json:"trigger,omitempty"`
	// GapSeconds is the time since the stop signal before it.
	GapSeconds *float64 `json:"gap_seconds,omitempty"`
}

// HandledSignal is one signal that the process handled.
type HandledSignal struct {
	Time   time.Time `json:"time"`
	Signal string    `json:"signal"`
	// Code is the raw si_code; absent where the kernel passed no siginfo.
	Code *int `json:"code,omitempty"`
	// Address is the fault's, "0x…"; absent where there is none.
	Address string   `json:"address,omitempty"`
	Sender  *Process `json:"sender,omitempty"`
}

// Memory is what the cgroup of the process showed when it died.
type Memory struct {
	LimitBytes *uint64 `json:"limit_bytes,omitempty"`
	PeakBytes  *uint64 `json:"peak_bytes,omitempty"`
	OOMKills   *uint64 `json:"oom_kills,omitempty"`
}

// Collateral are other processes that went with it.
type Collateral struct {
	Count int `json:"count"`
	// PIDs are the first of them.
	PIDs []int `json:"pids,omitempty"`
}

// Evidence is one thing that was seen, and where.
type Evidence struct {
	Time time.Time `json:"time"`
	// Source is the hook or file that reported it: signal_generate, mark_victim.
	Source string `json:"source"`
	Text   string `json:"text"`
}

// KubernetesSays is the reason and exit code that Kubernetes reports.
type KubernetesSays struct {
	Reason   string `json:"reason,omitempty"`
	ExitCode *int   `json:"exit_code,omitempty"`
	Agrees   bool   `json:"agrees"`
}

// Stuck is a SIGKILL that was delivered and has not ended the process.
type Stuck struct {
	Header
	Target *Process `json:"target"`
	Signal *Signal  `json:"signal"`
	// State is the task state letter of /proc/PID/stat.
	State string `json:"state,omitempty"`
	// Wchan is the kernel function it sleeps in; Stack the kernel stack,
	// innermost first; either where readable.
	Wchan      string   `json:"wchan,omitempty"`
	Stack      []string `json:"stack,omitempty"`
	ForSeconds float64  `json:"for_seconds"`
	// Frozen is true where the freezer of its cgroup holds it.
	Frozen *bool `json:"frozen,omitempty"`
}
