// SPDX-License-Identifier: Apache-2.0

package advice

import (
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
)

// supervised: an ancestor in the container sends SIGTERM and SIGKILL.
func supervised(d *event.Death) {
	inner(d)
	supervisor := &event.Process{PID: 800, StartBoottimeNS: 4, Comm: "supervisord", Exe: "/usr/bin/supervisord", Container: d.Process.Container}
	d.Process.Ancestors = []*event.Process{supervisor}
	d.Signals[0].Sender, d.Signals[1].Sender = supervisor, supervisor
}

var otherCases = []scenario{
	{
		rule: "init_ignores_stop", figure: "ignored SIGTERM, and was killed 4.0 s later",
		death: dead(event.CausePodDeleted, killed, requested, slowly(event.ResultIgnored)), alter: quick, not: handledIt,
	},
	{
		rule: "ignores_stop", figure: "ignored SIGTERM, and was killed 4.0 s later",
		death: dead(event.CauseServiceManager, killed, slowly(event.ResultIgnored), inner), alter: quick,
		not: func(d *event.Death) { d.Process.NSPID = 1 },
	},
	{
		rule: "supervisor_timeout", figure: "4.0 s after SIGTERM",
		death: dead(event.CauseSameContainer, killed, slowly(event.ResultDelivered), supervised), alter: quick,
		not: func(d *event.Death) { d.Signals[1].Sender = &event.Process{PID: 900, StartBoottimeNS: 9, Comm: "runc"} },
	},
	{
		// What is above the container is no supervisor of its processes.
		rule: "supervisor_timeout", figure: "4.0 s after SIGTERM",
		death: dead(event.CauseSameContainer, killed, slowly(event.ResultDelivered), supervised), alter: quick,
		not: func(d *event.Death) { d.Signals[0].Sender.Container = nil },
	},
	{
		rule: "service_timeout", figure: "4.0 s after SIGTERM",
		death: dead(event.CauseServiceManager, killed, slowly(event.ResultDelivered)), alter: quick, not: ignoredIt,
	},
	{
		rule: "node_shutdown_grace", figure: "4.0 s after SIGTERM",
		death: dead(event.CauseNodeShutdown, killed, requested, slowly(event.ResultDelivered)), alter: quick, not: cause(event.CausePodDeleted),
	},
	{
		rule: "grace_period", figure: "4.0 s after SIGTERM",
		death: dead(event.CausePodDeleted, killed, requested, slowly(event.ResultDelivered)), alter: quick, not: ignoredIt,
	},
	{
		rule: "grace_period", figure: "4.0 s after SIGTERM",
		death: dead(event.CauseLivenessProbe, killed, requested, slowly(event.ResultDelivered)),
		alter: func(d *event.Death) { d.Exit = exited(0) }, not: cause(event.CauseNodeShutdown),
	},
	{
		rule: "runtime_timeout", figure: "4.0 s after SIGTERM",
		death: dead(event.CauseRuntimeStop, killed, slowly(event.ResultDelivered)), alter: quick, not: requested,
	},
	{
		rule: "stopped_with_error", figure: "SIGTERM and exited with code 3",
		death: dead(event.CausePodDeleted, exited(3), requested, signalled(event.ViaKill, "SIGTERM", nil)), alter: code(0), not: inner,
	},
	{
		rule: "probe_timed_out", figure: "timed out after 1 s",
		death: dead(event.CauseLivenessProbe, exited(0), requested, seen("liveness probe failed 3 times in a row: timed out after 1 s (timeout 1 s, period 10 s, failureThreshold 3)")),
		alter: seen("liveness probe failed 3 times in a row: HTTP 500"), not: cause(event.CausePodDeleted),
	},
	{
		rule: "probe_refused", figure: "connection refused",
		death: dead(event.CauseStartupProbe, exited(0), requested, seen("startup probe failed 2 times in a row: connection refused")),
		alter: seen("startup probe failed 2 times in a row: HTTP 500"), not: cause(event.CauseLivenessProbe), // that failed is another probe
	},
	{
		rule: "probe_status", figure: "HTTP 503",
		death: dead(event.CauseLivenessProbe, exited(0), requested, seen("liveness probe failed 2 times in a row: HTTP 503")),
		alter: seen("liveness probe failed 2 times in a row: connection refused"), not: seen("readiness probe failed: HTTP 503"),
	},
	{
		rule: "startup_too_slow", figure: "90.0 s",
		death: dead(event.CauseStartupProbe, exited(0), requested),
		alter: func(d *event.Death) { d.Process.StartTime = ptr(ended.Add(time.Hour)) }, not: cause(event.CauseLivenessProbe),
	},
	{
		rule: "deadline", figure: "90.0 s",
		death: dead(event.CauseDeadlineExceeded, exited(0), requested),
		alter: func(d *event.Death) { d.Process.StartTime = nil }, not: cause(event.CausePodFinished),
	},
	{
		rule: "evicted_empty_dir", figure: "exceeds the limit",
		death: dead(event.CauseEvicted, exited(0), requested, seen(`Evicted: Usage of EmptyDir volume "state" exceeds the limit "1Mi".`)),
		alter: seen("Evicted: The node was low on resource: memory."), not: cause(event.CausePodDeleted),
	},
	{
		rule: "evicted_ephemeral_storage", figure: "ephemeral storage limit",
		death: dead(event.CauseEvicted, exited(0), requested, seen(`Evicted: Container app exceeded its local ephemeral storage limit "1Gi".`)),
		alter: seen("Evicted: The node was low on resource: memory."), not: cause(event.CausePodDeleted),
	},
	{
		rule: "evicted_node_memory", figure: "low on resource: memory",
		death: dead(event.CauseEvicted, exited(0), requested, seen("Evicted: The node was low on resource: memory.")),
		alter: seen("Evicted: The node was low on resource: ephemeral-storage."), not: cause(event.CausePreempted),
	},
	{
		rule: "evicted_node_disk", figure: "low on resource: ephemeral-storage",
		death: dead(event.CauseEvicted, exited(0), requested, seen("Evicted: The node was low on resource: ephemeral-storage.")),
		alter: seen("Evicted: The node was low on resource: memory."), not: cause(event.CausePreempted),
	},
	{
		rule: "start_not_found", figure: "no such file or directory",
		death: dead(event.CauseStartFailed, exited(1), seen(`StartError: exec: "/nope": stat /nope: no such file or directory: unknown`)),
		alter: seen("unavailable in this window: open /var/log/kubelet.log: no such file or directory"), not: cause(event.CauseExited),
	},
	{
		rule: "start_not_permitted", figure: "permission denied",
		death: dead(event.CauseStartFailed, exited(1), seen(`StartError: exec: "/app": permission denied: unknown`)),
		alter: seen("StartError: exec /app: exec format error"), not: cause(event.CauseExited),
	},
	{
		rule: "start_wrong_format", figure: "exec format error",
		death: dead(event.CauseStartFailed, exited(1), seen("StartError: exec /app: exec format error")),
		alter: seen(`StartError: exec: "/app": permission denied: unknown`), not: cause(event.CauseExited),
	},
	{
		rule: "deleted_by_drain", figure: "EvictionAPI",
		death: dead(event.CausePodDeleted, exited(0), deletionBy("EvictionAPI", "")), alter: deletionBy("ReplicaSet", "web"), not: cause(event.CauseEvicted),
	},
	{
		rule: "deleted_by_taint", figure: "Taint",
		death: dead(event.CausePodDeleted, exited(0), deletionBy("Taint", "")), alter: deletionBy("EvictionAPI", ""), not: cause(event.CauseEvicted),
	},
	{
		rule: "deleted_with_namespace", figure: "Namespace shop",
		death: dead(event.CausePodDeleted, exited(0), deletionBy("Namespace", "shop")), alter: deletionBy("Job", "shop"), not: func(d *event.Death) { d.Requester = nil },
	},
	{
		rule: "reported_error_for_oom", figure: "reports Error",
		death: dead(event.CauseCgroupOOM, killed, oom(func(*event.OOM) {}), reported("Error")), alter: reported("OOMKilled"),
		not: func(d *event.Death) { d.OOM = nil },
	},
	{
		rule: "reported_oom_for_other", figure: "exit code 143",
		death: dead(event.CauseLivenessProbe, exited(143), reported("OOMKilled")), alter: reported("Error"), not: oom(func(*event.OOM) {}),
	},
	{
		rule: "killer_login", figure: "login uid 1000, audit session 4", hostOnly: true,
		death: dead(event.CauseForeignProcess, killed, actor(event.Process{LoginUID: ptr(uint32(1000)), SessionID: ptr(uint32(4))})),
		alter: func(d *event.Death) { d.Actor.SessionID = nil }, not: func(d *event.Death) { d.Actor.Container = &event.Container{ID: "c2"} },
	},
	{
		rule: "killer_unit", figure: "cleaner.service", hostOnly: true,
		death: dead(event.CauseForeignProcess, killed, actor(event.Process{Unit: "cleaner.service"})),
		alter: func(d *event.Death) { d.Actor.Unit = "" }, not: func(d *event.Death) { d.Process.Unit = d.Actor.Unit },
	},
	{
		rule: "killer_container", figure: "container agent of sec/agent-x", hostOnly: true,
		death: dead(event.CauseForeignProcess, killed, actor(event.Process{Container: &event.Container{ID: "c2", Name: "agent"}, Pod: &event.Pod{Namespace: "sec", Name: "agent-x"}})),
		alter: func(d *event.Death) { d.Actor.Container, d.Actor.Pod = nil, nil }, not: cause(event.CauseSameContainer),
	},
	{
		rule: "exec_session", figure: "14:02:58 UTC",
		death: dead(event.CauseExecSession, killed, actor(event.Process{Comm: "sh", StartTime: ptr(ended.Add(-2 * time.Second))})),
		alter: func(d *event.Death) { d.Actor.StartTime = nil }, not: cause(event.CauseSameContainer),
	},
	{
		rule: "runtime_client", figure: "sent SIGTERM at 14:03:00 UTC",
		death: dead(event.CauseRuntimeStop, exited(0), signalled(event.ViaKill, "SIGTERM", nil)), alter: func(d *event.Death) { d.Signals = nil }, not: requested,
	},
	{
		rule: "shim_ended", figure: "dash(66)", hostOnly: true,
		death: dead(event.CauseRuntimeCleanup, killed, func(d *event.Death) {
			d.Chain = []event.Hop{{Process: &event.Process{PID: 66, Comm: "dash"}, What: "sent SIGKILL to containerd-shim(60)"}, {What: "died"}}
		}),
		alter: func(d *event.Death) { d.Chain[0].Process = nil }, not: cause(event.CauseRuntimeStop),
	},
	{
		rule: "init_ended", figure: "app(800)",
		death: dead(event.CausePIDNamespaceEnded, killed, inner, signalled(event.ViaPidnsExit, "SIGKILL", &event.Process{PID: 800, Comm: "app"})),
		alter: func(d *event.Death) { d.Signals[0].Trigger = nil }, not: cause(event.CauseForeignProcess),
	},
	{
		rule: "parents_thread", figure: "Thread 4321 of server (pid 800)",
		death: dead(event.CauseParentDeath, killed, signalled(event.ViaPdeathsig, "SIGKILL", &event.Process{PID: 800, TID: 4321, Comm: "server"})),
		alter: func(d *event.Death) { d.Signals[0].Trigger.TID = 0 }, not: func(d *event.Death) { d.Signals[0].Trigger.TID = 800 },
	},
	{
		rule: "hung_up", figure: "SIGHUP",
		death: dead(event.CauseTerminal, by("SIGHUP", 129), signalled(event.ViaTTY, "SIGHUP", nil)),
		alter: func(d *event.Death) { d.Signals[0].Signal = "SIGINT" }, not: cause(event.CauseForeignProcess),
	},
	{
		rule: "bpf_program", figure: "BPF program", hostOnly: true,
		death: dead(event.CauseBPFProgram, killed, signalled(event.ViaBPF, "SIGKILL", nil)),
		alter: func(d *event.Death) { d.Signals[0].Via = event.ViaKernel }, not: cause(event.CauseUnknown),
	},
	{
		rule: "events_dropped", figure: "26 events",
		death: dead(event.CauseUnknown, killed, func(d *event.Death) { d.EventsLost = 26 }),
		alter: func(d *event.Death) { d.EventsLost = 0 }, not: func(d *event.Death) { d.EventsLost = 0 },
	},
}

func reported(reason string) func(*event.Death) {
	return func(d *event.Death) { d.KubernetesSays = &event.KubernetesSays{Reason: reason} }
}

func deletionBy(kind, name string) func(*event.Death) {
	return func(d *event.Death) { d.Requester = &event.Requester{Kind: kind, Name: name, Via: "DisruptionTarget"} }
}
