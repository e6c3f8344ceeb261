// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// notRun are rows of software that this machine cannot run, with the reason.
var notRun = [][2]string{
	{"systemd units", "needs a machine with systemd as init; the guests' tests have them (`GROUP=daemons make test-vm`)"},
}

func scenarios() []scenario {
	return append(append(append(inits(), managers()...), servers()...), runtimes()...)
}

// all says the same of supervisor and worker.
func all(w want) map[string]want { return map[string]want{"supervisor": w, "worker": w} }

var stopped = all(asked)

// workerCrash: the worker that was hit, and nobody else.
var workerCrash = map[string]want{"target": asked, "supervisor": lives, "worker": lives}

func inits() []scenario {
	// timeout and sudo send themselves the signal that was the end of their child.
	mirrored := map[string]want{"target": asked, "supervisor": bySelf}
	// The init ends because its only child has.
	crash := map[string]want{"target": asked, "supervisor": exited}
	simple := func(name, pkg string, args ...string) scenario {
		return scenario{
			name: name, needs: args[:1], packages: pkg, version: debian(pkg),
			start: func(r *run) (ident, error) {
				main, err := r.start(nil, append(args, r.program("worker.py", "default", "ready")...)...)
				if err != nil {
					return main, err
				}
				return main, r.awaitFile("ready")
			},
			acts: []act{
				{name: "stop", send: unix.SIGTERM, then: stopped},
				{name: "crash", send: unix.SIGSEGV, to: "worker", then: crash},
			},
		}
	}
	return []scenario{
		// It is no init here, and becomes a subreaper.
		simple("tini", "tini", "tini", "-s", "--"),
		simple("dumb-init", "dumb-init", "dumb-init", "--"),
		simple("dumb-init --rewrite 15:3", "dumb-init", "dumb-init", "--rewrite", "15:3", "--"),
		simple("dumb-init --single-child", "dumb-init", "dumb-init", "--single-child", "--"),
		withCrash(simple("timeout 60", "coreutils", "timeout", "60"), mirrored),
		timeoutItself(),
		simple("sh -c (trap … wait)", "dash", "/bin/sh", "-c", `trap 'kill -TERM $!; wait $!; exit 0' TERM; "$@" & wait $!; exit $?`, "sh"),
		{
			name: "su", needs: []string{"su"}, packages: "util-linux", version: debian("util-linux"),
			start: func(r *run) (ident, error) {
				main, err := r.start(nil, "su", "root", "-s", "/bin/sh", "-c", "exec "+strings.Join(r.program("worker.py", "default", r.file("ready")), " "))
				if err != nil {
					return main, err
				}
				return main, r.awaitFile("ready")
			},
			acts: []act{
				{name: "stop", send: unix.SIGTERM, then: stopped},
				{name: "crash", send: unix.SIGKILL, to: "worker", then: crash},
			},
		},
		{
			name: "su, stubborn child", needs: []string{"su"}, packages: "util-linux", version: debian("util-linux"),
			start: func(r *run) (ident, error) {
				main, err := r.start(nil, "su", "root", "-s", "/bin/sh", "-c", "exec "+strings.Join(r.program("worker.py", "stubborn", r.file("ready")), " "))
				if err != nil {
					return main, err
				}
				return main, r.awaitFile("ready")
			},
			acts: []act{{name: "stop", send: unix.SIGTERM, then: stopped}},
		},
		{
			name: "sudo", needs: []string{"sudo"}, packages: "sudo", version: debian("sudo"),
			start: func(r *run) (ident, error) {
				main, err := r.start(nil, r.merged(append([]string{"sudo", "-n"}, r.program("worker.py", "default", r.file("ready"))...)...)...)
				if err != nil {
					return main, err
				}
				return main, r.awaitFile("ready")
			},
			acts: []act{
				{name: "stop", send: unix.SIGTERM, then: stopped},
				{name: "crash", send: unix.SIGKILL, to: "worker", then: mirrored},
			},
		},
	}
}

// withCrash gives a scenario's crash another outcome.
func withCrash(s scenario, then map[string]want) scenario {
	s.acts[1].then = then
	return s
}

