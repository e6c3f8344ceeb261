// SPDX-License-Identifier: Apache-2.0

package explain

// counter is why OOMKilled is wrong in both directions.
const counter = "The runtime sets it from a counter of the container's cgroup, not from this end. After an OOM kill of a child a later exit or SIGTERM is reported as OOMKilled too; if the runtime misses the kernel's event, a true OOM kill is reported as Error."

// reasonTexts: what Kubernetes reports for the end of a container or pod.
var reasonTexts = map[string]text{
	"OOMKilled": {
		means: "The container runtime counted an OOM kill in the container's cgroup. Usually the container's PID 1 was killed at its memory limit, with exit code 137.",
		known: counter + " sigtrace compares both: `kubernetes_says.agrees` is false where the kernel shows otherwise.",
		look: []string{
			"The exit code beside it: 137 fits an OOM kill of PID 1, any other code does not.",
			"`sigtrace why NS/POD`: whose limit was hit, what filled it, which process was killed.",
		},
		change:  []string{"As for cgroup_oom: raise the limit, or bound what grows.", "Do not change limits for an OOMKilled that the kernel does not show: look for the child's kill before it."},
		related: []string{"cgroup_oom", "system_oom", "exited", "liveness_probe"},
	},
	"Error": {
		means: "The container's PID 1 exited with another code than 0, or by a signal. Kubernetes does not say which: 137 is SIGKILL by anybody, a missed OOM kill included.",
		known: "sigtrace takes the cause from the kernel, not from this reason. `kubernetes_says` repeats it with the exit code.",
		look: []string{
			"`sigtrace why NS/POD`: the signal's sender, or that there was none.",
			"`sigtrace explain CODE` for the exit code, `kubectl logs --previous` for the program's own words.",
		},
		change:  []string{"What the page of the cause says."},
		related: []string{"exited", "foreign_process", "cgroup_oom", "kernel_fault", "liveness_probe", "pod_deleted", "runtime_stop"},
	},
	"Completed": {
		means: "The container's PID 1 exited with code 0. For a Job that is success; a service that should stay has ended, or was stopped and exited in order.",
		known: "sigtrace shows whether it exited of its own accord (`exited`) or because it was asked to (`signals`, the cause).",
		look:  []string{"`sigtrace why NS/POD`: whether a stop signal came before.", "Whether the program went to the background: the container ends with its PID 1."},
		change: []string{
			"Keep a service in the foreground.",
			"Nothing, if it was stopped on purpose.",
		},
		related: []string{"exited", "pod_deleted", "liveness_probe", "runtime_stop", "container_changed"},
	},
	"CrashLoopBackOff": {
		means: "No end, but the wait before the next start: the container has ended again and again, and kubelet waits longer each time, up to five minutes by default. The reason of each end is in Last State.",
		known: "sigtrace has a record of each of these ends; the waiting itself is kubelet's.",
		look: []string{
			"`sigtrace why NS/POD --last 0`: whether all ends have the same cause.",
			"`kubectl describe pod`: Last State with reason and exit code; `kubectl logs --previous`.",
		},
		change:  []string{"What the page of the cause says that repeats. Exit codes 126 and 127 are the image or command, 137 with `cgroup_oom` the limit, a probe's cause the probe."},
		related: []string{"exited", "cgroup_oom", "liveness_probe", "startup_probe", "kernel_fault", "poststart_hook"},
	},
	"ContainerCannotRun": {
		means: "The runtime could not start the container's program: it is not in the image, not executable, or a mount or directory is missing. Docker reports it so, containerd StartError.",
		known: "The process that ends is the runtime's own (`runc init`), before it executes the program. Its exit code 1 is not the program's.",
		look:  []string{"The message in `kubectl describe pod`: it has the runtime's error (`exec: \"…\": executable file not found in $PATH`)."},
		change: []string{
			"Correct `command`, `args` or the image's entrypoint, and the modes of files.",
		},
		related: []string{"start_failed", "cgroup_oom"},
	},
	"StartError": {
		means: "The runtime could not start the container's program; Kubernetes reports exit code 128 and the runtime's message. A memory limit of a few MiB or less gives it too: the runtime itself is OOM-killed in the container's cgroup.",
		known: "The process that ends is the runtime's own (`runc init`). An OOM kill of it is `cgroup_oom` with `runc` as the victim.",
		look: []string{
			"The message in `kubectl describe pod`: `container init was OOM-killed (memory limit too low?)` or what could not be executed.",
			"`sigtrace why NS/POD --full`: the records of `runc:[2:INIT]`.",
		},
		change: []string{
			"Correct `command`, `args`, mounts or the image.",
			"Write the memory limit with its unit: `1024m` is 1.024 bytes.",
		},
		related: []string{"start_failed", "cgroup_oom"},
	},
	"Evicted": {
		means: "Kubelet evicted the pod because the node was short of memory, disk or process IDs, or because the pod exceeded a limit of its own storage. Drainers may write Events of the same reason around the eviction API: those are deletions.",
		known: "Kubelet's Event, log and the pod's status; the kernel shows the signal.",
		look:  []string{"The message: it names the resource or the volume.", "`kubectl describe node`: conditions and allocated resources."},
		change: []string{
			"Requests of what the pod uses; a larger `sizeLimit` or ephemeral-storage limit if its own was exceeded.",
		},
		related: []string{"evicted", "pod_deleted"},
	},
	"DeadlineExceeded": {
		means:  "The pod ran for longer than its `activeDeadlineSeconds`; of a Job the same reason means that the Job did, and its pods were deleted.",
		known:  "The Event or the pod's status; the kernel shows the signal. Of a Job's own deadline the cause is `pod_deleted`.",
		look:   []string{"On which object the reason stands: the pod or the Job.", "How long the run was, and what it waited for."},
		change: []string{"Raise `activeDeadlineSeconds`, or give each run less work."},

		related: []string{"deadline_exceeded", "pod_deleted"},
	},
	"Preempting": {
		means:   "Kubelet ended the pod to admit a critical one to the node. The scheduler's preemption has the Event Preempted and the condition DisruptionTarget instead.",
		known:   "Kubelet's Event or log; the kernel shows the signal.",
		look:    []string{"Which pod was admitted: static pods and system-node-critical ones may preempt.", "Requests of the node: `kubectl describe node`."},
		change:  []string{"Leave room for critical pods on the node, or give this one a higher priority."},
		related: []string{"preempted"},
	},
	"NodeShutdown": {
		means:   "The node was shutting down, and kubelet ended or rejected the pod. Newer kubelets report the reason Terminated of the pod, in response to imminent node shutdown.",
		known:   "The pod's status and kubelet's log; the kernel shows the signal.",
		look:    []string{"Who shut the node down: `journalctl -b -1`, the cloud provider's notices."},
		change:  []string{"Nothing, if it was meant; else `shutdownGracePeriod` in kubelet's configuration, so that pods have time."},
		related: []string{"node_shutdown"},
	},
}
