// SPDX-License-Identifier: Apache-2.0

//go:build cluster

package cluster

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	core "k8s.io/api/core/v1"
	policy "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/utils/ptr"
)

// deletionScenarios: somebody deletes the pod through the API.
func deletionScenarios() []scenario {
	return []scenario{
		{"deleted", "pod_deleted", kubeletsOwn, 0, 0, func(s *stage) victim {
			s.create(app(heeds))
			v := s.running("app")
			s.delete(meta.DeleteOptions{})
			return v
		}},
		{"deleted-ignores", "pod_deleted", kubeletsOwn, 4, 137, func(s *stage) victim {
			s.create(app(ignores))
			v := s.running("app")
			s.delete(meta.DeleteOptions{})
			return v
		}},
		{"deleted-by-force", "pod_deleted", kubeletsOwn, 0, -1, func(s *stage) victim {
			s.create(app(ignores))
			v := s.running("app")
			s.kubectl("delete", "pod", s.name, "--force", "--grace-period=0")
			return v
		}},
		{"drained", "pod_deleted", kubeletsOwn, 0, 0, func(s *stage) victim {
			s.create(app(heeds))
			v := s.running("app")
			err := s.book.client.CoreV1().Pods(namespace).EvictV1(s.Context(), &policy.Eviction{
				ObjectMeta: meta.ObjectMeta{Name: s.name, Namespace: namespace},
			})
			if err != nil {
				s.Fatal(err)
			}
			return v
		}},
		// Before kubelet's own signal comes, the hook has sent one. The kernel
		// alone sees a process that was brought in from outside.
		{"prestop-sends-the-signal", "pod_deleted", map[string]string{kernel: "exec_session", counters: "exec_session"}, 0, 0, func(s *stage) victim {
			s.create(grace(20), app(heeds), preStop("kill -TERM 1; sleep 1"))
			v := s.running("app")
			s.delete(meta.DeleteOptions{})
			return v
		}},
	}
}

// nodeScenarios: the node, or who assigns pods to it, needs room.
func nodeScenarios() []scenario {
	return []scenario{
		{"evicted-by-emptydir-limit", "evicted", kubeletsOwn, 0, -1, func(s *stage) victim {
			s.create(shell("dd if=/dev/zero of=/state/fill bs=1M count=8; exec /bin/app "+heeds), func(p *core.Pod) {
				p.Spec.Volumes[0].EmptyDir.SizeLimit = ptr.To(resource.MustParse("1Mi"))
			})
			return s.running("app")
		}},
		{"evicted-by-ephemeral-storage", "evicted", kubeletsOwn, 0, -1, func(s *stage) victim {
			s.create(shell("dd if=/dev/zero of=/tmp/fill bs=1M count=8; exec /bin/app "+heeds), func(p *core.Pod) {
				p.Spec.Containers[0].Resources.Limits = core.ResourceList{core.ResourceEphemeralStorage: resource.MustParse("1Mi")}
			})
			return s.running("app")
		}},
		{"preempted-by-kubelet", "preempted", preemption(), 0, -1, func(s *stage) victim {
			s.create(app(heeds), request(core.ResourceCPU, s.most(core.ResourceCPU)))
			v := s.running("app")
			s.criticalPod(s.most(core.ResourceCPU))
			return v
		}},
		// To kubelet it is a deletion.
		{"preempted-by-the-scheduler", "preempted", map[string]string{kernel: "runtime_stop", counters: "runtime_stop", log: "pod_deleted"}, 0, 0, func(s *stage) victim {
			s.create(app(heeds), request(core.ResourceMemory, s.most(core.ResourceMemory)))
			v := s.running("app")
			important := &stage{T: s.T, bed: s.bed, book: s.book, name: s.name + "-important"}
			important.create(app(heeds), request(core.ResourceMemory, s.most(core.ResourceMemory)), func(p *core.Pod) {
				p.Spec.PriorityClassName = "system-node-critical"
				p.Namespace = namespace
			})
			return v
		}},
	}
}

// most is so much of what the node has that no two pods can have it.
func (s *stage) most(name core.ResourceName) resource.Quantity {
	s.Helper()
	node, err := s.book.client.CoreV1().Nodes().Get(s.Context(), s.bed.Node, meta.GetOptions{})
	if err != nil {
		s.Fatal(err)
	}
	q := node.Status.Allocatable[name]
	return *resource.NewMilliQuantity(q.MilliValue()/5*3, resource.DecimalSI)
}

func request(name core.ResourceName, q resource.Quantity) change {
	if name == core.ResourceMemory {
		q = *resource.NewQuantity(q.Value(), resource.BinarySI)
	}
	return func(p *core.Pod) { p.Spec.Containers[0].Resources.Requests = core.ResourceList{name: q} }
}

// criticalPod is a static one, to which kubelet gives what it needs.
func (s *stage) criticalPod(cpu resource.Quantity) {
	s.Helper()
	manifest := fmt.Sprintf(`apiVersion: v1
kind: Pod
metadata: {name: critical, namespace: kube-system}
spec:
  hostNetwork: true
  priorityClassName: system-node-critical
  containers: [{name: app, image: %q, imagePullPolicy: Never, command: [/bin/app], resources: {requests: {cpu: %q}}}]
`, s.bed.Image, cpu.String())
	s.static("critical", manifest)
}

// static hands kubelet a pod's manifest, whole at once.
func (s *stage) static(name, manifest string) {
	s.Helper()
	file := filepath.Join(s.bed.StaticPods, name+".yaml")
	if err := os.WriteFile(file+".new", []byte(manifest), 0o644); err != nil {
		s.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		s.Fatal(err)
	}
}

// kubeletRestarted is played alone, for it is everybody's kubelet. The new one
// has to find out that the pod is to go.
func kubeletRestarted() scenario {
	return scenario{"kubelet-restarted-in-the-grace", "pod_deleted", kubeletsOwn, -1, 137, func(s *stage) victim {
		s.create(grace(12), app(ignores))
		v := s.running("app")
		s.delete(meta.DeleteOptions{})
		time.Sleep(3 * time.Second)
		s.bed.command("stop kubelet")
		time.Sleep(time.Second)
		s.bed.command("start kubelet")
		return v
	}}
}

// preemption: up to 1.33 kubelet logs it from verbosity 3 on only.
func preemption() map[string]string {
	if v := os.Getenv("KUBE_VERSION"); v != "" && version.MustParseGeneric(v).LessThan(version.MustParseGeneric("1.34.0")) {
		return notLogged
	}
	return kubeletsOwn
}
