// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// scenario is one supervisor or server.
type scenario struct {
	name string
	// needs are the programs without which it cannot be run.
	needs []string
	// packages names where they come from: Debian's packages, or npm's.
	packages string
	version  func() string
	// start starts it, waits until it is ready, and returns its main process.
	start func(r *run) (ident, error)
	acts  []act
}

// act is one thing that is done to it.
type act struct {
	name string
	send unix.Signal
	// to is the role of whoever gets it, the supervisor by default; that process
	// has the role "target" in then.
	to string
	// then is what must come of it, by role; other roles are not judged.
	then map[string]want
}

// runScenario runs one act on a supervisor of its own.
func (b *bed) runScenario(s scenario, a act, here machine) *result {
	res := &result{Name: s.name, Act: a.name, machine: here, Packages: s.packages}
	for _, p := range s.needs {
		if _, err := findProgram(p); err != nil {
			res.NotInstalled = p
			return res
		}
	}
	res.Version = s.version()
	r, err := b.newRun(s.name + "/" + a.name)
	if err != nil {
		res.Error = err.Error()
		return res
	}
	defer r.clean()
	res.Verdicts, err = r.perform(s, a)
	if err != nil {
		res.Error = err.Error()
	}
	res.Verdicts = gather(res.Verdicts)
	if r.acted != 0 {
		res.Does = r.timeline()
	}
	return res
}

func findProgram(p string) (string, error) {
	if strings.HasPrefix(p, "/") {
		if exists(p) {
			return p, nil
		}
		return "", os.ErrNotExist
	}
	for _, dir := range searched {
		if exists(dir + "/" + p) {
			return dir + "/" + p, nil
		}
	}
	return "", os.ErrNotExist
}

func (r *run) perform(s scenario, a act) ([]verdict, error) {
	main, err := s.start(r)
	if err != nil {
		return nil, fmt.Errorf("start: %w", err)
	}
	if !main.alive() {
		return nil, fmt.Errorf("start: it has ended: %s", tail(r.output()))
	}
	r.assign(main)
	target := main
	if a.to != "" {
		var ok bool
		if target, ok = r.withRole(a.to); !ok {
			return nil, fmt.Errorf("it has no %s", a.to)
		}
	}
	var asker ident
	if a.send != 0 {
		if asker, err = r.script(a.send, target); err != nil {
			return nil, err
		}
	} else {
		r.acted = r.began // it happens without anybody's signal
	}
	for who, role := range r.roles {
		w, ok := a.then[role]
		if who == target && a.to != "" {
			if t, is := a.then["target"]; is {
				w, ok = t, true
			}
		}
		if !ok {
			continue
		}
		t := truth{victim: who, role: role, want: w}
		switch w {
		case asked:
			t.by = asker
		case byParent:
			t.by = main
		case afterSibling:
			t.by, t.through = main, target
		case exited:
			t.not = []ident{asker}
		}
		r.expect(t)
	}
	all, err := r.verdicts()
	if err != nil {
		return all, err
	}
	if len(all) == 0 {
		// Nobody was to end: what it does instead needs a moment to be seen.
		within(time.Second, func() bool { return false })
	}
	for _, t := range r.truths {
		if t.want == lives && !t.victim.alive() {
			return all, fmt.Errorf("%s was to live on, and has ended", t.role)
		}
	}
	return all, nil
}

// assign gives each living process of the run's cgroup a role, unless the
// scenario has.
func (r *run) assign(main ident) {
	r.roles[main] = "supervisor"
	for _, s := range inCgroup(r.cg) {
		if _, ok := r.roles[s.ident]; !ok {
			r.roles[s.ident] = "worker"
		}
		r.note("role %d %s (%s, parent %d)", s.pid, r.roles[s.ident], cmdline(s.pid), s.parent)
	}
}

// withRole returns the oldest process of a role.
func (r *run) withRole(role string) (ident, bool) {
	best, ok := ident{}, false
	for who, is := range r.roles {
		if is == role && (!ok || who.pid < best.pid) {
			best, ok = who, true
		}
	}
	return best, ok
}

// debian is the version of an installed or unpacked Debian package.
func debian(name string) func() string {
	return func() string {
		files, _ := filepath.Glob(unpacked + "/debs/" + name + "_*.deb")
		if unpacked != "" && len(files) > 0 {
			return strings.ReplaceAll(strings.Split(filepath.Base(files[0]), "_")[1], "%3a", ":")
		}
		out, err := exec.Command("dpkg-query", "-W", "-f", "${Version}", name).Output()
		if err != nil {
			return "?"
		}
		return string(out)
	}
}
