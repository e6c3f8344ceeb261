// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sigtrace/sigtrace/internal/agent"
	"github.com/sigtrace/sigtrace/internal/config"
	"github.com/sigtrace/sigtrace/internal/fence"
	"github.com/sigtrace/sigtrace/internal/postmortem"
	"github.com/sigtrace/sigtrace/internal/session"
	"github.com/sigtrace/sigtrace/internal/tracer"
)

const agentHelp = `agent is the watch that always runs: it writes JSON lines to stdout, and the
files from which "sigtrace why" explains past deaths into the log directory.

Each flag can also be set in the environment (--log-dir: SIGTRACE_LOG_DIR) and
in a YAML file (log-dir: /var/log/sigtrace); flags override the environment,
which overrides the file. SIGHUP reads both again; --log-max-size,
--log-max-files, --deaths-max and --verbose then change while it runs.`

const agentExamples = `  sigtrace agent
  sigtrace agent --metrics-addr :9466 --config /etc/sigtrace.yaml
  sigtrace agent --namespace shop --log-dir /tmp/shop`

// agentFlags are the flags of agent.
type agentFlags struct {
	target   targetFlags
	sources  sourceFlags
	run      runFlags
	maskArgs bool

	config     string
	logDir     string
	limits     postmortem.Limits
	flight     time.Duration
	metrics    string
	pinDir     string
	unpin      bool
	kubeEvents bool
}

// defaultLogDir is the contract's.
const defaultLogDir = "/var/log/sigtrace"

func newAgent(types *tracer.Types) *cobra.Command {
	f, c := newAgentFlags()
	c.RunE = func(c *cobra.Command, _ []string) error { return f.start(c, types) }
	return c
}

func newAgentFlags() (*agentFlags, *cobra.Command) {
	f := &agentFlags{limits: postmortem.Defaults()}
	c := &cobra.Command{
		Use:     "agent",
		Short:   "Run as the node's agent: JSON lines, postmortem files, metrics",
		Long:    agentHelp,
		Example: agentExamples,
		Args:    noArgs,
	}
	f.registerFiles(c)
	f.target.register(c)
	f.sources.register(c)
	c.Flags().BoolVar(&f.kubeEvents, "kube-events", true, "report deaths of pods as Kubernetes Events, where there is an API")
	f.registerPins(c)
	f.run.register(c)
	c.Flags().BoolVar(&f.maskArgs, "mask-args", true, "show secrets in arguments as ***")
	return f, c
}

// registerFiles: the postmortem files and metrics.
func (f *agentFlags) registerFiles(c *cobra.Command) {
	fs := c.Flags()
	fs.SortFlags = false
	fs.StringVar(&f.config, "config", "", "YAML `file` with the same names as the flags")
	fs.StringVar(&f.metrics, "metrics-addr", "", "serve /metrics, /healthz and /readyz at this `address`: 127.0.0.1:9466 (default off)")
	fs.StringVar(&f.logDir, "log-dir", defaultLogDir, "`directory` of the postmortem files")
	fs.Var((*byteSize)(&f.limits.Size), "log-max-size", "rotate events.jsonl at this `size`")
	fs.IntVar(&f.limits.Files, "log-max-files", f.limits.Files, "maximum number of files of events")
	fs.DurationVar(&f.flight, "flight-recorder", 5*time.Minute, "how far back a death's file shows what happened in its pod; 0 disables")
	fs.IntVar(&f.limits.Deaths, "deaths-max", f.limits.Deaths, "maximum number of files of deaths")
}

// registerPins: what outlives the agent.
func (f *agentFlags) registerPins(c *cobra.Command) {
	fs := c.Flags()
	fs.StringVar(&f.pinDir, "pin", "", "keep the kernel side loaded in this `directory` of a BPF file system, so that deaths during a restart are reported afterwards (alone it means "+tracer.PinDir+"; another one is --pin=DIR)")
	fs.Lookup("pin").NoOptDefVal = tracer.PinDir
	fs.BoolVar(&f.unpin, "unpin", false, "unload pinned programs and exit")
	config.CommandLineOnly(fs, "unpin")
}

// changeableFlags are those that a running agent can change.
func changeableFlags() []string {
	return []string{"log-max-size", "log-max-files", "deaths-max", "verbose"}
}

