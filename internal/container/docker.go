// SPDX-License-Identifier: Apache-2.0

package container

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/moby/moby/api/types/container"
)

// Docker asks a Docker daemon, or Podman's service that speaks its language.
type Docker struct {
	hosts []string

	mu  sync.Mutex
	api *dockerAPI
}

// NewDocker makes a source that talks to the first of the hosts, URLs like
// unix:///run/docker.sock, that is there. It connects when asked.
func NewDocker(hosts ...string) *Docker { return &Docker{hosts: hosts} }

// Name implements [Source].
func (d *Docker) Name() string { return "docker" }

// List gives all containers, without pids.
func (d *Docker) List(ctx context.Context) ([]Info, error) {
	api, err := d.connect()
	if err != nil {
		return nil, err
	}
	var list []container.Summary
	if err := api.get(ctx, "/containers/json?all=1", &list); err != nil {
		return nil, fmt.Errorf("list containers of Docker: %w", err)
	}
	infos := make([]Info, 0, len(list))
	for _, c := range list {
		name := ""
		if len(c.Names) > 0 {
			name = c.Names[0]
		}
		infos = append(infos, dockerInfo(c.ID, name, c.Image, c.State, c.Labels))
	}
	return infos, nil
}

// Inspect asks about ref's container.
func (d *Docker) Inspect(ctx context.Context, ref Ref) (Info, bool, error) {
	other := ref.Runtime != "" && ref.Runtime != RuntimeDocker && ref.Runtime != RuntimePodman
	if other || !isID(ref.ID) {
		return Info{}, false, nil
	}
	api, err := d.connect()
	if err != nil {
		return Info{}, false, err
	}
	var found container.InspectResponse
	err = api.get(ctx, "/containers/"+ref.ID+"/json", &found)
	if errors.Is(err, errNoContainer) {
		return Info{}, false, nil
	}
	if err != nil {
		return Info{}, false, fmt.Errorf("inspect container of Docker: %w", err)
	}
	return dockerInspected(found), true, nil
}

func dockerInspected(c container.InspectResponse) Info {
	var image string
	var labels map[string]string
	if c.Config != nil {
		image, labels = c.Config.Image, c.Config.Labels
	}
	var state container.State
	if c.State != nil {
		state = *c.State
	}
	info := dockerInfo(c.ID, c.Name, image, state.Status, labels)
	info.PID = state.Pid
	if c.Config != nil {
		info.StopSignal = stopSignal(c.Config.StopSignal)
	}
	return info
}

// dockerInfo reads a container's names; cri-dockerd's containers carry
// kubelet's labels and one that shows the sandbox.
func dockerInfo(id, name, image string, state container.ContainerState, labels map[string]string) Info {
	info := Info{
		ID:      id,
		Name:    strings.TrimPrefix(name, "/"),
		Image:   image,
		Runtime: RuntimeDocker,
		State:   dockerState(state),
		Pod:     podOfLabels(labels),
	}
	if info.Pod == nil {
		return info
	}
	info.Name = labels[labelContainerName]
	if labels["io.kubernetes.docker.type"] == "podsandbox" {
		info.Sandbox, info.Name = true, ""
	}
	return info
}

func dockerState(state container.ContainerState) string {
	switch state {
	case container.StateRunning, container.StatePaused:
		return StateRunning
	case container.StateCreated:
		return StateCreated
	case container.StateExited, container.StateDead:
		return StateExited
	}
	return "" // restarting, removing: on the way
}

// connect gives the daemon's API where there is a socket. It outlives the daemon.
func (d *Docker) connect() (*dockerAPI, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.api != nil {
		return d.api, nil
	}
	for _, host := range d.hosts {
		if socket, ok := strings.CutPrefix(host, "unix://"); ok {
			if _, err := os.Stat(socket); errors.Is(err, os.ErrNotExist) {
				continue
			}
		}
		api, err := newDockerAPI(host)
		if err != nil {
			return nil, err
		}
		d.api = api
		return api, nil
	}
	return nil, absent("no Docker socket " + firstOf(d.hosts))
}

// Close implements [Source].
func (d *Docker) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.api != nil {
		d.api.close()
		d.api = nil
	}
	return nil
}
