// SPDX-License-Identifier: Apache-2.0

// Package event holds the domain types of sigtrace and their JSON form, schema
// "sigtrace/v1", and decodes what the kernel side sends into wire types.
//
// Absent means unknown or not applicable: an unknown value is a nil pointer or
// an empty string and is never written as 0, "" or false.
package event

import "time"

// Schema is the version that every JSON object carries.
const Schema = "sigtrace/v1"

// Type names what an event shows.
type Type string

// The types of events, in the words of the JSON schema.
const (
	TypeSignal Type = "signal"
	TypeOOM    Type = "oom"
	TypeExit   Type = "exit"
	TypeDeath  Type = "death"
	TypeStuck  Type = "stuck"
	TypeLost   Type = "lost"
	TypeStatus Type = "status"
)

// Types lists every event type that --type accepts.
func Types() []Type {
	return []Type{TypeSignal, TypeOOM, TypeExit, TypeDeath, TypeStuck, TypeLost, TypeStatus}
}

// Event is one object of the output stream.
type Event interface {
	// Common returns the header that every event carries.
	Common() *Header
}

// Header is what every event carries.
type Header struct {
	Schema string `json:"schema"`
	Type   Type   `json:"type"`
	// Time is derived from kernel time; RFC 3339 with nanoseconds in JSON.
	Time time.Time `json:"time"`
	// BoottimeNS is CLOCK_BOOTTIME in nanoseconds; it never steps. What was before
	// this boot has none.
	BoottimeNS uint64 `json:"boottime_ns,omitzero"`
	Node       string `json:"node,omitempty"`
}

// Common returns the header itself.
func (h *Header) Common() *Header { return h }

// Signal is one signal that the kernel generated.
type Signal struct {
	Header
	Signal       string `json:"signal"`
	SignalNumber int    `json:"signal_number"`
	// Code is the raw si_code; absent where the kernel passed no siginfo.
	Code   *int   `json:"code,omitempty"`
	Via    Via    `json:"via"`
	Result Result `json:"result,omitempty"`
	// Fatal is true once the kernel has made this signal the end of the
	// process, false once that is ruled out, nil while undecided.
	Fatal *bool `json:"fatal,omitempty"`
	// KernelFunction is the kernel function whose place on the stack reported Via.
	KernelFunction string   `json:"kernel_function,omitempty"`
	Sender         *Process `json:"sender,omitempty"`
	Trigger        *Process `json:"trigger,omitempty"`
	Target         *Process `json:"target,omitempty"`
	// SignalDetail is in recordings, and not in the output.
	SignalDetail `json:"detail,omitzero"`
}

// SignalDetail is what sigtrace itself needs of a signal.
type SignalDetail struct {
	// Matters is the contract's "signals that matter" rule: shown without --all.
	Matters bool `json:"matters,omitempty"`
	// ThreadDirected is set when the signal was aimed at one thread.
	ThreadDirected bool `json:"thread_directed,omitempty"`
	// Handled: the target has a handler for it. Blocked: it holds it back, as
	// sigwait and signalfd do.
	Handled bool `json:"handled,omitempty"`
	Blocked bool `json:"blocked,omitempty"`
	// Context is set for what is not the target's own: used, not shown.
	Context bool `json:"context,omitempty"`
	// Kept is set where it was not read off the stream, but out of what the
	// kernel side keeps until a death's record has been written.
	Kept bool `json:"kept,omitempty"`
	// Outside: it does not matter as such, and was sent by a process of another
	// cgroup. It may be the container's stop signal.
	Outside bool `json:"outside,omitempty"`
	// Noted: it was handled and kept in the kernel, and came with the exit of its
	// target, or with what that sent to another process.
	Noted bool `json:"noted,omitempty"`
	// Address is where a noted fault happened, "0x…"; empty where there is none.
	Address string `json:"address,omitempty"`
	// SenderGroupDead: at a parent's death (PR_SET_PDEATHSIG), its whole process was
	// ending, and not only the thread that had forked.
	SenderGroupDead bool `json:"sender_group_dead,omitempty"`
	// ForkedIntoKill: its cgroup was being killed while the target was forked;
	// the trigger is the task that forked.
	ForkedIntoKill bool `json:"forked_into_kill,omitempty"`
}

