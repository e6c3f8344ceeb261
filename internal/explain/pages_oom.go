// SPDX-License-Identifier: Apache-2.0

package explain

import "github.com/sigtrace/sigtrace/internal/event"

var oomPages = map[event.Cause]text{
	event.CauseCgroupOOM: {
		means: "The processes of a memory cgroup together used more than its limit. The kernel's OOM killer chose one of them, or all with `memory.oom.group`, and sent SIGKILL (exit code 137). The limit may be the container's, or that of its pod, QoS class, slice or service. The node itself may have plenty of memory.",
		known: "`proven`: the hook on `oom_kill_process` names the cgroup whose limit was hit, its use and the victim; where that hook is not attached, `mark_victim` and the cgroups' counters do. The kernel's log is the second source. `likely`: the kill was only found in the log, or the process shares its memory with the victim.",
		look: []string{
			"`oom.limit_level` and `oom.limit_bytes`: whose limit it was. A limit of a pod or above is not changed by the container's own.",
			"`oom.memory`: what filled it. `shmem` are files in /dev/shm and in emptyDirs of medium Memory; `sock`, `slab` and `pagetables` belong to the kernel.",
			"`oom.tasks`: the largest processes. The victim is not always the one that grew.",
			"`container_survives`: whether the container goes on without the process. Kubernetes does not report the kill then.",
		},
		change: []string{
			"Raise the limit to the expected peak plus headroom, or bound what grows: heap, cache, number of workers, files in tmpfs.",
			"Write the unit: `1024m` is 1.024 bytes, `1024Mi` is 1 GiB.",
			"On cgroup v2 kubelet (1.28 and later) has all processes of a container killed together. `singleProcessOOMKill: true` in its configuration (1.32 and later) has the kernel kill one.",
		},
		related: []string{"OOMKilled", "Error"},
	},
	event.CauseSystemOOM: {
		means: "The node had no memory left for an allocation, or no free block of the size that was needed, and the kernel's OOM killer chose a process of the whole node. No limit of the container was hit. The choice follows memory use and `oom_score_adj`, which kubelet computes from the memory request: 1000 without requests, -997 for Guaranteed pods.",
		known: "`proven`: the hook on `oom_kill_process` shows that no cgroup's limit was the reason. `likely`: only `mark_victim` was seen, and no cgroup was found at its limit. Fragmentation is said where the record has the free blocks of each order: they come from the hook or the kernel's log.",
		look: []string{
			"`oom.order`: above 0 the kernel needed contiguous pages. With blocks free in `oom.free_pages_by_order` below that order only, memory was fragmented.",
			"`oom.victim.oom_score_adj`: 1000 is a pod without requests.",
			"`oom.scope`: `cpuset` or `mempolicy` is a shortage on some memory nodes only, `sysrq` was requested by a person or program.",
			"What else grew on the node: `journalctl -k` has the table of all processes at the kill.",
		},
		change: []string{
			"Give each pod a memory request of what it uses, so that the scheduler does not overcommit the node.",
			"Reserve memory for the system and kubelet (`systemReserved`, `kubeReserved`) and set `evictionHard`, so that kubelet evicts before the kernel kills.",
			"For fragmentation: `echo 1 > /proc/sys/vm/compact_memory`, a larger `vm.min_free_kbytes`. More memory does not help at once.",
		},
		related: []string{"OOMKilled", "Error", "Evicted"},
	},
	event.CauseUserspaceOOM: {
		means: "A daemon that watches memory pressure, such as systemd-oomd or earlyoom, sent the signal to free memory before the kernel had to. No limit was hit.",
		known: "The kernel shows the sender: its executable is such a daemon's, and it runs as a service of the host. The record names it as `actor`. `proven` where the signal is seen to end the process.",
		look: []string{
			"The daemon's log: `journalctl -u systemd-oomd` or `-u earlyoom`. It says which threshold was passed.",
			"Memory and pressure of the node at that time: /proc/pressure/memory, what else was running.",
		},
		change: []string{
			"systemd-oomd: `ManagedOOMPreference=avoid` or `omit` for the unit, or higher limits (`ManagedOOMMemoryPressureLimit=`, `SwapUsedLimit=`).",
			"earlyoom: `--avoid` and `--prefer`, or lower thresholds (`-m`, `-s`).",
			"On Kubernetes nodes leave this to kubelet's eviction and the kernel: switch the daemon off for the pods' slice.",
		},
		related: []string{"Error"},
	},
}
