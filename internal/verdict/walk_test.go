// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/kubefact"
)

// boundedStack makes the process end where a walk through causes goes round or
// unboundedly deep: Go's stack overflow cannot be recovered.
func boundedStack(t *testing.T) {
	t.Helper()
	before := debug.SetMaxStack(1 << 20)
	t.Cleanup(func() { debug.SetMaxStack(before) })
}

// deaths returns all deaths that are due, by pid.
func (w *world) deaths(seen uint64) map[int]*event.Death {
	all := map[int]*event.Death{}
	for _, e := range w.e.Due(seen * ms) {
		if d, ok := e.(*event.Death); ok {
			all[d.Process.PID] = d
		}
	}
	return all
}

func function(name string) option { return func(s *event.Signal) { s.KernelFunction = name } }
func forked(s *event.Signal)      { s.ForkedIntoKill = true }

// inCgroup puts a process into a cgroup.
func inCgroup(path string, p *event.Process) *event.Process {
	p.Cgroup = path
	return p
}

// Whoever writes the cgroup.kill of its own cgroup has ended itself; whoever
// else was in there was ended by it.
func TestOwnCgroupKill(t *testing.T) {
	boundedStack(t)
	for name, opts := range map[string][]option{
		"as in older recordings": {via(event.ViaCgroupKill), function("__cgroup_kill")},
		"with its trigger":       {via(event.ViaCgroupKill), function("__cgroup_kill")},
		"without a stack":        {via(event.ViaCgroupKill)},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Options{})
			writer, beside := inCgroup("/g", proc(10, "sh")), inCgroup("/g", proc(11, "sleep"))
			if name != "as in older recordings" {
				opts = append(opts, trigger(writer))
			}
			w.signal(1000, unix.SIGKILL, writer, opts...)
			w.signal(1000, unix.SIGKILL, beside, via(event.ViaCgroupKill), function("__cgroup_kill"), trigger(writer))
			w.exit(1001, writer, 137)
			w.exit(1001, beside, 137)
			got := w.deaths(2000)
			expect(t, got[10], event.CauseSelfSignal, event.Proven, writer)
			expect(t, got[11], event.CauseForeignProcess, event.Proven, writer)
		})
	}
}

// A recording in which nobody is known to have written it names nobody.
func TestCgroupKillByNobodyKnown(t *testing.T) {
	boundedStack(t)
	w := newWorld(t, Options{})
	p := proc(10, "server")
	w.signal(1000, unix.SIGKILL, p, via(event.ViaCgroupKill))
	w.exit(1001, p, 137)
	expect(t, w.death(2000), event.CauseUnknown, event.Unknown, nil)
}

// Who forks while its cgroup is being killed is not the killer, neither of the
// child nor, where the child is a thread (CLONE_THREAD), of itself.
func TestForkIntoCgroupKill(t *testing.T) {
	boundedStack(t)
	killer := proc(5, "manager")
	forker, child, threaded := inCgroup("/g", proc(10, "sh")), inCgroup("/g", proc(11, "sh")), inCgroup("/g", proc(12, "java"))
	post := []option{via(event.ViaCgroupKill), function("cgroup_post_fork"), forked}
	stream := func(w *world, kill bool) map[int]*event.Death {
		if kill {
			w.signal(1000, unix.SIGKILL, forker, via(event.ViaCgroupKill), function("__cgroup_kill"), trigger(killer))
		}
		w.signal(1001, unix.SIGKILL, child, append(post, trigger(forker))...)
		w.signal(1001, unix.SIGKILL, threaded, post...)
		if kill { // comes too late for who has the fatal one already
			w.signal(1001, unix.SIGKILL, threaded, via(event.ViaCgroupKill), function("__cgroup_kill"), trigger(killer), ignored)
		}
		for _, p := range []*event.Process{forker, child, threaded} {
			if kill || p != forker {
				w.exit(1002, p, 137)
			}
		}
		return w.deaths(2000)
	}
	got := stream(newWorld(t, Options{}), true)
	expect(t, got[10], event.CauseForeignProcess, event.Proven, killer)
	expect(t, got[11], event.CauseForeignProcess, event.Likely, killer)
	expect(t, got[12], event.CauseForeignProcess, event.Likely, killer)
	got = stream(newWorld(t, Options{}), false) // the write itself was not seen
	expect(t, got[11], event.CauseUnknown, event.Unknown, nil)
	expect(t, got[12], event.CauseUnknown, event.Unknown, nil)
}

// Forwarders that forward to each other name one of themselves, and end.
func TestForwardersInACircle(t *testing.T) {
	boundedStack(t)
	w := newWorld(t, Options{})
	a, b := proc(10, "a"), proc(11, "b")
	a.Ancestors, b.Ancestors = []*event.Process{b}, []*event.Process{a} // as no kernel has it
	for i := range uint64(50) {
		w.signal(1000+2*i, unix.SIGTERM, b, from(a), handled)
		w.signal(1001+2*i, unix.SIGTERM, a, from(b), handled)
	}
	w.signal(1200, unix.SIGTERM, b, from(a))
	w.signal(1200, unix.SIGTERM, a, from(b))
	w.exit(1201, a, 143)
	w.exit(1201, b, 143)
	if got := w.deaths(2000); len(got) != 2 {
		t.Errorf("%d deaths of 2", len(got))
	}
}

