// SPDX-License-Identifier: Apache-2.0

package recording

import (
	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/kubefact"
	"github.com/sigtrace/sigtrace/internal/verdict"
)

// Format is what a recording's first line carries.
const Format = "sigtrace-record/v1"

// Header is the first line.
type Header struct {
	Record string `json:"record"`
	BootID string `json:"boot_id,omitempty"`
	Node   string `json:"node,omitempty"`
	// All and TargetPID are how it was watched: they decide which ends are
	// reported.
	All       bool `json:"all,omitempty"`
	TargetPID int  `json:"target_pid,omitempty"`
	KernelLog bool `json:"kernel_log,omitempty"`
}

// line is any other line: one of its fields is set.
type line struct {
	Signal *event.Signal `json:"signal,omitempty"`
	OOM    *event.OOM    `json:"oom,omitempty"`
	Exit   *event.Exit   `json:"exit,omitempty"`
	Lost   *event.Lost   `json:"lost,omitempty"`
	// KernelLog is no event of the stream's.
	KernelLog *event.KernelOOM `json:"kernel_log,omitempty"`
	// Kube is what Kubernetes said; no event either.
	Kube   *kubefact.Fact `json:"kube,omitempty"`
	Status *event.Status  `json:"status,omitempty"`
	// Seen is CLOCK_BOOTTIME, ns: everything up to it had been handed on.
	Seen uint64 `json:"seen,omitempty"`
	// Task and Memory are the answers to what the verdicts asked.
	Task   *task         `json:"task,omitempty"`
	Alive  *alive        `json:"alive,omitempty"`
	Memory *event.Memory `json:"memory,omitempty"`
}

// alive is the answer to whether a process was there.
type alive struct {
	PID   int    `json:"pid"`
	Start uint64 `json:"start"`
	There *bool  `json:"there,omitempty"`
}

type task struct {
	PID   int           `json:"pid"`
	Start uint64        `json:"start"`
	There bool          `json:"there"`
	Task  *verdict.Task `json:"task,omitempty"`
}

func (l line) event() event.Event {
	switch {
	case l.Signal != nil:
		return l.Signal
	case l.OOM != nil:
		return l.OOM
	case l.Exit != nil:
		return l.Exit
	case l.Lost != nil:
		return l.Lost
	case l.Status != nil:
		return l.Status
	}
	return nil
}

// check refuses what is JSON and cannot have been recorded.
func (l line) check() error {
	if l.Kube != nil {
		return l.Kube.CheckDecoded()
	}
	return event.CheckDecoded(l.event())
}
