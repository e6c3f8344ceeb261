// SPDX-License-Identifier: Apache-2.0

package main

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

//go:embed programs
var programs embed.FS

// searched is where Debian's programs are: what somebody has put before them on
// $PATH is not what the table names. Unpacked packages go before installed ones.
var searched = []string{"/usr/sbin", "/usr/bin", "/sbin", "/bin"}

// unpacked is where Debian packages were unpacked; empty if nowhere.
var unpacked string

// unpackedAt lets programs be found in a directory that the script unpack has filled.
func unpackedAt(dir string) {
	unpacked = dir
	searched = append([]string{dir + "/usr/sbin", dir + "/usr/bin", dir + "/node_modules/.bin"}, searched...)
}

// environment is what every program is started with.
func environment() []string {
	env := []string{"PATH=" + strings.Join(searched, ":")}
	if unpacked != "" {
		libraries, _ := filepath.Glob(unpacked + "/usr/lib/*-linux-gnu")
		more, _ := filepath.Glob(unpacked + "/lib/*-linux-gnu")
		libraries = append(libraries, more...)
		env = append(env, "LD_LIBRARY_PATH="+strings.Join(libraries, ":"), "PYTHONPATH="+unpacked+"/usr/lib/python3/dist-packages")
	}
	return env
}

// bed is where the scenarios run: a directory, a cgroup, and two sigtraces that watch
// it: one as it is by default, whose verdicts are judged, and one with --all, whose
// signals make the timelines.
type bed struct {
	dir  string
	root string // the cgroup's directory
	w    *watch // by default
	all  *watch // with --all
	keep string
	runs atomic.Int64
	// postgres, golang: what takes long is made once.
	postgres, golang sync.Mutex
}

func newBed(o options) (*bed, error) {
	if o.keep != "" {
		if err := os.MkdirAll(o.keep, 0o755); err != nil {
			return nil, err
		}
	}
	dir, err := os.MkdirTemp("", "sigtrace-supervisors-")
	if err != nil {
		return nil, err
	}
	b := &bed{dir: dir, keep: o.keep}
	if err := b.prepare(o); err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

func (b *bed) prepare(o options) error {
	// Servers that give up root must reach what is in it.
	if err := os.Chmod(b.dir, 0o755); err != nil {
		return err
	}
	err := fs.WalkDir(programs, "programs", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := programs.ReadFile(p)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(b.dir, d.Name()), text, 0o755)
	})
	if err != nil {
		return err
	}
	name := fmt.Sprintf("sigtrace-supervisors-%d", os.Getpid())
	hierarchy := "/sys/fs/cgroup/memory"
	if !exists(hierarchy + "/memory.limit_in_bytes") {
		hierarchy = "/sys/fs/cgroup"
	}
	b.root = filepath.Join(hierarchy, name)
	if err := os.Mkdir(b.root, 0o755); err != nil {
		return err
	}
	if exists(b.root + "/cgroup.subtree_control") {
		_ = os.WriteFile(hierarchy+"/cgroup.subtree_control", []byte("+memory"), 0o644)
		_ = os.WriteFile(b.root+"/cgroup.subtree_control", []byte("+memory"), 0o644)
	}
	if o.dry {
		b.w, b.all = &watch{}, &watch{}
		return nil
	}
	if b.all, err = startWatch(o, "all", b.dir, "/"+name, "--all", "--type", "signal,exit"); err != nil {
		return err
	}
	b.w, err = startWatch(o, "default", b.dir, "/"+name, "--type", "death")
	return err
}

// close ends sigtrace and whatever is left in the cgroup, by pid.
func (b *bed) close() {
	for _, s := range inCgroup(b.root) {
		_ = unix.Kill(s.pid, unix.SIGKILL)
	}
	b.w.stop()
	b.all.stop()
	if b.root != "" {
		left, _ := filepath.Glob(b.root + "/*/cgroup.procs")
		for _, procs := range left {
			_ = os.Remove(filepath.Dir(procs))
		}
		_ = os.Remove(b.root)
	}
	_ = os.RemoveAll(b.dir)
}

