// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/spf13/cobra"

	"github.com/sigtrace/sigtrace/internal/config"
	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/fence"
	"github.com/sigtrace/sigtrace/internal/kubeevent"
	"github.com/sigtrace/sigtrace/internal/output"
	"github.com/sigtrace/sigtrace/internal/postmortem"
	"github.com/sigtrace/sigtrace/internal/resolve"
	"github.com/sigtrace/sigtrace/internal/tracer"
)

const agentHelp = `agent is the watch that is always there: it writes JSON lines to stdout, and the
files from which "sigtrace why" explains past deaths into the log directory.

Each flag can also be set in the environment (--log-dir: SIGTRACE_LOG_DIR) and
in a YAML file (log-dir: /var/log/sigtrace); a flag goes before the environment,
and that before the file. SIGHUP reads them again; --log-max-size,
--log-max-files, --deaths-max and --verbose then change while it runs.`

const agentExamples = `  sigtrace agent
  sigtrace agent --metrics-addr :9466 --config /etc/sigtrace.yaml
  sigtrace agent --namespace shop --log-dir /tmp/shop`

// agentFlags are the flags of agent: watch's, and where it writes.
type agentFlags struct {
	watchFlags
	config  string
	logDir  string
	limits  postmortem.Limits
	flight  time.Duration
	metrics string
	pinDir  string
	unpin   bool
	// kubeEvents asks for Kubernetes Events; events tells them, if there is an API.
	kubeEvents bool
	events     *kubeevent.Sink
	// given are the flags of the command line: nothing else changes those.
	given map[string]bool
	level slog.LevelVar
	pulse *pulse
	// session is the run's, once it is open.
	session atomic.Pointer[session]
}

// defaultLogDir is the contract's.
const defaultLogDir = "/var/log/sigtrace"

func newAgent(types *tracer.Types) *cobra.Command {
	f, c := newAgentFlags()
	f.kernelTypes = types
	return c
}

func newAgentFlags() (*agentFlags, *cobra.Command) {
	f := &agentFlags{limits: postmortem.Defaults(), pulse: newPulse()}
	c := &cobra.Command{
		Use:     "agent",
		Short:   "Run as the node's agent: JSON lines, postmortem files, metrics",
		Long:    agentHelp,
		Example: agentExamples,
		Args:    noArgs,
		RunE:    f.run,
	}
	f.registerFiles(c)
	f.registerTargets(c)
	f.registerSources(c)
	f.registerKubeEvents(c)
	f.registerPins(c)
	f.registerRun(c)
	fs := c.Flags()
	fs.BoolVar(&f.maskArgs, "mask-args", true, "show secrets in arguments as ***")
	f.format, f.color = "json", "never"
	f.types = []string{"signal", "oom", "death", "stuck"}
	return f, c
}

// registerFiles: the postmortem files.
func (f *agentFlags) registerFiles(c *cobra.Command) {
	fs := c.Flags()
	fs.SortFlags = false
	fs.StringVar(&f.config, "config", "", "YAML `file` with the same names as the flags")
	fs.StringVar(&f.metrics, "metrics-addr", "", "serve /metrics, /healthz and /readyz at this `address`: 127.0.0.1:9466 (default off)")
	fs.StringVar(&f.logDir, "log-dir", defaultLogDir, "`directory` of the postmortem files")
	fs.Var((*byteSize)(&f.limits.Size), "log-max-size", "rotate events.jsonl at this `size`")
	fs.IntVar(&f.limits.Files, "log-max-files", f.limits.Files, "keep so many files of events")
	fs.DurationVar(&f.flight, "flight-recorder", 5*time.Minute, "tell in a death's file what was seen there for so long before it; 0 is off")
	fs.IntVar(&f.limits.Deaths, "deaths-max", f.limits.Deaths, "keep so many files of deaths")
}

