// SPDX-License-Identifier: Apache-2.0

package explain

import "github.com/sigtrace/sigtrace/internal/event"

// byKubelet is how each stop that kubelet has a reason for is known.
const byKubelet = "The kernel shows the signal, sent by the container runtime. The reason is Kubernetes': %s `proven`: two independent sources agree, and not Events alone, which anybody with the right in the namespace can write. `likely`: one source, or a process that handled the signal and exited. `actor` is absent, `requested_by` is kubelet."

var kubernetesPages = map[event.Cause]text{
	event.CauseLivenessProbe: {
		means: "Kubelet ran the container's liveness probe, it failed `failureThreshold` times in a row, and kubelet had the container stopped: SIGTERM, and SIGKILL after the grace period of the probe or the pod.",
		known: knownBy("kubelet's log, its Event of reason Killing, or its counters of failed probes."),
		look: []string{
			"What the probe got: the summary quotes it where kubelet's log or an Event has it (HTTP status, connection refused, timed out).",
			"CPU throttling and load at that time: a probe with `timeoutSeconds: 1` fails first.",
			"Whether the path that is probed depends on other services.",
		},
		change: []string{
			"Let the probe ask only whether a restart would help; what depends on others belongs into a readiness probe.",
			"Raise `timeoutSeconds` and `failureThreshold`, or the CPU limit if it is throttled.",
			"For a slow start use a startupProbe, not a long `initialDelaySeconds`.",
		},
		related: []string{"CrashLoopBackOff", "Error", "Completed"},
	},
	event.CauseStartupProbe: {
		means: "The container had not answered its startup probe within `failureThreshold` × `periodSeconds`, and kubelet had it stopped.",
		known: knownBy("kubelet's log, its Event of reason Killing, or its counters of failed probes."),
		look: []string{
			"How long it had run: `process.start_time` against `time`.",
			"What the probe got, and what the process waited for: its log.",
		},
		change: []string{
			"Raise `failureThreshold` or `periodSeconds` well above the slowest start that is healthy.",
			"If it never listens where the probe asks: correct the port, the path or the address.",
		},
		related: []string{"CrashLoopBackOff", "Error", "Completed"},
	},
	event.CausePodDeleted: {
		means: "Somebody deleted the pod: a person, a controller that scaled down or rolled out, a drain. Kubelet had its containers stopped. This is a normal end.",
		known: knownBy("the pod's deletionTimestamp in the API, kubelet's own list of pods, or its log. Who asked is said where the API shows it, such as the condition DisruptionTarget of a drain."),
		look: []string{
			"Events of the pod's controller (`kubectl describe replicaset`, `job`, `statefulset`): SuccessfulDelete.",
			"The API server's audit log: verb delete or create of pods/eviction, with the user.",
			"`signals`: whether it took the whole grace period. Ignored SIGTERM of PID 1 is the usual reason.",
		},
		change: []string{
			"Nothing, if the deletion was meant.",
			"If it ended by SIGKILL: handle SIGTERM and finish within `terminationGracePeriodSeconds`, or raise that.",
			"A PodDisruptionBudget bounds how many pods a drain takes at once.",
		},
		related: []string{"Completed", "Error"},
	},
	event.CauseEvicted: {
		means: "Kubelet evicted the pod: the node was short of memory, disk or process IDs, or the pod exceeded its own limit of ephemeral storage or of an emptyDir. At a hard threshold the grace period is 1 to 2 s.",
		known: knownBy("the Event or the pod's status of reason Evicted, with kubelet's message, and kubelet's log."),
		look: []string{
			"Kubelet's message in the summary: it names the resource, or the volume and its limit.",
			"`kubectl describe node`: the conditions MemoryPressure, DiskPressure, PIDPressure.",
			"What the pod used against its requests: pods above their requests are evicted first.",
		},
		change: []string{
			"Give the pod requests of what it uses, of ephemeral-storage too.",
			"Raise `sizeLimit` or the ephemeral-storage limit if its own limit was exceeded, or write less.",
			"Free disk space of the node: images, logs, or another threshold of kubelet's (`evictionHard`, image garbage collection).",
		},
		related: []string{"Evicted"},
	},
	event.CausePreempted: {
		means: "The pod had to make room for a more important one: the scheduler preempted it for a pod of higher priority, or kubelet did to admit a critical pod.",
		known: knownBy("the condition DisruptionTarget of reason PreemptionByScheduler, the Events Preempted and Preempting, or kubelet's log."),
		look: []string{
			"The message in the summary: it names the other pod where Kubernetes does.",
			"Priority classes (`kubectl get priorityclass`) and requests of both pods.",
		},
		change: []string{
			"Give the pod a higher priorityClass, or the other one `preemptionPolicy: Never`.",
			"Add capacity, or lower requests that nobody uses.",
		},
		related: []string{"Preempting"},
	},
	event.CauseNodeShutdown: {
		means: "The node was shutting down, and kubelet ended its pods before it (graceful node shutdown).",
		known: knownBy("the pod's status (Terminated, imminent node shutdown) or kubelet's log."),
		look: []string{
			"Who shut the node down: `journalctl -b -1`, the cloud provider's maintenance or spot notices.",
			"`signals`: whether the pod had enough time.",
		},
		change: []string{
			"Nothing, if the shutdown was meant.",
			"Raise `shutdownGracePeriod` and `shutdownGracePeriodCriticalPods` in kubelet's configuration if pods were killed.",
		},
		related: []string{"NodeShutdown", "Error"},
	},
	event.CauseDeadlineExceeded: {
		means: "The pod ran for longer than its `activeDeadlineSeconds`, and kubelet ended it.",
		known: knownBy("the Event or the pod's status of reason DeadlineExceeded."),
		look: []string{
			"How long it ran, and what it spent the time on: its log.",
			"Whether the deadline is the pod's or its Job's; a Job's own deadline deletes its pods (`pod_deleted`).",
		},
		change:  []string{"Raise `activeDeadlineSeconds`, or give each run less work."},
		related: []string{"DeadlineExceeded"},
	},
	event.CauseContainerChanged: {
		means: "The container's definition changed (its image, its resources with a restart policy for resizing, a static pod's manifest), and kubelet restarts it. This is a normal end.",
		known: knownBy("kubelet's log, its Event of reason Killing (definition changed, resize requires restart), or the manifest's new UID."),
		look: []string{
			"Who changed the pod: managedFields of the pod, the API server's audit log, the manifest's directory on the node.",
		},
		change:  []string{"Nothing, if the change was meant."},
		related: []string{"Completed", "Error"},
	},
	event.CausePoststartHook: {
		means: "The container's postStart hook failed or ran out of time, and kubelet had the container stopped.",
		known: knownBy("the Event FailedPostStartHook or kubelet's log."),
		look: []string{
			"Kubelet's message: it has the hook's exit code or error.",
			"Whether the hook needs something that the container has not started yet: they begin at the same time.",
		},
		change: []string{
			"Let the hook wait and retry for what it needs, or move its work into an init container.",
		},
		related: []string{"CrashLoopBackOff", "Error"},
	},
	event.CauseSandboxChanged: {
		means: "The pod's sandbox (its pause container and network) was gone or not usable any more, and kubelet recreates it with all containers.",
		known: knownBy("the Event SandboxChanged or kubelet's log."),
		look: []string{
			"The death of the sandbox itself: `sigtrace why --full` has its own record just before.",
			"The container runtime's log: a restart, a failed network plugin, a reboot.",
		},
		change: []string{
			"Find what ends the sandbox. Of the containers nothing has to be changed.",
		},
		related: []string{"Error"},
	},
	event.CausePodFinished: {
		means: "The pod's work was done or had failed for good, and kubelet ended what was left: its sandbox, its sidecars.",
		known: knownBy("the phase of the pod and the ends of the containers that did its work."),
		look: []string{
			"The summary says how the work ended; of several containers it names the worst end.",
			"The record of that container: `sigtrace why NS/POD`.",
		},
		change:  []string{"Nothing here: what ended the work is in the other container's record."},
		related: []string{"Completed", "Error"},
	},
}
