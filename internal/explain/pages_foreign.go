// SPDX-License-Identifier: Apache-2.0

package explain

import "github.com/sigtrace/sigtrace/internal/event"

var foreignPages = map[event.Cause]text{
	event.CauseForeignProcess: {
		means: "A process outside the container killed it, and that was not the container runtime doing its job. On the host: any other process. It may be a person with kill, a script, a cleaner, a security agent, malware, or a container with hostPID.",
		known: "`proven`: the kernel shows the sender in the call to kill, with its executable, command line, user, login and ancestry, read in the kernel at that moment. `likely`: the process handled the signal and exited, or a forwarder passed it on with another signal or later.",
		look: []string{
			"`actor` and its ancestry: which unit, login session or container it came from, and what it was run as.",
			"`actor.login_uid` and `actor.session_id`: who logged in (`ausearch --session N`, `last`).",
			"A killer that has exited since is still in the record: its parents lead back to the login.",
		},
		change: []string{
			"Stop what kills, or narrow what it matches: `pkill -f` and `killall` also match processes of containers.",
			"Take hostPID from pods that need not signal others.",
		},
		related: []string{"Error"},
	},
	event.CauseExecSession: {
		means: "A process that was brought into the container from outside, with kubectl exec or docker exec, killed it.",
		known: "The kernel shows the sender. It runs in the container and does not descend from the container's init: its ancestry leads to the runtime's shim. A preStop hook and an exec probe of kubelet's are no such session.",
		look: []string{
			"The API server's audit log at `actor.start_time`: pods/exec with the user. Kubernetes hands nothing about the caller to the node.",
			"`actor.args`: what was typed or run.",
		},
		change: []string{
			"Bound who may create pods/exec (RBAC).",
			"Restart a pod by deleting it, not by killing its PID 1.",
		},
		related: []string{"Error", "Completed"},
	},
	event.CauseSameContainer: {
		means: "Another process of the same container killed it: its supervisor, a watchdog, a script, a process manager that recycles its workers.",
		known: "The kernel shows the sender, and it is in the same container and descends from the container's init. `relation` says what it is to the process: parent, child, sibling.",
		look: []string{
			"The log of `actor`: supervisors say why they end a worker (timeout, memory, reload).",
			"`signals`: SIGTERM and then SIGKILL is a stop timeout that passed.",
			"`chain`: a supervisor that ends all children because one crashed begins with that one's death.",
		},
		change: []string{
			"Raise the supervisor's timeout, or let the worker end faster.",
		},
		related: []string{"Error"},
	},
	event.CauseBPFProgram: {
		means: "A BPF program of another agent sent the signal in the kernel (bpf_send_signal): a policy of a security tool such as Tetragon.",
		known: "`proven`: the kernel's call path shows bpf_send_signal. Which program it was is not visible there.",
		look: []string{
			"Security agents on the node, and their logs at that time.",
			"`bpftool prog list`: programs that are loaded, with the processes that hold them.",
		},
		change:  []string{"Allow in the agent's policy what the process did, or stop the process from doing it."},
		related: []string{"Error"},
	},
	event.CauseSysrq: {
		means:   "Sysrq-e (SIGTERM) or sysrq-i (SIGKILL) signalled all processes of the node, from the keyboard, a serial console or /proc/sysrq-trigger.",
		known:   "`proven`: the kernel's call path shows it. Who wrote to /proc/sysrq-trigger is the `actor`; of a key there is none.",
		look:    []string{"`actor`, and who had the console at that time.", "Other deaths at the same moment: `sigtrace why --cause sysrq --last 0`."},
		change:  []string{"Set `kernel.sysrq` so that it does not allow signalling (bit 64)."},
		related: []string{"Error"},
	},
	event.CauseParentDeath: {
		means: "The process had asked to be sent this signal when its parent ends (PR_SET_PDEATHSIG), and its parent ended, or the one thread of it that had started the process.",
		known: "`proven`: the kernel shows the mechanism and the thread that ended. `actor` is who ended the parent, where that is known.",
		look: []string{
			"Why the parent ended: its own record.",
			"`signals[].trigger.tid`: another number than `pid` means that a thread ended and the parent process may live on.",
		},
		change: []string{
			"Go: start such a process from a goroutine that has called runtime.LockOSThread and does not return, or do not set Pdeathsig.",
			"Otherwise look at what ended the parent.",
		},
		related: []string{"Error"},
	},
	event.CauseTerminal: {
		means:   "The process's terminal sent the signal: a key such as ^C or ^\\, or SIGHUP because the terminal was closed or its session's leader exited.",
		known:   "`proven`: the kernel's call path shows the terminal. For a hangup `actor` is who closed it, where that is known.",
		look:    []string{"Whether a person pressed a key, or a connection broke: the log of sshd at that time."},
		change:  []string{"Start what is to outlive a session with `systemd-run`, `setsid`, `nohup` or in tmux."},
		related: []string{"Error"},
	},
	event.CauseDebugger: {
		means:   "A tracer killed the process with ptrace, or ended itself while it had set PTRACE_O_EXITKILL, or injected the signal.",
		known:   "`proven`: the kernel shows the tracer as the one in whose context it happened.",
		look:    []string{"`actor`: gdb, strace, a sandbox, a profiler, and who started it."},
		change:  []string{"Detach before the tracer ends. A sandbox that kills its process means to."},
		related: []string{"Error"},
	},
}

