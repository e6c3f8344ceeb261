// SPDX-License-Identifier: Apache-2.0

package resolve

import (
	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/signal"
)

// Exit makes the contract's exit event.
func (r *Resolver) Exit(e *event.RawExit) *event.Exit {
	return &event.Exit{
		Header:  r.Header(event.TypeExit, e.Boottime),
		Process: r.Process(e.Process),
		Exit:    exitStatus(e.Status),
	}
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
