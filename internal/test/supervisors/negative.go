// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// negative are the cases in which somebody asked for something, and what ends
// afterwards ends for another reason.
func negative() []rulecase {
	all := []rulecase{
		{name: "cancelled", what: "a stop is cancelled, and later its own timeout ends a child", together: 20, revised: 80 * time.Second, run: cancelled},
		{name: "hup-fault", what: "SIGHUP only reopens the logs; then a child crashes", run: reopenedThen(func(r *run, f *forwarder, a ident) error {
			return f.crash(0, a)
		})},
		{name: "hup-sibling", what: "SIGHUP only reopens the logs; then a child crashes and its supervisor ends the others", run: reopenedThen(func(r *run, f *forwarder, a ident) error {
			for _, k := range f.kids[1:] {
				r.expect(truth{victim: k, role: "sibling", want: afterSibling, by: f.ident, through: f.kids[0], not: []ident{a}})
			}
			return f.crash(0, a)
		}, "CHLD=kill:QUIT")},
		{name: "hup-crash", what: "SIGHUP only reopens the logs; then the process itself crashes", run: reopenedThen(func(r *run, f *forwarder, a ident) error {
			r.expect(truth{victim: f.ident, role: "supervisor", want: fault, not: []ident{a}})
			return f.do("crash")
		})},
		{name: "hup-timeout", what: "SIGHUP only reopens the logs; more than 2 s later its own timeout ends a child", run: reopenedThen(func(r *run, f *forwarder, a ident) error {
			r.expect(truth{victim: f.kids[0], role: "worker", want: byParent, by: f.ident, not: []ident{a}})
			return f.do("wait:2.1,kill:TERM:0")
		})},
		{name: "usr1-passed-on", what: "SIGUSR1 is passed on for new logs; more than 0.1 s later a child exits 0 of its own accord", run: passedOn},
		{name: "kill-in-drain", what: "an operator's SIGKILL during a drain", run: killInDrain},
		{name: "oom-in-drain", what: "an OOM kill during a drain", run: oomInDrain},
		{name: "second-asker", what: "a second SIGTERM by somebody else during a drain", run: secondAsker},
		{name: "crash-in-rolling", what: "a child is crashed by somebody else during a rolling restart", run: crashInRolling},
		{name: "asker-pid", what: "the asker's pid is used again", needs: []string{"gcc"}, run: askersPID},
		{name: "forwarder-pid", what: "the pid of one that was asked is used again, by a supervisor with its own timeout", needs: []string{"gcc"}, run: forwardersPID},
	}
	for i := range all {
		all[i].negative = true
	}
	return append(all, realNegative()...)
}

// reopenedThen lets a supervisor with three children reopen its logs at SIGHUP.
func reopenedThen(then func(r *run, f *forwarder, asker ident) error, on ...string) func(r *run) error {
	return func(r *run) error {
		f, err := r.forwarder("f", 3, "default", append([]string{"HUP=touch:reopened"}, on...)...)
		if err != nil {
			return err
		}
		a, err := r.script(unix.SIGHUP, f.ident)
		if err != nil {
			return err
		}
		if err := r.awaitFile("f.reopened"); err != nil {
			return err
		}
		return then(r, f, a)
	}
}

func passedOn(r *run) error {
	f, err := r.forwarder("f", 1, "reopens", "USR1=kill:USR1,touch:reopened")
	if err != nil {
		return err
	}
	a, err := r.script(unix.SIGUSR1, f.ident)
	if err != nil {
		return err
	}
	if err := r.awaitFile("f.reopened"); err != nil {
		return err
	}
	if err := r.passes(150 * time.Millisecond); err != nil {
		return err
	}
	r.expect(truth{victim: f.kids[0], role: "worker", want: exited, not: []ident{a}})
	return os.WriteFile(r.file("f.leave"), nil, 0o644)
}

// passes lets a window of the rules pass: it is the time that is the state.
func (r *run) passes(d time.Duration) error {
	began := time.Now()
	return r.await("the rule's window is over", func() bool { return time.Since(began) > d })
}

// crash lets a child access memory that is not its own.
func (f *forwarder) crash(kid int, not ident) error {
	f.r.expect(truth{victim: f.kids[kid], role: "worker", want: fault, not: []ident{not}})
	return os.WriteFile(f.r.file(fmt.Sprintf("%s.fault.%d", f.name, f.kids[kid].pid)), nil, 0o644)
}

// draining starts a supervisor that somebody asks to stop, and returns once it
// drains.
func (r *run) draining(kids int, mode, actions string) (*forwarder, ident, error) {
	f, err := r.forwarder("f", kids, mode, "TERM=touch:asked,"+actions)
	if err != nil {
		return nil, ident{}, err
	}
	a, err := r.script(unix.SIGTERM, f.ident)
	if err != nil {
		return nil, a, err
	}
	return f, a, r.awaitFile("f.asked")
}

