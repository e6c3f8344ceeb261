// SPDX-License-Identifier: Apache-2.0

package advice

import (
	"fmt"
	"strings"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/phrase"
	"github.com/sigtrace/sigtrace/internal/safetext"
)

// unitless is below which limit somebody has left out or mistaken the unit: the
// smallest static program needs more.
const unitless = 1 << 20

// bestEffort is the oom_score_adj that kubelet gives to pods without requests.
const bestEffort = 1000

var memoryRules = []rule{
	{name: "limit_without_unit", topic: topicMemory, rests: []string{"oom.limit_bytes"}, advise: limitWithoutUnit},
	{name: "limit_below_runtime", topic: topicMemory, rests: []string{"oom.limit_bytes"}, advise: limitBelowRuntime},
	{name: "oom_tmpfs", topic: topicMemory, rests: []string{"oom.memory.shmem"}, advise: eater(2,
		func(m *event.OOMMemory) *uint64 { return m.Shmem }, "files in tmpfs or shared memory",
		"Write fewer files to tmpfs (/dev/shm, an emptyDir of medium Memory), cap it with sizeLimit, or raise the limit by its size.")},
	{name: "oom_sockets", topic: topicMemory, rests: []string{"oom.memory.sock"}, advise: eater(3,
		func(m *event.OOMMemory) *uint64 { return m.Sock }, "socket buffers",
		"Find the connections whose peer does not read (ss -tmp), and bound their number or net.ipv4.tcp_rmem and tcp_wmem.")},
	{name: "oom_page_tables", topic: topicMemory, rests: []string{"oom.memory.pagetables"}, advise: eater(4,
		func(m *event.OOMMemory) *uint64 { return m.PageTables }, "page tables",
		"Run fewer processes or use huge pages: each process has page tables of its own for the memory that they share.")},
	{name: "oom_slab", topic: topicMemory, rests: []string{"oom.memory.slab"}, advise: eater(3,
		func(m *event.OOMMemory) *uint64 { return m.Slab }, "the kernel's own objects (slab)",
		"Look for what keeps objects in the kernel: open files, directories with many entries, file watches, connections (slabtop).")},
	{name: "oom_many_processes", topic: topicMemory, rests: []string{"oom.tasks"}, hostOnly: aboveThePod, advise: manyProcesses},
	{name: "oom_other_process", topic: topicMemory, rests: []string{"oom.tasks"}, hostOnly: aboveThePod, advise: otherProcess},
	{name: "oom_own_memory", topic: topicMemory, rests: []string{"oom.limit_bytes", "oom.victim.rss_bytes"}, advise: ownMemory},
	{name: "oom_fragmented", topic: topicMemory, rests: []string{"oom.order", "oom.free_pages_by_order"}, advise: fragmented},
	{name: "oom_nodes_allowed", topic: topicMemory, rests: []string{"oom.scope"}, advise: allowedNodes},
	{name: "oom_sysrq", topic: topicMemory, rests: []string{"oom.scope"}, advise: bySysrq},
	{name: "oom_limit_above", topic: topicLimit, rests: []string{"oom.limit_level"}, advise: limitAbove},
	{name: "oom_best_effort", topic: topicLimit, rests: []string{"oom.victim.oom_score_adj"}, advise: bestEffortPod},
	{name: "oom_small_request", topic: topicLimit, rests: []string{"oom.victim.oom_score_adj"}, advise: smallRequest},
	{name: "oom_group_kill", rests: []string{"oom.group_kill", "collateral.count"}, advise: groupKill},
	{name: "oom_container_survives", rests: []string{"container_survives"}, advise: survivingContainer},
	{name: "userspace_oom", topic: topicMemory, rests: []string{"actor"}, advise: userspaceDaemon},
}

// aboveThePod: at a level above the pod's the processes are other tenants' too.
func aboveThePod(d *event.Death) bool {
	return d.OOM == nil || d.OOM.LimitLevel != "container" && d.OOM.LimitLevel != "pod"
}

func limitWithoutUnit(d *event.Death) (string, string) {
	o := d.OOM
	if o == nil || o.Scope != "cgroup" || o.LimitBytes == nil || *o.LimitBytes >= unitless {
		return "", ""
	}
	because := "The limit that was hit is " + phrase.Bytes(*o.LimitBytes) + "."
	if inPod(d.Process) {
		return "Write the memory limit with the unit that is meant: 1024m means 1.024 bytes and 1024 means 1024 bytes; write 1024Mi.", because
	}
	return "Check the unit of the memory limit: no program fits into this one.", because
}

// runtimeNeeds is about what runc and a pod's sandbox need while a container starts.
const runtimeNeeds = 16 << 20