// Deaths that are said to set each other off cannot both be right: neither is
// proven.
func TestDeathsThatSetEachOtherOff(t *testing.T) {
	boundedStack(t)
	for _, mechanism := range []event.Via{event.ViaPdeathsig, event.ViaPidnsExit, event.ViaTTY} {
		w := newWorld(t, Options{})
		w.e.Fact(&kubefact.Fact{Kind: kubefact.Available, Source: kubefact.SourceAPI})
		var ps []*event.Process
		for i := range 3 {
			p := inside("app", i == 0, proc(10+i, "server"))
			p.Pod = &event.Pod{Namespace: "shop", Name: "web-0", UID: "u"}
			ps = append(ps, p)
		}
		for i, p := range ps {
			w.signal(1000, unix.SIGKILL, p, via(mechanism), trigger(ps[(i+1)%len(ps)]))
		}
		for _, p := range ps {
			w.exit(1001, p, 137)
		}
		got := w.deaths(5000)
		if len(got) != len(ps) {
			t.Fatalf("%s: %d deaths of %d", mechanism, len(got), len(ps))
		}
		for _, d := range got {
			if d.Confidence == event.Proven {
				t.Errorf("%s: %s is proven", mechanism, d.Summary)
			}
		}
	}
}

// A chain of 10,000 deaths, each set off by the one before, has records of
// bounded size, whichever end is decided first.
func TestChainOfTenThousandDeaths(t *testing.T) {
	boundedStack(t)
	const n = 10000
	for name, forwards := range map[string]bool{"first cause first": true, "last first": false} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Options{})
			ps := make([]*event.Process, n)
			for i := range ps {
				ps[i] = proc(100+i, "p")
			}
			w.signal(1000, unix.SIGKILL, ps[0], from(proc(50, "killer")))
			for i := 1; i < n; i++ {
				w.signal(1000, unix.SIGKILL, ps[i], via(event.ViaPdeathsig), trigger(ps[i-1]))
			}
			for i := range ps {
				at := 1001 + uint64(i)
				if !forwards {
					at = 1001 + uint64(n-i)
				}
				w.exit(at, ps[i], 137)
			}
			got := w.deaths(20 * n)
			if len(got) != n {
				t.Fatalf("%d deaths of %d", len(got), n)
			}
			for _, d := range got {
				if len(d.Chain) > 2*hopsMax {
					t.Fatalf("%d hops", len(d.Chain))
				}
			}
			expect(t, got[101], event.CauseParentDeath, event.Proven, proc(50, "killer"))
		})
	}
}

// Whatever the stream says, the engine answers for each death once.
func TestAnyStreamEnds(t *testing.T) {
	boundedStack(t)
	vias := []event.Via{
		event.ViaKill, event.ViaCgroupKill, event.ViaOOM, event.ViaPdeathsig, event.ViaPidnsExit,
		event.ViaTTY, event.ViaTimer, event.ViaPtrace, event.ViaKernel, event.ViaTgkill,
	}
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		w := newWorld(t, Options{All: true})
		w.e.Fact(&kubefact.Fact{Kind: kubefact.Available, Source: kubefact.SourceAPI})
		ps := streamOf(r)
		any := func() *event.Process { return ps[r.IntN(len(ps))] }
		for range 300 {
			s := w.signal(1000+r.Uint64N(100), unix.Signal([]int{9, 15, 1, 6}[r.IntN(4)]), any(), via(vias[r.IntN(len(vias))]))
			switch r.IntN(4) {
			case 0:
				s.Sender = any()
			case 1:
				s.Trigger = any()
			case 2:
				s.Sender, s.Trigger = any(), any()
			}
			s.ForkedIntoKill = r.IntN(5) == 0
		}
		for _, p := range ps {
			w.exit(1100+r.Uint64N(50), p, []int{137, 143, 129, 134, 0, 3}[r.IntN(6)], func(x *event.Exit) {
				if x.Exit.Code < 128 {
					byCode(x)
				}
			})
		}
		if got := w.deaths(60000); len(got) != len(ps) {
			t.Fatalf("seed %d: %d deaths of %d", seed, len(got), len(ps))
		}
	}
}

// streamOf makes processes with ancestors, containers and pods at random, as
// no kernel would have them.
func streamOf(r *rand.Rand) []*event.Process {
	comms := []string{"containerd-shim", "runc", "systemd", "sh", "conmon", "containerd"}
	ps := make([]*event.Process, 12)
	for i := range ps {
		ps[i] = proc(1+i, comms[r.IntN(len(comms))])
		ps[i].Cgroup = fmt.Sprintf("/c%d", r.IntN(3))
		if r.IntN(2) == 0 {
			inside(fmt.Sprintf("c%d", r.IntN(3)), r.IntN(2) == 0, ps[i])
			ps[i].Pod = &event.Pod{Namespace: "ns", Name: "p", UID: "u"}
		}
	}
	for _, p := range ps {
		for range r.IntN(4) {
			p.Ancestors = append(p.Ancestors, ps[r.IntN(len(ps))])
		}
		p.PresentAncestors = p.Ancestors
	}
	return ps
}