func killInDrain(r *run) error {
	f, a, err := r.draining(2, "default", "wait:30")
	if err != nil {
		return err
	}
	for who, role := range map[ident]string{f.kids[0]: "worker", f.ident: "supervisor"} {
		b, err := r.script(unix.SIGKILL, who)
		if err != nil {
			return err
		}
		r.expect(truth{victim: who, role: role, want: asked, by: b, not: []ident{a}})
	}
	return nil
}

func oomInDrain(r *run) error {
	if err := r.limit(48 << 20); err != nil {
		return err
	}
	f, a, err := r.draining(1, "hog", "reap,exit:0")
	if err != nil {
		return err
	}
	r.expect(truth{victim: f.kids[0], role: "worker", want: outOfMemory, not: []ident{a}})
	r.expect(truth{victim: f.ident, role: "supervisor", want: asked, by: a})
	return os.WriteFile(r.file("f.hog"), nil, 0o644)
}

func secondAsker(r *run) error {
	f, a, err := r.draining(2, "default", "wait:0.7,kill:TERM,reap,exit:0")
	if err != nil {
		return err
	}
	b, err := r.script(unix.SIGTERM, f.ident)
	if err != nil {
		return err
	}
	f.ended(a, b)
	return nil
}

func crashInRolling(r *run) error {
	f, err := r.forwarder("f", 3, "default", "HUP=spawn,kill:TERM:0,touch:rolling,wait:0.6,kill:TERM:1,kill:TERM:2")
	if err != nil {
		return err
	}
	a, err := r.script(unix.SIGHUP, f.ident)
	if err != nil {
		return err
	}
	if err := r.awaitFile("f.rolling"); err != nil {
		return err
	}
	b, err := r.script(unix.SIGSEGV, f.kids[1])
	if err != nil {
		return err
	}
	r.expect(truth{victim: f.kids[0], role: "worker", want: asked, by: a, not: []ident{b}})
	r.expect(truth{victim: f.kids[1], role: "crashed worker", want: asked, by: b, not: []ident{a}})
	r.expect(truth{victim: f.kids[2], role: "worker", want: asked, by: a, not: []ident{b}})
	return nil
}

// reuse runs a command under a pid that was another's.
func (r *run) reuse(gone ident, args ...string) (ident, error) {
	program := filepath.Join(r.dir, "reuse")
	if out, err := exec.Command("gcc", "-O2", "-o", program, filepath.Join(r.bed.dir, "reuse.c")).CombinedOutput(); err != nil {
		return ident{}, fmt.Errorf("build reuse.c: %w: %s", err, out)
	}
	// The two are reported apart by the tick in which they began.
	if err := r.await("the pid is free", func() bool {
		_, used := stat(gone.pid)
		return !used && boottime()/(1e9/ticksPerSecond) > gone.start
	}); err != nil {
		return ident{}, err
	}
	if _, err := r.start(nil, append([]string{program, fmt.Sprint(gone.pid)}, args...)...); err != nil {
		return ident{}, err
	}
	var next ident
	err := r.await("the pid is used again", func() bool {
		s, ok := stat(gone.pid)
		next = s.ident
		return ok
	})
	r.roles[next] = "new owner of the pid"
	return next, err
}

func askersPID(r *run) error {
	f, a, err := r.draining(2, "default", "wait:1.2,kill:TERM,reap,exit:0")
	if err != nil {
		return err
	}
	next, err := r.reuse(a, r.program("worker.py", "default")...)
	if err != nil {
		return err
	}
	f.ended(a, next)
	return nil
}

func forwardersPID(r *run) error {
	f, err := r.forwarder("f", 0, "default", "TERM=exit:0")
	if err != nil {
		return err
	}
	a, err := r.script(unix.SIGTERM, f.ident)
	if err != nil {
		return err
	}
	r.expect(truth{victim: f.ident, role: "supervisor", want: asked, by: a})
	next, err := r.reuse(f.ident, r.program("forwarder.py", "g", "1", "default")...)
	if err != nil {
		return err
	}
	if err := r.awaitFile("g.ready"); err != nil {
		return err
	}
	g := &forwarder{ident: next, r: r, name: "g"}
	kids := r.children(next.pid)
	if len(kids) != 1 {
		return fmt.Errorf("%d children under the pid", len(kids))
	}
	r.roles[next], r.roles[kids[0].ident] = "new supervisor", "new worker"
	r.expect(truth{victim: kids[0].ident, role: "new worker", want: byParent, by: next, not: []ident{a}})
	return g.do("kill:TERM:0")
}

func cancelled(r *run) error {
	f, a, err := r.draining(2, "default", "wait:0.2,spawn,touch:cancelled")
	if err != nil {
		return err
	}
	if err := r.awaitFile("f.cancelled"); err != nil {
		return err
	}
	r.expect(truth{victim: f.kids[0], role: "worker", want: byParent, by: f.ident, not: []ident{a}})
	return f.do("wait:1.5,kill:TERM:0")
}
