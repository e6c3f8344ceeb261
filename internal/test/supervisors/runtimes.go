// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os/exec"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// runtimes are programs without a supervisor: what their runtime does about signals.
func runtimes() []scenario {
	itself := map[string]want{"supervisor": asked}
	runtime := func(name, pkg, needs string, args func(r *run) ([]string, error), acts ...act) scenario {
		return scenario{
			name: name, needs: []string{needs}, packages: pkg, version: debian(pkg),
			start: func(r *run) (ident, error) {
				line, err := args(r)
				if err != nil {
					return ident{}, err
				}
				main, err := r.start(nil, line...)
				if err != nil {
					return main, err
				}
				return main, r.awaitFile("ready")
			},
			acts: acts,
		}
	}
	stop := act{name: "stop", send: unix.SIGTERM, then: itself}
	segv := act{name: "crash (SEGV)", send: unix.SIGSEGV, then: itself}
	abrt := act{name: "crash (ABRT)", send: unix.SIGABRT, then: itself}
	goVersion := func() string {
		out, _ := exec.Command("go", "env", "GOVERSION").Output()
		return string(out)
	}
	goes := func(name, mode string, acts ...act) scenario {
		s := runtime(name, "", "/bin/sh", func(r *run) ([]string, error) {
			program, err := r.goProgram("goserver")
			return []string{program, mode, r.file("ready")}, err
		}, acts...)
		s.version = goVersion
		return s
	}
	return []scenario{
		runtime("JVM", "openjdk-17-jre-headless", "java", func(r *run) ([]string, error) {
			return []string{"java", "-Xmx32m", filepath.Join(r.bed.dir, "Spin.java"), r.file("ready")}, nil
		}, stop, segv, abrt, act{name: "thread dump (QUIT)", send: unix.SIGQUIT, then: map[string]want{"supervisor": lives}}),
		goes("Go", "default", stop, segv, abrt),
		goes("Go, handles SIGTERM", "handles", stop, act{name: "crash (QUIT)", send: unix.SIGQUIT, then: itself}),
		runtime("Node", "nodejs", "node", func(r *run) ([]string, error) {
			js := r.write("a.js", "require('fs').writeFileSync(%q, ''); setInterval(() => {}, 1000)\n", r.file("ready"))
			return []string{"node", js}, nil
		}, stop, segv, abrt),
		runtime("Node, handles SIGTERM", "nodejs", "node", func(r *run) ([]string, error) {
			js := r.write("a.js", "process.on('SIGTERM', () => setTimeout(() => process.exit(0), 1500)); require('fs').writeFileSync(%q, ''); setInterval(() => {}, 1000)\n", r.file("ready"))
			return []string{"node", js}, nil
		}, stop),
		runtime("Python", "python3", "python3", func(r *run) ([]string, error) { return r.program("worker.py", "default", "ready"), nil }, stop, segv, abrt),
		runtime("Python, faulthandler", "python3", "python3", func(r *run) ([]string, error) { return r.program("worker.py", "dumps", "ready"), nil }, segv, abrt),
	}
}

// goProgram builds one of the programs that are written in Go, once.
func (r *run) goProgram(name string) (string, error) {
	r.bed.golang.Lock()
	defer r.bed.golang.Unlock()
	program := filepath.Join(r.bed.dir, name)
	if exists(program) {
		return program, nil
	}
	out, err := exec.Command("go", "build", "-o", program, "./internal/test/supervisors/programs/"+name).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build %s: %w: %s", name, err, out)
	}
	return program, nil
}
