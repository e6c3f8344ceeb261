// SPDX-License-Identifier: Apache-2.0

package explain

import "golang.org/x/sys/unix"

type signalEntry struct {
	action         string
	causes, lookAt []string
}

const (
	live     = "sigtrace, live: who sends it and why"
	past     = "sigtrace why: who did it the last time, if the agent runs"
	previous = "the log of the previous container (kubectl logs --previous)"
)

// signals: default actions as in signal(7).
func signals() map[unix.Signal]signalEntry {
	return map[unix.Signal]signalEntry{
		unix.SIGHUP:    {"Term", []string{"its terminal was closed (a session without nohup)", "a reload was asked for, of a program that has no handler"}, []string{live}},
		unix.SIGINT:    {"Term", []string{"^C at its terminal", "a supervisor's stop signal"}, []string{live}},
		unix.SIGQUIT:   {"Core", []string{`^\ at its terminal`, "a thread dump was asked for, of a program that has no handler", "a container's STOPSIGNAL (nginx, php-fpm)"}, []string{live}},
		unix.SIGILL:    {"Core", []string{"an instruction that this CPU lacks (built for a newer one)", "a trap of the compiler's (unreachable code)"}, []string{"the CPU flags that the binary was built for", "a core dump"}},
		unix.SIGTRAP:   {"Core", []string{"a breakpoint or assertion of its own", "a debugger that went away"}, []string{"a core dump"}},
		unix.SIGABRT:   {"Core", []string{"abort(): a failed assertion, an uncaught exception, a heap corruption that libc noticed"}, []string{"the last lines on its stderr", "a core dump"}},
		unix.SIGBUS:    {"Core", []string{"a mapped file was truncated, or its disk was full", "hugepages or /dev/shm ran out", "bad memory (machine check)"}, []string{"df of the files that it maps, /dev/shm", "the kernel log for machine checks"}},
		unix.SIGFPE:    {"Core", []string{"an integer divided by zero"}, []string{"a core dump"}},
		unix.SIGKILL:   {"Term", []string{"its memory limit (cgroup OOM; Kubernetes: OOMKilled)", "the node itself out of memory (system OOM)", "the end of a grace period: the runtime or kubelet after SIGTERM", "a liveness or startup probe that failed", "a person or malware with kill -9"}, []string{past, "sigtrace, live, shows which of these it was", "the kernel log (journalctl -k) for “oom-kill” and “Killed process”", "kubectl describe pod: Last State, Events"}},
		unix.SIGUSR1:   {"Term", []string{"a program without a handler for it was signalled (log rotation, a dump request)"}, []string{live}},
		unix.SIGSEGV:   {"Core", []string{"a bug: memory that is not its own was touched", "a stack overflow", "a library that does not fit"}, []string{"the kernel log for “segfault at”", "a core dump"}},
		unix.SIGUSR2:   {"Term", []string{"a program without a handler for it was signalled"}, []string{live}},
		unix.SIGPIPE:   {"Term", []string{"it wrote to a pipe or socket that nobody reads any more"}, []string{"what it is piped into, and whether that ended first"}},
		unix.SIGALRM:   {"Term", []string{"a time limit that it set for itself (alarm)"}, nil},
		unix.SIGTERM:   {"Term", []string{"a normal stop: kubelet (deletion, eviction, a failed probe), docker stop, systemctl stop", "timeout(1), a supervisor, a person with kill"}, []string{past, live, "kubectl get events: Killing, Evicted, Unhealthy"}},
		unix.SIGSTKFLT: {"Term", nil, nil},
		unix.SIGCHLD:   {"Ign", nil, nil},
		unix.SIGCONT:   {"Cont", nil, nil},
		unix.SIGSTOP:   {"Stop", []string{"somebody or a debugger stopped it"}, []string{live}},
		unix.SIGTSTP:   {"Stop", []string{"^Z at its terminal"}, nil},
		unix.SIGTTIN:   {"Stop", []string{"a background process read from its terminal"}, nil},
		unix.SIGTTOU:   {"Stop", []string{"a background process wrote to its terminal"}, nil},
		unix.SIGURG:    {"Ign", nil, nil},
		unix.SIGXCPU:   {"Core", []string{"its CPU time limit (ulimit -t)"}, []string{"prlimit of the process, LimitCPU= of its unit"}},
		unix.SIGXFSZ:   {"Core", []string{"its file size limit (ulimit -f)"}, []string{"prlimit of the process"}},
		unix.SIGVTALRM: {"Term", []string{"a timer of its own (setitimer)"}, nil},
		unix.SIGPROF:   {"Term", []string{"a profiler's timer without its handler"}, nil},
		unix.SIGWINCH:  {"Ign", nil, nil},
		unix.SIGIO:     {"Term", []string{"I/O on a file that asks for signals (O_ASYNC)"}, nil},
		unix.SIGPWR:    {"Term", []string{"a power failure, or a container's stop signal (systemd in LXC)"}, nil},
		unix.SIGSYS:    {"Core", []string{"its seccomp filter: a system call that is not allowed"}, []string{"the kernel log for “audit … syscall=”", "the pod's seccompProfile"}},
	}
}

