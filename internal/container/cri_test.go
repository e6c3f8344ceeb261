// SPDX-License-Identifier: Apache-2.0

package container

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/sigtrace/sigtrace/internal/event"
)

// fakeCRI is a runtime with one pod of one container.
type fakeCRI struct {
	runtimeapi.UnimplementedRuntimeServiceServer
	info string
}

func (*fakeCRI) Version(context.Context, *runtimeapi.VersionRequest) (*runtimeapi.VersionResponse, error) {
	return &runtimeapi.VersionResponse{RuntimeName: "containerd"}, nil
}

func (*fakeCRI) ListPodSandbox(_ context.Context, r *runtimeapi.ListPodSandboxRequest) (*runtimeapi.ListPodSandboxResponse, error) {
	if uid := r.GetFilter().GetLabelSelector()[labelPodUID]; uid != "" && uid != podUID {
		return &runtimeapi.ListPodSandboxResponse{}, nil
	}
	return &runtimeapi.ListPodSandboxResponse{Items: []*runtimeapi.PodSandbox{{
		Id:       idB,
		Metadata: &runtimeapi.PodSandboxMetadata{Name: "web-0", Namespace: "shop", Uid: podUID, Attempt: 1},
		Labels:   map[string]string{"app": "web", labelPodName: "web-0", labelPodNamespace: "shop", labelPodUID: podUID},
	}}}, nil
}

func containerLabels() map[string]string {
	return map[string]string{labelContainerName: "app", labelPodName: "web-0", labelPodNamespace: "shop", labelPodUID: podUID}
}

func (*fakeCRI) ListContainers(context.Context, *runtimeapi.ListContainersRequest) (*runtimeapi.ListContainersResponse, error) {
	return &runtimeapi.ListContainersResponse{Containers: []*runtimeapi.Container{{
		Id:           idA,
		PodSandboxId: idB,
		Metadata:     &runtimeapi.ContainerMetadata{Name: "app", Attempt: 2},
		Image:        &runtimeapi.ImageSpec{Image: "sha256:" + idC, UserSpecifiedImage: "web:1"},
		State:        runtimeapi.ContainerState_CONTAINER_RUNNING,
		Labels:       containerLabels(),
	}}}, nil
}

func (f *fakeCRI) ContainerStatus(_ context.Context, r *runtimeapi.ContainerStatusRequest) (*runtimeapi.ContainerStatusResponse, error) {
	if r.GetContainerId() != idA {
		return nil, status.Error(codes.NotFound, "container not found")
	}
	response := &runtimeapi.ContainerStatusResponse{Status: &runtimeapi.ContainerStatus{
		Id:       idA,
		Metadata: &runtimeapi.ContainerMetadata{Name: "app", Attempt: 2},
		Image:    &runtimeapi.ImageSpec{Image: "web:1"},
		State:    runtimeapi.ContainerState_CONTAINER_RUNNING,
		Labels:   containerLabels(),
	}}
	if r.GetVerbose() {
		response.Info = map[string]string{"info": f.info}
	}
	return response, nil
}

func (*fakeCRI) PodSandboxStatus(_ context.Context, r *runtimeapi.PodSandboxStatusRequest) (*runtimeapi.PodSandboxStatusResponse, error) {
	if r.GetPodSandboxId() != idB {
		return nil, status.Errorf(codes.Unknown, "an error occurred: could not find sandbox %q", r.GetPodSandboxId())
	}
	return &runtimeapi.PodSandboxStatusResponse{
		Status: &runtimeapi.PodSandboxStatus{Id: idB, Metadata: &runtimeapi.PodSandboxMetadata{Name: "web-0", Namespace: "shop", Uid: podUID}},
		Info:   map[string]string{"info": `{"pid":7}`},
	}, nil
}

// serveCRI serves on a socket until the returned function is called; a nil
// runtime makes a server without the CRI, like containerd with its plugin off.
func serveCRI(t *testing.T, socket string, runtime *fakeCRI) (stop func()) {
	t.Helper()
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	if runtime != nil {
		runtimeapi.RegisterRuntimeServiceServer(server, runtime)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(listener); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
			t.Errorf("serve: %v", err)
		}
	}()
	stop = func() {
		server.Stop()
		<-done
	}
	t.Cleanup(stop)
	return stop
}

var labelledPod = &event.Pod{Namespace: "shop", Name: "web-0", UID: podUID, Labels: map[string]string{"app": "web"}}

