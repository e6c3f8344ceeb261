// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/proctree"
	"github.com/sigtrace/sigtrace/internal/safetext"
)

// kubeReason words the causes that are Kubernetes' own.
func kubeReason(d *event.Death, j *joined) string {
	switch d.Cause {
	case event.CauseLivenessProbe:
		return ": kubelet had it stopped because its liveness probe failed" + quoted(j, "probe")
	case event.CauseStartupProbe:
		return ": kubelet had it stopped because its startup probe failed" + quoted(j, "probe")
	case event.CausePodDeleted:
		return ": its pod was deleted" + disruption(j)
	case event.CauseEvicted:
		return ": kubelet evicted its pod" + quoted(j, "low on resource", "xceed", "sage of")
	case event.CausePreempted:
		return ": its pod was preempted, to make room for a more important one" + quoted(j, "reempt")
	case event.CauseNodeShutdown:
		return ": the node is shutting down"
	case event.CauseDeadlineExceeded:
		return ": its pod ran for longer than its activeDeadlineSeconds allow"
	case event.CauseContainerChanged:
		return ": kubelet restarts it because its definition was changed"
	case event.CausePoststartHook:
		return ": kubelet had it stopped because its postStart hook failed"
	case event.CauseSandboxChanged:
		return ": kubelet makes its pod's sandbox anew"
	case event.CausePodFinished:
		return ": the work of its pod is done, and kubelet stopped what was left"
	}
	return ""
}

// quoted is the word of Kubernetes' that says most, of those that hold one of
// the given parts.
func quoted(j *joined, parts ...string) string {
	best := ""
	for _, w := range j.words {
		holds := slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(w.Text, part) })
		if holds && len(w.Text) > len(best) && !strings.HasPrefix(w.Text, "does not agree") {
			best = w.Text
		}
	}
	if best == "" {
		return ""
	}
	return " (" + safetext.Quote(best) + ")"
}

func disruption(j *joined) string {
	for _, h := range j.hops {
		if h.Process == nil && strings.HasPrefix(h.What, "pod deleted (") {
			return " " + safetext.Quote(strings.TrimPrefix(h.What, "pod deleted "))
		}
	}
	return ""
}

// request says of a stop by the runtime who asked for it.
func (e *Engine) request(d *event.Death, j *joined) string {
	switch {
	case !proctree.IsInit(j.first.Target) && proctree.IsMonitor(j.first.Sender):
		return ", which had brought it into the container: an exec probe or a hook whose time was up, or a session that ended"
	case d.RequestedBy == byKubelet:
		return "; kubelet asked for it, why is not known"
	case j.byHand:
		return "; kubelet did not ask for it: by hand (crictl, ctr or another client of the runtime)"
	}
	text := ", on whose request is not known"
	var blind []string
	for _, name := range slices.Sorted(maps.Keys(e.kube.sights)) {
		if s := e.kube.sights[name]; !s.sees {
			blind = append(blind, name)
		}
	}
	if len(blind) > 0 && d.Process.Pod != nil {
		text += fmt.Sprintf(" (not to be seen: %s)", strings.Join(blind, ", "))
	}
	return text
}

// saysOtherwise tells that Kubernetes shows this death as something else.
func saysOtherwise(d *event.Death) string {
	k := d.KubernetesSays
	switch {
	case k == nil || k.Agrees:
		return ""
	case k.Reason == "" && k.ExitCode == nil:
		return "; Kubernetes shows nothing of it"
	case k.ExitCode == nil:
		return "; Kubernetes says " + safetext.Quote(k.Reason) + ", which is not so"
	}
	return fmt.Sprintf("; Kubernetes says %s with exit code %d, which is not so", safetext.Quote(k.Reason), *k.ExitCode)
}
