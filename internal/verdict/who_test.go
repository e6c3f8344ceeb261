// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/kubefact"
)

// stranger is a process of which neither executable nor ancestry is known.
func stranger(pid int) *event.Process {
	return &event.Process{PID: pid, Comm: "runc", StartBoottimeNS: uint64(pid)}
}

// Nothing is proven by a sender of which nothing is known.
func TestUnidentifiedSender(t *testing.T) {
	parent := stranger(40)
	for name, c := range map[string]struct {
		sender, target *event.Process
		cause          event.Cause
		confidence     event.Confidence
	}{
		"on the host":              {stranger(30), inside(idApp, true, proc(10, "server", systemd)), event.CauseUnknown, event.Unknown},
		"outside containers":       {stranger(30), proc(10, "server", systemd), event.CauseUnknown, event.Unknown},
		"of the same container":    {inside(idApp, false, stranger(30)), inside(idApp, false, proc(10, "server", systemd)), event.CauseSameContainer, event.Likely},
		"of another container":     {inside("other", false, stranger(30)), inside(idApp, false, proc(10, "server", systemd)), event.CauseForeignProcess, event.Likely},
		"the target's own parent":  {parent, proc(10, "server", parent, systemd), event.CauseForeignProcess, event.Proven},
		"the container's own init": {inside(idApp, true, stranger(30)), inside(idApp, false, proc(10, "server", systemd)), event.CauseSameContainer, event.Proven},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Options{})
			w.signal(1000, unix.SIGKILL, c.target, from(c.sender))
			w.exit(1001, c.target, 137)
			d := w.death(2000)
			if d.Cause != c.cause || d.Confidence != c.confidence || d.Actor != c.sender {
				t.Errorf("%s (%s) by %v: %s", d.Cause, d.Confidence, d.Actor, d.Summary)
			}
			if strings.Contains(d.Summary, "not by") {
				t.Errorf("says what the sender is not: %s", d.Summary)
			}
		})
	}
}

// What Kubernetes reports is joined although the runtime could not be identified, and
// proves nothing then.
func TestUnidentifiedRuntimeIsJoined(t *testing.T) {
	p := newPodWorld(t)
	livenessBy[kubefact.SourceKubeletLog](p)
	livenessBy[kubefact.SourceAPI](p)
	p.signal(10_000, unix.SIGKILL, p.app, from(stranger(30)))
	p.exit(10_001, p.app, 137)
	d := p.death(20_000)
	if d.Cause != event.CauseLivenessProbe || d.Confidence != event.Likely || d.RequestedBy != byKubelet {
		t.Errorf("%s (%s), requested by %q: %s", d.Cause, d.Confidence, d.RequestedBy, d.Summary)
	}
}