func TestCRIList(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "cri.sock")
	serveCRI(t, socket, &fakeCRI{})
	source := NewCRI(filepath.Join(t.TempDir(), "none.sock"), socket)
	t.Cleanup(func() { _ = source.Close() })
	infos, err := source.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []Info{
		{ID: idB, Runtime: RuntimeContainerd, Sandbox: true, State: StateRunning, Attempt: 1, Pod: labelledPod},
		{ID: idA, Name: "app", Image: "web:1", Runtime: RuntimeContainerd, State: StateRunning, Attempt: 2, Pod: labelledPod},
	}
	if diff := cmp.Diff(want, infos); diff != "" {
		t.Errorf("List (-want +got):\n%s", diff)
	}
}

func TestCRIInspect(t *testing.T) {
	app := Info{ID: idA, Name: "app", Image: "web:1", Runtime: RuntimeContainerd, State: StateRunning, Attempt: 2, Pod: labelledPod}
	withPID := app
	withPID.PID, withPID.CgroupPath = 42, "/k/"+idA
	dockerd := app
	dockerd.PID = 43
	tests := []struct {
		name, info string
		ref        Ref
		want       Info
		ok         bool
	}{
		{"containerd", `{"pid":42,"runtimeSpec":{"linux":{"cgroupsPath":"/k/` + idA + `"}}}`, Ref{ID: idA}, withPID, true},
		{"cri-dockerd", `{"State":{"Pid":43}}`, Ref{ID: idA}, dockerd, true},
		{"no verbose info", ``, Ref{ID: idA}, app, true},
		{"sandbox", ``, Ref{ID: idB}, Info{ID: idB, Runtime: RuntimeContainerd, Sandbox: true, State: StateRunning, PID: 7, Pod: labelledPod}, true},
		{"pod", ``, Ref{PodUID: podUID}, Info{Pod: labelledPod}, true},
		{"unknown container of a known pod", ``, Ref{ID: idC, PodUID: podUID}, Info{Pod: labelledPod}, true},
		{"unknown", ``, Ref{ID: idC}, Info{}, false},
		{"unknown pod", ``, Ref{PodUID: static}, Info{}, false},
		{"not a container of CRI's", ``, Ref{ID: "web", Candidate: true}, Info{}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			socket := filepath.Join(t.TempDir(), "cri.sock")
			serveCRI(t, socket, &fakeCRI{info: test.info})
			source := NewCRI(socket)
			t.Cleanup(func() { _ = source.Close() })
			got, ok, err := source.Inspect(t.Context(), test.ref)
			if diff := cmp.Diff(test.want, got); diff != "" || ok != test.ok || err != nil {
				t.Errorf("Inspect: %v, %v (-want +got):\n%s", ok, err, diff)
			}
		})
	}
}

func TestCRIReconnectsAfterARestart(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "cri.sock")
	stop := serveCRI(t, socket, &fakeCRI{})
	source := NewCRI(socket)
	t.Cleanup(func() { _ = source.Close() })
	if _, err := source.List(t.Context()); err != nil {
		t.Fatal(err)
	}
	stop()
	stop = serveCRI(t, socket, &fakeCRI{})
	if _, err := source.List(t.Context()); err != nil {
		t.Errorf("List right after a restart: %v", err)
	}
	stop()
	if _, err := source.List(t.Context()); !errors.Is(err, ErrAbsent) {
		t.Errorf("List without a socket = %v, want ErrAbsent", err)
	}
	serveCRI(t, socket, &fakeCRI{})
	if _, err := source.List(t.Context()); err != nil {
		t.Errorf("List after the restart: %v", err)
	}
}

func TestCRIPassesOverARuntimeWithoutThePlugin(t *testing.T) {
	dir := t.TempDir()
	plain, full := filepath.Join(dir, "containerd.sock"), filepath.Join(dir, "cri-dockerd.sock")
	serveCRI(t, plain, nil)
	source := NewCRI(plain)
	_, err := source.List(t.Context())
	if err == nil || !strings.Contains(err.Error(), "does not offer CRI v1") {
		t.Errorf("List = %v", err)
	}
	serveCRI(t, full, &fakeCRI{})
	both := NewCRI(plain, full)
	t.Cleanup(func() { _ = both.Close() })
	if _, err := both.List(t.Context()); err != nil {
		t.Errorf("List past the first: %v", err)
	}
}
