// SPDX-License-Identifier: Apache-2.0

package event

import (
	"bytes"
	"encoding/json"
	"time"
)

// Absent says of an end that no agent was there, and who shows it instead.
type Absent struct {
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
	// ID is the death's: without pid and start time it is made of what else
	// tells it apart.
	ID string `json:"id"`
	// Source is the runtime's name or "kernel log".
	Source string `json:"source"`
	// Reason is what the runtime gives.
	Reason string `json:"reason,omitempty"`
	// Log is the OOM kill that the kernel's log shows.
	Log *KernelOOM `json:"log,omitempty"`
}

// PIDKnown reports whether the host's pid is known: a runtime does not report that of a
// container that has ended. Such a process has a negative number of its own in its
// place, which is never written out.
func (p *Process) PIDKnown() bool { return p.PID >= 0 }

// MarshalJSON leaves out a pid that is not known.
func (d *Death) MarshalJSON() ([]byte, error) {
	type plain Death
	if d.Process == nil || d.Process.PIDKnown() {
		return marshal((*plain)(d))
	}
	type process struct {
		PID  *int    `json:"pid,omitempty"`
		Comm *string `json:"comm,omitempty"`
		*Process
	}
	p := process{Process: d.Process}
	if d.Process.Comm != "" {
		p.Comm = &d.Process.Comm
	}
	return marshal(struct {
		*plain
		Process process `json:"process"`
	}{(*plain)(d), p})
}

// UnmarshalJSON keeps a pid that is not there apart from pid 0.
func (d *Death) UnmarshalJSON(b []byte) error {
	type plain Death
	d.Process = &Process{PID: -1}
	return json.Unmarshal(b, (*plain)(d))
}

// marshal is json.Marshal without escaping for HTML, as the output has it.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}
