// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"strings"
	"testing"
	"time"

	"github.com/sigtrace/sigtrace/internal/kubefact"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

const (
	staticUID = "0123456789abcdef0123456789abcdef"
	otherUID  = "fedcba9876543210fedcba9876543210"
)

// mirrors makes a pod the mirror of a static one, as kubelet does.
func mirrors(pod *corev1.Pod, uid string) {
	pod.Annotations = map[string]string{corev1.MirrorPodAnnotationKey: uid}
	pod.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "Node", Name: pod.Spec.NodeName}}
}

func has(facts []kubefact.Fact, kind kubefact.Kind) *kubefact.Fact {
	for i := range facts {
		if facts[i].Kind == kind {
			return &facts[i]
		}
	}
	return nil
}

// The annotation of a mirror can be set by whoever makes a pod.
func TestMirrorsOfOthers(t *testing.T) {
	for name, edit := range map[string]func(*corev1.Pod){
		"nobody owns it":              func(p *corev1.Pod) { p.OwnerReferences = nil },
		"a ReplicaSet owns it":        func(p *corev1.Pod) { p.OwnerReferences[0].Kind = "ReplicaSet" },
		"another node owns it":        func(p *corev1.Pod) { p.OwnerReferences[0].Name = "n2" },
		"no core Node":                func(p *corev1.Pod) { p.OwnerReferences[0].APIVersion = "example.org/v1" },
		"the static pod has a name":   func(p *corev1.Pod) { p.Name = "evil" },
		"and is in a namespace":       func(p *corev1.Pod) { p.Namespace = "evil" },
		"it names a pod of the API's": func(p *corev1.Pod) { p.Name = "evil"; p.Annotations[corev1.MirrorPodAnnotationKey] = "uid-7" },
	} {
		t.Run(name, func(t *testing.T) {
			teller := &podTeller{seen: map[string]*podSeen{}}
			static := aPod()
			mirrors(static, staticUID)
			teller.changed(static, time.Now())
			other := aPod()
			other.Name, other.UID = "web-7", "uid-7"
			teller.changed(other, time.Now())
			evil := aPod()
			evil.UID = "uid-evil"
			mirrors(evil, staticUID)
			edit(evil)
			evil.DeletionTimestamp = &metav1.Time{Time: time.Now()}
			for _, f := range teller.changed(evil, time.Now()) {
				if f.UID != "uid-evil" {
					t.Errorf("speaks for another pod: %+v", f)
				}
			}
		})
	}
}

// Kubelet ends every deletion with one of its own that has no grace period: forced
// is only what had none at first.
func TestForcedDeletion(t *testing.T) {
	deleting := func(grace int64) func(*corev1.Pod) {
		return func(p *corev1.Pod) {
			p.DeletionTimestamp, p.DeletionGracePeriodSeconds = &metav1.Time{Time: time.Now()}, &grace
		}
	}
	ended := func(p *corev1.Pod) { p.Status.Phase = corev1.PodSucceeded }
	for name, c := range map[string]struct {
		changes []func(*corev1.Pod) // each an update, but for the last: then it is gone
		forced  bool
		late    bool // the pod was on its way out when it was first seen
	}{
		"kubectl delete":              {[]func(*corev1.Pod){deleting(30), deleting(0)}, false, false},
		"with a period of 1":          {[]func(*corev1.Pod){deleting(1), deleting(0)}, false, false},
		"forced":                      {[]func(*corev1.Pod){deleting(0)}, true, false},
		"forced, and seen before":     {[]func(*corev1.Pod){deleting(0), func(*corev1.Pod) {}}, true, false},
		"at once":                     {[]func(*corev1.Pod){func(*corev1.Pod) {}}, true, false},
		"of a pod that had ended":     {[]func(*corev1.Pod){ended, deleting(0)}, false, false},
		"forced after a first delete": {[]func(*corev1.Pod){deleting(30), deleting(30), deleting(0)}, false, false},
		"seen at its end":             {[]func(*corev1.Pod){deleting(0), func(*corev1.Pod) {}}, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			teller := &podTeller{seen: map[string]*podSeen{}}
			pod := aPod()
			var facts []kubefact.Fact
			if !c.late {
				facts = teller.changed(pod, time.Now())
			}
			for i, change := range c.changes {
				change(pod)
				if i < len(c.changes)-1 {
					facts = append(facts, teller.changed(pod, time.Now())...)
				} else {
					facts = append(facts, teller.gone(pod, time.Now())...)
				}
			}
			forced := false
			for _, f := range facts {
				forced = forced || strings.Contains(f.Text, "--force")
			}
			if forced != c.forced {
				t.Errorf("forced: %v: %+v", forced, facts)
			}
		})
	}
}

// An edited manifest makes another static pod by the same name, and nobody deletes
// the one before.
func TestManifestEdited(t *testing.T) {
	teller := &podTeller{seen: map[string]*podSeen{}}
	pod := aPod()
	mirrors(pod, staticUID)
	if f := has(teller.changed(pod, time.Now()), kubefact.Replaced); f != nil {
		t.Errorf("%+v", f)
	}
	pod.UID = types.UID("another mirror") // of the same pod
	if f := has(teller.changed(pod, time.Now()), kubefact.Replaced); f != nil {
		t.Errorf("%+v", f)
	}
	pod.UID = types.UID("a third")
	mirrors(pod, otherUID)
	f := has(teller.changed(pod, time.Now()), kubefact.Replaced)
	if f == nil || f.UID != staticUID || f.Namespace+"/"+f.Pod != "shop/web-0" || !strings.Contains(f.Text, otherUID) {
		t.Fatalf("%+v", f)
	}
	if f := has(teller.changed(pod, time.Now()), kubefact.Replaced); f != nil {
		t.Errorf("told twice: %+v", f)
	}
}
