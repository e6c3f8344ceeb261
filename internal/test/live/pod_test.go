// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// pods is a kubelet's side of the CRI: what kubelet would ask of the runtime.
type pods struct {
	t      *testing.T
	client cri.RuntimeServiceClient
}

func newPods(t *testing.T) *pods {
	t.Helper()
	containerd(t)
	conn, err := grpc.NewClient("unix://"+containerdSocket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	p := &pods{t, cri.NewRuntimeServiceClient(conn)}
	if _, err := p.client.Version(context.Background(), &cri.VersionRequest{}); err != nil {
		t.Fatalf("this containerd has no CRI: %v", err)
	}
	return p
}

func (p *pods) sandbox(name string) (id string, config *cri.PodSandboxConfig) {
	p.t.Helper()
	return p.sandboxWith(name, cri.NamespaceMode_CONTAINER)
}

// sharedSandbox is one whose containers share a PID namespace
// (shareProcessNamespace).
func (p *pods) sharedSandbox(name string) (id string, config *cri.PodSandboxConfig) {
	p.t.Helper()
	return p.sandboxWith(name, cri.NamespaceMode_POD)
}

func (p *pods) sandboxWith(name string, pids cri.NamespaceMode) (id string, config *cri.PodSandboxConfig) {
	p.t.Helper()
	uid := fmt.Sprintf("%08x-0000-4000-8000-%012x", time.Now().UnixNano()&0xffffffff, nextNumber())
	config = &cri.PodSandboxConfig{
		Metadata: &cri.PodSandboxMetadata{Name: name, Namespace: "shop", Uid: uid},
		Labels: map[string]string{
			"io.kubernetes.pod.name": name, "io.kubernetes.pod.namespace": "shop", "io.kubernetes.pod.uid": uid, "app": "web",
		},
		Linux: &cri.LinuxPodSandboxConfig{
			CgroupParent: "/kubepods/burstable/pod" + uid,
			SecurityContext: &cri.LinuxSandboxSecurityContext{
				NamespaceOptions: &cri.NamespaceOption{Network: cri.NamespaceMode_NODE, Pid: pids},
			},
		},
	}
	r, err := p.client.RunPodSandbox(context.Background(), &cri.RunPodSandboxRequest{Config: config})
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { p.removeSandbox(r.PodSandboxId) })
	return r.PodSandboxId, config
}

func (p *pods) removeSandbox(id string) {
	ctx := context.Background()
	_, _ = p.client.StopPodSandbox(ctx, &cri.StopPodSandboxRequest{PodSandboxId: id})
	_, _ = p.client.RemovePodSandbox(ctx, &cri.RemovePodSandboxRequest{PodSandboxId: id})
}

// container starts one in a sandbox and returns its id and its init's pid.
func (p *pods) container(sandbox string, config *cri.PodSandboxConfig, name string, attempt uint32, command ...string) (id string, pid int) {
	p.t.Helper()
	return p.containerOf(imageName, sandbox, config, name, attempt, command...)
}

func (p *pods) containerOf(image, sandbox string, config *cri.PodSandboxConfig, name string, attempt uint32, command ...string) (id string, pid int) {
	p.t.Helper()
	id = p.create(image, sandbox, config, name, attempt, command...)
	if _, err := p.client.StartContainer(context.Background(), &cri.StartContainerRequest{ContainerId: id}); err != nil {
		p.t.Fatal(err)
	}
	return id, p.pidOf(id)
}

// created creates a container that is not started.
func (p *pods) created(sandbox string, config *cri.PodSandboxConfig, name string, command ...string) (id string) {
	p.t.Helper()
	return p.create(imageName, sandbox, config, name, 0, command...)
}

