// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"context"
	"runtime"

	"github.com/sigtrace/sigtrace/internal/metrics"
	"github.com/sigtrace/sigtrace/internal/output"
)

// stdoutRoom and filesRoom are how many events may wait for each.
const (
	stdoutRoom = 4096
	filesRoom  = 8192
)

// sinks is where the agent's events go; each runs beside the stream, so that
// none holds up another.
func (a *agent) sinks() []output.Printer {
	fence := a.c.Session.Fence
	stdout := output.NewStream(a.c.Stdout, output.Options{MaskArgs: a.c.Session.MaskArgs})
	sinks := []output.Printer{
		output.Beside(output.Fenced(a.files, fence), output.BesideOptions{Name: "log", Room: filesRoom, Log: a.log}),
		output.Beside(output.Fenced(stdout, fence), output.BesideOptions{Name: "stdout", Room: stdoutRoom, Log: a.log}),
	}
	if a.events = a.kubeEventSink(); a.events != nil {
		sinks = append(sinks, output.Fenced(a.events, fence)) // it has a queue of its own
	}
	return sinks
}

// count counts the events and serves the figures, if an address is given.
func (a *agent) count(ctx context.Context) (output.Printer, error) {
	if a.c.MetricsAddr == "" {
		return output.Tee(), nil
	}
	s := a.session.Load()
	m := metrics.New(metrics.Options{
		Version: a.c.Session.Version, Commit: a.c.Commit, Go: runtime.Version(),
		Recursion: s.RecursionMisses, WriteErrors: a.files.WriteErrors, InternalErrors: a.c.Session.Fence.Count,
		EvidenceErrors: s.Failures, KubeEvents: a.kubeEventResults(),
	})
	serve, at, err := metrics.Listen(a.c.MetricsAddr, m.Handler(metrics.Health{Alive: a.pulse.alive, Ready: a.pulse.isReady}))
	if err != nil {
		return nil, err
	}
	a.log.Info("serving metrics", "address", at.String())
	go func() {
		if err := serve(ctx); err != nil {
			a.log.Error("metrics are not served any more", "error", err)
		}
	}()
	return output.Fenced(m, a.c.Session.Fence), nil
}