type codeEntry struct {
	name, meaning  string
	causes, lookAt []string
}

// codes: what shells and sysexits.h say of exit codes below 129, and of 255.
func codes() map[int]codeEntry {
	own := []string{previous, "its configuration and what it depends on (DNS, databases, files)"}
	sysexit := func(name, meaning string) codeEntry {
		return codeEntry{name: name, meaning: meaning + " (sysexits.h), if the program keeps to that", lookAt: own}
	}
	return map[int]codeEntry{
		0:   {name: "EX_OK", meaning: "a normal end", causes: []string{"its work is done; for a service that should stay: it ended, or forked into the background"}},
		1:   {meaning: "a general error, the program's own", causes: []string{"a bad configuration, an unhandled error or panic"}, lookAt: own},
		2:   {meaning: "a shell builtin was misused, or the program's own error (Go panics end so)", lookAt: own},
		64:  sysexit("EX_USAGE", "the command line was wrong"),
		65:  sysexit("EX_DATAERR", "the input data were wrong"),
		66:  sysexit("EX_NOINPUT", "an input file is missing or not readable"),
		67:  sysexit("EX_NOUSER", "the user does not exist"),
		68:  sysexit("EX_NOHOST", "the host does not exist"),
		69:  sysexit("EX_UNAVAILABLE", "a service is not available"),
		70:  sysexit("EX_SOFTWARE", "an internal error of the program"),
		71:  sysexit("EX_OSERR", "an error of the operating system (no fork, no pipe)"),
		72:  sysexit("EX_OSFILE", "a system file is missing or broken"),
		73:  sysexit("EX_CANTCREAT", "an output file cannot be made"),
		74:  sysexit("EX_IOERR", "an error while reading or writing"),
		75:  sysexit("EX_TEMPFAIL", "a failure that may pass: try again"),
		76:  sysexit("EX_PROTOCOL", "the other side did not keep to the protocol"),
		77:  sysexit("EX_NOPERM", "a permission is missing"),
		78:  sysexit("EX_CONFIG", "the configuration is wrong"),
		124: {meaning: "timeout(1) ended it: its time was over", lookAt: []string{"who calls timeout, and with what limit"}},
		125: {meaning: "the container's runtime, or a wrapper such as docker run, failed itself", lookAt: []string{"the runtime's log"}},
		126: {meaning: "the command was found and cannot be executed", causes: []string{"no execute permission, a noexec mount, the wrong architecture"}, lookAt: []string{"the image's entrypoint"}},
		127: {meaning: "the command was not found", causes: []string{"a wrong path, a missing interpreter or library in the image"}, lookAt: []string{"the image's entrypoint and PATH"}},
		128: {meaning: "an invalid argument to exit, or a runtime that does not know the true code", lookAt: []string{"the runtime's log"}},
		255: {meaning: "a general error: exit(-1), or a status out of range; ssh's own failure", lookAt: own},
	}
}
