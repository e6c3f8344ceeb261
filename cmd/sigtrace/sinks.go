// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"io"
	"log/slog"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/sigtrace/sigtrace/internal/metrics"
	"github.com/sigtrace/sigtrace/internal/output"
	"github.com/sigtrace/sigtrace/internal/postmortem"
)

// stdoutRoom and filesRoom are how many events may wait for each.
const (
	stdoutRoom = 4096
	filesRoom  = 8192
)

// sinks is where the agent's events go; each runs beside the stream, so that
// none holds up another.
func (f *agentFlags) sinks(c *cobra.Command, log *slog.Logger, files *postmortem.Writer) []output.Printer {
	sinks := []output.Printer{
		output.Beside(output.Fenced(files, f.fence), output.BesideOptions{Name: "log", Room: filesRoom, Log: log}),
		output.Beside(output.Fenced(f.stdout(c.OutOrStdout()), f.fence), output.BesideOptions{Name: "stdout", Room: stdoutRoom, Log: log}),
	}
	if f.events = f.tellKubernetes(c, log); f.events != nil {
		sinks = append(sinks, output.Fenced(f.events, f.fence)) // it has a queue of its own
	}
	return sinks
}

func (f *agentFlags) stdout(w io.Writer) output.Printer {
	return output.NewStream(w, output.Options{MaskArgs: f.maskArgs})
}

// count counts the events and serves the figures, if an address is given.
func (f *agentFlags) count(ctx context.Context, s *session, files *postmortem.Writer) (output.Printer, error) {
	if f.metrics == "" {
		return output.Tee(), nil
	}
	m := metrics.New(metrics.Options{
		Version: versionString(), Commit: commit(), Go: runtime.Version(),
		Recursion: s.probe.RecursionMisses, WriteErrors: files.WriteErrors, InternalErrors: f.fence.Count,
		EvidenceErrors: s.failures, KubeEvents: f.kubeEventResults(),
	})
	serve, at, err := metrics.Listen(f.metrics, m.Handler(metrics.Health{Alive: f.pulse.alive, Ready: f.pulse.isReady}))
	if err != nil {
		return nil, err
	}
	s.log.Info("metrics are served", "address", at.String())
	go func() {
		if err := serve(ctx); err != nil {
			s.log.Error("metrics are not served any more", "error", err)
		}
	}()
	return output.Fenced(m, f.fence), nil
}
