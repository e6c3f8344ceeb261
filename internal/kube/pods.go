// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/sigtrace/sigtrace/internal/kubefact"
	corev1 "k8s.io/api/core/v1"
)

// podSeen is what has been reported of a pod.
type podSeen struct {
	namespace, name string
	settings        *kubefact.PodSettings
	reported        map[string]bool
	listed, deleted bool
	// mirror is the UID of a static pod's mirror.
	mirror string
	// graceful: it is not known to have been deleted without a grace period.
	graceful bool
}

// toldMax bounds what is remembered of one pod: each restart brings a status.
const toldMax = 256

// podTeller makes facts of a node's pods: each once.
type podTeller struct {
	mu   sync.Mutex
	seen map[string]*podSeen
	// static are the UIDs of static pods that have a mirror, by namespace and name.
	static map[string]string
}

// uidOf is the UID that kubelet and the runtime know a pod by. A static pod's
// mirror in the API has one of its own, and kubelet's as an annotation
// (kubernetes.io/config.mirror, pkg/kubelet/types/pod_update.go). Whoever makes a
// pod can set that: kubelet makes its mirrors owned by its Node, and a static pod
// bears one name only.
func (t *podTeller) uidOf(pod *corev1.Pod) string {
	uid := pod.Annotations[corev1.MirrorPodAnnotationKey]
	if uid == "" || !ownedByNode(pod) {
		return string(pod.UID)
	}
	if s := t.seen[uid]; s != nil && (s.namespace != pod.Namespace || s.name != pod.Name) {
		return string(pod.UID)
	}
	return uid
}

// ownedByNode reports whether a pod's controller is the Node that it runs on.
func ownedByNode(pod *corev1.Pod) bool {
	for _, o := range pod.OwnerReferences {
		if o.APIVersion == "v1" && o.Kind == "Node" && o.Name == pod.Spec.NodeName && o.Name != "" {
			return true
		}
	}
	return false
}

func (t *podTeller) knows(uid string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.seen[uid] != nil
}

// changed says what is new of a pod.
func (t *podTeller) changed(pod *corev1.Pod, read time.Time) []kubefact.Fact {
	t.mu.Lock()
	defer t.mu.Unlock()
	uid := t.uidOf(pod)
	s := t.seen[uid]
	isNew := s == nil
	if isNew {
		s = &podSeen{namespace: pod.Namespace, name: pod.Name, reported: map[string]bool{}}
		t.seen[uid] = s
	}
	if grace := pod.DeletionGracePeriodSeconds; pod.DeletionTimestamp != nil && !s.deleted {
		// Of a pod that has ended the API server waits for nothing, whatever was
		// asked for (CheckGracefulDelete, pkg/registry/core/pod/strategy.go). Of one
		// that is on its way out when it is first seen nobody knows what was.
		s.graceful = grace == nil || *grace > 0 || hasEnded(pod) || isNew
	}
	s.listed, s.deleted = true, pod.DeletionTimestamp != nil
	var facts, replaced []kubefact.Fact
	if mirror := string(pod.UID); uid != mirror && s.mirror != mirror && !s.deleted {
		s.mirror = mirror
		facts = append(facts, kubefact.Fact{Kind: kubefact.Mirrored})
		replaced = t.replaces(s, uid, read)
	}
	if settings := settingsOf(pod); !reflect.DeepEqual(settings, s.settings) {
		s.settings = settings
		facts = append(facts, kubefact.Fact{Kind: kubefact.Pod, Settings: settings})
	}
	for _, f := range append(stateOf(pod), statuses(pod)...) {
		if len(s.reported) >= toldMax {
			clear(s.reported)
		}
		if key := string(f.Kind) + f.ContainerID + f.Reason + f.Text; !s.reported[key] {
			s.reported[key] = true
			facts = append(facts, f)
		}
	}
	return append(s.put(uid, read, facts), replaced...)
}

// replaces notes the UID of a static pod and, where there was another one by its
// name, says of that one that it has been replaced: an edited manifest is another
// pod to kubelet, and nobody deletes the one before in the API.
func (t *podTeller) replaces(s *podSeen, uid string, read time.Time) []kubefact.Fact {
	key := s.namespace + "/" + s.name
	before := t.static[key]
	if t.static == nil || len(t.static) >= staticMax {
		t.static = map[string]string{}
	}
	t.static[key] = uid
	if before == "" || before == uid {
		return nil
	}
	f := kubefact.Fact{Kind: kubefact.Replaced, After: true, Text: "the manifest of the static pod was changed: it has the new UID " + uid}
	return s.put(before, read, []kubefact.Fact{f})
}

// staticMax bounds the memory of static pods' UIDs.
const staticMax = 256

func hasEnded(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
}

// put puts the pod and the source on facts.
func (s *podSeen) put(uid string, read time.Time, facts []kubefact.Fact) []kubefact.Fact {
	for i := range facts {
		f := &facts[i]
		f.Source, f.Read, f.Namespace, f.Pod, f.UID = kubefact.SourceAPI, read, s.namespace, s.name, uid
		if f.Time.IsZero() {
			f.Time = read
		}
		f.Text = bounded(f.Text)
	}
	return facts
}

