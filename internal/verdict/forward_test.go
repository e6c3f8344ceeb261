// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sigtrace/sigtrace/internal/event"
)

// A request to reload is followed by the first of the supervisor's signals within its
// loop's time, which is 1 s and more for supervisord; SIGUSR2, after which that
// reopens its logs only, within 1 s.
func TestReloadStarts(t *testing.T) {
	for name, c := range map[string]struct {
		ask    unix.Signal
		after  uint64 // ms
		merged bool
	}{
		"HUP, at once":         {unix.SIGHUP, 29, true},
		"HUP, a loop's time":   {unix.SIGHUP, 1050, true},
		"HUP, long before":     {unix.SIGHUP, 2100, false},
		"USR2, at once":        {unix.SIGUSR2, 28, true},
		"USR2, a while before": {unix.SIGUSR2, 1100, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Options{All: true})
			asker, master := proc(20, "deploy"), proc(30, "supervisord")
			worker := proc(31, "worker", master)
			w.signal(1000, c.ask, master, from(asker), handled)
			w.signal(1000+c.after, unix.SIGTERM, worker, from(master))
			w.exit(1001+c.after, worker, 143)
			d := w.deaths(1200 + c.after)[31]
			if c.merged {
				expect(t, d, event.CauseForeignProcess, event.Likely, asker)
			} else {
				expect(t, d, event.CauseForeignProcess, event.Proven, master)
			}
		})
	}
}

// A supervisor that has only reopened its logs, and then ends its children because
// one of them has crashed, does not reload; one that was reloading already does.
func TestCrashAfterReload(t *testing.T) {
	for name, began := range map[string]bool{"it only reopened its logs": false, "it had begun to reload": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Options{All: true})
			asker, master := proc(20, "logrotate"), proc(30, "master")
			crashed, first, other := proc(31, "worker", master), proc(32, "worker", master), proc(33, "worker", master)
			w.signal(1000, unix.SIGHUP, master, from(asker), handled)
			if began {
				w.signal(1010, unix.SIGTERM, first, from(master))
				w.exit(1011, first, 143)
			}
			w.signal(1100, unix.SIGSEGV, crashed, via(event.ViaFault))
			w.exit(1101, crashed, 139)
			if !began {
				w.signal(1140, unix.SIGQUIT, first, from(master))
				w.exit(1141, first, 131)
			}
			w.signal(1140, unix.SIGQUIT, other, from(master))
			w.exit(1142, other, 131)
			deaths := w.deaths(1400)
			want := master
			if began {
				want = asker
			}
			expect(t, deaths[33], event.CauseForeignProcess, event.Likely, want)
			expect(t, deaths[32], event.CauseForeignProcess, event.Likely, want)
			expect(t, deaths[31], event.CauseKernelFault, event.Proven, nil)
		})
	}
}

// A supervisor that was asked to stop and sends a child SIGUSR2, as postgres does its
// checkpointer, ends it by that, whatever its exit status. One that passes on what it
// was sent, as apache does SIGUSR1, ends whoever exits at once; it may also be for new
// logs.
func TestForwarderMayStopByAnySignal(t *testing.T) {
	for name, c := range map[string]struct {
		ask   unix.Signal
		after uint64 // ms until the child exits
		cause event.Cause
	}{
		"a stop":              {unix.SIGINT, 12, event.CauseForeignProcess},
		"a stop, much to do":  {unix.SIGINT, 20_000, event.CauseForeignProcess},
		"too long ago":        {unix.SIGINT, 61_000, event.CauseExited},
		"new logs":            {unix.SIGUSR1, 12, event.CauseExited},
		"nobody asked for it": {0, 12, event.CauseExited},
		"passed on":           {unix.SIGUSR2, 12, event.CauseForeignProcess},
		"passed on, later":    {unix.SIGUSR2, 150, event.CauseExited},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Options{All: true})
			asker, master := proc(20, "pg_ctl"), proc(30, "postgres")
			checkpointer := proc(31, "postgres", master)
			if c.ask != 0 {
				w.signal(1000, c.ask, master, from(asker), handled)
			}
			w.signal(1040, unix.SIGUSR2, checkpointer, from(master), handled)
			w.exit(1040+c.after, checkpointer, 0)
			d := w.deaths(1300 + c.after)[31]
			if d.Cause != c.cause {
				t.Fatalf("%s by %v: %s", d.Cause, d.Actor, d.Summary)
			}
			if c.cause == event.CauseForeignProcess {
				expect(t, d, c.cause, event.Likely, asker)
			}
		})
	}
}
