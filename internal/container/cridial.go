// SPDX-License-Identifier: Apache-2.0

package container

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// criMaxMessage is what kubelet allows too (pkg/kubelet/cri/remote).
const criMaxMessage = 16 << 20

// criDialer keeps the one connection.
type criDialer struct {
	sockets []string

	mu   sync.Mutex
	conn *criConn
}

// connect gives the connection, or makes one to the first socket behind which
// a CRI runtime answers. The error wraps ErrAbsent if no socket exists.
func (d *criDialer) connect(ctx context.Context) (*criConn, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conn != nil {
		return d.conn, nil
	}
	var errs []error
	for _, socket := range d.sockets {
		if _, err := os.Stat(socket); errors.Is(err, os.ErrNotExist) {
			continue
		}
		conn, err := dialCRI(ctx, socket)
		if err == nil {
			d.conn = conn
			return conn, nil
		}
		errs = append(errs, err)
	}
	if len(errs) == 0 {
		return nil, absent("no CRI socket " + firstOf(d.sockets))
	}
	return nil, errors.Join(errs...)
}

// dialCRI connects to one socket. gRPC's own dial errors are wordy, so it is
// the plain connect that says what is wrong with the socket.
func dialCRI(ctx context.Context, socket string) (*criConn, error) {
	plain, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, fmt.Errorf("connect to CRI: %w", err)
	}
	if err := plain.Close(); err != nil {
		return nil, fmt.Errorf("connect to CRI: %w", err)
	}
	conn, err := grpc.NewClient("passthrough:///"+socket,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, path string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		}),
		grpc.WithAuthority("localhost"),
		grpc.WithDisableServiceConfig(),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(criMaxMessage)))
	if err != nil {
		return nil, fmt.Errorf("connect to CRI at %s: %w", socket, err)
	}
	client := runtimeapi.NewRuntimeServiceClient(conn)
	version, err := client.Version(ctx, &runtimeapi.VersionRequest{})
	if err != nil {
		return nil, errors.Join(criRefusal(ctx, socket, err), conn.Close())
	}
	return &criConn{
		socket: socket, runtime: version.GetRuntimeName(), conn: conn, client: client,
		images: runtimeapi.NewImageServiceClient(conn), stops: newLRU[string](stopSignalImages, nil),
	}, nil
}

// criRefusal words why a socket that takes connections does not speak CRI.
func criRefusal(ctx context.Context, socket string, err error) error {
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("CRI at %s: %w", socket, ctx.Err())
	case status.Code(err) == codes.Unimplemented:
		return fmt.Errorf("%s does not offer CRI v1 (is the runtime's CRI plugin disabled?)", socket)
	}
	return fmt.Errorf("CRI at %s: %w", socket, err)
}

// drop gives up a connection, if it is still the one in use.
func (d *criDialer) drop(conn *criConn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conn == conn {
		d.conn = nil
		_ = conn.conn.Close() // it is broken already
	}
}

func (d *criDialer) close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conn == nil {
		return nil
	}
	err := d.conn.conn.Close()
	d.conn = nil
	return err
}