// limitBelowRuntime: the OOM killer chose the runtime itself, or the pod's sandbox,
// before the container's program ran.
func limitBelowRuntime(d *event.Death) (string, string) {
	o := d.OOM
	if inUse(o) == 0 || o.LimitBytes == nil || *o.LimitBytes >= runtimeNeeds || o.Victim == nil || o.Victim.Process == nil {
		return "", ""
	}
	sandbox := inPod(o.Victim.Process) && o.Victim.Container != nil && o.Victim.Container.Name == ""
	if !strings.HasPrefix(o.Victim.Comm, "runc:[") && !sandbox {
		return "", ""
	}
	return "Raise the memory limit: the runtime itself did not fit into it, so that the container's program never ran.",
		fmt.Sprintf("The limit is %s, and %s was killed.", phrase.Bytes(*o.LimitBytes), phrase.Process(o.Victim.Process))
}

// eater advises where one kind of memory is at least 1/nth of what was in use.
func eater(nth uint64, part func(*event.OOMMemory) *uint64, what, text string) func(*event.Death) (string, string) {
	return func(d *event.Death) (string, string) {
		used := inUse(d.OOM)
		if used == 0 || d.OOM.Memory == nil || !share(part(d.OOM.Memory), used, nth) {
			return "", ""
		}
		return text, fmt.Sprintf("%s of the %s in use were %s.", phrase.Bytes(*part(d.OOM.Memory)), phrase.Bytes(used), what)
	}
}

// severalMin is from how many processes of one name on their number is the matter.
const severalMin = 3

// manyProcesses: no single process was large, those of one name were together.
func manyProcesses(d *event.Death) (string, string) {
	used := inUse(d.OOM)
	if used == 0 {
		return "", ""
	}
	number, sum := map[string]int{}, map[string]uint64{}
	for _, t := range d.OOM.Tasks {
		number[t.Comm]++
		sum[t.Comm] += t.RSSBytes
		total := sum[t.Comm]
		if number[t.Comm] >= severalMin && share(&total, used, 2) && d.OOM.Tasks[0].RSSBytes < used/2 {
			name := safetext.Quote(t.Comm)
			return "Run fewer processes of " + name + ", or raise the limit: it has to hold all of them at once.",
				fmt.Sprintf("%d processes named %s held %s of the %s in use.", number[t.Comm], name, phrase.Bytes(total), phrase.Bytes(used))
		}
	}
	return "", ""
}

// otherProcess: the largest process was not the one that was killed.
func otherProcess(d *event.Death) (string, string) {
	used := inUse(d.OOM)
	if used == 0 || len(d.OOM.Tasks) == 0 || d.OOM.Victim == nil || d.OOM.Victim.Process == nil {
		return "", ""
	}
	t := d.OOM.Tasks[0]
	if t.PID == d.OOM.Victim.PID || t.PID == d.Process.PID || !share(&t.RSSBytes, used, 2) {
		return "", ""
	}
	return fmt.Sprintf("Look at %s (pid %d) first: it filled the limit, and another process was killed for it.", safetext.Quote(t.Comm), t.PID),
		fmt.Sprintf("%s held %s of the %s in use.", safetext.Quote(t.Comm), phrase.Bytes(t.RSSBytes), phrase.Bytes(used))
}

// ownMemory: the victim alone held three quarters of the limit or more.
func ownMemory(d *event.Death) (string, string) {
	o := d.OOM
	if inUse(o) == 0 || o.LimitBytes == nil || o.Victim == nil || o.Victim.RSSBytes == nil || o.Victim.RSSBytes.Anon < *o.LimitBytes/4*3 {
		return "", ""
	}
	return "Raise the memory limit, or find out what the process allocates (a heap profile, its cache and worker settings): it alone filled the limit.",
		fmt.Sprintf("%s held %s of anonymous memory under a limit of %s.", phrase.Process(o.Victim.Process), phrase.Bytes(o.Victim.RSSBytes.Anon), phrase.Bytes(*o.LimitBytes))
}

// fragmented: free memory was there, in blocks smaller than what was asked for.
func fragmented(d *event.Death) (string, string) {
	o := d.OOM
	if o == nil || o.Scope == "cgroup" || o.Order == nil || *o.Order < 1 || *o.Order >= len(o.FreePagesByOrder) {
		return "", ""
	}
	pages := uint64(0)
	for order, blocks := range o.FreePagesByOrder {
		if order >= *o.Order && blocks > 0 {
			return "", ""
		}
		pages += blocks << order
	}
	if pages == 0 {
		return "", ""
	}
	return "Compact memory now (echo 1 > /proc/sys/vm/compact_memory) and raise vm.min_free_kbytes: larger free blocks help, more memory does not.",
		fmt.Sprintf("%d contiguous pages (order %d) were asked for; %d free pages lay in smaller blocks only.", 1<<*o.Order, *o.Order, pages)
}

