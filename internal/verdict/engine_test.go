// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/phrase"
	"github.com/sigtrace/sigtrace/internal/proctree"
	sig "github.com/sigtrace/sigtrace/internal/signal"
)

// world builds streams by hand. Time is in milliseconds.
type world struct {
	t *testing.T
	e *Engine
}

func newWorld(t *testing.T, o Options) *world {
	o.BootID = "boot"
	return &world{t, New(o)}
}

const ms = uint64(time.Millisecond)

// proc makes a process; ancestors are its lineage, nearest first.
func proc(pid int, comm string, ancestors ...*event.Process) *event.Process {
	return &event.Process{
		PID: pid, Comm: comm, Exe: "/usr/bin/" + comm, StartBoottimeNS: uint64(pid), Ancestors: ancestors, PresentAncestors: ancestors,
	}
}

var systemd = &event.Process{PID: 1, Comm: "systemd", Exe: "/usr/lib/systemd/systemd", StartBoottimeNS: 1}

func inside(id string, init bool, p *event.Process) *event.Process {
	p.Container = &event.Container{ID: id, Name: id, Init: &init}
	return p
}

func head(t event.Type, at uint64) event.Header {
	return event.Header{Schema: event.Schema, Type: t, BoottimeNS: at * ms, Time: time.Unix(0, int64(at*ms)).UTC()}
}

type option func(*event.Signal)

func from(p *event.Process) option    { return func(s *event.Signal) { s.Sender = p } }
func trigger(p *event.Process) option { return func(s *event.Signal) { s.Trigger = p } }
func via(v event.Via) option          { return func(s *event.Signal) { s.Via = v } }
func handled(s *event.Signal)         { s.Handled, s.Fatal = true, no() }
func blocked(s *event.Signal)         { s.Blocked, s.Fatal = true, nil }
func ignored(s *event.Signal)         { s.Result, s.Fatal = event.ResultIgnored, no() }
func yes() *bool                      { b := true; return &b }
func no() *bool                       { b := false; return &b }

// signal sends one that is fatal unless an option says otherwise.
func (w *world) signal(at uint64, n unix.Signal, target *event.Process, opts ...option) *event.Signal {
	s := &event.Signal{
		Header: head(event.TypeSignal, at), Signal: sig.Name(int(n)), SignalNumber: int(n), Via: event.ViaKill,
		Result: event.ResultDelivered, Fatal: yes(), Target: target, SignalDetail: event.SignalDetail{Matters: true},
	}
	for _, o := range opts {
		o(s)
	}
	w.e.Signal(s)
	return s
}

func (w *world) exit(at uint64, p *event.Process, code int, edit ...func(*event.Exit)) {
	x := &event.Exit{Header: head(event.TypeExit, at), Process: p, Exit: event.ExitStatus{Code: code}}
	if code > 128 {
		x.SignalNumber = code - 128
		x.Exit.Signal = sig.Name(code - 128)
	}
	for _, e := range edit {
		e(x)
	}
	w.e.Exit(x)
}

// byCode: it called exit with a code that looks like a signal's.
func byCode(x *event.Exit) { x.SignalNumber, x.Exit.Signal = 0, "" }

// death returns the one death that is due.
func (w *world) death(seen uint64) *event.Death {
	w.t.Helper()
	var deaths []*event.Death
	for _, e := range w.e.Due(seen * ms) {
		if d, ok := e.(*event.Death); ok {
			deaths = append(deaths, d)
		}
	}
	if len(deaths) != 1 {
		w.t.Fatalf("%d deaths", len(deaths))
	}
	return deaths[0]
}

func (w *world) none(seen uint64) {
	w.t.Helper()
	if due := w.e.Due(seen * ms); len(due) > 0 {
		w.t.Fatalf("told: %+v", due[0])
	}
}

func expect(t *testing.T, d *event.Death, cause event.Cause, c event.Confidence, actor *event.Process) {
	t.Helper()
	if d.Cause != cause || d.Confidence != c || !(actor == nil && d.Actor == nil || proctree.Same(actor, d.Actor)) {
		t.Errorf("got %s (%s) by %v, want %s (%s) by %v: %s", d.Cause, d.Confidence, phrase.Process(d.Actor), cause, c, phrase.Process(actor), d.Summary)
	}
}

