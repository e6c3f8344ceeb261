// SPDX-License-Identifier: Apache-2.0

package container

import (
	"context"
	"fmt"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/sigtrace/sigtrace/internal/event"
)

// criConn is a connection to a runtime that has been seen to speak CRI.
type criConn struct {
	socket string
	// runtime is what it calls itself: containerd, cri-o, docker.
	runtime string
	conn    *grpc.ClientConn
	client  runtimeapi.RuntimeServiceClient
	images  runtimeapi.ImageServiceClient

	mu    sync.Mutex
	stops *lru[string] // stop signals by image
}

func (c *criConn) list(ctx context.Context) ([]Info, error) {
	sandboxes, err := c.client.ListPodSandbox(ctx, &runtimeapi.ListPodSandboxRequest{})
	if err != nil {
		return nil, c.failed("list sandboxes", err)
	}
	containers, err := c.client.ListContainers(ctx, &runtimeapi.ListContainersRequest{})
	if err != nil {
		return nil, c.failed("list containers", err)
	}
	infos := make([]Info, 0, len(sandboxes.GetItems())+len(containers.GetContainers()))
	pods := make(map[string]*event.Pod)
	for _, sandbox := range sandboxes.GetItems() {
		info := criSandbox(sandbox, c.runtime)
		pods[info.ID] = info.Pod
		infos = append(infos, info)
	}
	for _, container := range containers.GetContainers() {
		infos = append(infos, criContainer(container, c.runtime, pods[container.GetPodSandboxId()]))
	}
	return infos, nil
}

func (c *criConn) inspect(ctx context.Context, ref Ref) (Info, bool, error) {
	var info Info
	var ok bool
	uid := ref.PodUID
	if ref.ID != "" {
		var err error
		if info, ok, err = c.status(ctx, ref.ID); err != nil {
			return Info{}, false, err
		}
		if info.Pod != nil {
			uid = info.Pod.UID
		}
	}
	pod, err := c.pod(ctx, uid)
	if err != nil {
		return Info{}, false, err
	}
	info.Pod = mergePod(pod, info.Pod)
	return info, ok || pod != nil, nil
}

// status reads a container's or a sandbox's verbose status.
func (c *criConn) status(ctx context.Context, id string) (Info, bool, error) {
	container, err := c.client.ContainerStatus(ctx, &runtimeapi.ContainerStatusRequest{ContainerId: id, Verbose: true})
	if err == nil {
		info := criContainerStatus(container, c.runtime)
		info.StopSignal = c.stopSignal(ctx, container.GetStatus())
		return info, true, nil
	}
	if !isNotFound(err) {
		return Info{}, false, c.failed("container status", err)
	}
	sandbox, err := c.client.PodSandboxStatus(ctx, &runtimeapi.PodSandboxStatusRequest{PodSandboxId: id, Verbose: true})
	if err == nil {
		return criSandboxStatus(sandbox, c.runtime), true, nil
	}
	if !isNotFound(err) {
		return Info{}, false, c.failed("sandbox status", err)
	}
	return Info{}, false, nil
}

// pod gives the pod with this UID, nil if the runtime has none.
func (c *criConn) pod(ctx context.Context, uid string) (*event.Pod, error) {
	if uid == "" {
		return nil, nil
	}
	filter := &runtimeapi.PodSandboxFilter{LabelSelector: map[string]string{labelPodUID: uid}}
	sandboxes, err := c.client.ListPodSandbox(ctx, &runtimeapi.ListPodSandboxRequest{Filter: filter})
	if err != nil {
		return nil, c.failed("list sandboxes", err)
	}
	for _, sandbox := range sandboxes.GetItems() {
		return criSandbox(sandbox, c.runtime).Pod, nil
	}
	return nil, nil
}

// failed words an error of a call. That the caller gave up is reported as such.
func (c *criConn) failed(what string, err error) error {
	if status.Code(err) == codes.Canceled {
		return fmt.Errorf("%s: %w", what, context.Canceled)
	}
	return fmt.Errorf("%s from %s: %w", what, c.socket, err)
}