func allowedNodes(d *event.Death) (string, string) {
	if d.OOM == nil || d.OOM.Scope != "cpuset" && d.OOM.Scope != "mempolicy" {
		return "", ""
	}
	return "Allow more memory nodes (cpuset.mems, numactl --membind): memory may have been free on the others.",
		"Memory ran out on the nodes that its " + d.OOM.Scope + " allows."
}

func bySysrq(d *event.Death) (string, string) {
	if d.OOM == nil || d.OOM.Scope != "sysrq" {
		return "", ""
	}
	return "Find out who wrote f to /proc/sysrq-trigger or pressed SysRq-F; the kernel.sysrq setting can forbid the key.",
		"The OOM kill was requested by sysrq-f."
}

// limitAbove: the limit of a level above the container's was hit.
func limitAbove(d *event.Death) (string, string) {
	o := d.OOM
	if inUse(o) == 0 || !inContainer(d.Process) {
		return "", ""
	}
	hit := "The limit that was hit is that of the "
	switch o.LimitLevel {
	case "pod":
		return "Look at all containers of the pod, and at its emptyDirs of medium Memory: the pod's limit was hit, not this container's own.", hit + "pod's cgroup."
	case "qos", "slice", "node":
		return "Leave the container's own limit as it is. Make room above it: fewer pods or larger requests on this node, or a larger limit there.",
			hit + map[string]string{"qos": "QoS class's", "slice": "slice's", "node": "node's"}[o.LimitLevel] + " cgroup."
	}
	return "", ""
}

// scoreOf is the oom_score_adj of a pod's process that the node's own OOM killer
// chose.
func scoreOf(d *event.Death) (int, bool) {
	if d.Cause != event.CauseSystemOOM || !inPod(d.Process) || d.OOM == nil || d.OOM.Victim == nil || d.OOM.Victim.OOMScoreAdj == nil {
		return 0, false
	}
	return *d.OOM.Victim.OOMScoreAdj, true
}

func bestEffortPod(d *event.Death) (string, string) {
	if score, ok := scoreOf(d); !ok || score < bestEffort {
		return "", ""
	}
	return "Give the container a memory request: without requests it is the first that the kernel kills when the node runs out of memory.",
		"Its oom_score_adj was 1000, which kubelet gives to pods without requests."
}

func smallRequest(d *event.Death) (string, string) {
	score, ok := scoreOf(d)
	if !ok || score < 3 || score >= bestEffort {
		return "", ""
	}
	return "Raise the memory request to what the container uses: the larger its request, the later the kernel chooses it.",
		fmt.Sprintf("Its oom_score_adj was %d, which kubelet computes from the request.", score)
}

func groupKill(d *event.Death) (string, string) {
	if d.OOM == nil || d.OOM.GroupKill == nil || !*d.OOM.GroupKill || d.Collateral == nil || d.Collateral.Count == 0 || !inPod(d.Process) {
		return "", ""
	}
	return "If its other processes can go on without the victim, set singleProcessOOMKill: true in kubelet's configuration (1.32 and later).",
		"memory.oom.group had the kernel kill " + count(uint64(d.Collateral.Count), "other process") + " too."
}

func survivingContainer(d *event.Death) (string, string) {
	if d.OOM == nil || !inPod(d.Process) || d.ContainerSurvives == nil || !*d.ContainerSurvives {
		return "", ""
	}
	return "Let the container end when it loses this process, or alert on sigtrace_deaths_total: Kubernetes reports nothing while its init lives.",
		"The container keeps running without the process."
}

func userspaceDaemon(d *event.Death) (string, string) {
	if d.Cause != event.CauseUserspaceOOM || d.Actor == nil {
		return "", ""
	}
	because := phrase.Name(d.Actor) + " killed it to free memory."
	switch phrase.Program(d.Actor) {
	case "systemd-oomd":
		return "Raise ManagedOOMMemoryPressureLimit= or SwapUsedLimit=, or exempt its unit: ManagedOOMPreference=avoid or omit.", because
	case "earlyoom":
		return "Lower earlyoom's thresholds (-m, -s), or exempt the process: --avoid with a pattern of its name.", because
	}
	return "Look at the thresholds of " + safetext.Quote(phrase.Program(d.Actor)) + " and at what else uses the node's memory.", because
}