func TestExitWaitsForWhatIsLate(t *testing.T) {
	w := newWorld(t, Options{})
	p, killer := proc(10, "server"), proc(20, "pkill")
	w.exit(1000, p, 137)
	w.none(1050)
	w.signal(999, unix.SIGKILL, p, from(killer)) // the other lane was slower
	expect(t, w.death(1101), event.CauseForeignProcess, event.Proven, killer)
	w.none(2000)
}

func TestOneDeathForTwoExits(t *testing.T) {
	w := newWorld(t, Options{})
	p := proc(10, "server")
	w.signal(999, unix.SIGKILL, p, from(proc(20, "pkill")))
	w.exit(1000, p, 137)
	w.exit(1001, p, 137)
	w.death(1200)
	w.none(3000)
}

func TestTooLateBlamesNobody(t *testing.T) {
	w := newWorld(t, Options{})
	p, first := proc(10, "server"), proc(20, "first")
	w.signal(900, unix.SIGKILL, p, from(first))
	w.signal(950, unix.SIGKILL, p, from(proc(21, "second")), ignored)
	w.exit(1000, p, 137)
	w.signal(1010, unix.SIGKILL, p, from(proc(22, "third")), ignored)
	expect(t, w.death(1200), event.CauseForeignProcess, event.Proven, first)
}

func TestAskedToEnd(t *testing.T) {
	asker := proc(20, "kill")
	for name, c := range map[string]struct {
		n      unix.Signal
		opts   []option
		after  uint64 // ms until it exits
		edit   func(*event.Exit)
		cause  event.Cause
		silent bool
	}{
		"handler":              {n: unix.SIGTERM, opts: []option{handled}, after: 5000, cause: event.CauseForeignProcess},
		"sigwait":              {n: unix.SIGINT, opts: []option{blocked}, after: 100, cause: event.CauseForeignProcess},
		"still waiting":        {n: unix.SIGTERM, opts: []option{blocked}, after: 100, edit: func(x *event.Exit) { x.Pending = 1 << (15 - 1) }, silent: true},
		"ignored":              {n: unix.SIGTERM, opts: []option{ignored}, after: 100, silent: true},
		"long after":           {n: unix.SIGTERM, opts: []option{handled}, after: 61_000, silent: true},
		"reload":               {n: unix.SIGHUP, opts: []option{handled}, after: 1500, silent: true},
		"hangup":               {n: unix.SIGHUP, opts: []option{handled}, after: 500, cause: event.CauseForeignProcess},
		"USR1 and an error":    {n: unix.SIGUSR1, opts: []option{handled}, after: 900, cause: event.CauseForeignProcess},
		"USR1, later an error": {n: unix.SIGUSR1, opts: []option{handled}, after: 1100, silent: true},
		"a watchdog's ABRT":    {n: unix.SIGABRT, opts: []option{handled}, after: 9900, cause: event.CauseForeignProcess},
		"a dump, and it lives": {n: unix.SIGABRT, opts: []option{handled}, after: 10_100, silent: true},
		"exit code of a shell": {n: unix.SIGTERM, opts: []option{handled}, after: 10, cause: event.CauseForeignProcess},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Options{})
			p := proc(10, "server")
			w.signal(1000, c.n, p, append(c.opts, from(asker))...)
			w.exit(1000+c.after, p, 143, byCode, func(x *event.Exit) {
				if c.edit != nil {
					c.edit(x)
				}
			})
			if c.silent {
				w.none(1000 + c.after + 200)
				return
			}
			expect(t, w.death(1000+c.after+200), c.cause, event.Likely, asker)
		})
	}
}

// A container's stop signal can be any; another signal from outside is none.
func TestStopSignalOfTheImage(t *testing.T) {
	for name, c := range map[string]struct {
		sent unix.Signal
		init bool
		want event.Cause
	}{
		"the image's own":   {unix.SIGWINCH, true, event.CauseRuntimeStop},
		"another":           {unix.SIGUSR1, true, event.CauseExited},
		"to another than 1": {unix.SIGWINCH, false, event.CauseExited},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Options{All: true})
			shim := proc(6, "containerd-shim-runc-v2", systemd)
			runc := proc(30, "runc", shim, systemd)
			app := inside("web", c.init, proc(10, "httpd", shim, systemd))
			app.Container.StopSignal = "SIGWINCH"
			outside := func(s *event.Signal) { s.Matters, s.Outside, s.Handled, s.Fatal = false, true, true, nil }
			w.signal(1000, c.sent, app, from(runc), outside)
			w.exit(3000, app, 0)
			d := w.death(3200)
			if d.Cause != c.want {
				t.Errorf("got %s: %s", d.Cause, d.Summary)
			}
			if stopped := c.want == event.CauseRuntimeStop; stopped != (len(d.Signals) == 1) || stopped && !proctree.Same(d.Actor, runc) {
				t.Errorf("signals %+v, actor %+v", d.Signals, d.Actor)
			}
		})
	}
}