// OOM is one process that the kernel's OOM killer killed.
type OOM struct {
	Header
	Scope string `json:"scope"`
	// LimitCgroup is the path of the cgroup whose limit was hit.
	LimitCgroup string   `json:"limit_cgroup,omitempty"`
	LimitLevel  string   `json:"limit_level,omitempty"`
	LimitBytes  *uint64  `json:"limit_bytes,omitempty"`
	UsageBytes  *uint64  `json:"usage_bytes,omitempty"`
	Order       *int     `json:"order,omitempty"`
	GFPFlags    string   `json:"gfp_flags,omitempty"`
	GroupKill   *bool    `json:"group_kill,omitempty"`
	Victim      *Victim  `json:"victim,omitempty"`
	Trigger     *Process `json:"trigger,omitempty"`
	// FreePagesByOrder counts free blocks by order, 0 first (system scope).
	FreePagesByOrder []uint64 `json:"free_pages_by_order,omitempty"`
	// Memory is what filled the cgroup whose limit was hit, with all below it, and
	// Tasks are the processes with the most resident memory, the largest first: both
	// by the kernel's report.
	Memory *OOMMemory `json:"memory,omitempty"`
	Tasks  []OOMTask  `json:"tasks,omitempty"`
	// OOMDetail is in recordings, and not in the output.
	OOMDetail `json:"detail,omitzero"`
}

// OOMMemory is a memory cgroup's breakdown in bytes; what its kernel does not show
// is absent. File holds Shmem as well: tmpfs and shared memory are file pages.
type OOMMemory struct {
	Anon       *uint64 `json:"anon,omitempty"`
	File       *uint64 `json:"file,omitempty"`
	Shmem      *uint64 `json:"shmem,omitempty"`
	Kernel     *uint64 `json:"kernel,omitempty"`
	Slab       *uint64 `json:"slab,omitempty"`
	Sock       *uint64 `json:"sock,omitempty"`
	PageTables *uint64 `json:"pagetables,omitempty"`
	Swap       *uint64 `json:"swap,omitempty"`
}

// OOMTask is one process of the kernel's OOM report.
type OOMTask struct {
	PID         int    `json:"pid"`
	Comm        string `json:"comm"`
	RSSBytes    uint64 `json:"rss_bytes"`
	OOMScoreAdj *int   `json:"oom_score_adj,omitempty"`
}

// OOMDetail is what verdicts need of an OOM kill.
type OOMDetail struct {
	// Context is set for what is not the target's own: used, not shown.
	Context bool `json:"context,omitempty"`
}

// Victim is the process that the OOM killer chose, with its memory as it was
// when it was chosen.
type Victim struct {
	*Process
	RSSBytes    *RSS `json:"rss_bytes,omitempty"`
	OOMScoreAdj *int `json:"oom_score_adj,omitempty"`
}

// RSS is resident memory in bytes.
type RSS struct {
	Anon  uint64 `json:"anon"`
	File  uint64 `json:"file"`
	Shmem uint64 `json:"shmem"`
}

// Exit is the end of a process (its last thread).
type Exit struct {
	Header
	Process *Process   `json:"process"`
	Exit    ExitStatus `json:"exit"`
	// ExitDetail is in recordings, and not in the output.
	ExitDetail `json:"detail,omitzero"`
}

// ExitDetail is what verdicts need of an exit.
type ExitDetail struct {
	// OOMMark: the OOM killer has had its memory.
	OOMMark bool `json:"oom_mark,omitempty"`
	// Init: it was pid 1 of its PID namespace.
	Init bool `json:"init,omitempty"`
	// Asked: it had been sent a signal that asks it to end, and handles or
	// blocks that.
	Asked bool `json:"asked,omitempty"`
	// Context is set for what is not the target's own: used, not shown.
	Context bool `json:"context,omitempty"`
	// Seccomp is the mode (strict, filter, dead) in which seccomp ended one of
	// its threads straight, without a signal; empty otherwise.
	Seccomp string `json:"seccomp,omitempty"`
	// Pending has bit n-1 set for each signal n that was still waiting.
	Pending uint64 `json:"pending,omitempty"`
	// SignalNumber is the signal that ended it, 0 if none did.
	SignalNumber int `json:"signal_number,omitempty"`
	// Kept is set where it was not read off the stream, but out of what the
	// kernel side keeps until a death's record has been written.
	Kept bool `json:"kept,omitempty"`
	// Absent is set where no agent was there to see it.
	Absent *Absent `json:"absent,omitempty"`
	// Folded is set where signals to it were dropped because a budget was spent.
	Folded bool `json:"folded,omitempty"`
	// CallerTID is the thread that called exit_group, 0 where that is not known.
	CallerTID int `json:"caller_tid,omitempty"`
	// Unseen is set where the exit itself was not seen, only its result.
	Unseen bool `json:"unseen,omitempty"`
	// Undecided is set where the rules must not run for this end; it says why.
	Undecided Undecided `json:"undecided,omitempty"`
}

