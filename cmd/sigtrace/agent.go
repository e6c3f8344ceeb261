// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"io"
	"log/slog"
	"os/signal"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/output"
	"github.com/sigtrace/sigtrace/internal/postmortem"
	"github.com/sigtrace/sigtrace/internal/resolve"
)

const agentHelp = `agent is the watch that is always there: it writes JSON lines to stdout, and the
files from which "sigtrace why" explains past deaths into the log directory.`

// agentFlags are the flags of agent: watch's, and where it writes.
type agentFlags struct {
	watchFlags
	logDir string
	limits postmortem.Limits
	flight time.Duration
	pinDir string
	unpin  bool
	// session is the run's, once it is open.
	session atomic.Pointer[session]
}

// defaultLogDir is the contract's.
const defaultLogDir = "/var/log/sigtrace"

func newAgent() *cobra.Command {
	f := &agentFlags{limits: postmortem.Defaults()}
	c := &cobra.Command{
		Use:   "agent",
		Short: "Run as the node's agent: JSON lines, postmortem files",
		Long:  agentHelp,
		Args:  noArgs,
		RunE:  f.run,
	}
	f.registerTargets(c)
	f.registerSources(c)
	f.registerFiles(c)
	f.registerPins(c)
	f.registerRun(c)
	fs := c.Flags()
	fs.BoolVar(&f.maskArgs, "mask-args", true, "show secrets in arguments as ***")
	f.format, f.color = "json", "never"
	f.types = []string{"signal", "oom", "death", "stuck"}
	return c
}

// registerFiles: the postmortem files.
func (f *agentFlags) registerFiles(c *cobra.Command) {
	fs := c.Flags()
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
	if err := f.validate(); err != nil {
		return err
	}
	if err := mayRun(); err != nil {
		return err
	}
	if f.unpin {
		return f.removePins(c)
	}
	// A reader of stdout that goes away does not end the agent.
	signal.Ignore(unix.SIGPIPE)
	log := f.log(c.ErrOrStderr())
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
	sinks, err := f.sinks(c, log, files)
	if err != nil {
		return errors.Join(err, files.Close())
	}
	all, streaming := output.Tee(sinks...), false
	err = f.watch(c, log, func(s *session) (output.Printer, error) {
		streaming = true
		s.state, s.away = event.StateStarted, away(files.Previous(), time.Now())
		s.resume(f.pins, f.logDir)
		f.session.Store(s)
		return farewell{all, s}, nil
	})
	if !streaming {
		err = errors.Join(err, all.Close())
	}
	return err
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
	level := slog.LevelInfo
	if f.verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
}

// stdoutRoom and filesRoom are how many events may wait for each.
const (
	stdoutRoom = 4096
	filesRoom  = 8192
)

// sinks is where the agent's events go; each runs beside the stream, so that
// none holds up another.
func (f *agentFlags) sinks(c *cobra.Command, log *slog.Logger, files *postmortem.Writer) ([]output.Printer, error) {
	stdout, err := output.New("json", c.OutOrStdout(), output.Options{MaskArgs: f.maskArgs})
	if err != nil {
		return nil, err
	}
	return []output.Printer{
		output.Beside(files, output.BesideOptions{Name: "log", Room: filesRoom, Log: log}),
		output.Beside(stdout, output.BesideOptions{Name: "stdout", Room: stdoutRoom, Log: log}),
	}, nil
}
