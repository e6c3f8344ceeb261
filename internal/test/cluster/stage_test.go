// SPDX-License-Identifier: Apache-2.0

//go:build cluster

package cluster

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
)

// stage is what a scenario plays on: a pod of its own name.
type stage struct {
	*testing.T
	bed  *testBed
	book *podBook
	name string
}

// change is one that a scenario makes to the plain pod.
type change func(*core.Pod)

// plainPod runs the app alone, on the host's network for there is no other.
func (s *stage) plainPod() *core.Pod {
	return &core.Pod{
		ObjectMeta: meta.ObjectMeta{Name: s.name, Namespace: namespace},
		Spec: core.PodSpec{
			HostNetwork: true, AutomountServiceAccountToken: ptr.To(false),
			TerminationGracePeriodSeconds: ptr.To(int64(4)),
			Volumes: []core.Volume{
				{Name: "state", VolumeSource: core.VolumeSource{EmptyDir: &core.EmptyDirVolumeSource{}}},
			},
			Containers: []core.Container{s.container("app", "-on-term=exit=0")},
		},
	}
}

func (s *stage) container(name string, args ...string) core.Container {
	return core.Container{
		Name: name, Image: s.bed.Image, ImagePullPolicy: core.PullNever,
		Command:      append([]string{"/bin/app"}, args...),
		VolumeMounts: []core.VolumeMount{{Name: "state", MountPath: "/state"}},
	}
}

// create makes the pod in the cluster.
func (s *stage) create(changes ...change) {
	s.Helper()
	pod := s.plainPod()
	for _, c := range changes {
		c(pod)
	}
	if _, err := s.book.client.CoreV1().Pods(namespace).Create(s.Context(), pod, meta.CreateOptions{}); err != nil {
		s.Fatal(err)
	}
}

// app is the app's arguments.
func app(args ...string) change {
	return func(p *core.Pod) { p.Spec.Containers[0].Command = append([]string{"/bin/app"}, args...) }
}

func shell(script string) change {
	return func(p *core.Pod) { p.Spec.Containers[0].Command = []string{"/bin/sh", "-c", script} }
}

func grace(seconds int64) change {
	return func(p *core.Pod) { p.Spec.TerminationGracePeriodSeconds = &seconds }
}

func never(p *core.Pod) { p.Spec.RestartPolicy = core.RestartPolicyNever }

func limit(quantity string) change {
	return func(p *core.Pod) {
		p.Spec.Containers[0].Resources.Limits = core.ResourceList{core.ResourceMemory: resource.MustParse(quantity)}
	}
}

// probe fails soon once the app is sick.
func probe(h core.ProbeHandler) *core.Probe {
	return &core.Probe{ProbeHandler: h, PeriodSeconds: 1, FailureThreshold: 2, TimeoutSeconds: 5}
}

// startup asks only once the app has had the time to say that it is sick: one
// success is enough for a startup probe.
func startup(h core.ProbeHandler) *core.Probe {
	p := probe(h)
	p.InitialDelaySeconds = 2
	return p
}

func liveness(h core.ProbeHandler) change {
	return func(p *core.Pod) { p.Spec.Containers[0].LivenessProbe = probe(h) }
}

func byExec() core.ProbeHandler {
	return core.ProbeHandler{Exec: &core.ExecAction{Command: []string{"/bin/test", "!", "-e", "/state/sick"}}}
}

func byHTTP(port int) core.ProbeHandler {
	return core.ProbeHandler{HTTPGet: &core.HTTPGetAction{Path: "/healthz", Port: intstr.FromInt(port)}}
}

func byTCP(port int) core.ProbeHandler {
	return core.ProbeHandler{TCPSocket: &core.TCPSocketAction{Port: intstr.FromInt(port)}}
}

func byGRPC(port int) core.ProbeHandler {
	return core.ProbeHandler{GRPC: &core.GRPCAction{Port: int32(port)}}
}

var ports atomic.Int32

// port is a free port of the bed's address, as a number and as the app's argument.
func (s *stage) port() (int, string) {
	n := int(20000 + ports.Add(1))
	return n, fmt.Sprintf("%s:%d", s.bed.Address, n)
}

// running waits until a container and its app run, and returns which one it is.
func (s *stage) running(name string) victim {
	s.Helper()
	var v victim
	eventually(s.T, s.name+": container "+name+" runs", func() bool {
		c := container(s.book.get(s.name), name)
		if c == nil || c.State.Running == nil {
			return false
		}
		v = s.victim(c)
		return true
	})
	s.up(s.book.get(s.name).Spec.Containers[0].Command[0], v.pod)
	return v
}

// up waits until the app handles signals as its arguments say: one that comes while
// Go's runtime starts has another end.
func (s *stage) up(program, pod string) {
	s.Helper()
	if program != "/bin/app" {
		return
	}
	eventually(s.T, s.name+": the app is up", func() bool {
		_, err := os.Stat(s.volume(pod, "up"))
		return err == nil
	})
}

// volume is a file on a pod's volume, as the host sees it.
func (s *stage) volume(pod, file string) string {
	return filepath.Join(s.bed.Dir, "kubelet/pods", pod, "volumes/kubernetes.io~empty-dir/state", file)
}

// ended waits for the first container's end, for those that may not be seen
// running.
func (s *stage) ended(name string) victim {
	s.Helper()
	var v victim
	eventually(s.T, s.name+": container "+name+" has ended", func() bool {
		c := container(s.book.get(s.name), name)
		if c == nil {
			return false
		}
		for _, end := range []*core.ContainerStateTerminated{c.LastTerminationState.Terminated, c.State.Terminated} {
			if end != nil && end.ContainerID != "" {
				v = victim{container: bare(end.ContainerID), pod: s.uid()}
				return true
			}
		}
		return false
	})
	return v
}

func (s *stage) uid() string { return string(s.book.get(s.name).UID) }

func (s *stage) victim(c *core.ContainerStatus) victim {
	return victim{container: bare(c.ContainerID), pod: s.uid()}
}

func bare(id string) string {
	_, id, _ = strings.Cut(id, "://")
	return id
}

func (s *stage) delete(o meta.DeleteOptions) {
	s.Helper()
	if err := s.book.client.CoreV1().Pods(namespace).Delete(s.Context(), s.name, o); err != nil {
		s.Fatal(err)
	}
}

func (s *stage) patch(json string) {
	s.Helper()
	if _, err := s.book.client.CoreV1().Pods(namespace).Patch(s.Context(), s.name, types.StrategicMergePatchType, []byte(json), meta.PatchOptions{}); err != nil {
		s.Fatal(err)
	}
}

// command runs one on the host, as somebody there would.
func (s *stage) command(name string, args ...string) {
	s.Helper()
	if out, err := exec.CommandContext(context.WithoutCancel(s.Context()), name, args...).CombinedOutput(); err != nil {
		s.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}

func (s *stage) kubectl(args ...string) {
	s.Helper()
	s.command(s.bed.Kubectl, append([]string{"--kubeconfig", s.bed.Kubeconfig, "-n", namespace}, args...)...)
}

// kill is kill(1) of the host, by a shell that is the one to blame.
func (s *stage) kill(pid int) {
	s.Helper()
	s.command("/bin/sh", "-c", fmt.Sprintf("kill -9 %d; :", pid))
}
