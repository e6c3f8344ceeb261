// SPDX-License-Identifier: Apache-2.0

package resolve

import (
	"golang.org/x/sys/unix"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/tracer/wire"
)

// Task flags of the kernel (include/linux/sched.h).
const (
	pfExiting = 0x4
	pfKthread = 0x200000
)

// si_code values that userspace's headers lack in x/sys.
const (
	siUser    = 0
	siQueue   = -1
	siTimer   = -2
	siSigio   = -5
	siTkill   = -6
	mceerrAR  = 4
	mceerrAO  = 5
	seccompSI = 1
)

// Via names how a signal came about and, where the kernel's stack reported it, the
// function that did. functions are the known ones on the stack, innermost
// first; without a stack the flags have to do.
func (m *Mechanisms) Via(e *wire.Signal, functions []string) (event.Via, string) {
	if e.Flags&wire.SignalUnseen != 0 {
		return unseen(e), ""
	}
	if e.Info == wire.InfoReal && len(e.Frames) == 0 {
		if via, ok := plain(e); ok {
			return via, ""
		}
	}
	if e.Info == wire.InfoNone && e.Flags&wire.SignalPdeath != 0 && e.Current.Flags&pfExiting != 0 {
		return event.ViaPdeathsig, ""
	}
	if via, function := m.onStack(e.Signal, functions); via != "" {
		if via == event.ViaFault && memoryError(e) {
			via = event.ViaHwerror // force_sig_mceerr has become a tail call
		}
		return via, function
	}
	return byFlags(e), ""
}

// unseen: never generated, seen at delivery only. A tracer injects so.
func unseen(e *wire.Signal) event.Via {
	if e.Flags&wire.SignalTraced != 0 {
		return event.ViaPtrace
	}
	return event.ViaKernel
}

// plain recognises the pairs of system call and si_code that leave no doubt;
// for these the kernel side takes no stack.
func plain(e *wire.Signal) (event.Via, bool) {
	if e.Flags&wire.SignalCompat != 0 {
		return "", false
	}
	call, ok := sendingCall(e.Syscall)
	if !ok {
		return "", false
	}
	switch call {
	case callKill:
		return event.ViaKill, e.Code == siUser
	case callTgkill:
		return event.ViaTgkill, e.Code == siTkill
	case callSigqueue:
		return event.ViaSigqueue, e.Code == siQueue
	case callPidfd:
		return event.ViaKill, e.Code == siUser || e.Code == siQueue
	}
	return "", false
}

// byFlags is what is left where the kernel hides its addresses.
func byFlags(e *wire.Signal) event.Via {
	if e.Info == wire.InfoReal {
		return byCode(e)
	}
	sig := unix.Signal(e.Signal)
	switch {
	case e.Syscall == unix.SYS_PTRACE && e.Flags&wire.SignalCompat == 0,
		sig == unix.SIGKILL && e.Info == wire.InfoPriv && e.Flags&wire.SignalTraced != 0 && e.Current.Flags&pfExiting != 0:
		return event.ViaPtrace // by a tracer, or as one with PTRACE_O_EXITKILL ends
	case sig == unix.SIGPIPE:
		return event.ViaPipe
	case sig == unix.SIGXFSZ, sig == unix.SIGXCPU:
		return event.ViaRlimit
	case sig == unix.SIGALRM, sig == unix.SIGVTALRM, sig == unix.SIGPROF:
		return event.ViaTimer
	case sig == unix.SIGINT, sig == unix.SIGQUIT, sig == unix.SIGTSTP, sig == unix.SIGTTIN, sig == unix.SIGTTOU, sig == unix.SIGWINCH:
		return event.ViaTTY
	case sig == unix.SIGKILL && e.Info == wire.InfoPriv && e.Current.Flags&pfExiting != 0 && e.Current.NSPID == 1:
		return event.ViaPidnsExit
	case sig == unix.SIGKILL && e.Info == wire.InfoNone && e.Flags&wire.SignalGroup == 0:
		return event.ViaCgroupKill
	}
	return event.ViaKernel
}

func byCode(e *wire.Signal) event.Via {
	call, calling := sendingCall(e.Syscall)
	self := e.Current.Key == e.Target.Key
	switch {
	case calling && call == callSigqueue:
		return event.ViaSigqueue
	case calling && call == callPidfd:
		return event.ViaKill
	case e.Code == siTimer:
		return event.ViaTimer
	case e.Code == siSigio:
		return event.ViaSigio
	case unix.Signal(e.Signal) == unix.SIGSYS && e.Code == seccompSI && self:
		return event.ViaSeccomp
	case memoryError(e):
		return event.ViaHwerror
	case unix.Signal(e.Signal) == unix.SIGCHLD && e.Code > 0:
		return event.ViaKernel
	case e.Code > 0 && self && e.Syscall < 0:
		return event.ViaFault
	case e.Code == siUser:
		return event.ViaKill
	case e.Code == siTkill:
		return event.ViaTgkill
	case e.Code > 0 && !self:
		return event.ViaSigio
	}
	return event.ViaKernel
}

// memoryError: the memory under the process has failed. Under force_sig* the
// code is the kernel's own.
func memoryError(e *wire.Signal) bool {
	return unix.Signal(e.Signal) == unix.SIGBUS && (e.Code == mceerrAR || e.Code == mceerrAO)
}

// forkedIntoKill reports whether a task was forked while its cgroup was being
// killed (cgroup_post_fork): by the function on the stack or, without one, by
// the system call: cgroup.kill is written. A thread's forker is its own process.
func forkedIntoKill(e *wire.Signal, function string) bool {
	if function != "" {
		return function == "cgroup_post_fork"
	}
	return e.Syscall != unix.SYS_WRITE && e.Syscall != unix.SYS_PWRITE64 && e.Syscall != unix.SYS_WRITEV
}

// triggered reports whether the task in whose context a kernel-made signal
// happened means something. A timer strikes whoever runs; a fault, a limit and
// a broken pipe have only the target itself.
func triggered(via event.Via, current wire.Brief, self bool) bool {
	switch via {
	case event.ViaTimer, event.ViaFault, event.ViaSeccomp, event.ViaRlimit, event.ViaPipe, event.ViaHwerror:
		return false
	case event.ViaOOM:
		return current.TGID != 0
	case event.ViaPtrace:
		return !self
	case event.ViaCgroupKill:
		return current.TGID != 0 // who writes its own cgroup.kill has done it, too
	}
	return current.Flags&pfKthread == 0 && current.TGID != 0 && !self
}
