// SPDX-License-Identifier: Apache-2.0

package advice

import "github.com/sigtrace/sigtrace/internal/event"

func altered(change func(*event.OOM)) func(*event.Death) {
	return func(d *event.Death) { change(d.OOM) }
}

func nodeWide(o *event.OOM) { o.Scope, o.LimitBytes, o.UsageBytes = "system", nil, nil }

var memoryCases = []scenario{
	{
		rule: "limit_without_unit", figure: "4.0 KiB",
		death: dead(event.CauseCgroupOOM, killed, oom(func(o *event.OOM) { o.LimitBytes = ptr(uint64(4096)) })),
		alter: altered(func(o *event.OOM) { o.LimitBytes = ptr(64 * mib) }), not: altered(func(o *event.OOM) { o.Scope = "system" }),
	},
	{
		rule: "limit_below_runtime", figure: "The limit is 2.0 MiB, and runc:[2:INIT](5) was killed",
		death: dead(event.CauseCgroupOOM, killed, oom(func(o *event.OOM) {
			o.LimitBytes, o.Victim.Process = ptr(2*mib), &event.Process{PID: 5, Comm: "runc:[2:INIT]"}
		})),
		alter: altered(func(o *event.OOM) { o.LimitBytes = ptr(64 * mib) }), not: altered(func(o *event.OOM) { o.Victim.Comm = "app" }),
	},
	{
		rule: "oom_tmpfs", figure: "40.0 MiB of the 64.0 MiB",
		death: dead(event.CauseCgroupOOM, killed, filled(event.OOMMemory{Shmem: ptr(40 * mib)})),
		alter: altered(func(o *event.OOM) { o.Memory.Shmem = ptr(20 * mib) }), not: altered(nodeWide),
	},
	{
		rule: "oom_sockets", figure: "30.0 MiB of the 64.0 MiB",
		death: dead(event.CauseCgroupOOM, killed, filled(event.OOMMemory{Sock: ptr(30 * mib)})),
		alter: altered(func(o *event.OOM) { o.Memory.Sock = ptr(3 * mib) }), not: altered(nodeWide),
	},
	{
		rule: "oom_page_tables", figure: "20.0 MiB of the 64.0 MiB",
		death: dead(event.CauseCgroupOOM, killed, filled(event.OOMMemory{PageTables: ptr(20 * mib)})),
		alter: altered(func(o *event.OOM) { o.Memory.PageTables = ptr(mib) }), not: altered(nodeWide),
	},
	{
		rule: "oom_slab", figure: "30.0 MiB of the 64.0 MiB",
		death: dead(event.CauseCgroupOOM, killed, filled(event.OOMMemory{Slab: ptr(30 * mib)})),
		alter: altered(func(o *event.OOM) { o.Memory.Slab = ptr(10 * mib) }), not: altered(nodeWide),
	},
	{
		rule: "oom_many_processes", figure: "3 processes named worker held 33.0 MiB of the 64.0 MiB",
		death: dead(event.CauseCgroupOOM, killed, oom(func(o *event.OOM) {
			o.Tasks = []event.OOMTask{task(3, "worker", 11*mib), task(4, "worker", 11*mib), task(5, "worker", 11*mib), task(6, "sh", mib)}
		})),
		alter: altered(func(o *event.OOM) { o.Tasks[2].RSSBytes = 2 * mib }),
		not:   altered(func(o *event.OOM) { o.Tasks[0].RSSBytes = 40 * mib }), // one of them is the matter
	},
	{
		rule: "oom_other_process", figure: "cache held 44.0 MiB of the 64.0 MiB",
		death: dead(event.CauseCgroupOOM, killed, oom(func(o *event.OOM) {
			o.Tasks = []event.OOMTask{task(99, "cache", 44*mib), task(812, "app", 2*mib)}
		})),
		alter: altered(func(o *event.OOM) { o.Tasks[0].RSSBytes = 20 * mib }),
		not:   altered(func(o *event.OOM) { o.Tasks[0].PID = 812 }), // it was the one that was killed
	},
	{
		// At a level above the pod's it is another tenant's process.
		rule: "oom_other_process", figure: "cache held 44.0 MiB", hostOnly: true,
		death: dead(event.CauseCgroupOOM, killed, oom(func(o *event.OOM) {
			o.LimitLevel, o.Tasks = "qos", []event.OOMTask{task(99, "cache", 44*mib), task(812, "app", 2*mib)}
		})),
		alter: altered(func(o *event.OOM) { o.Tasks = nil }), not: altered(func(o *event.OOM) { o.Victim = nil }),
	},
	{
		rule: "oom_own_memory", figure: "app(812) held 60.0 MiB of anonymous memory under a limit of 64.0 MiB",
		death: dead(event.CauseCgroupOOM, killed, oom(func(o *event.OOM) { o.Victim.RSSBytes.Anon = 60 * mib })),
		alter: altered(func(o *event.OOM) { o.Victim.RSSBytes.Anon = 47 * mib }), not: altered(nodeWide),
	},
	{
		rule: "oom_fragmented", figure: "4 contiguous pages (order 2) were asked for; 500 free pages",
		death: dead(event.CauseSystemOOM, killed, systemOOM(func(o *event.OOM) { o.Order, o.FreePagesByOrder = ptr(2), []uint64{100, 200, 0, 0} })),
		alter: altered(func(o *event.OOM) { o.FreePagesByOrder[3] = 1 }), not: altered(func(o *event.OOM) { o.Order = ptr(0) }),
	},
	{
		rule: "oom_nodes_allowed", figure: "cpuset",
		death: dead(event.CauseSystemOOM, killed, systemOOM(func(o *event.OOM) { o.Scope = "cpuset" })),
		alter: altered(func(o *event.OOM) { o.Scope = "system" }), not: func(d *event.Death) { d.OOM = nil },
	},
	{
		rule: "oom_sysrq", figure: "sysrq-f",
		death: dead(event.CauseSystemOOM, killed, systemOOM(func(o *event.OOM) { o.Scope = "sysrq" })),
		alter: altered(func(o *event.OOM) { o.Scope = "system" }), not: func(d *event.Death) { d.OOM = nil },
	},
	{
		rule: "oom_limit_above", figure: "pod's cgroup",
		death: dead(event.CauseCgroupOOM, killed, oom(func(o *event.OOM) { o.LimitLevel = "pod" })),
		alter: altered(func(o *event.OOM) { o.LimitLevel = "container" }), not: func(d *event.Death) { d.Process.Pod, d.Process.Container = nil, nil },
	},
	{
		rule: "oom_limit_above", figure: "QoS class's cgroup",
		death: dead(event.CauseCgroupOOM, killed, oom(func(o *event.OOM) { o.LimitLevel = "qos" })),
		alter: altered(func(o *event.OOM) { o.LimitLevel = "service" }), not: altered(func(o *event.OOM) { o.Scope = "system" }),
	},
	{
		rule: "oom_best_effort", figure: "oom_score_adj was 1000",
		death: dead(event.CauseSystemOOM, killed, systemOOM(func(o *event.OOM) { o.Victim.OOMScoreAdj = ptr(1000) })),
		alter: altered(func(o *event.OOM) { o.Victim.OOMScoreAdj = ptr(900) }), not: cause(event.CauseCgroupOOM),
	},
	{
		rule: "oom_small_request", figure: "oom_score_adj was 968",
		death: dead(event.CauseSystemOOM, killed, systemOOM(func(o *event.OOM) { o.Victim.OOMScoreAdj = ptr(968) })),
		alter: altered(func(o *event.OOM) { o.Victim.OOMScoreAdj = ptr(-997) }), not: func(d *event.Death) { d.Process.Pod = nil },
	},
	{
		rule: "oom_group_kill", figure: "7 other process",
		death: dead(event.CauseCgroupOOM, killed, oom(func(o *event.OOM) { o.GroupKill = ptr(true) }), func(d *event.Death) { d.Collateral = &event.Collateral{Count: 7} }),
		alter: func(d *event.Death) { d.Collateral.Count = 0 }, not: altered(func(o *event.OOM) { o.GroupKill = ptr(false) }),
	},
	{
		rule: "oom_container_survives", figure: "keeps running",
		death: dead(event.CauseCgroupOOM, killed, inner, oom(func(*event.OOM) {}), func(d *event.Death) { d.ContainerSurvives = ptr(true) }),
		alter: func(d *event.Death) { d.ContainerSurvives = ptr(false) }, not: func(d *event.Death) { d.OOM = nil },
	},
	{
		rule: "userspace_oom", figure: "systemd-oomd (pid 77)",
		death: dead(event.CauseUserspaceOOM, killed, actor(event.Process{Comm: "systemd-oomd", Exe: "/usr/lib/systemd/systemd-oomd"})),
		alter: func(d *event.Death) { d.Actor = nil }, not: cause(event.CauseForeignProcess),
	},
}
