// SPDX-License-Identifier: Apache-2.0

package advice

import (
	"fmt"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/phrase"
	"github.com/sigtrace/sigtrace/internal/proctree"
	"github.com/sigtrace/sigtrace/internal/safetext"
)

const gaps = "signals.*.gap_seconds"

var stopRules = []rule{
	{name: "init_ignores_stop", topic: topicStop, rests: []string{gaps, "signals.*.result"}, advise: initIgnores},
	{name: "ignores_stop", topic: topicStop, rests: []string{gaps, "signals.*.result"}, advise: ignores},
	{name: "supervisor_timeout", topic: topicStop, rests: []string{gaps, "signals.*.sender"}, advise: supervisorTimeout},
	{name: "service_timeout", topic: topicStop, rests: []string{gaps}, advise: serviceTimeout},
	{name: "node_shutdown_grace", topic: topicStop, rests: []string{gaps}, advise: nodeShutdownGrace},
	{name: "grace_period", topic: topicStop, rests: []string{gaps, "requested_by"}, advise: gracePeriod},
	{name: "runtime_timeout", topic: topicStop, rests: []string{gaps}, advise: runtimeTimeout},
	{name: "stopped_with_error", topic: topicExit, rests: []string{"exit.code"}, advise: stoppedWithError},
}

func initIgnores(d *event.Death) (string, string) {
	s := slowStop(d)
	if s == nil || s.ask.Result != event.ResultIgnored || !isFirst(d.Process) {
		return "", ""
	}
	inits := "tini, dumb-init, docker run --init"
	if inPod(d.Process) {
		inits = "tini, dumb-init, shareProcessNamespace: true"
	}
	return fmt.Sprintf("Give it a handler for %s, or run it under an init (%s): as it is, each stop takes %s.", s.ask.Signal, inits, seconds(s.seconds)),
		fmt.Sprintf("As PID 1 without a handler it ignored %s, and was killed %s later.", s.ask.Signal, seconds(s.seconds))
}

func ignores(d *event.Death) (string, string) {
	s := slowStop(d)
	if s == nil || s.ask.Result != event.ResultIgnored || isFirst(d.Process) {
		return "", ""
	}
	return fmt.Sprintf("Do not let it ignore %s, or stop it with a signal that it handles: as it is, each stop takes %s.", s.ask.Signal, seconds(s.seconds)),
		fmt.Sprintf("It ignored %s, and was killed %s later.", s.ask.Signal, seconds(s.seconds))
}

// notInTime is a stop that a process was given time for and did not use: ask is the
// signal that it did not ignore.
func notInTime(d *event.Death) *stopped {
	s := slowStop(d)
	if s == nil || s.ask.Result == event.ResultIgnored {
		return nil
	}
	return s
}

func hadTime(s *stopped) string {
	return fmt.Sprintf("It had not ended %s after %s, and was killed.", seconds(s.seconds), s.ask.Signal)
}

// supervisorTimeout: an ancestor in the container asked it to end, and killed it
// before it had.
func supervisorTimeout(d *event.Death) (string, string) {
	s := notInTime(d)
	if s == nil || !proctree.Same(s.ask.Sender, s.kill.Sender) || !descendsFrom(d, s.kill.Sender) || s.kill.Sender.PID == 1 {
		return "", ""
	}
	if inContainer(d.Process) && !proctree.SameContainer(s.kill.Sender, d.Process) {
		return "", "" // the shim and what started that
	}
	return fmt.Sprintf("Raise the stop timeout of %s above %s (supervisord: stopwaitsecs, gunicorn: graceful_timeout), or let the process end faster.",
		safetext.Quote(phrase.Program(s.kill.Sender)), seconds(s.seconds)), hadTime(s)
}

func serviceTimeout(d *event.Death) (string, string) {
	s := notInTime(d)
	if s == nil || d.Cause != event.CauseServiceManager {
		return "", ""
	}
	return fmt.Sprintf("Raise TimeoutStopSec= of its unit above %s, or let it end faster.", seconds(s.seconds)), hadTime(s)
}

func nodeShutdownGrace(d *event.Death) (string, string) {
	s := notInTime(d)
	if s == nil || d.Cause != event.CauseNodeShutdown {
		return "", ""
	}
	return fmt.Sprintf("Raise shutdownGracePeriod in kubelet's configuration and the pod's grace period above %s, or let it end faster.", seconds(s.seconds)), hadTime(s)
}

func gracePeriod(d *event.Death) (string, string) {
	s := notInTime(d)
	if s == nil || d.RequestedBy != "kubelet" || d.Cause == event.CauseNodeShutdown {
		return "", ""
	}
	of := "terminationGracePeriodSeconds"
	if d.Cause == event.CauseLivenessProbe || d.Cause == event.CauseStartupProbe {
		of = "terminationGracePeriodSeconds (of the pod or the probe)"
	}
	return fmt.Sprintf("Raise %s above what it needs to end, or let it end within %s of %s.", of, seconds(s.seconds), s.ask.Signal), hadTime(s)
}

func runtimeTimeout(d *event.Death) (string, string) {
	s := notInTime(d)
	if s == nil || d.Cause != event.CauseRuntimeStop || d.RequestedBy != "" {
		return "", ""
	}
	return fmt.Sprintf("Raise the stop timeout above %s (docker stop -t, stop_grace_period in Compose), or let it end faster.", seconds(s.seconds)), hadTime(s)
}

// stoppedWithError: it handled the stop and exited with an error's code.
func stoppedWithError(d *event.Death) (string, string) {
	if !group(d, event.GroupKubernetes) || d.Exit.Signal != "" || d.Exit.Code == 0 || len(d.Signals) == 0 || !proctree.IsInit(d.Process) || d.Process.Container.Name == "" {
		return "", ""
	}
	return "Let it exit with code 0 after a stop: with any other code Kubernetes reports Error, and a Job counts the pod as failed.",
		fmt.Sprintf("It handled %s and exited with code %d.", d.Signals[0].Signal, d.Exit.Code)
}