func (f *agentFlags) validate() error {
	if f.limits.Files < 1 || f.limits.Deaths < 0 {
		return usageError{errors.New("--log-max-files must be 1 or more, --deaths-max 0 or more")}
	}
	return f.watchFlags.validate()
}

func (f *agentFlags) run(c *cobra.Command, _ []string) error {
	if err := f.configure(c); err != nil {
		return err
	}
	if err := mayRun(); err != nil {
		return err
	}
	if f.unpin {
		return f.removePins(c)
	}
	log := f.log(c.ErrOrStderr())
	f.fence = fence.New(fence.Options{Log: log})
	for _, name := range config.Unknown(c.Flags(), os.Environ()) {
		log.Warn("the environment has a variable that means nothing here", "name", name)
	}
	if err := f.kube.missing(); err != nil {
		log.Warn("a source of Kubernetes' words is not there", "error", err) // nodes differ
	}
	if err := f.openPins(log); err != nil {
		return err
	}
	return f.closePins(f.serve(c, log))
}

// serve runs until the command's context ends.
func (f *agentFlags) serve(c *cobra.Command, log *slog.Logger) error {
	files, err := f.openFiles(log)
	if err != nil {
		return err
	}
	all, streaming := output.Tee(f.sinks(c, log, files)...), false
	err = f.watch(c, log, func(s *session) (output.Printer, error) {
		streaming = true
		s.state, s.away = event.StateStarted, away(files.Previous(), time.Now())
		s.writes = append(s.writes, f.logDir)
		s.resume(f.pins, f.logDir)
		f.missed(c.Context(), s)
		f.session.Store(s)
		counted, err := f.count(c.Context(), s, files)
		if err != nil {
			return all, err
		}
		f.hear(c, s, files)
		return farewell{output.Tee(all, counted, f.pulse), s}, nil
	})
	if !streaming {
		err = errors.Join(err, all.Close())
	}
	return err
}

// hear has those told that follow the agent's life, and listens to SIGHUP.
func (f *agentFlags) hear(c *cobra.Command, s *session, files *postmortem.Writer) {
	ctx := c.Context()
	s.started = append(s.started, func() {
		f.pulse.ready.Store(true)
		notify(s.log, daemon.SdNotifyReady)
		go watchdog(ctx, s.log, f.pulse.alive)
	})
	context.AfterFunc(ctx, func() { notify(s.log, daemon.SdNotifyStopping) })
	f.reloads(ctx, c, s.log, func() {
		files.SetLimits(f.limits)
		f.setLevel()
	})
}

func (f *agentFlags) openFiles(log *slog.Logger) (*postmortem.Writer, error) {
	return postmortem.Open(postmortem.Options{
		Dir: f.logDir, Limits: f.limits, MaskArgs: f.maskArgs, Flight: f.flight, Log: log,
		Synced:   func(d *event.Death) { f.session.Load().written(d) },
		Presence: postmortem.Presence{Node: f.nodeName(), BootID: bootID(), Version: versionString(), Started: time.Now().UTC()},
	})
}

// away is the time in which no agent was there; nil where none was before.
func away(before *postmortem.Presence, now time.Time) *event.Away {
	if before == nil {
		return nil
	}
	return &event.Away{
		Since: before.LastSeen, Until: now.UTC(), Stopped: before.Stopped,
		Rebooted: before.BootID != bootID(),
	}
}

// farewell says in the stream that the agent ends as asked.
type farewell struct {
	output.Printer
	s *session
}

func (f farewell) Close() error {
	f.s.state, f.s.away = event.StateStopped, nil
	return errors.Join(f.Print(f.s.status(resolve.Now())), f.Printer.Close())
}

// log says more than a watch's: nobody is looking when it happens.
func (f *agentFlags) log(w io.Writer) *slog.Logger {
	f.setLevel()
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: &f.level}))
}

func (f *agentFlags) setLevel() {
	f.level.Set(slog.LevelInfo)
	if f.verbose {
		f.level.Set(slog.LevelDebug)
	}
}
