// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sigtrace/sigtrace/internal/event"
)

// Whatever a host's process had to do with a death, the tenant reads its executable
// and pid, and nothing that it was run with, calls itself, or logged in as.
func TestTenantReadsNoCommandLineOfTheHost(t *testing.T) {
	const secret = "s3cret"
	login := uint32(4242)
	host := func(pid int, exe string) *event.Process {
		p := proc(pid, secret+"-comm", systemd)
		p.Exe, p.Args, p.LoginUID, p.SessionID = exe, []string{secret + "-title", "--token", secret}, &login, &login
		return p
	}
	for _, exe := range []string{"/usr/bin/python3", "/bin/busybox"} {
		for name, act := range map[string]func(w *world, victim, killer *event.Process){
			"a kill": func(w *world, victim, killer *event.Process) { w.signal(990, unix.SIGKILL, victim, from(killer)) },
			"a handled SIGTERM": func(w *world, victim, killer *event.Process) {
				w.signal(980, unix.SIGTERM, victim, from(killer), handled)
			},
			"a debugger": func(w *world, victim, killer *event.Process) {
				w.signal(990, unix.SIGKILL, victim, trigger(killer), via(event.ViaPtrace))
			},
			"a traced sender": func(w *world, victim, killer *event.Process) {
				sender := host(31, exe)
				sender.Traced, sender.Tracer = true, killer
				w.signal(990, unix.SIGKILL, victim, from(sender))
			},
			"its parent's death": func(w *world, victim, killer *event.Process) {
				w.signal(990, unix.SIGKILL, victim, trigger(killer), via(event.ViaPdeathsig))
			},
			"an OOM kill": func(w *world, victim, killer *event.Process) {
				w.e.OOM(&event.OOM{Header: head(event.TypeOOM, 989), Scope: "system", Trigger: killer, Victim: &event.Victim{Process: victim}})
				w.signal(990, unix.SIGKILL, victim, via(event.ViaOOM))
			},
		} {
			t.Run(name+" by "+exe, func(t *testing.T) {
				w := newWorld(t, Options{All: true})
				victim, killer := inside("c", true, proc(10, "app")), host(30, exe)
				act(w, victim, killer)
				w.exit(1000, victim, 137)
				d := w.death(3000)
				if d.TenantSummary == "" || strings.Contains(d.TenantSummary, secret) || strings.Contains(d.TenantSummary, fmt.Sprint(login)) {
					t.Errorf("a tenant reads: %s", d.TenantSummary)
				}
				if d.Cause != event.CauseParentDeath && d.Actor != nil && !strings.Contains(d.Summary, secret) {
					t.Errorf("an operator does not read: %s", d.Summary)
				}
			})
		}
	}
}
