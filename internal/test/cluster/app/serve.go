// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"net"
	"net/http"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	health_v1 "google.golang.org/grpc/health/grpc_health_v1"
)

// serve shows the app's health in the ways that were asked for.
func (a *app) serve(ctx context.Context) error {
	for _, s := range []struct {
		address string
		serve   func(context.Context, net.Listener)
	}{{a.http, a.serveHTTP}, {a.grpc, a.serveGRPC}} {
		if s.address == "" {
			continue
		}
		l, err := listen(ctx, s.address)
		if err != nil {
			return err
		}
		go s.serve(ctx, l)
	}
	if a.tcp != "" {
		go a.serveTCP(ctx)
	}
	if a.state != "" {
		go a.serveFile(ctx)
	}
	return nil
}

// listen waits a little for a port that a container before this one still has.
func listen(ctx context.Context, address string) (l net.Listener, err error) {
	for range 20 {
		if l, err = new(net.ListenConfig).Listen(ctx, "tcp", address); err == nil {
			return l, nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return nil, err
}

func (a *app) serveHTTP(_ context.Context, l net.Listener) {
	_ = http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if a.sick() {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
}

func (a *app) serveGRPC(ctx context.Context, l net.Listener) {
	h := health.NewServer()
	s := grpc.NewServer()
	health_v1.RegisterHealthServer(s, h)
	go a.eachTick(ctx, func(sick bool) {
		status := health_v1.HealthCheckResponse_SERVING
		if sick {
			status = health_v1.HealthCheckResponse_NOT_SERVING
		}
		h.SetServingStatus("", status)
	})
	_ = s.Serve(l)
}

// serveTCP accepts connections while well; nobody listens while sick.
func (a *app) serveTCP(ctx context.Context) {
	var open net.Listener
	a.eachTick(ctx, func(sick bool) {
		switch {
		case sick && open != nil:
			open.Close()
			open = nil
		case !sick && open == nil:
			l, err := listen(ctx, a.tcp)
			if err != nil {
				return
			}
			open = l
			go accept(l)
		}
	})
}

func accept(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		c.Close()
	}
}

// serveFile is for exec probes: the file is there while sick.
func (a *app) serveFile(ctx context.Context) {
	name := a.state + "/sick"
	a.eachTick(ctx, func(sick bool) {
		if sick {
			_ = os.WriteFile(name, nil, 0o644)
		} else {
			_ = os.Remove(name)
		}
	})
}

func (a *app) eachTick(ctx context.Context, apply func(sick bool)) {
	for ctx.Err() == nil {
		apply(a.sick())
		time.Sleep(100 * time.Millisecond)
	}
}