// Undecided is why a death's record is made without running the rules.
type Undecided string

// The reasons; empty where the rules run.
const (
	// UndecidedCrash: an agent ended while it made this record.
	UndecidedCrash Undecided = "agent_crashed"
	// UndecidedError: an internal error was caught while it was made.
	UndecidedError Undecided = "internal_error"
)

// ExitStatus is how a process ended.
type ExitStatus struct {
	// Code is as a shell or Kubernetes shows it: 0–255, 128+n for signal n.
	Code int `json:"code"`
	// Signal is the name of the signal that ended it; empty if none did.
	Signal     string `json:"signal,omitempty"`
	CoreDumped *bool  `json:"core_dumped,omitempty"`
}

// Lost reports that events were lost.
type Lost struct {
	Header
	Count uint64 `json:"count"`
	// Lane is critical or routine.
	Lane   string    `json:"lane"`
	Reason string    `json:"reason"`
	Since  time.Time `json:"since"`
	// Folded is how many of them the kernel side counted instead of emitting,
	// because the budget of Cgroup was spent.
	Folded uint64 `json:"folded,omitempty"`
	// Cgroup is the container's, the systemd unit's or the user's, and Container that
	// container; both are empty where no budget was spent.
	Cgroup    string     `json:"cgroup,omitempty"`
	Container *Container `json:"container,omitempty"`
}

// Pins are the programs and maps that outlive the agent.
type Pins struct {
	Directory string `json:"directory"`
	// State: made, reused, upgraded (other programs on the same maps) or
	// replaced (nothing of what was found could be used).
	State string `json:"state"`
	// Why they were not reused.
	Why string `json:"why,omitempty"`
}

// Status says what sigtrace sees with; the first event of every stream.
type Status struct {
	Header
	Version string `json:"version"`
	// State is the agent's: started or stopped; empty of a watch.
	State string `json:"state,omitempty"`
	// Away is, of an agent that starts, the time before in which none was there.
	Away *Away `json:"away,omitempty"`
	// Hooks maps a hook to "attached" or to the reason why it is not.
	Hooks      map[string]string `json:"hooks"`
	CgroupMode string            `json:"cgroup_mode"`
	// Pins is set where --pin is.
	Pins   *Pins  `json:"pins,omitempty"`
	Kernel string `json:"kernel"`
	// Sources maps an evidence or name source to "connected" or why not.
	Sources map[string]string `json:"sources,omitempty"`
	// Capabilities are those that sigtrace still has (CAP_BPF), NoNewPrivs whether
	// it can gain any, and Seccomp disabled, strict or filter.
	Capabilities []string `json:"capabilities,omitempty"`
	NoNewPrivs   *bool    `json:"no_new_privs,omitempty"`
	Seccomp      string   `json:"seccomp,omitempty"`
}

// Away is a time in which no agent was there.
type Away struct {
	// Since is when the one before was seen last, at most ten seconds too early
	// if it was killed; Until when this one had everything attached.
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
	// Stopped: the one before ended as asked. Rebooted: the machine did so since.
	Stopped  bool `json:"stopped"`
	Rebooted bool `json:"rebooted"`
}

// States of an agent, as its status events say.
const (
	StateStarted = "started"
	StateStopped = "stopped"
)

// SourceNotAsked is the state of a source that has had no time to answer.
const SourceNotAsked = "not asked yet"
