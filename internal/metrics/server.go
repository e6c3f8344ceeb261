// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Health answers whether the agent lives, and whether it is ready; nil is yes.
type Health struct {
	Alive func() error
	Ready func() error
}

// openMetrics is what those get who do not say what they want.
const openMetrics = "application/openmetrics-text; version=1.0.0"

// Handler serves /metrics, /healthz and /readyz.
func (m *Metrics) Handler(h Health) http.Handler {
	figures := promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{EnableOpenMetrics: true, MaxRequestsInFlight: 4})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		if a := r.Header.Get("Accept"); a == "" || a == "*/*" {
			r.Header.Set("Accept", openMetrics)
		}
		figures.ServeHTTP(w, r)
	})
	mux.HandleFunc("GET /healthz", answer(h.Alive))
	mux.HandleFunc("GET /readyz", answer(h.Ready))
	return mux
}

func answer(ask func() error) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if err := ask(); err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprintln(w, err)
			return
		}
		fmt.Fprintln(w, "ok")
	}
}

// Listen takes the address at once, so that a mistake in it ends the start, and
// returns what serves it until ctx ends.
func Listen(addr string, h http.Handler) (serve func(context.Context) error, at net.Addr, err error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, nil, fmt.Errorf("--metrics-addr: %w", err)
	}
	s := &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
	}
	return func(ctx context.Context) error {
		stop := context.AfterFunc(ctx, func() { _ = s.Close() })
		defer stop()
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve metrics: %w", err)
		}
		return nil
	}, l.Addr(), nil
}
