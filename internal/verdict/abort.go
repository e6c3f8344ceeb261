// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"golang.org/x/sys/unix"

	"github.com/sigtrace/sigtrace/internal/event"
)

const (
	// siKernel is the si_code of a fault without an address (SI_KERNEL): a general
	// protection fault, which hlt in user mode is.
	siKernel = 128
	// abortWindow is how long after its SIGABRT, which was ignored, abort() ends a
	// process by an instruction that faults.
	abortWindow = second
)

// abortOfInit is for abort() in the init of a PID namespace that does not handle
// SIGABRT: the kernel ignores it there, and the C library then executes an
// instruction that faults (glibc: hlt on x86, SIGSEGV; a breakpoint or trap
// elsewhere). It returns the first of those SIGABRT; nil where the fault is one.
func (st *story) abortOfInit(s *noted) *noted {
	if s.Via != event.ViaFault || !st.exit.Init && s.Code != nil && *s.Code != siKernel {
		return nil
	}
	switch unix.Signal(s.SignalNumber) {
	case unix.SIGSEGV:
		if s.Code == nil || *s.Code != siKernel {
			return nil
		}
	case unix.SIGTRAP, unix.SIGILL:
	default:
		return nil
	}
	for i := range st.signals {
		a := &st.signals[i]
		if unix.Signal(a.SignalNumber) == unix.SIGABRT && a.Result == event.ResultIgnored && selfSent(a.Signal) &&
			a.BoottimeNS <= s.BoottimeNS && s.BoottimeNS-a.BoottimeNS <= abortWindow && threadOf(a.Sender) == threadOf(s.Target) {
			return a
		}
	}
	return nil
}