// gone reports a pod that is not in the API any more. One that was deleted with
// a grace period has been reported before: its last object has a period of 0 all the
// same, for kubelet ends every deletion with one of its own without a period.
func (t *podTeller) gone(pod *corev1.Pod, read time.Time) []kubefact.Fact {
	facts := t.changed(pod, read)
	t.mu.Lock()
	defer t.mu.Unlock()
	uid := t.uidOf(pod)
	s := t.seen[uid]
	delete(t.seen, uid)
	if s.graceful || hasEnded(pod) {
		return facts
	}
	forced := kubefact.Fact{Kind: kubefact.Deleted, Text: "the pod was deleted without a grace period (--force, or by the garbage collector)"}
	return append(facts, s.put(uid, read, []kubefact.Fact{forced})...)
}

// listed is reported once a list is complete: what is not in it has gone meanwhile.
func (t *podTeller) listed(read time.Time) []kubefact.Fact {
	t.mu.Lock()
	defer t.mu.Unlock()
	var facts []kubefact.Fact
	for uid, s := range t.seen {
		if !s.listed {
			delete(t.seen, uid)
			if !s.deleted {
				f := kubefact.Fact{Kind: kubefact.Deleted, After: true, Text: "the pod was gone when the API could be seen again"}
				facts = append(facts, s.put(uid, read, []kubefact.Fact{f})...)
			}
		}
		s.listed = false
	}
	return facts
}

// stateOf says why a pod is on its way out.
func stateOf(pod *corev1.Pod) []kubefact.Fact {
	var facts []kubefact.Fact
	for _, c := range pod.Status.Conditions {
		if f, ok := disruption(&c); ok {
			facts = append(facts, f)
		}
	}
	if kind, ok := statusKinds[pod.Status.Reason]; ok && (kind != kubefact.NodeShutdown || strings.Contains(pod.Status.Message, "shutdown")) {
		facts = append(facts, kubefact.Fact{Kind: kind, After: true, Text: pod.Status.Reason + ": " + pod.Status.Message})
	} else if hasEnded(pod) {
		facts = append(facts, kubefact.Fact{Kind: kubefact.Finished, After: true, Text: "the pod's phase is " + string(pod.Status.Phase)})
	}
	if pod.DeletionTimestamp != nil {
		f := kubefact.Fact{Kind: kubefact.Deleted, Time: pod.DeletionTimestamp.Time, Text: "the pod was deleted"}
		if grace := pod.DeletionGracePeriodSeconds; grace != nil {
			f.Time = f.Time.Add(-time.Duration(*grace) * time.Second)
			f.GraceSeconds = grace
		}
		facts = append(facts, f)
	}
	return facts
}

// statusKinds are the reasons in a pod's status that kubelet gives to pods that
// it ends.
var statusKinds = map[string]kubefact.Kind{
	"Evicted": kubefact.Evicted, "Preempting": kubefact.Preempted,
	"DeadlineExceeded": kubefact.DeadlineExceeded, "Terminated": kubefact.NodeShutdown, "Shutdown": kubefact.NodeShutdown,
}

// disruption reads the condition DisruptionTarget: who is about to end the pod.
func disruption(c *corev1.PodCondition) (kubefact.Fact, bool) {
	if c.Type != corev1.DisruptionTarget || c.Status != corev1.ConditionTrue {
		return kubefact.Fact{}, false
	}
	f := kubefact.Fact{Kind: kubefact.Disrupted, Time: c.LastTransitionTime.Time, Reason: c.Reason, Text: c.Reason + ": " + c.Message}
	switch c.Reason {
	case corev1.PodReasonPreemptionByScheduler:
		f.Kind = kubefact.Preempted
	case corev1.PodReasonTerminationByKubelet:
		switch {
		case strings.Contains(c.Message, "preempted"):
			f.Kind = kubefact.Preempted
		case strings.Contains(c.Message, "shutdown"):
			f.Kind = kubefact.NodeShutdown
		default:
			f.Kind = kubefact.Evicted
		}
	}
	return f, true
}

// statuses says how containers have ended.
func statuses(pod *corev1.Pod) []kubefact.Fact {
	var facts []kubefact.Fact
	for _, list := range [][]corev1.ContainerStatus{pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses, pod.Status.EphemeralContainerStatuses} {
		for _, c := range list {
			for _, state := range []*corev1.ContainerStateTerminated{c.LastTerminationState.Terminated, c.State.Terminated} {
				if state == nil || containerID(state.ContainerID) == "" {
					continue
				}
				code := int(state.ExitCode)
				facts = append(facts, kubefact.Fact{
					Kind: kubefact.Terminated, Time: state.FinishedAt.Time, Container: c.Name,
					ContainerID: containerID(state.ContainerID), Reason: state.Reason, ExitCode: &code,
					Text: startMessage(state.Reason, state.Message),
				})
			}
		}
	}
	return facts
}
