// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const wsgi = "def application(environ, start_response):\n    start_response('200 OK', [])\n    return [b'ok']\n"

func servers() []scenario {
	replaced := map[string]want{"supervisor": lives, "worker": asked}
	return []scenario{
		{
			name: "gunicorn", needs: []string{"gunicorn"}, packages: "gunicorn", version: debian("gunicorn"),
			start: func(r *run) (ident, error) { return startGunicorn(r) },
			acts: []act{
				{name: "stop", send: unix.SIGTERM, then: stopped},
				{name: "stop (QUIT)", send: unix.SIGQUIT, then: stopped},
				{name: "crash", send: unix.SIGSEGV, to: "worker", then: workerCrash},
				{name: "reload", send: unix.SIGHUP, then: replaced},
			},
		},
		{
			name: "uwsgi", needs: []string{"uwsgi-core"}, packages: "uwsgi-core uwsgi-plugin-python3", version: debian("uwsgi-core"),
			start: startUWSGI,
			acts: []act{
				{name: "stop (INT)", send: unix.SIGINT, then: stopped},
				{name: "stop (QUIT)", send: unix.SIGQUIT, then: stopped},
				{name: "crash", send: unix.SIGKILL, to: "worker", then: workerCrash},
				{name: "reload", send: unix.SIGHUP, then: map[string]want{"worker": asked}},
			},
		},
		{
			name: "celery", needs: []string{"celery"}, packages: "celery", version: debian("python3-celery"),
			start: startCelery,
			acts: []act{
				// A warm shutdown: the pool's processes are reported through a pipe.
				{name: "stop", send: unix.SIGTERM, then: map[string]want{"supervisor": asked, "worker": exited}},
				{name: "stop (QUIT)", send: unix.SIGQUIT, then: stopped},
				{name: "crash", send: unix.SIGKILL, to: "worker", then: map[string]want{"target": asked, "supervisor": lives}},
			},
		},
		{
			name: "php-fpm", needs: []string{"php-fpm8.2"}, packages: "php-fpm", version: debian("php8.2-fpm"),
			start: func(r *run) (ident, error) { return startFPM(r, "") },
			acts: []act{
				{name: "stop", send: unix.SIGTERM, then: stopped},
				{name: "stop (QUIT)", send: unix.SIGQUIT, then: stopped},
				{name: "crash", send: unix.SIGSEGV, to: "worker", then: workerCrash},
				{name: "reload (USR2)", send: unix.SIGUSR2, then: map[string]want{"worker": asked}},
				{name: "logs anew (USR1)", send: unix.SIGUSR1, then: map[string]want{"supervisor": lives, "worker": lives}},
			},
		},
		{
			name: "postgres", needs: []string{"/usr/lib/postgresql/15/bin/postgres"}, packages: "postgresql", version: debian("postgresql-15"),
			start: startPostgres,
			acts: []act{
				{name: "stop (INT)", send: unix.SIGINT, then: map[string]want{"supervisor": asked, "backend": asked, "worker": asked}},
				{name: "stop (QUIT)", send: unix.SIGQUIT, then: map[string]want{"supervisor": asked, "backend": asked, "worker": asked}},
				{name: "crash", send: unix.SIGKILL, to: "backend", then: map[string]want{"target": asked, "backend": afterSibling, "worker": afterSibling, "supervisor": lives}},
				{name: "reload", send: unix.SIGHUP, then: map[string]want{"supervisor": lives, "backend": lives, "worker": lives}},
			},
		},
		{
			name: "nginx", needs: []string{"nginx"}, packages: "nginx-core", version: debian("nginx"),
			start: startNginx,
			// The master shows its workers through a socket: there is no signal.
			acts: []act{
				{name: "stop", send: unix.SIGTERM, then: map[string]want{"supervisor": asked, "worker": exited}},
				{name: "stop (QUIT)", send: unix.SIGQUIT, then: map[string]want{"supervisor": asked, "worker": exited}},
				{name: "crash", send: unix.SIGKILL, to: "worker", then: workerCrash},
				{name: "reload", send: unix.SIGHUP, then: map[string]want{"supervisor": lives, "worker": exited}},
			},
		},
		{
			name: "apache", needs: []string{"apache2"}, packages: "apache2-bin", version: debian("apache2-bin"),
			start: startApache,
			acts: []act{
				{name: "stop", send: unix.SIGTERM, then: stopped},
				{name: "crash", send: unix.SIGKILL, to: "worker", then: workerCrash},
				{name: "reload", send: unix.SIGHUP, then: replaced},
				{name: "reload (USR1)", send: unix.SIGUSR1, then: replaced},
			},
		},
		{
			name: "redis", needs: []string{"redis-server"}, packages: "redis-server", version: debian("redis-server"),
			start: startRedis,
			acts: []act{
				{name: "stop", send: unix.SIGTERM, then: stopped},
				{name: "crash", send: unix.SIGSEGV, then: all(asked)},
			},
		},
		{
			name: "sshd", needs: []string{"sshd", "ssh", "ssh-keygen"}, packages: "openssh-server openssh-client", version: debian("openssh-server"),
			start: startSSH,
			acts: []act{
				{name: "stop", send: unix.SIGTERM, then: map[string]want{"supervisor": asked, "session": lives, "command": lives}},
				{name: "stop of a session", send: unix.SIGTERM, to: "session", then: map[string]want{"supervisor": lives, "target": asked}},
				{name: "crash of a session's command", send: unix.SIGSEGV, to: "command", then: map[string]want{"supervisor": lives, "target": asked, "session": exited}},
				{name: "reload", send: unix.SIGHUP, then: map[string]want{"session": lives, "command": lives}},
			},
		},
	}
}

