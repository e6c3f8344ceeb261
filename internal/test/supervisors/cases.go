// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// rulecase is one thing that the forwarder rule must get right again and again: it
// must name who asked first (positive), or must not (negative).
type rulecase struct {
	name, what string
	negative   bool
	needs      []string
	// together is how many runs may go on at the same time; 4 at least.
	together int
	// revised is how long the last revision may take, where a first record is
	// known to be revised.
	revised time.Duration
	run     func(r *run) error
}

// runCase runs a case again and again.
func (b *bed) runCase(c rulecase, repeat int, here machine) *result {
	res := &result{Name: "case", Act: c.name, machine: here, Runs: repeat}
	for _, p := range c.needs {
		if _, err := findProgram(p); err != nil {
			res.NotInstalled = p
			return res
		}
	}
	var mu sync.Mutex
	var group sync.WaitGroup
	free := make(chan struct{}, max(c.together, 4))
	for range repeat {
		free <- struct{}{}
		group.Go(func() {
			defer func() { <-free }()
			all, err := b.runOnce(c)
			mu.Lock()
			defer mu.Unlock()
			res.Verdicts = gather(append(res.Verdicts, all...))
			if err != nil {
				res.Error = err.Error()
			}
		})
	}
	group.Wait()
	return res
}

func (b *bed) runOnce(c rulecase) ([]verdict, error) {
	r, err := b.newRun("case-" + c.name)
	if err != nil {
		return nil, err
	}
	defer r.clean()
	if err := c.run(r); err != nil {
		return nil, err
	}
	all, err := r.verdicts()
	if err != nil || c.revised == 0 {
		return all, err
	}
	within(c.revised, func() bool {
		all, err = r.verdicts()
		for _, v := range all {
			if v.Outcome != right {
				return err != nil
			}
		}
		return true
	})
	return all, err
}

// forwarder is a running forwarder.py.
type forwarder struct {
	ident
	r    *run
	name string
	kids []ident
}

// forwarder starts one with so many children; on are "SIGNAL=ACTION,…". What goes
// before it on the command line is in before.
func (r *run) forwarder(name string, n int, mode string, on ...string) (*forwarder, error) {
	return r.forwarderIn(nil, name, n, mode, on...)
}

func (r *run) forwarderIn(before []string, name string, n int, mode string, on ...string) (*forwarder, error) {
	line := append(before, r.program("forwarder.py", append([]string{name, fmt.Sprint(n), mode}, on...)...)...)
	main, err := r.start(nil, line...)
	if err != nil {
		return nil, err
	}
	f := &forwarder{ident: main, r: r, name: name}
	if err := r.awaitFile(name + ".ready"); err != nil {
		return nil, err
	}
	b, _ := os.ReadFile(r.file(name + ".ready"))
	for word := range strings.FieldsSeq(string(b)) {
		var pid int
		_, _ = fmt.Sscan(word, &pid)
		s, ok := stat(pid)
		if !ok {
			return nil, fmt.Errorf("child %d of %s has ended", pid, name)
		}
		f.kids = append(f.kids, s.ident)
		r.roles[s.ident] = "worker"
		if len(before) > 0 {
			p, _ := stat(s.parent)
			f.ident = p.ident
		}
	}
	r.roles[main] = "init"
	r.roles[f.ident] = "supervisor"
	r.note("forwarder %s is %d, its children %s", name, f.pid, b)
	return f, nil
}