// run is one run of a scenario: a cgroup and a directory of its own.
type run struct {
	*bed
	name  string
	dir   string
	cg    string
	began uint64
	log   *os.File
	roles map[ident]string
	// askers are the scripts that have sent something, the first one first.
	askers  []ident
	truths  []truth
	acted   uint64
	started []*exec.Cmd
}

func (b *bed) newRun(name string) (*run, error) {
	number := b.runs.Add(1)
	r := &run{bed: b, name: name, began: boottime(), roles: map[ident]string{}}
	id := fmt.Sprintf("%s-%d", strings.Map(func(c rune) rune {
		if strings.ContainsRune("/ (),'…$", c) {
			return '-'
		}
		return c
	}, name), number)
	r.dir, r.cg = filepath.Join(b.dir, id), filepath.Join(b.root, id)
	for _, d := range []string{r.dir, r.cg} {
		if err := os.Mkdir(d, 0o755); err != nil {
			return nil, err
		}
	}
	// A server that gives up root writes here.
	if err := os.Chmod(r.dir, 0o777|os.ModeSticky); err != nil {
		return nil, err
	}
	where := r.dir
	if b.keep != "" {
		where = b.keep
	}
	var err error
	r.log, err = os.Create(filepath.Join(where, id+".truth"))
	return r, err
}

// note writes a line into the scenario's own log.
func (r *run) note(format string, args ...any) {
	_, _ = fmt.Fprintf(r.log, "%d "+format+"\n", append([]any{boottime()}, args...)...)
}

// start starts a command in the run's cgroup; env are "NAME=value".
func (r *run) start(env []string, args ...string) (ident, error) {
	return r.startAt(filepath.Join(r.cg, "cgroup.procs"), env, args...)
}