// freePort returns a TCP port of loopback on which nobody listens.
func freePort() int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// awaitPort waits until a port or a Unix socket takes connections.
func (r *run) awaitPort(network, address string) error {
	return r.await(address, func() bool {
		c, err := net.DialTimeout(network, address, time.Second)
		if err != nil {
			return false
		}
		return c.Close() == nil
	})
}

// awaitChildren waits until a process has that many children, all of them waiting
// for something.
func (r *run) awaitChildren(of ident, n int) error {
	return r.await(fmt.Sprintf("%d children", n), func() bool {
		kids := r.children(of.pid)
		for _, k := range kids {
			if k.state != 'S' {
				return false
			}
		}
		return len(kids) >= n
	})
}

func startGunicorn(r *run, more ...string) (ident, error) {
	r.write("app.py", "%s", wsgi)
	args := append([]string{"gunicorn", "-b", "unix:" + r.file("sock"), "-w", "2", "--log-file", r.file("log")}, more...)
	main, err := r.start(nil, append(args, "app:application")...)
	if err != nil {
		return main, err
	}
	if err := r.await("two workers", func() bool {
		b, _ := os.ReadFile(r.file("log"))
		return strings.Count(string(b), "Booting worker") >= 2 && len(r.children(main.pid)) == 2
	}); err != nil {
		return main, err
	}
	return main, r.await("the workers' handlers", func() bool {
		for _, k := range r.children(main.pid) {
			if !handles(k.pid, unix.SIGTERM) || !sleeps(k.pid) {
				return false
			}
		}
		return handles(main.pid, unix.SIGHUP)
	})
}

func startUWSGI(r *run) (ident, error) {
	r.write("app.py", "%s", wsgi)
	main, err := r.start(nil, "uwsgi-core", "--plugin", unpacked+"/usr/lib/uwsgi/plugins/python311_plugin.so", "--socket", r.file("sock"), "--stats", r.file("stats"), "--master", "--processes", "2", "--wsgi-file", r.file("app.py"))
	if err != nil {
		return main, err
	}
	if err := r.awaitText("out", "spawned uWSGI worker 2"); err != nil {
		return main, err
	}
	// A worker has the master's handlers at first: it is ready once it accepts.
	return main, r.await("the workers accept", func() bool {
		c, err := net.Dial("unix", r.file("stats"))
		if err != nil {
			return false
		}
		defer c.Close()
		text, _ := io.ReadAll(c)
		return strings.Count(string(text), `"accepting":1`) == 2
	})
}

func startCelery(r *run) (ident, error) {
	r.write("app.py", "from celery import Celery\napp = Celery('app', broker='memory://')\n")
	main, err := r.start([]string{"C_FORCE_ROOT=1", "PYTHONPATH=" + unpacked + "/usr/lib/python3/dist-packages:" + r.dir}, "/usr/bin/python3", "-m", "celery", "-A", "app", "worker", "-c", "2", "-l", "info", "--without-gossip", "--without-mingle", "--without-heartbeat")
	if err != nil {
		return main, err
	}
	return main, r.awaitText("out", "ready.")
}

func startFPM(r *run, more string) (ident, error) {
	conf := r.write("fpm.conf", "[global]\nerror_log = %s\ndaemonize = no\n[www]\nuser = www-data\ngroup = www-data\nlisten = %s\nlisten.mode = 0666\npm = static\npm.max_children = 2\n%s", r.file("log"), r.file("sock"), more)
	main, err := r.start(nil, "php-fpm8.2", "-F", "-y", conf)
	if err != nil {
		return main, err
	}
	if err := r.awaitText("log", "ready to handle connections"); err != nil {
		return main, err
	}
	return main, r.awaitChildren(main, 2)
}