// timeoutItself: its own timer ends the child; nobody asked.
func timeoutItself() scenario {
	return scenario{
		name: "timeout, its own timer", needs: []string{"timeout"}, packages: "coreutils", version: debian("coreutils"),
		start: func(r *run) (ident, error) {
			main, err := r.start(nil, append([]string{"timeout", "-k", "1", "1"}, r.program("worker.py", "default", "ready")...)...)
			if err != nil {
				return main, err
			}
			return main, r.awaitFile("ready")
		},
		acts: []act{{name: "timer", then: map[string]want{"worker": byParent}}},
	}
}

// service writes a service directory for s6 and runit.
func service(r *run, dir string) {
	if err := os.MkdirAll(r.file(dir), 0o755); err != nil {
		panic(err)
	}
	r.write(dir+"/run", "#!/bin/sh\nexec %s\n", strings.Join(r.program("worker.py", "default", r.file("ready")), " "))
}

func managers() []scenario {
	return []scenario{
		{
			name: "s6", needs: []string{"s6-svscan", "s6-supervise"}, packages: "s6", version: debian("s6"),
			start: func(r *run) (ident, error) {
				service(r, "scan/app")
				main, err := r.start(nil, r.merged("s6-svscan", r.file("scan"))...)
				if err != nil {
					return main, err
				}
				return main, r.awaitFile("ready")
			},
			acts: []act{
				{name: "stop", send: unix.SIGTERM, then: stopped},
				{name: "crash", send: unix.SIGSEGV, to: "worker", then: map[string]want{"target": asked, "supervisor": lives}},
				{name: "reload", send: unix.SIGHUP, then: map[string]want{"supervisor": lives, "worker": lives}},
			},
		},
		{
			name: "runit (runsv)", needs: []string{"runsv"}, packages: "runit", version: debian("runit"),
			start: func(r *run) (ident, error) {
				service(r, "app")
				main, err := r.start(nil, "runsv", r.file("app"))
				if err != nil {
					return main, err
				}
				return main, r.awaitFile("ready")
			},
			acts: []act{
				{name: "stop", send: unix.SIGTERM, then: stopped},
				{name: "crash", send: unix.SIGSEGV, to: "worker", then: workerCrash},
			},
		},
		{
			name: "runit (runsvdir)", needs: []string{"runsvdir", "runsv"}, packages: "runit", version: debian("runit"),
			start: func(r *run) (ident, error) {
				service(r, "scan/app")
				main, err := r.start(nil, "runsvdir", r.file("scan"))
				if err != nil {
					return main, err
				}
				return main, r.awaitFile("ready")
			},
			acts: []act{
				{name: "stop (HUP)", send: unix.SIGHUP, then: stopped},
			},
		},
		{
			name: "supervisord", needs: []string{"supervisord"}, packages: "supervisor", version: debian("supervisor"),
			start: startSupervisord,
			acts: []act{
				{name: "stop", send: unix.SIGTERM, then: map[string]want{"supervisor": asked, "quits": asked, "stubborn": asked, "plain": asked}},
				{name: "crash", send: unix.SIGSEGV, to: "plain", then: map[string]want{"target": asked, "supervisor": lives, "quits": lives, "stubborn": lives}},
				{name: "reload", send: unix.SIGHUP, then: map[string]want{"supervisor": lives, "quits": asked, "stubborn": asked, "plain": asked}},
			},
		},
		{
			name: "monit", needs: []string{"monit"}, packages: "monit", version: debian("monit"),
			start: startMonit,
			acts: []act{
				{name: "stop", send: unix.SIGTERM, then: map[string]want{"supervisor": asked, "service": lives}},
				{name: "crash", send: unix.SIGSEGV, to: "service", then: map[string]want{"target": asked, "supervisor": lives}},
				{name: "reload", send: unix.SIGHUP, then: map[string]want{"supervisor": lives, "service": lives}},
			},
		},
		{
			name: "PM2 (pm2-runtime)", needs: []string{"pm2-runtime", "node"}, packages: "npm: pm2", version: npmVersion("pm2"),
			start: startPM2,
			acts: []act{
				{name: "stop", send: unix.SIGTERM, then: stopped},
				{name: "crash", send: unix.SIGSEGV, to: "worker", then: map[string]want{"target": asked, "supervisor": lives}},
				{name: "USR2", send: unix.SIGUSR2, then: map[string]want{"supervisor": asked}},
			},
		},
		{
			name: "cron", needs: []string{"cron"}, packages: "cron", version: debian("cron"),
			start: func(r *run) (ident, error) {
				main, err := r.start(nil, r.merged("cron", "-f")...)
				if err != nil {
					return main, err
				}
				return main, r.await("cron runs", func() bool { s, _ := stat(main.pid); return s.comm == "cron" && sleeps(main.pid) })
			},
			acts: []act{{name: "stop", send: unix.SIGTERM, then: all(asked)}},
		},
	}
}