var runtimePages = map[event.Cause]text{
	event.CauseRuntimeStop: {
		means: "The container runtime stopped the container. Something other than kubelet requested that (docker, crictl, ctr, nerdctl, podman), or who requested it is unknown.",
		known: "The kernel shows the runtime as the sender: an OCI runtime that the container's shim or a runtime's daemon started, or these themselves. Whether kubelet requested it, its log, Events and the API say; `requested_by` is absent where none does.",
		look: []string{
			"The runtime's log at the time of the first signal: containerd logs StopContainer and Kill container for requests by CRI.",
			"Shell histories, cron jobs and agents on the node that call docker, crictl or ctr.",
			"`sigtrace check`: a source that is unavailable could have said who requested it.",
		},
		change: []string{
			"Stop pods through Kubernetes, not through the runtime.",
			"Give the agent kubelet's log or the API, so that requests are known.",
		},
		related: []string{"Error", "Completed"},
	},
	event.CauseRuntimeCleanup: {
		means: "The container's shim or monitor (containerd-shim, conmon) ended, and the runtime killed and removed the container that was left.",
		known: "The kernel shows the shim's end and then the runtime's kill. `chain` begins with who ended the shim. `likely` where the shim's end was not seen.",
		look: []string{
			"The first hop of `chain`: an OOM kill, a process on the host, a service manager.",
			"The runtime's log: `cleaning up after shim disconnected`.",
		},
		change: []string{
			"Protect what was hit: `KillMode=process` and `OOMScoreAdjust=-999` in the runtime's unit, no killers by name on the node.",
		},
		related: []string{"Error"},
	},
	event.CauseStartFailed: {
		means: "The container never ran its program: the runtime could not execute it, and its own first process (`runc init`) ended.",
		known: "The kernel shows that the process that ended was still the runtime's, not the container's. The runtime's or Kubernetes' words (StartError, ContainerCannotRun) are in `evidence`; Kubernetes' exit code of 126, 127 or 128 is right here.",
		look: []string{
			"The runtime's message in `evidence`: it names the file or the setting.",
			"`command` and `args` of the container, and whether that file is in the image, executable, and for this architecture.",
		},
		change: []string{
			"A command that is in the image (`kubectl debug` shows what is), with its execute permission and interpreter.",
			"A memory limit that leaves room for the runtime itself, if the message speaks of memory.",
		},
		related: []string{"StartError", "ContainerCannotRun"},
	},
	event.CauseServiceManager: {
		means: "systemd stopped the unit that the process belongs to: a stop, a restart, a failed dependency, a limit of the unit (RuntimeMaxSec=, WatchdogSec=).",
		known: "The kernel shows systemd as the sender, as PID 1 for its units or as a user's manager for its own.",
		look: []string{
			"`journalctl -u UNIT` around that time, and the job that asked: `journalctl _PID=1`.",
			"`signals`: SIGKILL after SIGTERM is TimeoutStopSec= that passed.",
		},
		change:  []string{"Nothing, if the stop was meant.", "Raise `TimeoutStopSec=` if it needs longer to end."},
		related: []string{"Error"},
	},
	event.CausePIDNamespaceEnded: {
		means:   "The init (PID 1) of the process's PID namespace ended, and the kernel then sends SIGKILL to all others in it. The process only went along.",
		known:   "`proven`: the kernel shows the mechanism and the init. `actor` and `chain` name who ended the init.",
		look:    []string{"The record of the init: that is the death to explain. `sigtrace why` folds the others into it."},
		change:  []string{"Nothing here. If children need time to end, let the init wait for them before it exits."},
		related: []string{"Completed", "Error", "OOMKilled"},
	},
}
