// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sigtrace/sigtrace/internal/kubefact"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

func ownedBy(pod *corev1.Pod, kind, name string) *corev1.Pod {
	yes := true
	pod.OwnerReferences = []metav1.OwnerReference{{Kind: kind, Name: name, UID: types.UID("uid of " + name), Controller: &yes}}
	return pod
}

func controllerEvent(kind, name, by, reason, message string, at time.Time) corev1.Event {
	return corev1.Event{
		TypeMeta:       metav1.TypeMeta{Kind: "Event", APIVersion: "v1"},
		ObjectMeta:     metav1.ObjectMeta{Namespace: "shop", Name: name + "." + reason, UID: types.UID(name + reason)},
		InvolvedObject: corev1.ObjectReference{Kind: kind, Namespace: "shop", Name: name, UID: types.UID("uid of " + name)},
		Source:         corev1.EventSource{Component: by}, Reason: reason, Message: message, LastTimestamp: metav1.NewTime(at),
	}
}

// The messages are those of Kubernetes 1.34 (pkg/controller).
func TestRequesterOf(t *testing.T) {
	now := time.Now().Truncate(time.Second)
	late := now.Add(-time.Minute)
	deleted := controllerEvent("ReplicaSet", "web-7f", "replicaset-controller", "SuccessfulDelete", "Deleted pod: web-0", now)
	rescaled := func(name string, size int) []corev1.Event {
		return []corev1.Event{controllerEvent("HorizontalPodAutoscaler", name, "horizontal-pod-autoscaler", "SuccessfulRescale",
			fmt.Sprintf("New size: %d; reason: All metrics below target", size), now)}
	}
	scaled := func(sizes string) corev1.Event {
		return controllerEvent("Deployment", "web", "deployment-controller", "ScalingReplicaSet", "Scaled down replica set web-7f "+sizes, now)
	}
	for name, c := range map[string]struct {
		kind, owner string
		events      []corev1.Event
		want        string
	}{
		"a ReplicaSet":  {"ReplicaSet", "web-7f", []corev1.Event{controllerEvent("ReplicaSet", "web-7f", "replicaset-controller", "SuccessfulDelete", "Deleted pod: web-0", now)}, "ReplicaSet web-7f SuccessfulDelete"},
		"a StatefulSet": {"StatefulSet", "web", []corev1.Event{controllerEvent("StatefulSet", "web", "statefulset-controller", "SuccessfulDelete", "delete Pod web-0 in StatefulSet web successful", now)}, "StatefulSet web SuccessfulDelete"},
		"a DaemonSet":   {"DaemonSet", "log", []corev1.Event{controllerEvent("DaemonSet", "log", "daemonset-controller", "SuccessfulDelete", "Deleted pod: web-0", now)}, "DaemonSet log SuccessfulDelete"},
		"a Job's deadline": {"Job", "work", []corev1.Event{
			controllerEvent("Job", "work", "job-controller", "SuccessfulDelete", "Deleted pod: web-0", now),
			controllerEvent("Job", "work", "job-controller", "DeadlineExceeded", "Job was active longer than specified deadline", now),
		}, "Job work DeadlineExceeded"},
		"a suspended Job": {"Job", "work", []corev1.Event{controllerEvent("Job", "work", "job-controller", "Suspended", "Job suspended", now)}, "Job work Suspended"},
		"a CronJob":       {"Job", "work", []corev1.Event{controllerEvent("CronJob", "nightly", "cronjob-controller", "SuccessfulDelete", "Deleted job work", now)}, "CronJob nightly SuccessfulDelete"},
		"of many at once": {"ReplicaSet", "web-7f", []corev1.Event{controllerEvent("ReplicaSet", "web-7f", "replicaset-controller", "SuccessfulDelete", "(combined from similar events): Deleted pod: web-9", now)}, "ReplicaSet web-7f SuccessfulDelete"},
		"of another pod":  {"ReplicaSet", "web-7f", []corev1.Event{controllerEvent("ReplicaSet", "web-7f", "replicaset-controller", "SuccessfulDelete", "Deleted pod: web-01", now)}, ""},
		"of another one":  {"ReplicaSet", "web-7f", []corev1.Event{controllerEvent("ReplicaSet", "web-8a", "replicaset-controller", "SuccessfulDelete", "Deleted pod: web-0", now)}, ""},
		"a minute ago":    {"StatefulSet", "web", []corev1.Event{controllerEvent("StatefulSet", "web", "statefulset-controller", "SuccessfulDelete", "delete Pod web-0 in StatefulSet web successful", late)}, ""},
		"by somebody":     {"ReplicaSet", "web-7f", []corev1.Event{controllerEvent("ReplicaSet", "web-7f", "me", "SuccessfulDelete", "Deleted pod: web-0", now)}, ""},
		"none":            {"ReplicaSet", "web-7f", nil, ""},
		"an autoscaler":   {"ReplicaSet", "web-7f", append(rescaled("web", 1), deleted, scaled("from 3 to 1")), "HorizontalPodAutoscaler web ReplicaSet web-7f"},
		"of an older one": {"ReplicaSet", "web-7f", append(rescaled("web", 1), deleted, scaled("to 1 from 3")), "HorizontalPodAutoscaler web ReplicaSet web-7f"},
		"to another size": {"ReplicaSet", "web-7f", append(rescaled("web", 2), deleted, scaled("from 3 to 1")), "ReplicaSet web-7f SuccessfulDelete"},
		"which of two":    {"ReplicaSet", "web-7f", append(append(rescaled("web", 1), rescaled("db", 1)...), deleted, scaled("from 3 to 1")), "ReplicaSet web-7f SuccessfulDelete"},
		"not scaled":      {"ReplicaSet", "web-7f", append(rescaled("web", 1), deleted), "ReplicaSet web-7f SuccessfulDelete"},
	} {
		t.Run(name, func(t *testing.T) {
			d := deletion{namespace: "shop", name: "web-0", at: now, owner: ownedBy(aPod(), c.kind, c.owner).OwnerReferences[0]}
			got := ""
			if by := autoscaled(requesterOf(&d, c.events), &d, c.events); by != nil {
				got = by.Kind + " " + by.Name + " " + by.Via
			}
			if got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// A failed Job deletes its pods, and says why once they are gone.
func TestJobSaysWhyLater(t *testing.T) {
	s := newServer(t)
	now := time.Now().Truncate(time.Second)
	s.lists["namespaces/shop"] = []any{corev1.Namespace{TypeMeta: metav1.TypeMeta{Kind: "Namespace", APIVersion: "v1"}}}
	s.lists["namespaces/shop/events"] = []any{controllerEvent("Job", "work", "job-controller", "SuccessfulDelete", "Deleted pod: web-0", now)}
	client, err := Access{Kubeconfig: s.kubeconfig(t)}.Client()
	if err != nil {
		t.Fatal(err)
	}
	r := newRequesters(client)
	pod := ownedBy(aPod(), "Job", "work")
	pod.DeletionTimestamp = &metav1.Time{Time: now}
	teller := podTeller{seen: map[string]*podSeen{}}
	r.note(pod, teller.changed(pod, now))
	reported := make(chan kubefact.Fact, 8)
	go r.run(t.Context(), func(f kubefact.Fact) { reported <- f })
	for _, want := range []string{"SuccessfulDelete", "DeadlineExceeded"} {
		select {
		case f := <-reported:
			if f.Requester.Via != want {
				t.Errorf("%+v, want %s", f.Requester, want)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%s was not said", want)
		}
		s.mu.Lock()
		s.lists["namespaces/shop/events"] = append(s.lists["namespaces/shop/events"],
			controllerEvent("Job", "work", "job-controller", "DeadlineExceeded", "Job was active longer than specified deadline", now))
		s.mu.Unlock()
	}
}

// Sixty pods of a StatefulSet that are deleted at once make two requests and not 120,
// and of each it is said who wanted it; of a namespace that was deleted one does.
func TestRequestersAreAskedOnce(t *testing.T) {
	for _, namespace := range []bool{false, true} {
		s := newServer(t)
		now := time.Now().Truncate(time.Second)
		ns := corev1.Namespace{TypeMeta: metav1.TypeMeta{Kind: "Namespace", APIVersion: "v1"}, ObjectMeta: metav1.ObjectMeta{Name: "shop"}}
		if namespace {
			ns.DeletionTimestamp = &metav1.Time{Time: now.Add(-time.Second)}
		}
		s.lists["namespaces/shop"] = []any{ns}
		client, err := Access{Kubeconfig: s.kubeconfig(t)}.Client()
		if err != nil {
			t.Fatal(err)
		}
		r := newRequesters(client)
		for i := range 60 {
			pod := ownedBy(aPod(), "StatefulSet", "web")
			pod.Name, pod.UID = fmt.Sprint("web-", i), types.UID(fmt.Sprint("uid-", i))
			pod.DeletionTimestamp = &metav1.Time{Time: now}
			teller := podTeller{seen: map[string]*podSeen{}}
			r.note(pod, teller.changed(pod, now))
			if !namespace {
				s.lists["namespaces/shop/events"] = append(s.lists["namespaces/shop/events"],
					controllerEvent("StatefulSet", "web", "statefulset-controller", "SuccessfulDelete", "delete Pod "+pod.Name+" in StatefulSet web successful", now))
			}
		}
		reported := make(chan kubefact.Fact, 200)
		go r.run(t.Context(), func(f kubefact.Fact) { reported <- f })
		for range 60 {
			var f kubefact.Fact
			select {
			case f = <-reported:
			case <-time.After(10 * time.Second):
				t.Fatal("nothing was said of a deletion")
			}
			want := "StatefulSet"
			if namespace {
				want = kubefact.ByNamespace
			}
			if f.Requester == nil || f.Requester.Kind != want || !strings.HasPrefix(f.UID, "uid-") || f.Event == namespace {
				t.Fatalf("%+v", f)
			}
		}
		s.mu.Lock()
		if want := map[bool]int{false: 2, true: 1}[namespace]; len(s.asked) != want {
			t.Errorf("%d requests: %q", len(s.asked), s.asked)
		}
		s.mu.Unlock()
	}
}
