// SPDX-License-Identifier: Apache-2.0

package advice

import (
	"strconv"

	"github.com/sigtrace/sigtrace/internal/event"
)

var crashRules = []rule{
	{name: "null_pointer", topic: topicCrash, rests: []string{"handled_signals.*.address"}, advise: nullPointer},
	{name: "abort", topic: topicCrash, rests: []string{"exit.signal"}, advise: endedBy(event.CauseSelfSignal, "SIGABRT",
		"Read the last lines on its stderr: abort() follows a failed assertion, an uncaught exception or a detected heap corruption.")},
	{name: "bus_error", topic: topicCrash, rests: []string{"exit.signal"}, advise: endedBy(event.CauseKernelFault, "SIGBUS",
		"Check whether /dev/shm or the disk under the files that it maps is full, and whether one of these files was truncated.")},
	{name: "illegal_instruction", topic: topicCrash, rests: []string{"exit.signal"}, advise: endedBy(event.CauseKernelFault, "SIGILL",
		"Compare the CPU that the program was built for with this node's (lscpu); compilers also end what cannot happen with this trap.")},
	{name: "divided_by_zero", topic: topicCrash, rests: []string{"exit.signal"}, advise: endedBy(event.CauseKernelFault, "SIGFPE",
		"Look for an integer division by zero: floating point does not raise this signal by default.")},
	{name: "breakpoint", topic: topicCrash, rests: []string{"exit.signal"}, advise: endedBy(event.CauseKernelFault, "SIGTRAP",
		"Read the last lines on its stderr: programs end so on a failed check of their own, or after a debugger has gone.")},
	{name: "hardware_error", topic: topicCrash, rests: []string{"signals.*.via"}, advise: hardware},
	{name: "seccomp", topic: topicCrash, rests: []string{"exit.signal"}, advise: endedBy(event.CauseSeccomp, "SIGSYS",
		"Find the system call in the kernel's log (type=1326 … syscall=N, journalctl -k), and allow it in the seccomp profile.")},
	{name: "cpu_limit", topic: topicCrash, rests: []string{"exit.signal"}, advise: cpuLimit},
	{name: "file_size_limit", topic: topicCrash, rests: []string{"exit.signal"}, advise: endedBy(event.CauseResourceLimit, "SIGXFSZ",
		"Raise RLIMIT_FSIZE (ulimit -f, LimitFSIZE= of the unit), or rotate the file that grew up to it.")},
	{name: "broken_pipe", topic: topicCrash, rests: []string{"exit.signal"}, advise: endedBy(event.CauseBrokenPipe, "SIGPIPE",
		"Find out why the reader ended first, or ignore SIGPIPE in the program and handle the error EPIPE of its writes.")},
	{name: "alarm", topic: topicCrash, rests: []string{"exit.signal"}, advise: endedBy(event.CauseTimer, "SIGALRM",
		"Raise the time limit that the program sets for itself (alarm, setitimer), or let it handle SIGALRM.")},
	{name: "profiler", topic: topicCrash, rests: []string{"exit.signal"}, advise: endedBy(event.CauseTimer, "SIGPROF",
		"Stop the profiler before its handler is removed: its timer still ran and nothing handled SIGPROF.")},
	{name: "async_io", topic: topicCrash, rests: []string{"exit.signal"}, advise: endedBy(event.CauseAsyncIO, "SIGIO",
		"Let the program handle SIGIO, or not ask for it (O_ASYNC, F_SETOWN).")},
	{name: "core_missing", topic: topicCore, rests: []string{"exit.core_dumped"}, advise: coreMissing},
	{name: "core_written", topic: topicCore, rests: []string{"exit.core_dumped"}, advise: coreWritten},
}

// endedBy advises where this cause ended a process by this signal.
func endedBy(cause event.Cause, signal, text string) func(*event.Death) (string, string) {
	return func(d *event.Death) (string, string) {
		if d.Cause != cause || d.Exit.Signal != signal {
			return "", ""
		}
		return text, "It ended by " + signal + "."
	}
}

// nullPage is below which address an access is one through a null pointer: the
// kernel maps nothing there (vm.mmap_min_addr), and members lie behind it.
const nullPage = 64 << 10

// nullPointer: it handled a fault at an address next to zero, and ended by it.
func nullPointer(d *event.Death) (string, string) {
	if d.Cause != event.CauseKernelFault {
		return "", ""
	}
	for _, h := range d.HandledSignals {
		if address, err := strconv.ParseUint(h.Address, 0, 64); err == nil && address < nullPage && h.Signal == "SIGSEGV" {
			return "Look for a null pointer: its handler of SIGSEGV may have printed the stack to its log.",
				"It handled SIGSEGV at the address " + h.Address + "."
		}
	}
	return "", ""
}

func hardware(d *event.Death) (string, string) {
	if d.Cause != event.CauseHardwareError {
		return "", ""
	}
	for i := range d.Signals {
		if d.Signals[i].Via == event.ViaHwerror {
			return "Drain the node and test its memory: journalctl -k for “Memory failure”, rasdaemon or edac-util for the module.",
				"The kernel sent " + d.Signals[i].Signal + " for a memory failure."
		}
	}
	return "", ""
}

// cpuLimit: SIGXCPU comes at the soft limit, SIGKILL at the hard one.
func cpuLimit(d *event.Death) (string, string) {
	if d.Cause != event.CauseResourceLimit || d.Exit.Signal != "SIGXCPU" && d.Exit.Signal != "SIGKILL" {
		return "", ""
	}
	return "Raise RLIMIT_CPU (ulimit -t, LimitCPU= of the unit): it counts seconds of CPU time, not of the clock.",
		"It ended by " + d.Exit.Signal + " at its limit of CPU time."
}

// crashed: by a signal whose default action writes a core dump.
func crashed(d *event.Death) bool {
	switch d.Exit.Signal {
	case "SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGTRAP", "SIGABRT", "SIGSYS":
		return group(d, event.GroupCrash)
	}
	return false
}

func coreMissing(d *event.Death) (string, string) {
	if !crashed(d) || d.Exit.CoreDumped == nil || *d.Exit.CoreDumped {
		return "", ""
	}
	return "To have the stack of the next crash, allow core dumps: ulimit -c unlimited or LimitCORE=infinity, and check kernel.core_pattern.",
		"No core dump was written."
}

func coreWritten(d *event.Death) (string, string) {
	if !crashed(d) || d.Exit.CoreDumped == nil || !*d.Exit.CoreDumped {
		return "", ""
	}
	return "Open the core dump in gdb (bt): coredumpctl gdb " + strconv.Itoa(d.Process.PID) + ", or the file that kernel.core_pattern names.",
		"A core dump was written."
}