func (r *run) startAt(procs string, env []string, args ...string) (ident, error) {
	cmd := exec.Command("/bin/sh", append([]string{"-c", `ulimit -c 0; echo $$ > "$0" && exec "$@"`, procs}, args...)...)
	cmd.Dir = r.dir
	cmd.Env = append(append(environment(), "HOME="+r.dir, "LC_ALL=C.UTF-8", "DIR="+r.bed.dir, "RUN="+r.dir), env...)
	// Several may write into it.
	out, err := os.OpenFile(filepath.Join(r.dir, "out"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		return ident{}, err
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return ident{}, err
	}
	s, _ := stat(cmd.Process.Pid)
	r.started = append(r.started, cmd)
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	within(10*time.Second, func() bool {
		select {
		case <-ended:
			return true
		default:
		}
		b, _ := os.ReadFile(procs)
		return slices.Contains(strings.Fields(string(b)), strconv.Itoa(s.pid))
	})
	r.note("start %d %s", s.pid, strings.Join(args, " "))
	return s.ident, nil
}

// merged is the command line of a program that finds its files at fixed paths only,
// or needs a user of its own: it runs in a mount namespace in which the unpacked
// packages lie over the host's files, and what it writes is gone with it.
func (r *run) merged(args ...string) []string {
	for file, more := range map[string]string{"passwd": "sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin", "group": "crontab:x:65533:"} {
		old, _ := os.ReadFile("/etc/" + file)
		r.write(file, "%s\n%s\n", strings.TrimSpace(string(old)), more)
	}
	const script = `if [ -n "$0" ]; then
	for d in etc usr; do mount -t overlay overlay -o lowerdir="$0/$d:/$d" "/$d" || exit; done
fi
mount --bind "$RUN/passwd" /etc/passwd && mount --bind "$RUN/group" /etc/group || exit
mount -t tmpfs none /run && mkdir -m 755 /run/sshd && mount -t tmpfs none /var/spool && mkdir -p /var/spool/cron/crontabs || exit
exec "$@"`
	return append([]string{"unshare", "-m", "/bin/sh", "-c", script, unpacked}, args...)
}

// program is the command line of one of the project's own programs.
func (r *run) program(name string, args ...string) []string {
	return append([]string{"/usr/bin/python3", filepath.Join(r.bed.dir, name)}, args...)
}

func (r *run) file(name string) string { return filepath.Join(r.dir, name) }

func (r *run) write(name, format string, args ...any) string {
	if err := os.WriteFile(r.file(name), fmt.Appendf(nil, format, args...), 0o755); err != nil {
		panic(err)
	}
	return r.file(name)
}

func (r *run) output() string {
	b, _ := os.ReadFile(r.file("out"))
	return string(b)
}

// await waits for a state.
func (r *run) await(what string, ok func() bool) error {
	done := false
	within(40*time.Second, func() bool {
		done = ok()
		return done || len(inCgroup(r.cg)) == 0
	})
	if !done && !ok() {
		return fmt.Errorf("waited in vain: %s\n%s", what, tail(r.output()))
	}
	return nil
}

// awaitFile waits until a program of the project's has made a file.
func (r *run) awaitFile(names ...string) error {
	for _, n := range names {
		if err := r.await(n, func() bool { return exists(r.file(n)) }); err != nil {
			return err
		}
	}
	return nil
}

// awaitText waits until a log has a text.
func (r *run) awaitText(file, text string) error {
	return r.await(file+": "+text, func() bool {
		b, _ := os.ReadFile(r.file(file))
		return strings.Contains(string(b), text)
	})
}

func tail(s string) string {
	if len(s) > 600 {
		s = "…" + s[len(s)-600:]
	}
	return s
}

// children are the living children of a process in the run's cgroup.
func (r *run) children(of int) []status {
	var all []status
	for _, s := range inCgroup(r.cg) {
		if s.parent == of {
			all = append(all, s)
		}
	}
	return all
}

// script lets a shell of its own send a signal, as an operator or a deploy script
// does, and returns who that was.
func (r *run) script(n unix.Signal, to ident) (ident, error) {
	text := fmt.Sprintf("read go; kill -%d %d", int(n), to.pid)
	cmd := exec.Command("/bin/sh", "-c", text)
	cmd.Env = []string{"PATH=/usr/bin:/bin"}
	in, err := cmd.StdinPipe()
	if err != nil {
		return ident{}, err
	}
	if err := cmd.Start(); err != nil {
		return ident{}, err
	}
	s, _ := stat(cmd.Process.Pid) // it waits for its input: there is time to look at it
	if !to.alive() {
		_ = in.Close()
		_ = cmd.Wait()
		return s.ident, fmt.Errorf("pid %d has exited before it was sent a signal", to.pid)
	}
	if r.acted == 0 {
		r.acted = boottime()
	}
	r.askers = append(r.askers, s.ident)
	r.note("script %d sends %s to %d", s.pid, unix.SignalName(n), to.pid)
	_, _ = in.Write([]byte("\n"))
	_ = in.Close()
	return s.ident, cmd.Wait()
}

// clean ends what is left of the run, by pid.
func (r *run) clean() {
	within(15*time.Second, func() bool {
		left := inCgroup(r.cg)
		for _, s := range left {
			_ = unix.Kill(s.pid, unix.SIGKILL)
		}
		return len(left) == 0
	})
	if !within(5*time.Second, func() bool { return os.Remove(r.cg) == nil }) {
		fmt.Fprintln(os.Stderr, "supervisors: cannot remove", r.cg)
	}
	_ = r.log.Close()
}

// limit bounds the memory of the run's cgroup.
func (r *run) limit(bytes int) error {
	name := "memory.limit_in_bytes"
	if exists(filepath.Join(r.cg, "memory.max")) {
		name = "memory.max"
	}
	return os.WriteFile(filepath.Join(r.cg, name), []byte(strconv.Itoa(bytes)), 0o644)
}
