// SPDX-License-Identifier: Apache-2.0

package container

import (
	"context"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// CRI asks a container runtime over the Container Runtime Interface, v1. It
// only lists and reads status; the runtime's event stream it leaves to
// kubelet, since containerd 1.7 gives each event to one reader only.
type CRI struct {
	dial *criDialer
}

// NewCRI makes a source that talks to the first of the unix sockets that
// speaks CRI. It connects when asked, and anew after the runtime has gone.
func NewCRI(sockets ...string) *CRI {
	return &CRI{dial: &criDialer{sockets: sockets}}
}

// Name implements [Source].
func (c *CRI) Name() string { return "cri" }

// Close ends the connection.
func (c *CRI) Close() error { return c.dial.close() }

// call runs f on the connection, and once more on a new one if the runtime
// turns out to have been restarted since the last call.
func (c *CRI) call(ctx context.Context, f func(*criConn) error) error {
	conn, err := c.dial.connect(ctx)
	if err != nil {
		return err
	}
	if err = f(conn); !c.gone(conn, err) {
		return err
	}
	if conn, err = c.dial.connect(ctx); err != nil {
		return err
	}
	err = f(conn)
	c.gone(conn, err)
	return err
}

// gone reports whether the runtime cannot be reached any more over this
// connection, and gives it up then.
func (c *CRI) gone(conn *criConn, err error) bool {
	if code := status.Code(err); code != codes.Unavailable && code != codes.Unimplemented {
		return false
	}
	c.dial.drop(conn)
	return true
}

// List gives all containers and sandboxes, without pids.
func (c *CRI) List(ctx context.Context) (infos []Info, err error) {
	err = c.call(ctx, func(conn *criConn) error {
		infos, err = conn.list(ctx)
		return err
	})
	return infos, err
}

// Inspect asks for the verbose status of a container or else a sandbox, which
// holds its pid and cgroup, and for its pod's labels.
func (c *CRI) Inspect(ctx context.Context, ref Ref) (info Info, ok bool, err error) {
	if ref.Runtime == RuntimePodman || !isID(ref.ID) && (ref.ID != "" || ref.PodUID == "") {
		return Info{}, false, nil // none of CRI's
	}
	err = c.call(ctx, func(conn *criConn) error {
		info, ok, err = conn.inspect(ctx, ref)
		return err
	})
	return info, ok, err
}

// isNotFound shows a runtime's "no such container"; cri-dockerd and older
// CRI-O have no code for it.
func isNotFound(err error) bool {
	switch status.Code(err) {
	case codes.NotFound:
		return true
	case codes.Unknown, codes.Internal:
		text := strings.ToLower(status.Convert(err).Message())
		return strings.Contains(text, "not found") || strings.Contains(text, "no such container") ||
			strings.Contains(text, "could not find") || strings.Contains(text, "not exist")
	}
	return false
}