// What handles SIGTERM and sends it to itself again blames who sent it first.
func TestReraise(t *testing.T) {
	w := newWorld(t, Options{})
	p, asker := proc(10, "server"), proc(20, "kill")
	w.signal(1000, unix.SIGTERM, p, from(asker), handled)
	w.signal(1300, unix.SIGTERM, p, from(p), via(event.ViaTgkill))
	w.exit(1301, p, 143)
	d := w.death(1500)
	expect(t, d, event.CauseForeignProcess, event.Proven, asker)
	if len(d.Chain) != 2 {
		t.Errorf("chain: %+v", d.Chain)
	}
}

// It may drain first: then it is likely. A crash during its shutdown is its own.
func TestReraiseAfterDraining(t *testing.T) {
	asker := proc(20, "kill")
	for _, c := range []struct {
		n          unix.Signal
		cause      event.Cause
		confidence event.Confidence
		own        bool
	}{
		{unix.SIGTERM, event.CauseForeignProcess, event.Likely, false},
		{unix.SIGABRT, event.CauseSelfSignal, event.Proven, true},
	} {
		w := newWorld(t, Options{})
		p := proc(10, "server")
		w.signal(1000, unix.SIGTERM, p, from(asker), handled)
		w.signal(3500, c.n, p, from(p))
		w.exit(3501, p, 128+int(c.n))
		actor := asker
		if c.own {
			actor = p
		}
		expect(t, w.death(3700), c.cause, c.confidence, actor)
	}
}

func TestMessengers(t *testing.T) {
	w := newWorld(t, Options{})
	asker := proc(30, "kill", systemd)
	init := proc(10, "tini", systemd)
	app := proc(11, "app", init, systemd)
	w.signal(1000, unix.SIGTERM, init, from(asker), handled)
	w.signal(1010, unix.SIGTERM, app, from(init))
	w.exit(1020, app, 143)
	d := w.death(1200)
	expect(t, d, event.CauseForeignProcess, event.Proven, asker)
	if len(d.Chain) != 2 || !proctree.Same(d.Chain[0].Process, asker) || !proctree.Same(d.Chain[1].Process, init) {
		t.Errorf("chain: %+v", d.Chain)
	}
	// A stranger that happens to get the same signal passes nothing on.
	other := proc(12, "other", systemd)
	w.signal(2000, unix.SIGTERM, init, from(asker), handled)
	w.signal(2010, unix.SIGTERM, other, from(init))
	w.exit(2020, other, 143)
	expect(t, w.death(2200), event.CauseForeignProcess, event.Proven, init)
}

