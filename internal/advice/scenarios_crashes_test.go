// SPDX-License-Identifier: Apache-2.0

package advice

import "github.com/sigtrace/sigtrace/internal/event"

// crash is a scenario of a rule about a fatal signal.
func crash(rule string, c event.Cause, signal string, code int, other event.Cause) scenario {
	return scenario{
		rule: rule, figure: signal, death: dead(c, by(signal, code)),
		alter: func(d *event.Death) { d.Exit.Signal = "SIGTERM" }, not: cause(other),
	}
}

// exit is a scenario of a rule about an own exit code.
func exit(rule string, n, other int, figure string) scenario {
	return scenario{rule: rule, figure: figure, death: dead(event.CauseExited, exited(n)), alter: code(other), not: cause(event.CausePodDeleted)}
}

func dumped(yes bool) func(*event.Death) {
	return func(d *event.Death) { d.Exit.CoreDumped = &yes }
}

var crashCases = []scenario{
	crash("abort", event.CauseSelfSignal, "SIGABRT", 134, event.CauseForeignProcess),
	crash("bus_error", event.CauseKernelFault, "SIGBUS", 135, event.CauseHardwareError),
	crash("illegal_instruction", event.CauseKernelFault, "SIGILL", 132, event.CauseForeignProcess),
	crash("divided_by_zero", event.CauseKernelFault, "SIGFPE", 136, event.CauseForeignProcess),
	crash("breakpoint", event.CauseKernelFault, "SIGTRAP", 133, event.CauseForeignProcess),
	crash("seccomp", event.CauseSeccomp, "SIGSYS", 159, event.CauseForeignProcess),
	crash("cpu_limit", event.CauseResourceLimit, "SIGXCPU", 152, event.CauseForeignProcess),
	crash("file_size_limit", event.CauseResourceLimit, "SIGXFSZ", 153, event.CauseForeignProcess),
	crash("broken_pipe", event.CauseBrokenPipe, "SIGPIPE", 141, event.CauseForeignProcess),
	crash("alarm", event.CauseTimer, "SIGALRM", 142, event.CauseForeignProcess),
	crash("profiler", event.CauseTimer, "SIGPROF", 155, event.CauseForeignProcess),
	crash("async_io", event.CauseAsyncIO, "SIGIO", 157, event.CauseForeignProcess),
	{
		rule: "null_pointer", figure: "0x18",
		death: dead(event.CauseKernelFault, exited(1), func(d *event.Death) {
			d.HandledSignals = []event.HandledSignal{{Signal: "SIGSEGV", Address: "0x18"}}
		}),
		alter: func(d *event.Death) { d.HandledSignals[0].Address = "0x7f0000001000" }, not: cause(event.CauseExited),
	},
	{
		rule: "hardware_error", figure: "memory failure",
		death: dead(event.CauseHardwareError, by("SIGBUS", 135), signalled(event.ViaHwerror, "SIGBUS", nil)),
		alter: func(d *event.Death) { d.Signals[0].Via = event.ViaFault }, not: cause(event.CauseKernelFault),
	},
	{
		rule: "core_missing", figure: "No core dump",
		death: dead(event.CauseKernelFault, by("SIGSEGV", 139), dumped(false)), alter: dumped(true), not: cause(event.CauseForeignProcess),
	},
	{
		rule: "core_written", figure: "core dump was written",
		death: dead(event.CauseKernelFault, by("SIGSEGV", 139), dumped(true)), alter: dumped(false), not: cause(event.CauseForeignProcess),
	},
	exit("exit_not_found", 127, 1, "code 127"),
	exit("exit_not_executable", 126, 1, "code 126"),
	exit("exit_wrapper", 125, 1, "code 125"),
	exit("exit_timeout", 124, 1, "code 124"),
	exit("exit_passes_on", 137, 1, "code 137"),
	exit("exit_sysexits", 78, 1, "code 78"),
	exit("exit_usage", 2, 1, "code 2"),
	exit("exit_error", 1, 0, "code 1"),
}
