// SPDX-License-Identifier: Apache-2.0

package explain

import "github.com/sigtrace/sigtrace/internal/event"

var crashPages = map[event.Cause]text{
	event.CauseKernelFault: {
		means: "The process did something that the CPU does not allow, and the kernel ended it: it accessed invalid memory (SIGSEGV, exit code 139), a file's page that is not there (SIGBUS, 135), divided by zero (SIGFPE, 136), executed an invalid instruction (SIGILL, 132) or a trap (SIGTRAP, 133). No other process sent the signal.",
		known: "`proven`: the signal was made by the kernel's exception handler. A forged one (kill -SEGV) has another call path, whatever its code is. `likely`: a crash handler of the process turned the fault into an exit.",
		look: []string{
			"The core dump, where `exit.core_dumped` is true: `coredumpctl gdb PID`, then bt.",
			"The kernel's log: `segfault at ADDRESS ip … error …`.",
			"SIGBUS: whether /dev/shm or the disk of a mapped file is full, or the file was truncated.",
			"SIGILL: whether the binary was built for a newer CPU than this node's.",
		},
		change: []string{
			"Allow core dumps (`ulimit -c`, LimitCORE=) and set `kernel.core_pattern`, to have the next one's stack.",
			"Update the program or library that crashed; look for its version in the change log of the last rollout.",
		},
		related: []string{"Error", "CrashLoopBackOff"},
	},
	event.CauseSelfSignal: {
		means: "The process sent the signal to itself: abort() after a failed assertion, an uncaught exception or a detected heap corruption (SIGABRT, exit code 134), or raise() and kill() with its own ID.",
		known: "`proven`: the kernel shows the process as its own sender. PID 1 of a namespace ignores SIGABRT; the C library then ends it by a fault, which is recognised as abort().",
		look: []string{
			"The last lines on stderr: the failed assertion or exception is there (`kubectl logs --previous`).",
			"The core dump's stack below abort().",
		},
		change:  []string{"Correct what the message names. A process that handles SIGTERM and then raises it again means to end so."},
		related: []string{"Error", "CrashLoopBackOff"},
	},
	event.CauseHardwareError: {
		means:   "A page of physical memory failed under the process (machine check, ECC), and the kernel ended the process that used it: SIGBUS or SIGKILL.",
		known:   "`proven`: the kernel's call path shows its handling of memory failures.",
		look:    []string{"`journalctl -k`: “Memory failure”, “Hardware Error”, mce.", "rasdaemon or edac-util: which module, and how often."},
		change:  []string{"Drain the node and have its memory tested or replaced."},
		related: []string{"Error"},
	},
	event.CauseSeccomp: {
		means: "The process made a system call that its seccomp filter does not allow, and the filter's action kills: SIGSYS (exit code 159), or an end without a signal.",
		known: "`proven`: the kernel shows the mechanism, or that it ended a thread straight in seccomp.",
		look: []string{
			"The kernel's log: `audit: type=1326 … syscall=N`. `ausyscall N` names it.",
			"The profile: `securityContext.seccompProfile` of the pod or container, --security-opt seccomp of Docker.",
		},
		change: []string{
			"Allow the system call in the profile, or have the filter return an error (SCMP_ACT_ERRNO), which programs can handle.",
			"After an update of the C library or language runtime expect new system calls (clone3, openat2, rseq).",
		},
		related: []string{"Error", "CrashLoopBackOff"},
	},
}

var ownPages = map[event.Cause]text{
	event.CauseExited: {
		means: "The process exited with a status of its own. No signal was sent that explains it, and no OOM kill: the reason is in the program.",
		known: "`proven`: the exit was seen, and no signal that ends a process came before it. `likely`: it had handled a signal shortly before, or events were dropped in that time.",
		look: []string{
			"The exit code: `sigtrace explain CODE`. 126 and 127 are a command that cannot be executed or found, above 128 a child's signal that a shell passed on.",
			"The end of its log: `kubectl logs --previous`.",
			"How long it ran: an exit within a second is usually the configuration.",
		},
		change:  []string{"What the log names. A service whose code is 0 and that should stay has gone to the background: keep it in the foreground."},
		related: []string{"Completed", "Error", "CrashLoopBackOff"},
	},
	event.CauseResourceLimit: {
		means:   "The process hit one of its own resource limits: RLIMIT_CPU (SIGXCPU at the soft limit, SIGKILL at the hard one) or RLIMIT_FSIZE (SIGXFSZ).",
		known:   "`proven`: the kernel's call path shows the limit.",
		look:    []string{"`ulimit -a` where it is started, LimitCPU= and LimitFSIZE= of its unit, prlimit of its parent.", "SIGXFSZ: which file had grown to the limit."},
		change:  []string{"Raise the limit, or bound the work or the file."},
		related: []string{"Error"},
	},
	event.CauseAsyncIO: {
		means:   "The process, or who gave it the file, had asked for a signal on I/O (O_ASYNC, F_SETOWN, F_SETSIG), and did not handle that signal. Who wrote to the file is not to blame.",
		known:   "`proven`: the kernel's call path shows it.",
		look:    []string{"Which file has O_ASYNC: /proc/PID/fdinfo of the program while it runs."},
		change:  []string{"Handle the signal, or do not ask for it."},
		related: []string{"Error"},
	},
	event.CauseTimer: {
		means:   "A timer sent the signal (alarm, setitimer, timer_create), and the process did not handle it: a time limit that it set for itself, or a profiler's timer without its handler.",
		known:   "`proven`: the kernel's call path shows the timer.",
		look:    []string{"SIGALRM: what the program allows so little time for. SIGPROF: which profiler was attached."},
		change:  []string{"Raise the time limit, or handle the signal."},
		related: []string{"Error"},
	},
	event.CauseBrokenPipe: {
		means:   "The process wrote to a pipe or socket whose reader was gone, and did not handle SIGPIPE (exit code 141).",
		known:   "`proven`: the kernel shows the write.",
		look:    []string{"What it is piped into, and whether that ended first: a log collector, `| head`, a closed connection."},
		change:  []string{"Ignore SIGPIPE and handle the error EPIPE in a server. At the end of a pipeline this is normal."},
		related: []string{"Error"},
	},
	event.CauseUnknown: {
		means: "None of the causes can be shown for this end. sigtrace does not guess: the summary says what was seen, and what was unavailable.",
		known: "The exit's status is certain. `events_lost` counts what was dropped in the time that would show the cause.",
		look: []string{
			"`sigtrace check`: which hook or source is missing on this node.",
			"`events_lost`: with dropped events the cause may be among them.",
			"Whether the end was before the agent started, or while none was there.",
		},
		change: []string{
			"Attach what `check` misses: capabilities, BTF, kubelet's log, the API.",
			"Keep the kernel side loaded over restarts of the agent: `--pin`.",
		},
		related: []string{"Error"},
	},
}