// sleeps reports whether a process waits for something: it has started.
func sleeps(pid int) bool {
	s, ok := stat(pid)
	return ok && s.state == 'S'
}

func startSupervisord(r *run) (ident, error) {
	program := func(name, mode, more string) string {
		return fmt.Sprintf("[program:%s]\ncommand=%s\n%s\n", name, strings.Join(r.program("worker.py", mode, r.file(name)), " "), more)
	}
	conf := r.write("s.conf", "[supervisord]\nnodaemon=true\nlogfile=%s\npidfile=%s\nuser=root\n"+
		"[unix_http_server]\nfile=%s\n[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n"+
		"[supervisorctl]\nserverurl=unix://%s\n%s",
		r.file("log"), r.file("pid"), r.file("sock"), r.file("sock"),
		program("quits", "default", "stopsignal=QUIT")+program("stubborn", "stubborn", "stopwaitsecs=2")+program("plain", "default", ""))
	main, err := r.start(nil, "supervisord", "-c", conf)
	if err != nil {
		return main, err
	}
	if err := r.awaitFile("quits", "stubborn", "plain"); err != nil {
		return main, err
	}
	r.nameByFile("quits", "stubborn", "plain")
	return main, r.awaitText("log", "plain entered RUNNING state")
}

// nameByFile gives those processes that have written their pid into a file that
// file's name as their role.
func (r *run) nameByFile(names ...string) {
	for _, n := range names {
		b, _ := os.ReadFile(r.file(n))
		var pid int
		if _, err := fmt.Sscan(string(b), &pid); err == nil {
			if s, ok := stat(pid); ok {
				r.roles[s.ident] = n
			}
		}
	}
}

func startMonit(r *run) (ident, error) {
	start := r.write("start.sh", "#!/bin/sh\nsetsid %s </dev/null >/dev/null 2>&1 &\n", strings.Join(r.program("worker.py", "default", r.file("service")), " "))
	conf := r.write("monitrc", "set daemon 1\nset log %s\nset pidfile %s\nset idfile %s\nset statefile %s\ncheck process app with pidfile %s\n  start program = \"%s\"\n  stop program = \"/bin/true\"\n",
		r.file("log"), r.file("pid"), r.file("id"), r.file("state"), r.file("service"), start)
	if err := os.Chmod(conf, 0o600); err != nil {
		return ident{}, err
	}
	main, err := r.start(nil, "monit", "-I", "-c", conf)
	if err != nil {
		return main, err
	}
	if err := r.awaitFile("service"); err != nil {
		return main, err
	}
	r.nameByFile("service")
	return main, nil
}

func startPM2(r *run) (ident, error) {
	r.write("app.js", "require('fs').writeFileSync(%q, String(process.pid)); setInterval(() => {}, 1000)\n", r.file("worker"))
	main, err := r.start([]string{"PM2_HOME=" + r.file("pm2")}, "pm2-runtime", "start", r.file("app.js"))
	if err != nil {
		return main, err
	}
	if err := r.awaitFile("worker"); err != nil {
		return main, err
	}
	r.nameByFile("worker")
	return main, r.await("its signal handlers", func() bool { return handles(main.pid, unix.SIGTERM) })
}

// npmVersion is the version of a package that npm has put beside the unpacked ones.
func npmVersion(name string) func() string {
	return func() string {
		b, _ := os.ReadFile(unpacked + "/node_modules/" + name + "/package.json")
		_, after, _ := strings.Cut(string(b), `"version":`)
		fields := strings.SplitN(after, `"`, 3)
		if len(fields) < 3 {
			return "?"
		}
		return fields[1]
	}
}
