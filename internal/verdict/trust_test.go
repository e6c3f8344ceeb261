// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sigtrace/sigtrace/internal/event"
)

// A tracer is to blame for what its tracee sends, and nothing is proven of either. A
// runtime that is watched at its work stays one.
func TestTracedSender(t *testing.T) {
	gdb := proc(40, "gdb", systemd)
	shim := proc(5, "containerd-shim-runc-v2", systemd)
	for name, c := range map[string]struct {
		sender *event.Process
		cause  event.Cause
		actor  *event.Process
		text   string
	}{
		"a process of the host": {proc(30, "cat", systemd), event.CauseForeignProcess, gdb, "gdb (pid 40), tracing the sender, cat (pid 30), not by its runtime."},
		"a runtime":             {proc(31, "runc", shim, systemd), event.CauseRuntimeStop, nil, "by its container runtime"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Options{})
			victim := inside("c", true, proc(10, "app", shim, systemd))
			c.sender.Traced, c.sender.Tracer = true, gdb
			if c.actor == nil {
				c.actor = c.sender
			}
			w.signal(990, unix.SIGKILL, victim, from(c.sender))
			w.exit(1000, victim, 137)
			d := w.death(3000)
			expect(t, d, c.cause, event.Likely, c.actor)
			if !strings.Contains(d.Summary, c.text) {
				t.Errorf("it says: %s", d.Summary)
			}
			if len(d.Chain) != 2 || d.Chain[0].Process != gdb || d.Chain[1].Process != c.sender {
				t.Errorf("chain %+v", d.Chain)
			}
		})
	}
}

// Who poses as a runtime is another process of the host.
func TestPosersAreForeign(t *testing.T) {
	owner := uint32(1000)
	shim := proc(5, "containerd-shim-runc-v2", systemd)
	for name, c := range map[string]struct {
		place      *event.Place
		cause      event.Cause
		confidence event.Confidence
	}{
		"the host's":              {nil, event.CauseRuntimeStop, event.Proven},
		"in a user namespace":     {&event.Place{UserNS: []uint32{7}, UserNSOwner: &owner, MountNS: 9}, event.CauseForeignProcess, event.Proven},
		"in a mount namespace":    {&event.Place{MountNS: 9}, event.CauseForeignProcess, event.Proven},
		"there, of the host's":    {&event.Place{MountNS: 9, HostFile: true}, event.CauseRuntimeStop, event.Likely},
		"a user's that root runs": {&event.Place{ExeOwner: &owner}, event.CauseRuntimeStop, event.Likely},
	} {
		w := newWorld(t, Options{})
		victim, killer := inside("c", true, proc(10, "app", shim, systemd)), proc(30, "containerd", systemd)
		killer.Place = c.place
		w.signal(990, unix.SIGKILL, victim, from(killer))
		w.exit(1000, victim, 137)
		d := w.death(3000)
		if d.Cause != c.cause || d.Confidence != c.confidence {
			t.Errorf("%s: %s (%s): %s", name, d.Cause, d.Confidence, d.Summary)
		}
	}
}

// A container that only its cgroup's name makes one is none for trust: its processes
// are not proven to be of one, nor is its runtime's stop.
func TestUnconfirmedContainer(t *testing.T) {
	shim := proc(5, "containerd-shim-runc-v2", systemd)
	other := func(ancestors ...*event.Process) *event.Process {
		p := inside("c", false, proc(11, "sh", ancestors...))
		p.Unconfirmed = true
		return p
	}
	for name, c := range map[string]struct {
		lineage    []*event.Process
		killer     func(victim *event.Process) *event.Process
		cause      event.Cause
		confidence event.Confidence
	}{
		"its shim":               {[]*event.Process{shim, systemd}, func(*event.Process) *event.Process { return shim }, event.CauseRuntimeStop, event.Likely},
		"a daemon of no shim":    {[]*event.Process{systemd}, func(*event.Process) *event.Process { return proc(30, "containerd", systemd) }, event.CauseForeignProcess, event.Proven},
		"another process of its": {[]*event.Process{systemd}, func(v *event.Process) *event.Process { return other(v, systemd) }, event.CauseSameContainer, event.Likely},
	} {
		w := newWorld(t, Options{})
		victim := inside("c", true, proc(10, "app", c.lineage...))
		victim.Unconfirmed = true
		w.signal(990, unix.SIGKILL, victim, from(c.killer(victim)))
		w.exit(1000, victim, 137)
		d := w.death(3000)
		if d.Cause != c.cause || d.Confidence != c.confidence {
			t.Errorf("%s: %s (%s): %s", name, d.Cause, d.Confidence, d.Summary)
		}
	}
}
