// SPDX-License-Identifier: Apache-2.0

package event

// Cause is why a process died, in the words of docs/contract.md.
type Cause string

// The causes. Readers of the JSON must accept new ones.
const (
	CauseCgroupOOM         Cause = "cgroup_oom"
	CauseSystemOOM         Cause = "system_oom"
	CauseUserspaceOOM      Cause = "userspace_oom"
	CauseLivenessProbe     Cause = "liveness_probe"
	CauseStartupProbe      Cause = "startup_probe"
	CausePodDeleted        Cause = "pod_deleted"
	CauseEvicted           Cause = "evicted"
	CausePreempted         Cause = "preempted"
	CauseNodeShutdown      Cause = "node_shutdown"
	CauseDeadlineExceeded  Cause = "deadline_exceeded"
	CauseContainerChanged  Cause = "container_changed"
	CausePoststartHook     Cause = "poststart_hook"
	CauseSandboxChanged    Cause = "sandbox_changed"
	CausePodFinished       Cause = "pod_finished"
	CauseRuntimeStop       Cause = "runtime_stop"
	CauseRuntimeCleanup    Cause = "runtime_cleanup"
	CauseStartFailed       Cause = "start_failed"
	CauseForeignProcess    Cause = "foreign_process"
	CauseExecSession       Cause = "exec_session"
	CauseSameContainer     Cause = "same_container"
	CauseSelfSignal        Cause = "self_signal"
	CauseKernelFault       Cause = "kernel_fault"
	CauseBPFProgram        Cause = "bpf_program"
	CauseSysrq             Cause = "sysrq"
	CauseHardwareError     Cause = "hardware_error"
	CauseAsyncIO           Cause = "async_io"
	CauseSeccomp           Cause = "seccomp"
	CauseResourceLimit     Cause = "resource_limit"
	CauseParentDeath       Cause = "parent_death"
	CauseTerminal          Cause = "terminal"
	CauseTimer             Cause = "timer"
	CauseBrokenPipe        Cause = "broken_pipe"
	CauseDebugger          Cause = "debugger"
	CauseServiceManager    Cause = "service_manager"
	CausePIDNamespaceEnded Cause = "pid_namespace_teardown"
	CauseExited            Cause = "exited"
	CauseUnknown           Cause = "unknown"
)

// CauseGroup is what causes have in common; --cause takes it, and the report
// colours by it.
type CauseGroup string

// The groups of causes.
const (
	GroupOOM        CauseGroup = "oom"
	GroupKubernetes CauseGroup = "kubernetes"
	GroupRuntime    CauseGroup = "runtime"
	GroupForeign    CauseGroup = "foreign"
	GroupCrash      CauseGroup = "crash"
	GroupOwn        CauseGroup = "own"
	GroupUnknown    CauseGroup = "unknown"
)

// CauseRow is one row of the table of causes: all that verdict, report, metrics,
// Kubernetes Events and the documentation need to know of one. Adding a cause is a
// row here and a rule in package verdict or kubereason.
type CauseRow struct {
	Cause Cause
	Group CauseGroup
	// Meaning completes "it died because …", as docs/contract.md has it.
	Meaning string
	// Clause follows "X was killed (SIGKILL, exit 137)" in a record's summary. A
	// rule may add what it knows.
	Clause string
	// FirstHop begins the causal chain where Kubernetes is the first cause.
	FirstHop string
	// Report is how a Kubernetes Event reports it; nil where Kubernetes itself
	// reports it well enough.
	Report *EventReport
}

// EventReport is how a Kubernetes Event reports a cause.
type EventReport struct {
	// Reason is as stable as the cause: alerts and field selectors name it.
	Reason string
	// Warning is false for what was wanted.
	Warning bool
	// Inner: also of processes beside the container's init. They die in numbers
	// for their own reasons (a shell's children, a supervisor's); only what came
	// from outside or from the kernel is reported.
	Inner bool
}

func warning(reason string) *EventReport { return &EventReport{Reason: reason, Warning: true} }
func inner(reason string) *EventReport {
	return &EventReport{Reason: reason, Warning: true, Inner: true}
}
func normal(reason string) *EventReport { return &EventReport{Reason: reason} }

