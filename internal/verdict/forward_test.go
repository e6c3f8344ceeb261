// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/proctree"
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

// A supervisor that sends a signal to a child and then to its group sends it twice: the
// second one, which comes while the child handles the first, is pending when that
// exits. The first one was handled all the same.
func TestSecondSignalStillPending(t *testing.T) {
	pending := func(n unix.Signal) func(*event.Exit) {
		return func(x *event.Exit) { x.SignalNumber, x.Exit.Signal, x.Pending = 0, "", 1<<(n-1) }
	}
	for name, c := range map[string]struct {
		n      unix.Signal
		second event.Result // of a second signal; empty: none was sent
		via    event.Via
		merged bool
	}{
		"the second one":                  {unix.SIGQUIT, event.ResultDelivered, event.ViaKill, true},
		"of those that crash":             {unix.SIGABRT, event.ResultDelivered, event.ViaKill, true},
		"both are the same one":           {unix.SIGQUIT, event.ResultAlreadyPending, event.ViaKill, false},
		"the only one":                    {unix.SIGQUIT, "", event.ViaKill, false},
		"a thread's beside the process's": {unix.SIGQUIT, event.ResultDelivered, event.ViaTgkill, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Options{All: true})
			master := proc(30, "postgres")
			child := proc(31, "postgres", master)
			w.signal(1000, c.n, child, from(master), handled)
			if c.second != "" {
				w.signal(1001, c.n, child, from(master), blocked, via(c.via), func(s *event.Signal) { s.Result = c.second })
			}
			w.exit(1002, child, 2, pending(c.n))
			d := w.deaths(1300)[31]
			if c.merged != (d != nil && d.Cause == event.CauseForeignProcess) {
				t.Errorf("%+v", d)
			}
		})
	}
}

// Redis' handler of SIGSEGV writes a report, in which it may itself crash: whoever
// sent the first signal is to blame, and not a bug.
func TestCrashHandlerFaults(t *testing.T) {
	for name, c := range map[string]struct {
		opts  []option
		n     unix.Signal
		after uint64 // ms
		sent  bool
	}{
		"a report that crashes":     {[]option{handled}, unix.SIGSEGV, 408, true},
		"another core signal":       {[]option{handled}, unix.SIGABRT, 408, true},
		"a long report":             {[]option{handled}, unix.SIGSEGV, 9000, true},
		"a crash of a later time":   {[]option{handled}, unix.SIGSEGV, 11_000, false},
		"a signal that asks to end": {[]option{handled}, unix.SIGTERM, 408, false},
		"an ignored one":            {[]option{ignored}, unix.SIGSEGV, 408, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Options{All: true})
			sender, p := proc(20, "sh"), proc(10, "redis")
			w.signal(1000, c.n, p, append(c.opts, from(sender))...)
			w.signal(1000+c.after, unix.SIGSEGV, p, via(event.ViaFault))
			w.exit(1001+c.after, p, 139)
			d := w.deaths(1300 + c.after)[10]
			if !c.sent {
				expect(t, d, event.CauseKernelFault, event.Proven, nil)
				return
			}
			expect(t, d, event.CauseForeignProcess, event.Likely, sender)
			if n := len(d.Chain); n != 2 || !proctree.Same(d.Chain[0].Process, sender) || !proctree.Same(d.Chain[1].Process, p) {
				t.Errorf("chain %+v", d.Chain)
			}
		})
	}
}
