// SPDX-License-Identifier: Apache-2.0

// Command kubeletlog writes the lines that the parser of kubelet's log is tested
// with: the messages, keys and types are those of kubelet's sources, the form is
// that of the klog that a release of Kubernetes requires. For each minor release,
// in a module of its own that requires that klog: go run lines.go > 1.MINOR.log.
// For JSON, klog.SetLogger with NewJSONLogger of that release's
// k8s.io/component-base/logs/json. 1.25 has KObjs where later ones have
// KObjSlice; since 1.35 a preemption names the requesting pod.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"

	"k8s.io/klog/v2"
)

// containerID is printed as kubelet's kubecontainer.ContainerID.
type containerID struct{ Type, ID string }

func (c *containerID) String() string { return c.Type + "://" + c.ID }

// meta is what klog.KObj asks of an object.
type meta struct{ ns, name string }

func (m meta) GetName() string      { return m.name }
func (m meta) GetNamespace() string { return m.ns }

// ev is a pleg.PodLifecycleEvent, as far as klog prints it.
type ev struct {
	ID, Type string
	Data     any
}

func main() {
	klog.InitFlags(nil)
	// Without one_output an error is written once for each lower severity too.
	for name, value := range map[string]string{"logtostderr": "false", "one_output": "true", "stderrthreshold": "FATAL", "v": "5"} {
		if err := flag.Set(name, value); err != nil {
			fmt.Fprintln(os.Stderr, "kubeletlog:", err)
			os.Exit(1)
		}
	}
	var buf bytes.Buffer
	klog.SetOutput(&buf)

	id := containerID{"containerd", "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"}
	pod := meta{"shop", "web-0"}
	pods := []*meta{{"shop", "web-0"}, {"shop", "web-1"}}
	uid := "2c1d9f6e-0b7a-4c7e-9d53-0a6f4b1f7c11"
	klog.V(2).InfoS("SyncLoop ADD", "source", "api", "pods", klog.KObjSlice(pods))
	klog.V(1).InfoS("Probe failed", "probeType", "Liveness", "pod", klog.KObj(pod), "podUID", uid, "containerName", "app", "probeResult", "failure", "output", "HTTP probe failed with statuscode: 500")
	klog.V(1).InfoS("Probe failed", "probeType", "Liveness", "pod", klog.KObj(pod), "podUID", uid, "containerName", "app", "probeResult", "failure", "output", "cat: can't open '/tmp/healthy': No such file\nsecond line \"quoted\" ] I0102\n")
	klog.V(1).ErrorS(errors.New("rpc error: code = DeadlineExceeded"), "Probe errored", "probeType", "Startup", "pod", klog.KObj(pod), "podUID", uid, "containerName", "app")
	klog.V(1).InfoS("SyncLoop (probe)", "probe", "liveness", "status", "unhealthy", "pod", klog.KObj(pod))
	klog.V(2).InfoS("Message for Container of pod", "containerName", "app", "containerStatusID", id, "pod", klog.KObj(pod), "containerMessage", "Container app failed liveness probe, will be restarted")
	klog.V(2).InfoS("Message for Container of pod", "containerName", "app", "containerStatusID", id, "pod", klog.KObj(pod), "containerMessage", "Container app failed startup probe")
	klog.V(2).InfoS("Message for Container of pod", "containerName", "app", "containerStatusID", id, "pod", klog.KObj(pod), "containerMessage", "Container app definition changed, will be restarted")
	klog.V(2).InfoS("Message for Container of pod", "containerName", "app", "containerStatusID", id, "pod", klog.KObj(pod), "containerMessage", "Container app resize requires restart")
	klog.V(2).InfoS("Message for Container of pod", "containerName", "setup", "containerStatusID", id, "pod", klog.KObj(pod), "containerMessage", "Init container setup failed startup probe")
	klog.V(3).InfoS("Running preStop hook", "pod", klog.KObj(pod), "podUID", uid, "containerName", "app", "containerID", id.String())
	klog.V(3).InfoS("Killing container with a grace period override", "pod", klog.KObj(pod), "podUID", uid, "containerName", "app", "containerID", id.String(), "gracePeriod", int64(5))
	klog.V(2).InfoS("Killing container with a grace period", "pod", klog.KObj(pod), "podUID", uid, "containerName", "app", "containerID", id.String(), "gracePeriod", int64(30))
	klog.ErrorS(errors.New("command 'false' exited with 1: "), "Failed to execute PostStartHook", "pod", klog.KObj(pod), "podUID", uid, "containerName", "app", "containerID", id.String())
	klog.V(2).InfoS("SyncLoop DELETE", "source", "api", "pods", klog.KObjSlice(pods))
	klog.V(2).InfoS("SyncLoop REMOVE", "source", "file", "pods", klog.KObjSlice(pods[:1]))
	klog.InfoS("Eviction manager: must evict pod(s) to reclaim", "resourceName", "ephemeral-storage")
	klog.V(3).InfoS("Evicting pod", "pod", klog.KObj(pod), "podUID", uid, "message", "The node was low on resource: ephemeral-storage. Threshold quantity: 1Gi, available: 900Mi. ")
	klog.InfoS("Eviction manager: pod is evicted successfully", "pod", klog.KObj(pod))
	klog.InfoS("Eviction manager: pods evicted, waiting for pod to be cleaned up", "pods", klog.KObjSlice(pods))
	klog.V(2).InfoS("Preempting pod to free up resources", "pod", klog.KObj(pod), "podUID", uid, "insufficientResources", map[string]int{"cpu": 100})
	klog.V(1).InfoS("Shutdown manager killing pod with gracePeriod", "pod", klog.KObj(pod), "gracePeriod", int64(10))
	klog.V(2).InfoS("No ready sandbox for pod can be found. Need to start a new one", "pod", klog.KObj(pod))
	klog.V(2).InfoS("Sandbox for pod has changed. Need to start a new one", "pod", klog.KObj(pod))
	klog.V(2).InfoS("SyncLoop (PLEG): event for pod", "pod", klog.KObj(pod), "event", ev{uid, "ContainerDied", id.ID})
	occurred("spec.containers{app}", "Normal", "Killing", "Container app failed liveness probe, will be restarted")
	occurred("spec.containers{app}", "Normal", "Killing", "Stopping container app")
	occurred("spec.containers{app}", "Warning", "Unhealthy", "Liveness probe failed: Get \"http://127.0.0.1:8080/\": dial tcp: connection refused")
	occurred("spec.containers{app}", "Warning", "Unhealthy", "Readiness probe failed: no")
	occurred("spec.containers{app}", "Warning", "FailedPostStartHook", "PostStartHook failed")
	occurred("spec.containers{app}", "Normal", "Killing", "FailedPostStartHook")
	occurred("", "Warning", "Evicted", "Usage of EmptyDir volume \"scratch\" exceeds the limit \"1Mi\". ")
	occurred("", "Warning", "Preempting", "Preempted in order to admit critical pod")
	occurred("", "Normal", "DeadlineExceeded", "Pod was active on the node longer than the specified deadline")
	occurred("", "Normal", "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.")
	occurred("", "Warning", "BackOff", "Back-off restarting failed container app in pod web-0")
	klog.Infof("Starting kubelet in %q", "plain")
	klog.Flush()
	if _, err := os.Stdout.Write(buf.Bytes()); err != nil {
		fmt.Fprintln(os.Stderr, "kubeletlog:", err)
		os.Exit(1)
	}
}

// occurred is the line of an Event that kubelet's recorder logs.
func occurred(path, kind, reason, message string) {
	klog.V(3).InfoS("Event occurred", "object", klog.KRef("shop", "web-0"), "fieldPath", path, "kind", "Pod", "apiVersion", "v1", "type", kind, "reason", reason, "message", message)
}