func TestRuntime(t *testing.T) {
	containerd := proc(5, "containerd", systemd)
	shim := proc(6, "containerd-shim-runc-v2", systemd)
	runc := proc(30, "runc", shim, systemd)
	app := inside("web", true, proc(10, "app", shim, systemd))
	t.Run("stop", func(t *testing.T) {
		w := newWorld(t, Options{})
		w.signal(1000, unix.SIGTERM, app, from(runc), ignored)
		w.signal(11000, unix.SIGKILL, app, from(runc))
		w.exit(11001, app, 137)
		d := w.death(11200)
		expect(t, d, event.CauseRuntimeStop, event.Proven, runc)
		if len(d.Signals) != 2 || d.Signals[1].GapSeconds == nil || *d.Signals[1].GapSeconds != 10 {
			t.Errorf("signals: %+v", d.Signals)
		}
		if !strings.Contains(d.Summary, "It had ignored SIGTERM for 10.0 s.") {
			t.Error(d.Summary)
		}
	})
	t.Run("clean-up", func(t *testing.T) {
		w := newWorld(t, Options{})
		killer := proc(40, "pkill")
		cleaner := proc(31, "runc", proc(32, "containerd-shim-runc-v2", containerd), containerd)
		w.signal(1000, unix.SIGKILL, shim, from(killer), func(s *event.Signal) { s.Context = true })
		w.exit(1001, shim, 137, func(x *event.Exit) { x.Context = true })
		w.signal(1500, unix.SIGKILL, app, from(cleaner))
		w.exit(1501, app, 137)
		d := w.death(1700)
		expect(t, d, event.CauseRuntimeCleanup, event.Proven, killer)
		if len(d.Chain) < 3 {
			t.Errorf("chain: %+v", d.Chain)
		}
	})
	t.Run("clean-up after a death that was not seen", func(t *testing.T) {
		w := newWorld(t, Options{})
		gone := *shim
		gone.Dead = true
		orphan := inside("web", true, proc(10, "app", &gone, systemd))
		cleaner := proc(31, "runc", proc(32, "containerd-shim-runc-v2", containerd), containerd)
		w.signal(1500, unix.SIGKILL, orphan, from(cleaner))
		w.exit(1501, orphan, 137)
		expect(t, w.death(1700), event.CauseRuntimeCleanup, event.Likely, nil)
	})
	t.Run("clean-up by cgroup.kill, which has no sender", func(t *testing.T) {
		w := newWorld(t, Options{})
		gone := *shim
		gone.Dead = true
		orphan := inside("web", true, proc(10, "app", &gone, systemd))
		cleaner := proc(31, "crun", containerd)
		w.signal(1500, unix.SIGKILL, orphan, via(event.ViaCgroupKill), trigger(cleaner))
		w.exit(1501, orphan, 137)
		expect(t, w.death(1700), event.CauseRuntimeCleanup, event.Likely, nil)
	})
	t.Run("clean-up by what the runtime does", func(t *testing.T) {
		for name, c := range map[string]struct {
			args   []string
			parent *event.Process
			want   event.Cause
		}{
			"delete":                         {[]string{"runc", "--root", "/run", "delete", "--force", "web"}, proc(32, "containerd-shim-runc-v2", containerd), event.CauseRuntimeCleanup},
			"a stop":                         {[]string{"runc", "--root", "/run", "kill", "web", "9"}, proc(32, "containerd-shim-runc-v2", containerd), event.CauseRuntimeStop},
			"a container of that name":       {[]string{"runc", "kill", "delete", "9"}, proc(32, "containerd-shim-runc-v2", containerd), event.CauseRuntimeStop},
			"not by a shim":                  {[]string{"runc", "delete", "--force", "web"}, containerd, event.CauseRuntimeStop},
			"a delete of nothing that lives": {[]string{"runc", "delete"}, proc(32, "containerd-shim-runc-v2", containerd), event.CauseRuntimeStop},
		} {
			w := newWorld(t, Options{})
			orphan := inside("web", true, proc(10, "app", systemd)) // its lineage is lost
			cleaner := proc(31, "runc", c.parent, containerd)
			cleaner.Args = c.args
			w.signal(1500, unix.SIGKILL, orphan, from(cleaner))
			w.exit(1501, orphan, 137)
			if d := w.death(1700); d.Cause != c.want {
				t.Errorf("%s: got %s: %s", name, d.Cause, d.Summary)
			}
		}
	})
	t.Run("a copy in memory", func(t *testing.T) {
		crun := &event.Process{PID: 30, Comm: "3", Args: []string{"/usr/bin/crun", "kill", "web"}, StartBoottimeNS: 30, Ancestors: []*event.Process{proc(33, "podman", systemd)}}
		w := newWorld(t, Options{})
		w.signal(1000, unix.SIGKILL, app, from(crun))
		w.exit(1001, app, 137)
		expect(t, w.death(1200), event.CauseRuntimeStop, event.Proven, crun)
	})
	for name, impostor := range map[string]*event.Process{
		"in memory":       {PID: 30, Comm: "3", Args: []string{"crun", "kill", "web"}, StartBoottimeNS: 30, Ancestors: []*event.Process{proc(31, "bash", systemd)}},
		"by comm":         {PID: 30, Comm: "runc", Exe: "/usr/bin/bash", StartBoottimeNS: 30, Ancestors: []*event.Process{shim}},
		"elsewhere":       {PID: 30, Comm: "runc", Exe: "/tmp/runc", StartBoottimeNS: 30, Ancestors: []*event.Process{shim}},
		"from a shell":    proc(30, "runc", proc(31, "bash", systemd), systemd),
		"in a container":  inside("other", false, proc(30, "runc", shim)),
		"shim in another": inside("other", false, proc(30, "containerd-shim-runc-v2")),
	} {
		t.Run("impostor "+name, func(t *testing.T) {
			w := newWorld(t, Options{})
			w.signal(1000, unix.SIGKILL, app, from(impostor))
			w.exit(1001, app, 137)
			expect(t, w.death(1200), event.CauseForeignProcess, event.Proven, impostor)
		})
	}
}