// do hands it a line of actions: what it does of its own accord.
func (f *forwarder) do(actions string) error {
	f.r.note("%s is to do: %s", f.name, actions)
	if f.r.acted == 0 {
		f.r.acted = boottime()
	}
	fifo, err := os.OpenFile(f.r.file(f.name+".do"), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer fifo.Close()
	_, err = fmt.Fprintln(fifo, actions)
	return err
}

// ended expects of its children and of itself that asker's request was the end.
func (f *forwarder) ended(asker ident, not ...ident) {
	f.kidsEnded(asker, not...)
	f.r.expect(truth{victim: f.ident, role: "supervisor", want: asked, by: asker, not: not})
}

func (f *forwarder) kidsEnded(asker ident, not ...ident) {
	for _, k := range f.kids {
		f.r.expect(truth{victim: k, role: "worker", want: asked, by: asker, not: not})
	}
}

func cases() []rulecase { return append(negative(), positive()...) }

// simple is a case in which a forwarder is sent one signal and ends its children
// and, if it ends, itself.
func simpleCase(name, what string, n unix.Signal, kids int, mode string, ends bool, on string) rulecase {
	return rulecase{name: name, what: what, run: func(r *run) error {
		f, err := r.forwarder("f", kids, mode, on)
		if err != nil {
			return err
		}
		a, err := r.script(n, f.ident)
		if err != nil {
			return err
		}
		if ends {
			f.ended(a)
		} else {
			f.kidsEnded(a)
			r.expect(truth{victim: f.ident, role: "supervisor", want: lives})
		}
		return nil
	}}
}

func positive() []rulecase {
	return []rulecase{
		simpleCase("same", "passes SIGTERM on", unix.SIGTERM, 2, "default", true, "TERM=kill:TERM,reap,exit:0"),
		simpleCase("translate", "translates SIGTERM to SIGQUIT", unix.SIGTERM, 2, "default", true, "TERM=kill:QUIT,reap,exit:0"),
		simpleCase("drain", "drains for 1.5 s, then passes SIGTERM on; its children exit 0", unix.SIGTERM, 2, "exits", true, "TERM=wait:1.5,kill:TERM,reap,exit:0"),
		simpleCase("escalate", "sends SIGTERM, which is ignored, and SIGKILL 1.2 s later", unix.SIGTERM, 2, "stubborn", true, "TERM=kill:TERM,wait:1.2,kill:KILL,reap,exit:0"),
		simpleCase("rolling", "at SIGHUP replaces one child after the other", unix.SIGHUP, 3, "default", false, "HUP=spawn,kill:TERM:0,wait:0.7,spawn,kill:TERM:1,wait:0.7,spawn,kill:TERM:2"),
		simpleCase("late-reload", "at SIGHUP ends its children after its loop's 1.1 s", unix.SIGHUP, 2, "default", false, "HUP=wait:1.1,kill:TERM"),
		simpleCase("upgrade", "at SIGUSR2 starts new children, then ends the old ones", unix.SIGUSR2, 2, "default", false, "USR2=spawn,spawn,kill:QUIT:0,kill:QUIT:1"),
		simpleCase("reraise", "drains for 1.3 s, then sends itself SIGTERM", unix.SIGTERM, 0, "default", true, "TERM=wait:1.3,raise:TERM"),
		simpleCase("watchdog", "SIGABRT is handled: it exits 1 after 0.1 s", unix.SIGABRT, 0, "default", true, "ABRT=wait:0.1,exit:1"),
		{name: "nested", what: "an init passes SIGTERM on to a supervisor that drains and translates", needs: []string{"dumb-init"}, run: func(r *run) error {
			f, err := r.forwarderIn([]string{"dumb-init", "--single-child", "--"}, "f", 2, "default", "TERM=wait:0.4,kill:QUIT,reap,exit:0")
			if err != nil {
				return err
			}
			init, _ := r.withRole("init")
			a, err := r.script(unix.SIGTERM, init)
			if err != nil {
				return err
			}
			f.ended(a)
			r.expect(truth{victim: init, role: "init", want: asked, by: a})
			return nil
		}},
		{name: "sibling", what: "a child is crashed by a script, and its supervisor ends the others", run: func(r *run) error {
			f, err := r.forwarder("f", 3, "default", "CHLD=kill:QUIT")
			if err != nil {
				return err
			}
			a, err := r.script(unix.SIGSEGV, f.kids[0])
			if err != nil {
				return err
			}
			r.expect(truth{victim: f.kids[0], role: "worker", want: asked, by: a})
			for _, k := range f.kids[1:] {
				r.expect(truth{victim: k, role: "sibling", want: afterSibling, by: f.ident, through: f.kids[0]})
			}
			return nil
		}},
	}
}
