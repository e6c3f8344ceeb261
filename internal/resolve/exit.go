// SPDX-License-Identifier: Apache-2.0

package resolve

import (
	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/signal"
	"github.com/sigtrace/sigtrace/internal/tracer/wire"
)

// Exit makes the contract's exit event.
func (r *Resolver) Exit(e *wire.Exit) *event.Exit {
	return &event.Exit{
		Header:  r.Header(event.TypeExit, e.Boottime),
		Process: r.Process(e.Process),
		Exit:    exitStatus(e.Status),
		ExitDetail: event.ExitDetail{
			OOMMark: e.Flags&wire.ExitOOMMark != 0,
			Init:    e.Flags&wire.ExitInit != 0,
			Asked:   e.Flags&wire.ExitAsked != 0,
			Folded:  e.Flags&wire.ExitFolded != 0,
			Context: e.Flags&wire.ExitContext != 0,
			Seccomp: seccompMode(e.Flags), Pending: e.Pending,
			SignalNumber: int(e.Status & 0x7f), CallerTID: int(e.CallerTID),
		},
	}
}

func seccompMode(flags uint32) string {
	switch {
	case flags&wire.ExitSeccompStrict != 0:
		return "strict"
	case flags&wire.ExitSeccompFilter != 0:
		return "filter"
	case flags&wire.ExitSeccompDead != 0:
		return "dead"
	}
	return ""
}

// exitStatus reads a status as wait(2) gives it.
func exitStatus(status uint32) event.ExitStatus {
	sig := int(status & 0x7f)
	if sig == 0 {
		return event.ExitStatus{Code: int(status >> 8 & 0xff)}
	}
	dumped := status&0x80 != 0
	return event.ExitStatus{Code: 128 + sig, Signal: signal.Name(sig), CoreDumped: &dumped}
}

// BareExit is an exit with nothing but what the kernel side said of it: for one that
// cannot be resolved.
func (r *Resolver) BareExit(e *wire.Exit) *event.Exit {
	b := e.Process
	return &event.Exit{
		Header:  r.Header(event.TypeExit, e.Boottime),
		Process: &event.Process{PID: int(b.TGID), TID: int(b.TID), Comm: b.Comm, StartBoottimeNS: b.Start},
		Exit:    exitStatus(e.Status),
		ExitDetail: event.ExitDetail{
			Init: e.Flags&wire.ExitInit != 0, Context: e.Flags&wire.ExitContext != 0,
			Seccomp: seccompMode(e.Flags), SignalNumber: int(e.Status & 0x7f),
		},
	}
}
