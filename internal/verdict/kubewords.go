// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"fmt"
	"strings"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/phrase"
	"github.com/sigtrace/sigtrace/internal/proctree"
	"github.com/sigtrace/sigtrace/internal/safetext"
)

// kubeDetail adds what Kubernetes itself said: who asked for a deletion, how the
// pod's work has ended or its probe failed, else the reason in its own words.
func kubeDetail(d *event.Death, j *joined) string {
	text := j.quote
	switch d.Cause {
	case event.CausePodDeleted:
		return j.requester.String()
	case event.CausePodFinished:
		if j.outcome != "" {
			return ": " + j.outcome
		}
	case event.CauseLivenessProbe, event.CauseStartupProbe:
		return j.failure.String()
	case event.CauseEvicted, event.CausePreempted:
	default:
		return ""
	}
	if text == "" {
		return ""
	}
	return " (" + safetext.Quote(text) + ")"
}

// outcome is how the containers that did a pod's work have ended, of several the
// worst: "container app was OOM-killed".
func (e *Engine) outcome(ends []*event.Exit) string {
	worst, text := 0, ""
	for _, x := range ends {
		grade, how := 1, " completed"
		switch st := e.find(x.Process); {
		case x.OOMMark || st != nil && st.oom != nil:
			grade, how = 3, " was OOM-killed"
		case x.Exit.Signal != "":
			grade, how = 2, fmt.Sprintf(" failed (%s, exit code %d)", x.Exit.Signal, x.Exit.Code)
		case x.Exit.Code != 0:
			grade, how = 2, fmt.Sprintf(" failed (exit code %d)", x.Exit.Code)
		}
		if grade > worst {
			worst, text = grade, "container "+safetext.Quote(x.Process.Container.Name)+how
		}
	}
	return text
}

// runtimeStop is about a stop by the container's runtime, and who asked for it.
func runtimeStop(d *event.Death, j *joined) string {
	text := d.Cause.Row().Clause
	if d.Actor != nil {
		text += ", " + phrase.Name(d.Actor)
	}
	switch {
	case endedSession(j):
		return text + ", which had brought it into the container (an exec probe or a hook that ran out of time, or a session that ended)"
	case d.RequestedBy == byKubelet:
		return text + ", as kubelet requested; why is unknown"
	case j.byHand:
		return text + ", as another runtime client requested (crictl, ctr, …), not kubelet"
	}
	return text
}

// endedSession reports whether the runtime ended what it had itself brought into a
// container.
func endedSession(j *joined) bool {
	return j.first != nil && !proctree.IsInit(j.first.Target) && proctree.IsMonitor(j.first.Sender)
}

// requestUnknown says of a stop by the runtime that nobody is known to have asked
// for it, and which sources could have said.
func (e *Engine) requestUnknown(d *event.Death, j *joined) string {
	if d.Cause != event.CauseRuntimeStop || d.RequestedBy != "" || j.byHand || endedSession(j) {
		return ""
	}
	if gone := e.kube.Unavailable(); len(gone) > 0 && d.Process.Pod != nil {
		return fmt.Sprintf("Who requested it is unknown (unavailable: %s).", strings.Join(gone, ", "))
	}
	return "Who requested it is unknown."
}

// disagreement says where Kubernetes reports this death as something else.
func disagreement(d *event.Death) string {
	k := d.KubernetesSays
	switch {
	case k == nil || k.Agrees:
		return ""
	case k.Reason == "" && k.ExitCode == nil:
		return "Kubernetes does not report it."
	case k.ExitCode == nil:
		return fmt.Sprintf("Kubernetes reports %s; the kernel shows otherwise.", safetext.Quote(k.Reason))
	case k.Reason == "":
		return fmt.Sprintf("Kubernetes reports exit code %d; the kernel shows otherwise.", *k.ExitCode)
	}
	return fmt.Sprintf("Kubernetes reports %s, exit code %d; the kernel shows otherwise.", safetext.Quote(k.Reason), *k.ExitCode)
}
