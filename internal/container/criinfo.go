// SPDX-License-Identifier: Apache-2.0

package container

import (
	"encoding/json"
	"strings"

	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/sigtrace/sigtrace/internal/event"
)

// criSandbox reads a sandbox of a list.
func criSandbox(s *runtimeapi.PodSandbox, runtime string) Info {
	info := Info{ID: s.GetId(), Runtime: runtime, Sandbox: true, State: criSandboxState(s.GetState())}
	info.Attempt = int(s.GetMetadata().GetAttempt())
	info.Pod = criPod(s.GetMetadata(), s.GetLabels())
	return info
}

// criPod gives the pod of a sandbox, with its labels.
func criPod(metadata *runtimeapi.PodSandboxMetadata, labels map[string]string) *event.Pod {
	return &event.Pod{
		Namespace: metadata.GetNamespace(),
		Name:      metadata.GetName(),
		UID:       metadata.GetUid(),
		Labels:    userLabels(labels),
	}
}

// criContainer reads a container of a list; pod is its sandbox's, nil if that
// has gone.
func criContainer(c *runtimeapi.Container, runtime string, pod *event.Pod) Info {
	return Info{
		ID:      c.GetId(),
		Name:    c.GetMetadata().GetName(),
		Image:   criImage(c.GetImage()),
		Runtime: runtime,
		State:   criState(c.GetState()),
		Attempt: int(c.GetMetadata().GetAttempt()),
		Pod:     mergePod(pod, podOfLabels(c.GetLabels())),
	}
}

func criContainerStatus(response *runtimeapi.ContainerStatusResponse, runtime string) Info {
	s := response.GetStatus()
	info := Info{
		ID:      s.GetId(),
		Name:    s.GetMetadata().GetName(),
		Image:   criImage(s.GetImage()),
		Runtime: runtime,
		State:   criState(s.GetState()),
		Attempt: int(s.GetMetadata().GetAttempt()),
		Pod:     podOfLabels(s.GetLabels()),
	}
	return info.fill(criVerbose(response.GetInfo()))
}

func criSandboxStatus(response *runtimeapi.PodSandboxStatusResponse, runtime string) Info {
	s := response.GetStatus()
	info := Info{
		ID:      s.GetId(),
		Runtime: runtime,
		Sandbox: true,
		State:   criSandboxState(s.GetState()),
		Attempt: int(s.GetMetadata().GetAttempt()),
		Pod:     criPod(s.GetMetadata(), s.GetLabels()),
	}
	return info.fill(criVerbose(response.GetInfo()))
}

// criVerbose reads the pid and the cgroup from the JSON under "info" of a
// verbose status. containerd and CRI-O have both at the top; cri-dockerd hands
// on what docker inspect says. It is nobody's stable interface: what is not
// there stays unknown.
func criVerbose(info map[string]string) Info {
	var verbose struct {
		PID         int     `json:"pid"`
		RuntimeSpec ociSpec `json:"runtimeSpec"`
		State       struct {
			PID int `json:"Pid"`
		} `json:"State"`
	}
	if err := json.Unmarshal([]byte(info["info"]), &verbose); err != nil {
		return Info{}
	}
	return Info{
		PID:        max(verbose.PID, verbose.State.PID),
		CgroupPath: cgroupOfSpec(verbose.RuntimeSpec.Linux.CgroupsPath),
	}
}

// criImage gives the image as the user wrote it, where the runtime shows it;
// a bare digest only for want of better.
func criImage(image *runtimeapi.ImageSpec) string {
	if name := image.GetUserSpecifiedImage(); name != "" {
		return name
	}
	return image.GetImage()
}

// isDigest distinguishes an image's id from its name.
func isDigest(image string) bool {
	return isHex(strings.TrimPrefix(image, "sha256:"), idLength)
}

func criState(state runtimeapi.ContainerState) string {
	switch state {
	case runtimeapi.ContainerState_CONTAINER_CREATED:
		return StateCreated
	case runtimeapi.ContainerState_CONTAINER_RUNNING:
		return StateRunning
	case runtimeapi.ContainerState_CONTAINER_EXITED:
		return StateExited
	}
	return ""
}

func criSandboxState(state runtimeapi.PodSandboxState) string {
	if state == runtimeapi.PodSandboxState_SANDBOX_READY {
		return StateRunning
	}
	return StateExited
}
