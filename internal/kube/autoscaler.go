// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"regexp"
	"sync"

	"github.com/sigtrace/sigtrace/internal/kubefact"
	corev1 "k8s.io/api/core/v1"
)

// The Events by which an autoscaler says what size it has set, and a Deployment what
// it has made of it (pkg/controller/podautoscaler/horizontal.go,
// pkg/controller/deployment/sync.go; the sizes stood the other way round up to 1.27).
const (
	reasonRescaled = "SuccessfulRescale"
	reasonScaling  = "ScalingReplicaSet"
)

var (
	newSize    = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^New size: (\d+);`) })
	scaledDown = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^Scaled down replica set (\S+) (?:from \d+ )?to (\d+)(?: from \d+)?$`)
	})
)

// autoscaled is who had a pod deleted that a ReplicaSet has deleted, where that was
// scaled down to the size that one autoscaler, and no other, had just set: nothing in
// these Events names the autoscaler's Deployment.
func autoscaled(by *kubefact.Requester, d *deletion, events []corev1.Event) *kubefact.Requester {
	if by == nil || by.Kind != "ReplicaSet" {
		return by
	}
	sizes := map[string]bool{}
	for i := range events {
		e := &events[i]
		m := scaledDown().FindStringSubmatch(e.Message)
		if m != nil && e.Reason == reasonScaling && e.InvolvedObject.Kind == "Deployment" && reporter(e) == "deployment-controller" &&
			m[1] == by.Name && d.isNear(e) {
			sizes[m[2]] = true
		}
	}
	autoscaler := ""
	for i := range events {
		e := &events[i]
		m := newSize().FindStringSubmatch(e.Message)
		if m == nil || e.Reason != reasonRescaled || e.InvolvedObject.Kind != "HorizontalPodAutoscaler" ||
			reporter(e) != "horizontal-pod-autoscaler" || !sizes[m[1]] || !d.isNear(e) {
			continue
		}
		if autoscaler != "" && autoscaler != e.InvolvedObject.Name {
			return by
		}
		autoscaler = e.InvolvedObject.Name
	}
	if autoscaler == "" {
		return by
	}
	return &kubefact.Requester{Kind: "HorizontalPodAutoscaler", Name: autoscaler, Via: "ReplicaSet " + by.Name}
}