func TestInsideTheContainer(t *testing.T) {
	shim := proc(6, "containerd-shim-runc-v2", systemd)
	init := inside("web", true, proc(10, "sh", shim, systemd))
	victim := inside("web", false, proc(11, "sleep", init, shim, systemd))
	sibling := inside("web", false, proc(12, "sh", init, shim, systemd))
	session := inside("web", false, proc(20, "sh", shim, systemd))
	child := inside("web", false, proc(21, "kill", session, shim, systemd))
	for _, c := range []struct {
		who   *event.Process
		cause event.Cause
		rel   event.Relation
	}{
		{init, event.CauseSameContainer, event.RelationParent},
		{sibling, event.CauseSameContainer, event.RelationSibling},
		{session, event.CauseExecSession, event.RelationSameContainer},
		{child, event.CauseExecSession, event.RelationSameContainer},
	} {
		w := newWorld(t, Options{})
		w.signal(1000, unix.SIGKILL, victim, from(c.who))
		w.exit(1001, victim, 137)
		d := w.death(1200)
		expect(t, d, c.cause, event.Proven, c.who)
		if d.Relation != c.rel {
			t.Errorf("%s: relation %s, want %s", phrase.Process(c.who), d.Relation, c.rel)
		}
	}
}

func TestMechanisms(t *testing.T) {
	other := proc(20, "other")
	for v, cause := range map[event.Via]event.Cause{
		event.ViaFault: event.CauseKernelFault, event.ViaSeccomp: event.CauseSeccomp, event.ViaRlimit: event.CauseResourceLimit,
		event.ViaTimer: event.CauseTimer, event.ViaPipe: event.CauseBrokenPipe, event.ViaSigio: event.CauseAsyncIO,
		event.ViaPtrace: event.CauseDebugger, event.ViaBPF: event.CauseBPFProgram, event.ViaSysrq: event.CauseSysrq,
		event.ViaHwerror: event.CauseHardwareError, event.ViaTTY: event.CauseTerminal, event.ViaPdeathsig: event.CauseParentDeath,
		event.ViaPidnsExit: event.CausePIDNamespaceEnded,
	} {
		t.Run(string(v), func(t *testing.T) {
			w := newWorld(t, Options{})
			p := proc(10, "server")
			w.signal(1000, unix.SIGKILL, p, via(v), trigger(other))
			w.exit(1001, p, 137)
			expect(t, w.death(1200), cause, event.Proven, other)
		})
	}
	w := newWorld(t, Options{})
	p := proc(10, "server")
	w.signal(1000, unix.SIGKILL, p, via(event.ViaKernel))
	w.exit(1001, p, 137)
	expect(t, w.death(1200), event.CauseUnknown, event.Unknown, nil)
}

func TestServiceManager(t *testing.T) {
	w := newWorld(t, Options{})
	p := proc(10, "nginx", systemd)
	p.Unit = "nginx.service"
	w.signal(1000, unix.SIGTERM, p, from(systemd))
	w.exit(1001, p, 143)
	d := w.death(1200)
	expect(t, d, event.CauseServiceManager, event.Proven, systemd)
	if !strings.Contains(d.Summary, "systemd, which stopped its unit nginx.service") {
		t.Error(d.Summary)
	}
}

func TestUserspaceOOM(t *testing.T) {
	victim := proc(10, "hog")
	real := proc(20, "earlyoom", systemd)
	fake := &event.Process{PID: 21, Comm: "earlyoom", Exe: "/home/x/earlyoom", StartBoottimeNS: 21, Ancestors: []*event.Process{systemd}}
	for who, cause := range map[*event.Process]event.Cause{real: event.CauseUserspaceOOM, fake: event.CauseForeignProcess} {
		w := newWorld(t, Options{})
		w.signal(1000, unix.SIGTERM, victim, from(who))
		w.exit(1001, victim, 143)
		expect(t, w.death(1200), cause, event.Proven, who)
	}
}

