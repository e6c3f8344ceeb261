// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
)

const (
	logsMax = 64
	// logWait is how long an OOM kill waits for its line in the log: a slow
	// console holds the kernel's writer up.
	logWait = uint64(900 * time.Millisecond)
	// logWithin is how far apart a kill and its line in the log may be. The
	// line is printed with the kill; reading it can take a moment.
	logWithin = 2 * time.Second
)

// KernelLog takes in what the kernel's log says of an OOM kill.
func (e *Engine) KernelLog(k *event.KernelOOM) {
	if len(e.logs) >= logsMax {
		e.logs = e.logs[1:]
	}
	e.logs = append(e.logs, k)
}

// logged finds the line of a process's OOM kill, by pid and time: within
// seconds a pid is not used again.
func (e *Engine) logged(p *event.Process, at time.Time) *event.KernelOOM {
	for i := len(e.logs) - 1; i >= 0; i-- {
		k := e.logs[i]
		if d := k.Time.Sub(at); k.PID == p.PID && d > -logWithin && d < logWithin {
			return k
		}
	}
	return nil
}

// WithKernelLog adds to an OOM kill what only the log shows: the free blocks, and,
// where oom_kill_process could not be hooked, order, flags and scope.
func WithKernelLog(o *event.OOM, k *event.KernelOOM) *event.OOM {
	if k == nil {
		return o
	}
	c := *o
	if c.Order == nil {
		c.Order, c.GFPFlags = k.Order, k.GFPFlags
		if k.Cgroup && c.Scope == "system" {
			c.Scope = "cgroup"
		}
	}
	if c.LimitCgroup == "" {
		c.LimitCgroup = k.LimitCgroup
	}
	c.Memory, c.Tasks = k.Memory, k.Tasks
	if !k.Cgroup {
		c.FreePagesByOrder = k.FreeBlocks
	}
	return &c
}

// fromLog is an OOM kill that no hook has reported.
func fromLog(x *event.Exit, k *event.KernelOOM) *event.OOM {
	scope := "system"
	if k.Cgroup {
		scope = "cgroup"
	}
	return WithKernelLog(&event.OOM{
		Header: event.Header{Schema: event.Schema, Type: event.TypeOOM, Time: k.Time, BoottimeNS: x.BoottimeNS, Node: x.Node},
		Scope:  scope, Victim: &event.Victim{Process: x.Process},
	}, k)
}
