// SPDX-License-Identifier: Apache-2.0

package event

// Via is the mechanism by which a signal came about.
type Via string

// The mechanisms. Readers of the JSON must accept new ones.
const (
	ViaKill       Via = "kill" // kill(2), pidfd_send_signal(2)
	ViaTgkill     Via = "tgkill"
	ViaSigqueue   Via = "sigqueue"
	ViaCgroupKill Via = "cgroup.kill"
	ViaOOM        Via = "oom"
	ViaFault      Via = "fault"
	ViaSeccomp    Via = "seccomp"
	ViaPdeathsig  Via = "pdeathsig"
	ViaPidnsExit  Via = "pidns_exit"
	ViaRlimit     Via = "rlimit"
	ViaTTY        Via = "tty"
	ViaTimer      Via = "timer"
	ViaPipe       Via = "pipe"
	ViaSigio      Via = "sigio"
	ViaPtrace     Via = "ptrace"
	ViaBPF        Via = "bpf"
	ViaSysrq      Via = "sysrq"
	ViaHwerror    Via = "hwerror"
	ViaCoredump   Via = "coredump"
	ViaKernel     Via = "kernel"
)

// Result is what the kernel did with a signal when it was generated.
type Result string

// The results, from enum TRACE_SIGNAL_* of include/trace/events/signal.h.
const (
	ResultDelivered      Result = "delivered"
	ResultIgnored        Result = "ignored"
	ResultAlreadyPending Result = "already_pending"
	ResultOverflow       Result = "overflow"
	ResultInfoLost       Result = "info_lost"
	// ResultTooLate is sigtrace's own: the target was dying already.
	ResultTooLate Result = "too_late"
)