func (w *world) oom(at uint64, victim, by *event.Process, edit func(*event.OOM)) {
	limit, order := uint64(64<<20), 0
	o := &event.OOM{
		Header: head(event.TypeOOM, at), Scope: "cgroup", LimitCgroup: "/kubepods/pod1/web", LimitLevel: "container",
		LimitBytes: &limit, UsageBytes: &limit, Order: &order, GroupKill: no(),
		Victim: &event.Victim{Process: victim, RSSBytes: &event.RSS{Anon: 60 << 20}}, Trigger: by,
	}
	if edit != nil {
		edit(o)
	}
	w.e.OOM(o)
}

func TestOOM(t *testing.T) {
	hog, by := inside("web", true, proc(10, "hog")), proc(20, "other")
	t.Run("cgroup", func(t *testing.T) {
		w := newWorld(t, Options{})
		w.exit(1001, hog, 137, func(x *event.Exit) { x.OOMMark = true }) // its exit can come before its mark
		w.signal(1000, unix.SIGKILL, hog, via(event.ViaOOM), trigger(by))
		w.oom(1002, hog, by, nil)
		d := w.death(1200)
		expect(t, d, event.CauseCgroupOOM, event.Proven, nil)
		for _, part := range []string{"64.0 MiB of the container's cgroup /kubepods/pod1/web", "60.0 MiB anonymous", "other(20)"} {
			if !strings.Contains(d.Summary, part) {
				t.Errorf("no %q in %s", part, d.Summary)
			}
		}
	})
	t.Run("system, without oom_kill_process", func(t *testing.T) {
		w := newWorld(t, Options{})
		w.oom(1000, hog, by, func(o *event.OOM) { o.Scope, o.Order, o.GroupKill, o.LimitCgroup = "system", nil, nil, "" })
		w.exit(1001, hog, 137)
		expect(t, w.death(1200), event.CauseSystemOOM, event.Likely, nil)
	})
	t.Run("fragmented", func(t *testing.T) {
		w := newWorld(t, Options{})
		w.oom(1000, hog, by, func(o *event.OOM) {
			order := 2
			o.Scope, o.Order, o.FreePagesByOrder = "system", &order, []uint64{500, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0}
		})
		w.exit(1001, hog, 137)
		if d := w.death(1200); !strings.Contains(d.Summary, "memory was fragmented: 4 contiguous pages (order 2) were asked for, and 540 free pages") {
			t.Error(d.Summary)
		}
	})
	t.Run("the kernel log as second witness", func(t *testing.T) {
		w := newWorld(t, Options{})
		order := 2
		w.oom(1000, hog, by, func(o *event.OOM) { o.Scope, o.Order, o.GroupKill, o.LimitCgroup = "system", nil, nil, "" })
		w.e.KernelLog(&event.KernelOOM{Time: time.Unix(1, 0).UTC(), PID: hog.PID, Comm: "hog", Order: &order, FreeBlocks: []uint64{7, 3, 0}})
		w.exit(1001, hog, 137)
		d := w.death(1200)
		expect(t, d, event.CauseSystemOOM, event.Proven, nil)
		if !strings.Contains(d.Summary, "13 free pages lay in smaller blocks only") || d.OOM.FreePagesByOrder == nil {
			t.Error(d.Summary)
		}
	})
	t.Run("the kernel log is waited for", func(t *testing.T) {
		w := newWorld(t, Options{KernelLog: true})
		w.oom(1000, hog, by, nil)
		w.exit(1001, hog, 137)
		w.none(1900)
		if d := w.death(2002); len(d.Evidence) != 2 {
			t.Errorf("evidence: %+v", d.Evidence)
		}
	})
	t.Run("the kernel log alone", func(t *testing.T) {
		w := newWorld(t, Options{})
		w.e.KernelLog(&event.KernelOOM{Time: time.Unix(1, 0).UTC(), PID: hog.PID, Comm: "hog", Cgroup: true, LimitCgroup: "/x"})
		w.exit(1001, hog, 137)
		expect(t, w.death(1200), event.CauseCgroupOOM, event.Likely, nil)
	})
	t.Run("shares the memory", func(t *testing.T) {
		w := newWorld(t, Options{})
		sharer := proc(11, "sharer")
		w.oom(1000, hog, by, nil)
		w.signal(1001, unix.SIGKILL, sharer, via(event.ViaOOM), trigger(by))
		w.exit(1002, sharer, 137)
		expect(t, w.death(1200), event.CauseCgroupOOM, event.Proven, nil)
	})
	t.Run("memory.oom.group", func(t *testing.T) {
		w := newWorld(t, Options{})
		child := inside("web", false, proc(11, "worker"))
		w.oom(1000, child, by, nil)
		w.oom(1001, hog, by, func(o *event.OOM) { o.GroupKill = yes() })
		w.exit(1002, child, 137)
		w.exit(1003, hog, 137)
		d := w.death(1200) // one record for both: the init's
		expect(t, d, event.CauseCgroupOOM, event.Proven, nil)
		if d.Process.PID != hog.PID || d.Collateral == nil || d.Collateral.Count != 1 || d.Collateral.PIDs[0] != 11 {
			t.Errorf("%+v", d)
		}
	})
	t.Run("a survivor of an earlier OOM", func(t *testing.T) {
		// A child's OOM, then a normal stop: what Kubernetes calls OOMKilled.
		w := newWorld(t, Options{Alive: func(int, uint64) *bool { return yes() }})
		child, asker := inside("web", false, proc(11, "worker", hog)), proc(30, "kill")
		w.oom(1000, child, by, nil)
		w.exit(1001, child, 137)
		if d := w.death(1200); d.ContainerSurvives == nil || !*d.ContainerSurvives {
			t.Error("the container survives")
		}
		w.signal(5000, unix.SIGTERM, hog, from(asker))
		w.exit(5001, hog, 143)
		expect(t, w.death(5200), event.CauseForeignProcess, event.Proven, asker)
	})
}