func startPostgres(r *run) (ident, error) {
	const bin = "/usr/lib/postgresql/15/bin/"
	data := r.file("data")
	// Making a cluster takes seconds; one made is copied for each run.
	made := filepath.Join(r.bed.dir, "cluster")
	r.bed.postgres.Lock()
	defer r.bed.postgres.Unlock()
	if !exists(made) {
		if out, err := exec.Command("install", "-d", "-o", "postgres", made).CombinedOutput(); err != nil {
			return ident{}, fmt.Errorf("%w: %s", err, out)
		}
		if out, err := exec.Command("su", "postgres", "-s", "/bin/sh", "-c", bin+"initdb -N -D "+made).CombinedOutput(); err != nil {
			return ident{}, fmt.Errorf("initdb: %w: %s", err, out)
		}
	}
	if out, err := exec.Command("cp", "-a", made, data).CombinedOutput(); err != nil {
		return ident{}, fmt.Errorf("%w: %s", err, out)
	}
	main, err := r.start(nil, "setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups", bin+"postgres", "-D", data, "-c", "listen_addresses=", "-c", "unix_socket_directories="+r.dir, "-c", "autovacuum_naptime=1h")
	if err != nil {
		return main, err
	}
	if err := r.awaitText("out", "ready to accept connections"); err != nil {
		return main, err
	}
	for range 2 {
		// The client is outside of the cgroup: its end is no part of this.
		c := exec.Command("psql", "-h", r.dir, "-U", "postgres", "-qAt", "-c", "select pg_sleep(60)")
		if err := c.Start(); err != nil {
			return main, err
		}
		go func() { _ = c.Wait() }()
	}
	err = r.await("two backends", func() bool {
		n := 0
		for _, k := range r.children(main.pid) {
			if strings.Contains(cmdline(k.pid), "SELECT") {
				r.roles[k.ident] = "backend"
				n++
			}
		}
		return n == 2
	})
	return main, err
}

func startNginx(r *run) (ident, error) {
	conf := r.write("ng.conf", "daemon off; pid %s; error_log %s notice; worker_processes 2; events {} http { access_log off; client_body_temp_path %s; proxy_temp_path %s; fastcgi_temp_path %s; uwsgi_temp_path %s; scgi_temp_path %s; server { listen unix:%s; return 200 ok; } }\n",
		r.file("pid"), r.file("log"), r.file("t1"), r.file("t2"), r.file("t3"), r.file("t4"), r.file("t5"), r.file("sock"))
	main, err := r.start(nil, "nginx", "-c", conf)
	if err != nil {
		return main, err
	}
	if err := r.awaitPort("unix", r.file("sock")); err != nil {
		return main, err
	}
	return main, r.awaitChildren(main, 2)
}

func startApache(r *run) (ident, error) {
	modules, err := findProgram(unpacked + "/usr/lib/apache2/modules")
	if err != nil {
		modules = "/usr/lib/apache2/modules"
	}
	port := freePort()
	conf := r.write("a.conf", "ServerRoot %s\nServerName localhost\nListen 127.0.0.1:%d\nPidFile %s\nErrorLog %s\nLoadModule mpm_prefork_module %s/mod_mpm_prefork.so\nLoadModule authz_core_module %s/mod_authz_core.so\nUser www-data\nGroup www-data\nStartServers 2\nMinSpareServers 2\nMaxSpareServers 2\nDocumentRoot %s\nDefaultRuntimeDir %s\n",
		r.dir, port, r.file("pid"), r.file("log"), modules, modules, r.dir, r.dir)
	main, err := r.start(nil, "apache2", "-D", "FOREGROUND", "-f", conf)
	if err != nil {
		return main, err
	}
	if err := r.awaitPort("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err != nil {
		return main, err
	}
	return main, r.awaitChildren(main, 2)
}

func startRedis(r *run) (ident, error) {
	main, err := r.start(nil, "redis-server", "--port", "0", "--unixsocket", r.file("sock"), "--dir", r.dir, "--save", "")
	if err != nil {
		return main, err
	}
	return main, r.awaitText("out", "ready to accept connections")
}

func startSSH(r *run) (ident, error) {
	for _, key := range []string{"host", "user"} {
		if out, err := exec.Command(mustFind("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", r.file(key)).CombinedOutput(); err != nil {
			return ident{}, fmt.Errorf("ssh-keygen: %w: %s", err, out)
		}
	}
	port := freePort()
	conf := r.write("sshd.conf", "Port %d\nListenAddress 127.0.0.1\nHostKey %s\nPidFile none\nUsePAM no\nStrictModes no\nAuthorizedKeysFile %s\nPermitRootLogin prohibit-password\nPrintMotd no\n", port, r.file("host"), r.file("user.pub"))
	main, err := r.start(nil, r.merged(mustFind("sshd"), "-D", "-e", "-f", conf)...)
	if err != nil {
		return main, err
	}
	if err := r.awaitText("out", "Server listening"); err != nil {
		return main, err
	}
	client := exec.Command(mustFind("ssh"), "-n", "-F", "none", "-i", r.file("user"), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes", "-p", fmt.Sprint(port), "root@127.0.0.1",
		"exec "+strings.Join(r.program("worker.py", "default", r.file("command")), " "))
	client.Env = environment()
	if err := client.Start(); err != nil {
		return main, err
	}
	go func() { _ = client.Wait() }()
	if err := r.awaitFile("command"); err != nil {
		return main, err
	}
	r.nameByFile("command")
	for _, k := range r.children(main.pid) {
		r.roles[k.ident] = "session"
	}
	return main, nil
}

func mustFind(p string) string {
	full, err := findProgram(p)
	if err != nil {
		return p
	}
	return full
}