// configure gives the flags that the command line leaves open their values; given
// are those that it has set.
func (f *agentFlags) configure(c *cobra.Command, given map[string]bool) error {
	if err := config.Apply(c.Flags(), given, os.Environ()); err != nil {
		return usageError{err}
	}
	return f.validate()
}

func (f *agentFlags) validate() error {
	if f.limits.Files < 1 || f.limits.Deaths < 0 {
		return usageError{errors.New("--log-max-files must be 1 or more, --deaths-max 0 or more")}
	}
	return cmp.Or(f.target.validate(), f.sources.validate(), f.run.validate())
}

func (f *agentFlags) start(c *cobra.Command, types *tracer.Types) error {
	given := config.Given(c.Flags())
	if err := f.configure(c, given); err != nil {
		return err
	}
	if err := session.MayRun(); err != nil {
		return err
	}
	if f.unpin {
		return f.removePins(c)
	}
	level := new(slog.LevelVar)
	log := slog.New(slog.NewTextHandler(c.ErrOrStderr(), &slog.HandlerOptions{Level: level}))
	for _, name := range config.Unknown(c.Flags(), os.Environ()) {
		log.Warn("the environment has a variable that matches no flag", "name", name)
	}
	if err := f.sources.Kubernetes.Missing(); err != nil {
		log.Warn("a source of Kubernetes' reasons is missing", "error", err) // nodes differ
	}
	return agent.Run(c.Context(), agent.Config{
		Session: f.session(types, log), LogDir: f.logDir, Flight: f.flight,
		MetricsAddr: f.metrics, PinDir: f.pinDirectory(),
		KubeEvents: f.kubeEvents, KubeEventsGiven: c.Flags().Changed("kube-events"),
		Changeable: f.changeable(), Level: level,
		Reread: func(log *slog.Logger) (agent.Changeable, error) { return f.reread(c, given, log) },
		Stdout: c.OutOrStdout(), Commit: commit(),
	})
}

func (f *agentFlags) session(types *tracer.Types, log *slog.Logger) session.Config {
	shown := shownFlags{types: defaultTypes()}
	s := session.Config{
		Version: versionString(), Node: f.sources.nodeName(), Target: f.target.Spec,
		Shown: shown.filter(false), Sources: f.sources.Sources, MaskArgs: f.maskArgs,
		Types: types, DropPrivileges: dropsPrivileges, Fence: fence.New(fence.Options{Log: log}), Log: log,
	}
	f.run.apply(&s)
	f.sources.forced.apply(&s)
	return s
}

func (f *agentFlags) changeable() agent.Changeable {
	return agent.Changeable{Limits: f.limits, Verbose: f.run.verbose}
}

// reread reads the configuration again: it takes over what can change, and says what
// cannot. A mistake leaves everything as it was.
func (f *agentFlags) reread(c *cobra.Command, given map[string]bool, log *slog.Logger) (agent.Changeable, error) {
	fresh, again := newAgentFlags()
	if err := config.Copy(again.Flags(), c.Flags(), given); err != nil {
		return agent.Changeable{}, err
	}
	if err := fresh.configure(again, given); err != nil {
		return agent.Changeable{}, err
	}
	taken, refused := config.TakeOver(c.Flags(), again.Flags(), changeableFlags())
	if len(refused) > 0 {
		log.Warn("changed, but takes effect after a restart only", "flags", strings.Join(refused, " "))
	}
	log.Info("the configuration was reloaded", "changed", strings.Join(taken, " "))
	return f.changeable(), nil
}

// pinDirectory is where to pin; empty for nowhere. A configuration file or the
// environment may say true and false.
func (f *agentFlags) pinDirectory() string {
	switch f.pinDir {
	case "true":
		return tracer.PinDir
	case "false":
		return ""
	}
	return f.pinDir
}

// removePins is --unpin.
func (f *agentFlags) removePins(c *cobra.Command) error {
	dir := f.pinDirectory()
	if dir == "" {
		dir = tracer.PinDir
	}
	removed, err := tracer.Unpin(dir)
	switch {
	case err != nil:
		return fmt.Errorf("--unpin: %w", err)
	case removed:
		fmt.Fprintln(c.ErrOrStderr(), "sigtrace: removed the pins in", dir)
	default:
		fmt.Fprintln(c.ErrOrStderr(), "sigtrace: there are no pins in", dir)
	}
	return nil
}