var causeTable = []CauseRow{
	{CauseCgroupOOM, GroupOOM, "a memory cgroup's limit was hit and the kernel killed it",
		" by the kernel's OOM killer", "", inner("SigtraceOOM")},
	{CauseSystemOOM, GroupOOM, "the node ran out of memory (or out of contiguous memory) and the kernel killed it",
		" by the kernel's OOM killer", "", inner("SigtraceSystemOOM")},
	{CauseUserspaceOOM, GroupOOM, "systemd-oomd, earlyoom or a like daemon killed it to free memory",
		" to free memory", "", inner("SigtraceEvict")},
	{CauseLivenessProbe, GroupKubernetes, "kubelet had it stopped because its liveness probe failed",
		" because its liveness probe failed", "liveness probe failed", warning("SigtraceProbe")},
	{CauseStartupProbe, GroupKubernetes, "kubelet had it stopped because its startup probe failed",
		" because its startup probe failed", "startup probe failed", warning("SigtraceProbe")},
	{CausePodDeleted, GroupKubernetes, "its pod was deleted",
		" because its pod was deleted", "pod deleted", normal("SigtraceStop")},
	{CauseEvicted, GroupKubernetes, "kubelet evicted its pod",
		" because kubelet evicted its pod", "pod evicted by kubelet", warning("SigtraceEvict")},
	{CausePreempted, GroupKubernetes, "its pod was preempted, by the scheduler or by kubelet",
		" because its pod was preempted to make room for a more important one", "pod preempted", warning("SigtraceEvict")},
	{CauseNodeShutdown, GroupKubernetes, "the node is shutting down",
		" because the node is shutting down", "node shutting down", normal("SigtraceStop")},
	{CauseDeadlineExceeded, GroupKubernetes, "its pod ran for longer than its activeDeadlineSeconds",
		" because its pod ran for longer than its activeDeadlineSeconds", "pod's activeDeadlineSeconds exceeded", warning("SigtraceStop")},
	{CauseContainerChanged, GroupKubernetes, "its definition was changed and kubelet restarts it",
		" because its definition was changed and kubelet restarts it", "container's definition changed", normal("SigtraceStop")},
	{CausePoststartHook, GroupKubernetes, "its postStart hook failed",
		" because its postStart hook failed", "postStart hook failed", warning("SigtraceStop")},
	{CauseSandboxChanged, GroupKubernetes, "its pod's sandbox changed and kubelet recreates it",
		" because kubelet is recreating its pod's sandbox", "pod's sandbox changed", normal("SigtraceStop")},
	{CausePodFinished, GroupKubernetes, "its pod has finished: the work has completed or failed",
		" because its pod has finished", "pod finished", normal("SigtraceStop")},
	{CauseRuntimeStop, GroupRuntime, "the container runtime was asked to stop it by something other than kubelet, or by an unknown client",
		" by its container runtime", "", warning("SigtraceStop")},
	{CauseRuntimeCleanup, GroupRuntime, "its shim or monitor died and the runtime cleaned up",
		" by its container runtime, which cleaned up", "", warning("SigtraceKill")},
	// Kubernetes reports it itself, with the runtime's message.
	{CauseStartFailed, GroupRuntime, "the container never ran its program: its runtime could not execute it",
		": its runtime could not execute its program", "", nil},
	{CauseForeignProcess, GroupForeign, "a process outside its container, and not the runtime doing its job, killed it; on the host: any other process",
		" by", "", inner("SigtraceKill")},
	{CauseExecSession, GroupForeign, "a process that was brought into the container from outside (kubectl exec, docker exec) killed it",
		" by", "", inner("SigtraceKill")},
	{CauseSameContainer, GroupForeign, "another process of the same container killed it",
		" by", "", warning("SigtraceKill")},
	{CauseSelfSignal, GroupCrash, "it sent the signal to itself (abort, raise)",
		" by a signal that it sent to itself", "", warning("SigtraceCrash")},
	{CauseKernelFault, GroupCrash, "a CPU exception: SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP",
		": ", "", inner("SigtraceCrash")},
	{CauseBPFProgram, GroupForeign, "another agent's BPF program sent the signal (bpf_send_signal)",
		" by a BPF program of another agent (bpf_send_signal)", "", inner("SigtraceKill")},
	{CauseSysrq, GroupForeign, "sysrq-e or sysrq-i signalled all processes",
		" by sysrq, which signals all processes", "", inner("SigtraceKill")},
	{CauseHardwareError, GroupCrash, "memory of the hardware failed under it",
		" by a memory error of the hardware: check the node's memory", "", inner("SigtraceCrash")},
	{CauseAsyncIO, GroupOwn, "I/O happened on a file for which a signal was asked (F_SETOWN, F_SETSIG)",
		" by a signal for I/O on a file (F_SETOWN, F_SETSIG)", "", warning("SigtraceKill")},
	{CauseSeccomp, GroupCrash, "its seccomp filter does not allow a system call that it made",
		" by its seccomp filter, which does not allow a system call that it made", "", inner("SigtraceCrash")},
	{CauseResourceLimit, GroupOwn, "it hit RLIMIT_CPU or RLIMIT_FSIZE",
		" by a resource limit", "", warning("SigtraceCrash")},
	{CauseParentDeath, GroupForeign, "it had asked for the signal when its parent ends (PR_SET_PDEATHSIG)",
		" because its parent ended; it had asked for this signal then (PR_SET_PDEATHSIG)", "", warning("SigtraceKill")},
	{CauseTerminal, GroupForeign, "its terminal sent the signal: a key, or a hangup",
		" by its terminal", "", warning("SigtraceKill")},
	{CauseTimer, GroupOwn, "a timer sent the signal (alarm, setitimer, timer_create)",
		" by a timer of its own (alarm, setitimer or timer_create)", "", warning("SigtraceKill")},
	{CauseBrokenPipe, GroupOwn, "it wrote to a pipe or socket that nobody reads (SIGPIPE)",
		" by SIGPIPE: it wrote to a pipe or socket that nobody reads", "", warning("SigtraceKill")},
	{CauseDebugger, GroupForeign, "a tracer killed it (ptrace)",
		" by a debugger", "", inner("SigtraceKill")},
	{CauseServiceManager, GroupRuntime, "systemd stopped its unit",
		" by systemd, which stopped its unit", "", warning("SigtraceKill")},
	// It went with its init, whose death is reported.
	{CausePIDNamespaceEnded, GroupRuntime, "its PID namespace's init ended first",
		" because the init of its PID namespace ended", "", nil},
	// Kubernetes reports exit codes itself.
	{CauseExited, GroupOwn, "it exited with a status of its own",
		"", "", nil},
	{CauseUnknown, GroupUnknown, "none of this can be shown; `summary` says what was seen and whether events were lost",
		"", "", warning("SigtraceKill")},
}

var causeRows = func() map[Cause]*CauseRow {
	m := map[Cause]*CauseRow{}
	for i := range causeTable {
		m[causeTable[i].Cause] = &causeTable[i]
	}
	return m
}()

// Row is the cause's row in the table of causes. A cause that this version does
// not know, as records of a later one may have, gets a row of its own name, in the
// unknown group.
func (c Cause) Row() *CauseRow {
	if r := causeRows[c]; r != nil {
		return r
	}
	return &CauseRow{
		Cause: c, Group: GroupUnknown, Clause: " (" + string(c) + ")", FirstHop: string(c), Report: warning("SigtraceKill"),
	}
}

// Doc is the page of the documentation about a cause, a path in the repository.
func (c Cause) Doc() string { return "docs/causes/" + string(c) + ".md" }

// CauseRows returns the table of causes, in the order of docs/contract.md.
func CauseRows() []CauseRow { return causeTable }

// Causes lists every cause that --cause accepts.
func Causes() []Cause {
	list := make([]Cause, 0, len(causeTable))
	for _, r := range causeTable {
		list = append(list, r.Cause)
	}
	return list
}
