// SPDX-License-Identifier: Apache-2.0

package container

import (
	"context"
	"time"

	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// Past is a container that has ended, and how.
type Past struct {
	Info
	End
}

// EndedSince lists the containers that have ended from a time on, as far as the
// runtime has not forgotten them.
func (c *CRI) EndedSince(ctx context.Context, since time.Time) (past []Past, err error) {
	err = c.call(ctx, func(conn *criConn) error {
		past, err = conn.endedSince(ctx, since)
		return err
	})
	return past, err
}

func (c *criConn) endedSince(ctx context.Context, since time.Time) ([]Past, error) {
	exited := &runtimeapi.ContainerFilter{State: &runtimeapi.ContainerStateValue{State: runtimeapi.ContainerState_CONTAINER_EXITED}}
	list, err := c.client.ListContainers(ctx, &runtimeapi.ListContainersRequest{Filter: exited})
	if err != nil {
		return nil, c.failed("list containers", err)
	}
	var past []Past
	for _, container := range list.GetContainers() {
		response, err := c.client.ContainerStatus(ctx, &runtimeapi.ContainerStatusRequest{ContainerId: container.GetId()})
		if isNotFound(err) {
			continue
		}
		if err != nil {
			return past, c.failed("container status", err)
		}
		s := response.GetStatus()
		end := End{Reason: s.GetReason(), ExitCode: int(s.GetExitCode()), Time: time.Unix(0, s.GetFinishedAt())}
		if s.GetFinishedAt() == 0 || end.Time.Before(since) {
			continue
		}
		past = append(past, Past{Info: criContainerStatus(response, c.runtime), End: end})
	}
	return past, nil
}

// EndedSince asks the runtime that speaks CRI, if there is one.
func (d *Directory) EndedSince(ctx context.Context, since time.Time) ([]Past, error) {
	for _, source := range d.sources {
		if cri, is := source.Source.(*CRI); is {
			return cri.EndedSince(ctx, since)
		}
	}
	return nil, absent("no runtime that speaks CRI")
}