func TestUnknown(t *testing.T) {
	w := newWorld(t, Options{})
	p := proc(10, "server")
	w.e.Lost(&event.Lost{Header: head(event.TypeLost, 1100), Count: 12, Since: time.Unix(0, int64(600*ms)).UTC()})
	w.exit(1000, p, 137)
	d := w.death(1200)
	expect(t, d, event.CauseUnknown, event.Unknown, nil)
	if d.EventsLost != 12 || !strings.Contains(d.Summary, "12 events were dropped") {
		t.Errorf("%d lost: %s", d.EventsLost, d.Summary)
	}
}

func TestSeccompWithoutSignal(t *testing.T) {
	w := newWorld(t, Options{})
	p := proc(10, "server")
	w.exit(1000, p, 137, func(x *event.Exit) { x.Seccomp = "strict" })
	expect(t, w.death(1200), event.CauseSeccomp, event.Proven, nil)
}

// Of two threads that both look like the last, the one that seccomp ended may
// be reported second.
func TestSeccompOfTheSecondThread(t *testing.T) {
	w := newWorld(t, Options{})
	p := proc(10, "server")
	w.exit(1000, p, 159)
	w.exit(1001, p, 159, func(x *event.Exit) { x.Seccomp = "filter" })
	expect(t, w.death(1200), event.CauseSeccomp, event.Proven, nil)
}

func TestCollateral(t *testing.T) {
	w := newWorld(t, Options{})
	killer := proc(20, "kill")
	for i := range 8 {
		w.signal(1000+uint64(i), unix.SIGTERM, proc(10+i, "worker"), from(killer))
	}
	w.exit(1010, proc(10, "worker"), 143)
	d := w.death(1200)
	if d.Collateral == nil || d.Collateral.Count != 7 || !strings.Contains(d.Summary, "together with 7 others") {
		t.Errorf("%+v %s", d.Collateral, d.Summary)
	}
}

// A kill that announces an exit which is not seen, and one that does not kill.
func TestOverdue(t *testing.T) {
	gone, stuck := proc(10, "gone"), proc(11, "stuck")
	w := newWorld(t, Options{Task: func(pid int, _ uint64) (Task, bool) { return Task{State: "D", Wchan: "nfs_wait"}, pid == 11 }})
	w.signal(1000, unix.SIGKILL, gone, from(stuck))
	w.signal(1000, unix.SIGKILL, stuck, from(gone))
	w.none(2100)
	d := w.death(2200)
	expect(t, d, event.CauseForeignProcess, event.Proven, stuck)
	if last := d.Evidence[len(d.Evidence)-1]; last.Source != "proc" {
		t.Errorf("evidence: %+v", last)
	}
	due := w.e.Due(11_100 * ms)
	if len(due) != 1 || due[0].Common().Type != event.TypeStuck {
		t.Fatalf("told: %+v", due)
	}
	if text := phrase.Stuck(due[0].(*event.Stuck)); !strings.Contains(text, "state D") || !strings.Contains(text, "nfs_wait") {
		t.Error(text)
	}
	w.none(30_000)
}

