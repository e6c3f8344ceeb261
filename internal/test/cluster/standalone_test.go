// SPDX-License-Identifier: Apache-2.0

//go:build cluster

package cluster

import (
	"context"
	"encoding/json"
	"os"
	"slices"
	"testing"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// A kubelet with no cluster, static pods only: its log and its counters are
// all that there is, and its log says little at verbosity 0, kubeadm's.
func TestStandalone(t *testing.T) {
	for verbosity, quiet := range map[string]bool{"2": false, "0": true} {
		t.Run("v="+verbosity, func(t *testing.T) {
			b := startBed(t, "-standalone", "-v", verbosity)
			m := newMatrix(t, standaloneSets(b))
			t.Run("scenarios", func(t *testing.T) {
				for _, sc := range chosen(staticScenarios(quiet)) {
					t.Run(sc.name, func(t *testing.T) {
						t.Parallel()
						m.play(t, b, nil, sc)
					})
				}
			})
		})
	}
}

func standaloneSets(b *testBed) []sourceSet {
	base := []string{"--cgroup", b.CgroupRoot, "--node-name", b.Node, "--cri-endpoint", b.CRISocket, "--kubeconfig", "off"}
	kubeletLog, kubeletURL := []string{"--kubelet-log", b.KubeletLog}, []string{"--kubelet-url", b.ReadOnlyURL}
	return []sourceSet{
		{log, slices.Concat(base, kubeletLog, []string{"--kubelet-url", "off"})},
		{counters, slices.Concat(base, kubeletURL, []string{"--kubelet-log", "off"})},
		{all, slices.Concat(base, kubeletLog, kubeletURL)},
	}
}

func staticScenarios(quiet bool) []scenario {
	probed, deleted := map[string]string{}, map[string]string{counters: "runtime_stop"}
	if quiet {
		probed[log] = "runtime_stop"
		deleted[log], deleted[all] = "runtime_stop", "runtime_stop"
	}
	return []scenario{
		{"liveness-exec", "liveness_probe", probed, 0, 0, func(s *stage) victim {
			s.createStatic(app(heeds, sick, state), liveness(byExec()))
			return s.found("app", true)
		}},
		{"liveness-exec-ignores", "liveness_probe", probed, 4, 137, func(s *stage) victim {
			s.createStatic(app(ignores, sick, state), liveness(byExec()))
			return s.found("app", true)
		}},
		{"startup", "startup_probe", probed, 0, 143, func(s *stage) victim {
			s.createStatic(app("-on-term=exit=143", "-sick-after=1ms", state), func(p *core.Pod) {
				p.Spec.Containers[0].StartupProbe = startup(byExec())
			})
			return s.found("app", true)
		}},
		{"manifest-removed", "pod_deleted", deleted, 0, 0, func(s *stage) victim {
			s.createStatic(app(heeds))
			v := s.found("app", false)
			s.up("/bin/app", v.pod)
			s.removeStatic()
			return v
		}},
		{"killed-from-the-host", "foreign_process", nil, 0, 137, func(s *stage) victim {
			s.createStatic(app(heeds))
			v := s.found("app", false)
			s.kill(s.pid(v))
			return v
		}},
	}
}

// createStatic gives kubelet the pod's manifest.
func (s *stage) createStatic(changes ...change) {
	s.Helper()
	pod := s.plainPod()
	pod.TypeMeta = meta.TypeMeta{APIVersion: "v1", Kind: "Pod"}
	for _, c := range changes {
		c(pod)
	}
	manifest, err := json.Marshal(pod)
	if err != nil {
		s.Fatal(err)
	}
	s.static(s.name, string(manifest))
}

func (s *stage) removeStatic() { _ = os.Remove(s.bed.StaticPods + "/" + s.name + ".yaml") }

// found is the first container of the pod that the runtime has, once it runs or
// has ended. Kubelet calls a static pod NAME-NODE.
func (s *stage) found(name string, ended bool) victim {
	s.Helper()
	var v victim
	client := s.runtime()
	filter := &cri.ContainerFilter{LabelSelector: map[string]string{
		"io.kubernetes.pod.name": s.name + "-" + s.bed.Node, "io.kubernetes.container.name": name,
	}}
	want := cri.ContainerState_CONTAINER_RUNNING
	if ended {
		want = cri.ContainerState_CONTAINER_EXITED
	}
	eventually(s.T, s.name+": the runtime has container "+name, func() bool {
		list, err := client.ListContainers(context.Background(), &cri.ListContainersRequest{Filter: filter})
		if err != nil {
			return false
		}
		for _, c := range list.Containers {
			if c.State == want && c.Metadata.GetAttempt() == 0 {
				v = victim{container: c.Id, pod: c.Labels["io.kubernetes.pod.uid"]}
				return true
			}
		}
		return false
	})
	return v
}