func (p *pods) create(image, sandbox string, config *cri.PodSandboxConfig, name string, attempt uint32, command ...string) (id string) {
	p.t.Helper()
	labels := map[string]string{"io.kubernetes.container.name": name}
	for k, v := range config.Labels {
		labels[k] = v
	}
	created, err := p.client.CreateContainer(context.Background(), &cri.CreateContainerRequest{
		PodSandboxId: sandbox, SandboxConfig: config,
		Config: &cri.ContainerConfig{
			Metadata: &cri.ContainerMetadata{Name: name, Attempt: attempt},
			Image:    &cri.ImageSpec{Image: image}, Command: command, Labels: labels,
			Linux: &cri.LinuxContainerConfig{SecurityContext: &cri.LinuxContainerSecurityContext{
				NamespaceOptions: config.Linux.SecurityContext.NamespaceOptions,
			}},
		},
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return created.ContainerId
}

func (p *pods) pidOf(id string) int {
	p.t.Helper()
	r, err := p.client.ContainerStatus(context.Background(), &cri.ContainerStatusRequest{ContainerId: id, Verbose: true})
	if err != nil {
		p.t.Fatal(err)
	}
	_, after, _ := strings.Cut(r.Info["info"], `"pid":`)
	digits, _, _ := strings.Cut(after, ",")
	pid, err := strconv.Atoi(strings.TrimSpace(digits))
	if err != nil {
		p.t.Fatalf("no pid in %s", r.Info["info"])
	}
	return pid
}

// watchNamed is watch with the sources of names that sigtrace detects.
func watchNamed(t *testing.T, flags ...string) *watcher {
	t.Helper()
	return watchWith(t, append([]string{}, flags...))
}

// --pod waits for a pod, follows its restart, finds it again when it is
// recreated, and distinguishes its containers.
func TestPodIsFollowed(t *testing.T) {
	p := newPods(t)
	w := watchNamed(t, "--pod", "shop/web-0")
	sandbox, config := p.sandbox("web-0")
	_, first := p.container(sandbox, config, "app", 0, "/bin/sleep", "1000")
	w.killedByForeign(t, first, "app")
	_, second := p.container(sandbox, config, "app", 1, "/bin/sleep", "1000")
	_, sidecar := p.container(sandbox, config, "sidecar", 0, "/bin/sleep", "1000")
	w.killedByForeign(t, second, "app")
	w.killedByForeign(t, sidecar, "sidecar")
	p.removeSandbox(sandbox)
	again, config := p.sandbox("web-0")
	_, third := p.container(again, config, "app", 0, "/bin/sleep", "1000")
	w.killedByForeign(t, third, "app")
}

func (w *watcher) killedByForeign(t *testing.T, pid int, container string) {
	t.Helper()
	killer := killFrom(t, "sh", unix.SIGKILL, pid)
	d := w.deathOf(t, pid)
	d.expect(t, "foreign_process", "host", killer)
	if d.Process.Container == nil || d.Process.Container.Name != container {
		t.Errorf("container %+v, want %s", d.Process.Container, container)
	}
	if !strings.HasPrefix(d.Summary, "Container "+container+" of shop/web-0") || !strings.Contains(d.Summary, "not by Kubernetes") {
		t.Errorf("summary: %s", d.Summary)
	}
}

func TestPodStoppedByRuntime(t *testing.T) {
	p := newPods(t)
	sandbox, config := p.sandbox("web-1")
	id, pid := p.container(sandbox, config, "app", 0, "/bin/sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.1; done")
	w := watchNamed(t, "--pod", "shop/web-1", "-c", "app")
	w.ready(t, pid)
	if _, err := p.client.StopContainer(context.Background(), &cri.StopContainerRequest{ContainerId: id, Timeout: 5}); err != nil {
		t.Fatal(err)
	}
	d := w.deathOf(t, pid)
	d.expect(t, "runtime_stop", "*", 0)
	if d.Confidence != "likely" || d.Exit.Code != 0 {
		t.Errorf("it handled SIGTERM and exited: likely, exit 0; got %s, exit %d", d.Confidence, d.Exit.Code)
	}
}

// The image may choose its stop signal: SIGWINCH, which nothing else ends of.
func TestPodStoppedByItsImagesSignal(t *testing.T) {
	p := newPods(t)
	sandbox, config := p.sandbox("web-4")
	id, pid := p.containerOf(winchImage, sandbox, config, "app", 0, "/bin/sh", "-c", "trap 'exit 0' WINCH; while :; do sleep 0.1; done")
	w := watchNamed(t, "--pod", "shop/web-4", "-c", "app")
	eventually(t, "SIGWINCH is caught", func() bool { return catches(pid, unix.SIGWINCH) })
	if _, err := p.client.StopContainer(context.Background(), &cri.StopContainerRequest{ContainerId: id, Timeout: 20}); err != nil {
		t.Fatal(err)
	}
	d := w.deathOf(t, pid)
	d.expect(t, "runtime_stop", "*", 0)
	if d.Exit.Code != 0 || len(d.Signals) != 1 || d.Signals[0].Signal != "SIGWINCH" {
		t.Errorf("exit %d after %+v", d.Exit.Code, d.Signals)
	}
}

// ready waits until a shell has set its trap for SIGTERM.
func (w *watcher) ready(t *testing.T, pid int) {
	t.Helper()
	eventually(t, "SIGTERM is caught", func() bool { return catches(pid, unix.SIGTERM) })
}

// The shim is outside of the pod, and so is who kills it: both are in the
// chain, though only the pod is watched.
func TestPodShimKilled(t *testing.T) {
	p := newPods(t)
	sandbox, config := p.sandbox("web-2")
	_, pid := p.container(sandbox, config, "app", 0, "/bin/sleep", "1000")
	w := watchNamed(t, "--pod", "shop/web-2", "-c", "app")
	time.Sleep(time.Second) // the pod may be found a moment after sigtrace is ready
	shim := parentOf(t, pid)
	killer := killFrom(t, "sh", unix.SIGKILL, shim)
	d := w.deathOf(t, pid)
	d.expect(t, "runtime_cleanup", "*", killer)
	if len(d.Chain) < 2 || pidOf(d.Chain[0].Process) != killer {
		t.Errorf("the chain begins with %d: %+v", killer, d.Chain)
	}
}

// A container whose program there is not never runs it; one whose shell does not find
// its command has run.
func TestPodWhoseProgramIsMissing(t *testing.T) {
	p := newPods(t)
	sandbox, config := p.sandbox("web-5")
	w := watchNamed(t, "--pod", "shop/web-5", "--type", "death")
	time.Sleep(time.Second) // as above
	missing := p.created(sandbox, config, "missing", "/nope")
	if _, err := p.client.StartContainer(context.Background(), &cri.StartContainerRequest{ContainerId: missing}); err == nil {
		t.Fatal("a program that is not there was started")
	}
	d := w.deathIn(t, missing)
	if d.Cause != "start_failed" || d.Confidence != "proven" || !strings.Contains(d.Summary, "/nope") || !strings.Contains(d.Summary, "no such file") {
		t.Errorf("%s (%s): %s", d.Cause, d.Confidence, d.Summary)
	}
	shell := p.created(sandbox, config, "shell", "/bin/sh", "-c", "nope")
	if _, err := p.client.StartContainer(context.Background(), &cri.StartContainerRequest{ContainerId: shell}); err != nil {
		t.Fatal(err)
	}
	if d := w.deathIn(t, shell); d.Cause != "exited" || d.Exit.Code != 127 {
		t.Errorf("%s, exit %d: %s", d.Cause, d.Exit.Code, d.Summary)
	}
}

// deathIn waits for the death of a container's init.
func (w *watcher) deathIn(t *testing.T, id string) event {
	t.Helper()
	var d event
	eventually(t, "the end of "+id[:12], func() bool {
		found := w.find(func(e event) bool {
			return e.Type == "death" && e.Process != nil && e.Process.Container != nil && e.Process.Container.ID == id
		})
		if len(found) > 0 {
			d = found[len(found)-1]
		}
		return len(found) > 0
	})
	return d
}
