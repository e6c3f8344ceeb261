// SPDX-License-Identifier: Apache-2.0

package advice

import (
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
)

// scenario is a death in which a rule speaks, and two changes after which it must
// not: another figure, and the nearest scenario that it is not about.
type scenario struct {
	rule string
	// figure is what the reason has to name.
	figure     string
	death      func() *event.Death
	alter, not func(*event.Death)
	hostOnly   bool
}

func ptr[T any](v T) *T { return &v }

const mib = uint64(1) << 20

var ended = time.Date(2026, 11, 25, 14, 3, 0, 0, time.UTC)

// dead is a container's init that ended by a cause.
func dead(cause event.Cause, exit event.ExitStatus, changes ...func(*event.Death)) func() *event.Death {
	return func() *event.Death {
		p := &event.Process{
			PID: 812, NSPID: 1, Comm: "app", Exe: "/bin/app", StartBoottimeNS: 5, StartTime: ptr(ended.Add(-90 * time.Second)),
			Container: &event.Container{ID: "c1", Name: "app", Init: ptr(true)}, Pod: &event.Pod{Namespace: "shop", Name: "web-0", UID: "u"},
		}
		d := &event.Death{Header: event.Header{Time: ended}, Process: p, Cause: cause, Exit: exit}
		for _, change := range changes {
			change(d)
		}
		return d
	}
}

var killed = event.ExitStatus{Code: 137, Signal: "SIGKILL"}

func exited(code int) event.ExitStatus { return event.ExitStatus{Code: code} }

func by(signal string, code int) event.ExitStatus {
	return event.ExitStatus{Code: code, Signal: signal}
}

// oom gives a death an OOM kill at a limit of 64 MiB, all of it in use.
func oom(change func(*event.OOM)) func(*event.Death) {
	return func(d *event.Death) {
		d.OOM = &event.OOM{
			Scope: "cgroup", LimitLevel: "container", LimitBytes: ptr(64 * mib), UsageBytes: ptr(64 * mib),
			Victim: &event.Victim{Process: d.Process, RSSBytes: &event.RSS{Anon: 2 * mib}},
		}
		change(d.OOM)
	}
}

func systemOOM(change func(*event.OOM)) func(*event.Death) {
	return oom(func(o *event.OOM) {
		o.Scope, o.LimitLevel, o.LimitBytes, o.UsageBytes, o.Order = "system", "", nil, nil, ptr(0)
		change(o)
	})
}

func filled(m event.OOMMemory) func(*event.Death) {
	return oom(func(o *event.OOM) {
		m := m
		o.Memory = &m
	})
}

func task(pid int, comm string, rss uint64) event.OOMTask {
	return event.OOMTask{PID: pid, Comm: comm, RSSBytes: rss}
}

// slowly: a stop signal with this result, and SIGKILL four seconds later.
func slowly(result event.Result) func(*event.Death) {
	return func(d *event.Death) {
		runc := &event.Process{PID: 900, StartBoottimeNS: 9, Comm: "runc"}
		d.Signals = []event.Sent{
			{Time: ended.Add(-4 * time.Second), Signal: "SIGTERM", Via: event.ViaKill, Result: result, Sender: runc},
			{Time: ended, Signal: "SIGKILL", Via: event.ViaKill, Result: event.ResultDelivered, Sender: runc, GapSeconds: ptr(4.0)},
		}
	}
}

func requested(d *event.Death) { d.RequestedBy = "kubelet" }

func quick(d *event.Death) { d.Signals[1].GapSeconds = ptr(0.01) }

func handledIt(d *event.Death) { d.Signals[0].Result = event.ResultDelivered }

func ignoredIt(d *event.Death) { d.Signals[0].Result = event.ResultIgnored }

func inner(d *event.Death) { d.Process.NSPID, d.Process.Container.Init = 7, ptr(false) }

func seen(text string) func(*event.Death) {
	return func(d *event.Death) {
		d.Evidence = []event.Evidence{{Source: "kubelet log", Text: text}, {Source: "sched_process_exit", Text: "app(812) exited with code 0"}}
	}
}

func cause(c event.Cause) func(*event.Death) { return func(d *event.Death) { d.Cause = c } }

func code(n int) func(*event.Death) { return func(d *event.Death) { d.Exit.Code = n } }

func signalled(via event.Via, signal string, trigger *event.Process) func(*event.Death) {
	return func(d *event.Death) {
		trigger := trigger
		if trigger != nil {
			trigger = ptr(*trigger)
		}
		d.Signals = []event.Sent{{Time: ended, Signal: signal, Via: via, Result: event.ResultDelivered, Trigger: trigger}}
	}
}

func actor(p event.Process) func(*event.Death) {
	return func(d *event.Death) {
		p := p
		p.PID, p.StartBoottimeNS = 77, 7
		if p.Comm == "" {
			p.Comm, p.Exe = "kill", "/bin/kill"
		}
		d.Actor = &p
	}
}

var cases = append(append(memoryCases, otherCases...), crashCases...)