// What happens inside a sandbox of another kernel's is not seen, and that is said.
func TestSandboxes(t *testing.T) {
	for exe, kind := range map[string]string{
		"/usr/local/bin/containerd-shim-runsc-v1": "gVisor",
		"/opt/kata/bin/containerd-shim-kata-v2":   "Kata",
		"/usr/bin/containerd-shim-runc-v2":        "",
		"/usr/bin/containerd-shim-runc-v2-runsc":  "",
		"/home/u/containerd-shim-runsc-of-my-own": "",
	} {
		w := newWorld(t, Options{})
		shim := proc(6, "shim", systemd)
		shim.Exe = exe
		sandbox := inside("web", true, proc(10, "exe", shim, systemd))
		w.signal(1000, unix.SIGKILL, sandbox, from(proc(20, "kill")))
		w.exit(1001, sandbox, 137)
		d := w.death(1200)
		last := d.Evidence[len(d.Evidence)-1].Text
		if said := strings.Contains(last, "a sandbox of "); said != (kind != "") || !strings.Contains(last, kind) {
			t.Errorf("%s: %s", exe, last)
		}
	}
}

// Whoever does not go on SIGTERM is sent SIGKILL, which the kernel need not deliver
// any more.
func TestStuckAfterTerm(t *testing.T) {
	w := newWorld(t, Options{Task: func(int, uint64) (Task, bool) { return Task{State: "D"}, true }})
	p := proc(10, "backup")
	w.signal(1000, unix.SIGTERM, p, from(proc(20, "kill")))
	w.none(4000)
	w.signal(5000, unix.SIGKILL, p, from(proc(21, "kill")), ignored)
	w.none(14_900)
	due := w.e.Due(15_100 * ms)
	if len(due) != 1 {
		t.Fatalf("told: %+v", due)
	}
	if s, ok := due[0].(*event.Stuck); !ok || s.Signal.Sender.PID != 21 || s.ForSeconds < 10 || s.ForSeconds > 11 {
		t.Errorf("%+v", due[0])
	}
}

// Who writes a core, for minutes, is not looked at all the time, and not stuck.
func TestSlowCore(t *testing.T) {
	looks := 0
	w := newWorld(t, Options{Task: func(int, uint64) (Task, bool) { looks++; return Task{State: "D"}, true }})
	p := proc(10, "java")
	w.signal(1000, unix.SIGSEGV, p, via(event.ViaFault))
	for at := uint64(1000); at < 120_000; at += 20 {
		w.none(at)
	}
	if looks < 2 || looks > 8 {
		t.Errorf("looked at %d times in two minutes", looks)
	}
	w.exit(120_000, p, 139)
	expect(t, w.death(121_000), event.CauseKernelFault, event.Proven, nil)
}

// The memory is bounded, whatever comes.
func TestBounds(t *testing.T) {
	w := newWorld(t, Options{})
	killer := proc(1_000_000, "kill")
	for i := range 3 * storiesMax {
		w.signal(uint64(i), unix.SIGTERM, proc(i+2, "p"), from(killer), handled)
		if i%1000 == 0 {
			w.e.Due(uint64(i) * ms)
		}
	}
	w.e.Due(10 * 60_000 * ms)
	if n := len(w.e.stories); n > storiesMax {
		t.Errorf("%d stories", n)
	}
	p := proc(5, "one")
	for i := range 1000 {
		w.signal(uint64(i), unix.SIGTERM, p, from(killer), handled)
	}
	if n := len(w.e.stories[idOf(p)].signals); n > signalsMax {
		t.Errorf("%d signals of one process", n)
	}
}

func TestSameIDEverywhere(t *testing.T) {
	if a, b := DeathID("boot", 10, 20), DeathID("boot", 10, 20); a != b || a == DeathID("boot", 10, 21) || a == DeathID("other", 10, 20) {
		t.Error("an id is of boot, pid and start, and of nothing else")
	}
}
