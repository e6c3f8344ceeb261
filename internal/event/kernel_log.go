// SPDX-License-Identifier: Apache-2.0

package event

import "time"

// KernelOOM is what the kernel's own log says of one OOM kill: a second
// witness, and the only one that shows the free blocks at that moment.
type KernelOOM struct {
	// Time is when it was read, or of an old line when it was written.
	Time time.Time `json:"time"`
	// SinceBoot is the line's own time, of old lines only.
	SinceBoot time.Duration `json:"since_boot_ns,omitempty"`
	// Victim as the log names it; the pid is the host's.
	PID  int    `json:"pid"`
	Comm string `json:"comm"`
	// Cgroup is true for a memory cgroup's kill, false for the system's.
	Cgroup bool `json:"cgroup"`
	// LimitCgroup is oom_memcg, the cgroup whose limit was hit.
	LimitCgroup string `json:"limit_cgroup,omitempty"`
	// VictimCgroup is task_memcg, the victim's own.
	VictimCgroup string `json:"victim_cgroup,omitempty"`
	Invoker      string `json:"invoker,omitempty"`
	Order        *int   `json:"order,omitempty"`
	GFPFlags     string `json:"gfp_flags,omitempty"`
	// Memory is what filled the cgroup whose limit was hit, Tasks the largest of
	// those that could have been chosen.
	Memory *OOMMemory `json:"memory,omitempty"`
	Tasks  []OOMTask  `json:"tasks,omitempty"`
	// FreeBlocks counts the free blocks of 2^i pages, over all zones.
	FreeBlocks []uint64 `json:"free_blocks,omitempty"`
}
