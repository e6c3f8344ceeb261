// SPDX-License-Identifier: Apache-2.0

package advice

import (
	"fmt"
	"strings"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/kubefact"
	"github.com/sigtrace/sigtrace/internal/proctree"
	"github.com/sigtrace/sigtrace/internal/safetext"
)

const texts = "evidence.*.text"

var kubernetesRules = []rule{
	{name: "probe_timed_out", topic: topicProbe, rests: []string{texts}, advise: probe("timed out",
		"Raise timeoutSeconds of the %s probe, or make what it asks for cheaper; look at CPU throttling if the answer is usually fast.")},
	{name: "probe_refused", topic: topicProbe, rests: []string{texts}, advise: probe("connection refused",
		"Check the port of the %s probe and the address that the process listens on; if it was still starting, add a startupProbe.")},
	{name: "probe_status", topic: topicProbe, rests: []string{texts}, advise: probe(": HTTP ",
		"Ask the path of the %s probe yourself: a check that fails with its dependencies restarts healthy containers.")},
	{name: "startup_too_slow", topic: topicProbe, rests: []string{"process.start_time"}, advise: startupTooSlow},
	{name: "deadline", rests: []string{"process.start_time"}, advise: deadline},
	{name: "evicted_empty_dir", rests: []string{texts}, advise: evicted("EmptyDir volume",
		"Raise sizeLimit of the emptyDir, or write less into it.")},
	{name: "evicted_ephemeral_storage", rests: []string{texts}, advise: evicted("local ephemeral storage limit",
		"Raise the limit of ephemeral-storage, or write less to the container's file system and log.")},
	{name: "evicted_node_memory", rests: []string{texts}, advise: evicted("low on resource: memory",
		"Raise the pod's memory request to what it uses: pods above their request are evicted first.")},
	{name: "evicted_node_disk", rests: []string{texts}, advise: evicted("low on resource: ephemeral-storage",
		"Free disk space of the node (images, logs), and give pods that write much a request of ephemeral-storage.")},
	{name: "start_not_found", topic: topicExit, rests: []string{texts}, advise: startFailed([]string{"executable file not found", "no such file or directory"},
		"Check command, args and the image's entrypoint: what they name is not in the image, or its interpreter is not.")},
	{name: "start_not_permitted", topic: topicExit, rests: []string{texts}, advise: startFailed([]string{"permission denied"},
		"Make the program executable in the image (chmod +x), or run it as a user who may execute it.")},
	{name: "start_wrong_format", topic: topicExit, rests: []string{texts}, advise: startFailed([]string{"exec format error"},
		"Use an image for this node's architecture (uname -m), or give the script its #! line.")},
	{name: "deleted_by_drain", topic: topicWho, rests: []string{"requester.kind"}, advise: deletedBy(kubefact.ByEvictionAPI,
		"If too many pods of a workload went at once, give it a PodDisruptionBudget: the eviction API keeps to it.")},
	{name: "deleted_by_taint", topic: topicWho, rests: []string{"requester.kind"}, advise: deletedBy(kubefact.ByTaint,
		"Look at the node's taints (kubectl describe node): remove the reason for the taint, or give the pod a toleration for it.")},
	{name: "deleted_with_namespace", topic: topicWho, rests: []string{"requester.kind"}, advise: deletedBy(kubefact.ByNamespace,
		"Look in the API server's audit log for who deleted the namespace: its pods only went with it.")},
	{name: "reported_error_for_oom", topic: topicReport, rests: []string{"kubernetes_says.reason"}, advise: reportedError},
	{name: "reported_oom_for_other", topic: topicReport, rests: []string{"kubernetes_says.reason"}, advise: reportedOOM},
}

// probe advises where kubelet got this from the probe that made it stop the
// container. The text is that of kubereason.Failure.
func probe(got, advise string) func(*event.Death) (string, string) {
	return func(d *event.Death) (string, string) {
		name := map[event.Cause]string{event.CauseLivenessProbe: "liveness", event.CauseStartupProbe: "startup"}[d.Cause]
		if name == "" {
			return "", ""
		}
		text := evidenceWith(d, name+" probe failed", got)
		if text == "" {
			return "", ""
		}
		return fmt.Sprintf(advise, name), "Kubelet reported: " + safetext.Quote(text) + "."
	}
}

// startFailed advises where the runtime's message holds one of these texts.
func startFailed(messages []string, advise string) func(*event.Death) (string, string) {
	return func(d *event.Death) (string, string) {
		if d.Cause != event.CauseStartFailed {
			return "", ""
		}
		for _, m := range messages {
			if evidenceWith(d, "exec", m) != "" { // a source that is unavailable has such texts too
				return advise, "The runtime reported: " + m + "."
			}
		}
		return "", ""
	}
}

// deletedBy advises where this had the pod deleted.
func deletedBy(kind, advise string) func(*event.Death) (string, string) {
	return func(d *event.Death) (string, string) {
		r := d.Requester
		if d.Cause != event.CausePodDeleted || r == nil || r.Kind != kind {
			return "", ""
		}
		return advise, "The deletion was requested by " + strings.TrimSpace(safetext.Quote(kind)+" "+safetext.Quote(r.Name)) + "."
	}
}

func startupTooSlow(d *event.Death) (string, string) {
	ran := ranSeconds(d)
	if d.Cause != event.CauseStartupProbe || ran == 0 {
		return "", ""
	}
	return "If it only needed longer to start, raise failureThreshold × periodSeconds of the startup probe well above that time.",
		"It had run for " + seconds(ran) + " when it ended."
}

func deadline(d *event.Death) (string, string) {
	ran := ranSeconds(d)
	if d.Cause != event.CauseDeadlineExceeded || ran == 0 {
		return "", ""
	}
	return "Raise activeDeadlineSeconds of the pod or its Job, or give each run less work.",
		"It had run for " + seconds(ran) + " when it ended."
}

// evicted advises by kubelet's own message of the eviction.
func evicted(message, advise string) func(*event.Death) (string, string) {
	return func(d *event.Death) (string, string) {
		if d.Cause != event.CauseEvicted {
			return "", ""
		}
		text := evidenceWith(d, "Evicted", message)
		if text == "" {
			return "", ""
		}
		return advise, "Kubelet reported: " + safetext.Quote(text)
	}
}

func reportedError(d *event.Death) (string, string) {
	k := d.KubernetesSays
	if k == nil || d.OOM == nil || k.Reason == "" || k.Reason == "OOMKilled" || !proctree.IsInit(d.Process) {
		return "", ""
	}
	return "Alert on sigtrace_deaths_total{cause=\"cgroup_oom\"}, not on the reason OOMKilled alone: the runtime missed this OOM kill.",
		"Kubernetes reports " + safetext.Quote(k.Reason) + ", and the kernel shows an OOM kill."
}

func reportedOOM(d *event.Death) (string, string) {
	k := d.KubernetesSays
	if k == nil || d.OOM != nil || k.Reason != "OOMKilled" {
		return "", ""
	}
	return "Look for an earlier OOM kill of another process in this container (sigtrace why --cause cgroup_oom): this end was none.",
		fmt.Sprintf("Kubernetes reports OOMKilled, and the kernel shows exit code %d without an OOM kill of this process.", d.Exit.Code)
}
