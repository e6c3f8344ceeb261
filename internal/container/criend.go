// SPDX-License-Identifier: Apache-2.0

package container

import (
	"context"
	"time"

	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// End is how a container ended, as its runtime reports it: what kubelet hands on
// as the container's status.
type End struct {
	Reason   string
	Message  string
	ExitCode int
	Time     time.Time
}

// Ended asks how a container has ended; ok is false while it has not, or where
// the runtime does not know it.
func (c *CRI) Ended(ctx context.Context, id string) (end End, ok bool, err error) {
	err = c.call(ctx, func(conn *criConn) error {
		response, err := conn.client.ContainerStatus(ctx, &runtimeapi.ContainerStatusRequest{ContainerId: id})
		if isNotFound(err) {
			return nil
		}
		if err != nil {
			return conn.failed("container status", err)
		}
		s := response.GetStatus()
		if s.GetState() != runtimeapi.ContainerState_CONTAINER_EXITED {
			return nil
		}
		end = End{Reason: s.GetReason(), Message: s.GetMessage(), ExitCode: int(s.GetExitCode()), Time: time.Unix(0, s.GetFinishedAt())}
		ok = true
		return nil
	})
	return end, ok, err
}

// Ended asks the runtime that speaks CRI, if there is one.
func (d *Directory) Ended(ctx context.Context, id string) (End, bool, error) {
	for _, source := range d.sources {
		if cri, is := source.Source.(*CRI); is {
			return cri.Ended(ctx, id)
		}
	}
	return End{}, false, absent("no runtime that speaks CRI")
}
