// SPDX-License-Identifier: Apache-2.0

package live

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// bpffs mounts a BPF file system of the test's own and returns a directory to
// be made on it.
func bpffs(t *testing.T) string {
	t.Helper()
	programs(t)
	root := t.TempDir()
	if err := unix.Mount("bpf", root, "bpf", 0, ""); err != nil {
		t.Fatalf("mount a BPF file system: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(root, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return filepath.Join(root, "pins")
}

// node is one log directory with the agents that write it, one at a time.
type node struct {
	t     *testing.T
	logs  string
	flags []string
	// named: with the sources of names that sigtrace detects.
	named bool
	// binary is the agent's; empty for the one under test.
	binary string
}

// pinAgent is a running sigtrace agent.
type pinAgent struct {
	cmd    *exec.Cmd
	ready  string
	stderr bytes.Buffer
}

func newNode(t *testing.T, flags ...string) *node {
	t.Helper()
	return &node{t: t, logs: filepath.Join(t.TempDir(), "log"), flags: flags}
}

func (n *node) start(flags ...string) *pinAgent {
	n.t.Helper()
	a := &pinAgent{ready: filepath.Join(n.t.TempDir(), "ready")}
	args := append([]string{"agent", "--log-dir", n.logs, "--log-max-size", "1GB", "--ready-file", a.ready}, n.flags...)
	if !n.named {
		args = append(args, "--cri-endpoint", "off", "--docker-host", "off")
	}
	a.cmd = exec.Command(cmp.Or(n.binary, programs(n.t).sigtrace), append(args, flags...)...)
	a.cmd.Stderr = &a.stderr
	if err := a.cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { _ = a.cmd.Process.Kill(); _ = a.cmd.Wait() })
	return a
}

func (n *node) startReady(flags ...string) *pinAgent {
	n.t.Helper()
	a := n.start(flags...)
	eventually(n.t, "the agent is ready", func() bool {
		_, err := os.Stat(a.ready)
		return err == nil
	})
	return a
}

func (a *pinAgent) kill() {
	_ = a.cmd.Process.Kill()
	_ = a.cmd.Wait()
}

func (a *pinAgent) stop(t *testing.T) {
	t.Helper()
	_ = a.cmd.Process.Signal(unix.SIGTERM)
	if err := a.cmd.Wait(); err != nil {
		t.Errorf("the agent ended with %v: %s", err, &a.stderr)
	}
}

// events reads everything in the files.
func (n *node) events() []event {
	n.t.Helper()
	names, err := filepath.Glob(filepath.Join(n.logs, "events*.jsonl"))
	if err != nil {
		n.t.Fatal(err)
	}
	var all []event
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			n.t.Fatal(err)
		}
		s := bufio.NewScanner(f)
		s.Buffer(nil, 16<<20)
		for s.Scan() {
			var e event
			if unmarshal(s.Bytes(), &e) == nil {
				all = append(all, e)
			}
		}
		_ = f.Close()
	}
	return all
}

// deaths counts the first revisions by pid.
func (n *node) deaths() map[int][]event {
	n.t.Helper()
	by := map[int][]event{}
	for _, e := range n.events() {
		if e.Type == "death" && e.Process != nil && e.Revision == 1 {
			by[e.Process.PID] = append(by[e.Process.PID], e)
		}
	}
	return by
}

// slain starts a process, kills it, and returns its pid. The test is the
// killer, by the pid of its own child.
func slain(t *testing.T) int {
	t.Helper()
	c := exec.Command("sleep", "600")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Duration(rand.IntN(4)) * time.Millisecond)
	_ = c.Process.Kill()
	err := c.Wait()
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != unix.SIGKILL {
		t.Errorf("sleep ended with %v", err)
	}
	return c.Process.Pid
}

// slay kills processes of its own until stop is closed.
func slay(t *testing.T, stop <-chan struct{}) <-chan []int {
	done := make(chan []int, 1)
	go func() {
		var pids []int
		defer func() { done <- pids }()
		for {
			select {
			case <-stop:
				return
			default:
				begun := time.Now()
				pids = append(pids, slain(t))
				// An emulated machine gets no more than its agent can write: what finds
				// no room is counted, and is not what is tried here.
				pause := 5 * time.Millisecond
				if took := time.Since(begun); took > 2*pause {
					pause = 3 * took
				}
				time.Sleep(pause)
			}
		}
	}()
	return done
}

// An agent that is killed at any moment, again and again, loses no death and
// reports none twice: what dies while none is there is in the pins.
func TestPinEachDeathOnce(t *testing.T) {
	dir := bpffs(t)
	n := newNode(t, "--pin="+dir)
	n.startReady().kill()
	stop := make(chan struct{})
	killing := slay(t, stop)
	for range 10 {
		a := n.start()
		time.Sleep(time.Duration(rand.IntN(1500)) * time.Millisecond)
		a.kill()
		time.Sleep(time.Duration(rand.IntN(200)) * time.Millisecond)
	}
	close(stop)
	pids := <-killing
	last := n.startReady()
	n.awaitDeaths(pids)
	last.stop(t)
	by := n.deaths()
	known, kept := 0, 0
	for _, pid := range pids {
		if len(by[pid]) != 1 {
			t.Errorf("%d has %d records", pid, len(by[pid]))
			continue
		}
		d := by[pid][0]
		if d.Cause == "foreign_process" && pidOf(d.Actor) == os.Getpid() {
			known++
		} else if d.Cause != "unknown" {
			t.Errorf("%d: %s by %v: %s", pid, d.Cause, pidOf(d.Actor), d.Summary)
		}
		if d.fromPins() {
			kept++
			if d.Confidence == "proven" {
				t.Errorf("%d: its parent may have been a forwarder, and the confidence ignores that", pid)
			}
		}
	}
	t.Logf("%d deaths, the killer of %d is known, %d out of the pins", len(pids), known, kept)
	if known*100 < len(pids)*99 {
		t.Errorf("of %d deaths the killers of only %d are known", len(pids), known)
	}
	unpin(t, dir)
}

// Another configuration exchanges the programs on the same maps.
func TestPinUpgrade(t *testing.T) {
	dir := bpffs(t)
	n := newNode(t, "--pin="+dir)
	n.startReady().kill()
	stop := make(chan struct{})
	killing := slay(t, stop)
	for i := range 4 {
		flags := []string{}
		if i%2 == 0 {
			flags = append(flags, "--force-without", "kprobe")
		}
		a := n.startReady(flags...)
		time.Sleep(300 * time.Millisecond)
		a.stop(t)
		if !strings.Contains(a.stderr.String(), "another configuration") {
			t.Errorf("not reported: %s", &a.stderr)
		}
	}
	close(stop)
	pids := <-killing
	last := n.startReady()
	n.awaitDeaths(pids)
	last.stop(t)
	for pid, of := range n.deaths() {
		if len(of) != 1 {
			t.Errorf("%d has %d records", pid, len(of))
		}
		for _, d := range of {
			if strings.Contains(d.Summary, "sleep") && (len(d.Signals) != 1 || d.Cause != "foreign_process") {
				t.Errorf("%s: %d signals: %s", d.Cause, len(d.Signals), d.Summary)
			}
		}
	}
	unpin(t, dir)
}

func (e event) fromPins() bool {
	for _, seen := range e.Evidence {
		if strings.Contains(seen.Text, "kept in the pins") {
			return true
		}
	}
	return false
}

// awaitDeaths waits until each has a record, as long as more get theirs: an
// emulated machine writes a dozen a second.
func (n *node) awaitDeaths(pids []int) {
	n.t.Helper()
	const patience = 2 * time.Minute // a busy disk syncs slowly
	start := time.Now()
	var none []int
	before := len(pids) + 1
	for last := start; time.Since(last) < patience; {
		looked := time.Now()
		by := n.deaths()
		none = none[:0]
		for _, pid := range pids {
			if len(by[pid]) == 0 {
				none = append(none, pid)
			}
		}
		if len(none) == 0 {
			n.t.Logf("written after %v", time.Since(start))
			return
		}
		if len(none) < before {
			before, last = len(none), time.Now()
		}
		time.Sleep(max(time.Second, 5*time.Since(looked))) // reading them takes the agent's time
	}
	n.t.Errorf("of %d deaths %d are not written after %v: %v", len(pids), len(none), patience, none)
}

func TestPinTwoInstances(t *testing.T) {
	dir := bpffs(t)
	a := newNode(t, "--pin="+dir).startReady()
	out, err := exec.Command(programs(t).sigtrace, "agent", "--pin="+dir, "--log-dir", t.TempDir()).CombinedOutput()
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(string(out), "another sigtrace uses these pins") {
		t.Errorf("the second: %v: %s", err, out)
	}
	out, err = exec.Command(programs(t).sigtrace, "agent", "--unpin", "--pin="+dir).CombinedOutput()
	if err == nil {
		t.Errorf("unpinned while in use: %s", out)
	}
	a.stop(t)
	unpin(t, dir)
}

// A directory that is none of sigtrace's, or not on a BPF file system, is said
// to be so and left alone.
func TestPinWrongDirectory(t *testing.T) {
	dir := bpffs(t)
	bin := programs(t).sigtrace
	if err := os.MkdirAll(filepath.Join(dir, "other"), 0o700); err != nil {
		t.Fatal(err)
	}
	for at, want := range map[string]string{dir: "not sigtrace's pins", t.TempDir(): "mount -t bpf bpf"} {
		out, err := exec.Command(bin, "agent", "--pin="+at, "--log-dir", t.TempDir()).CombinedOutput()
		if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(string(out), want) {
			t.Errorf("%s: %v: %s", at, err, out)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "other")); err != nil {
		t.Error(err)
	}
}

func unpin(t *testing.T, dir string) {
	t.Helper()
	if out, err := exec.Command(programs(t).sigtrace, "agent", "--unpin", "--pin="+dir).CombinedOutput(); err != nil {
		t.Errorf("unpin: %v: %s", err, out)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the pins are there: %v", err)
	}
}

// awayOf is what the last status says of the time in which no agent was there.
func awayOf(n *node) (stopped, said bool) {
	for _, e := range n.events() {
		if e.Type != "status" || len(e.Away) == 0 {
			continue
		}
		var away struct{ Stopped bool }
		if json.Unmarshal(e.Away, &away) == nil {
			stopped, said = away.Stopped, true
		}
	}
	return stopped, said
}

// Without pins a death in between is unknown, and the gap is reported.
func TestNoPinGapIsReported(t *testing.T) {
	n := newNode(t)
	n.startReady().kill()
	pid := slain(t)
	n.startReady().stop(t)
	if len(n.deaths()[pid]) != 0 {
		t.Error("a death that nobody saw is reported")
	}
	if stopped, said := awayOf(n); !said || stopped {
		t.Errorf("the gap is not reported: %v %v", said, stopped)
	}
}

// Without pins the runtime is asked afterwards which containers ended, and their
// records say that nobody saw it.
func TestNoPinContainerIsReported(t *testing.T) {
	p := newPods(t)
	sandbox, config := p.sandbox("away-0")
	n := newNode(t)
	n.named = true
	n.startReady().kill()
	id, pid := p.container(sandbox, config, "app", 0, "/bin/sleep", "1000")
	if err := unix.Kill(pid, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the container has ended", func() bool { return p.exited(id) })
	ofContainer := func() []event {
		var all []event
		for _, e := range n.events() {
			if e.Type == "death" && e.Process.Container != nil && e.Process.Container.ID == id {
				all = append(all, e)
			}
		}
		return all
	}
	a := n.startReady()
	eventually(t, "its death is reported", func() bool { return len(ofContainer()) > 0 })
	a.kill()
	a = n.startReady() // nor does another start report it again
	time.Sleep(5 * time.Second)
	a.stop(t)
	all := ofContainer()
	d := all[0]
	if len(all) != 1 || d.Confidence == "proven" || d.Exit.Code != 137 || d.Process.PID != 0 || d.Process.Container.Name != "app" {
		t.Errorf("%d records: %s %s, exit %+v, pid %d: %s", len(all), d.Cause, d.Confidence, d.Exit, d.Process.PID, d.Summary)
	}
	if !strings.Contains(d.Summary, "Container app of shop/away-0 exited with code 137 while no agent was running") {
		t.Errorf("summary: %s", d.Summary)
	}
}

// The kernel's log shows an OOM kill afterwards.
func TestNoPinOOMIsReported(t *testing.T) {
	n := newNode(t)
	n.startReady().kill()
	dir := memoryCgroup(t, oomLimit)
	said := zoo(t, "oom", dir, strconv.Itoa(oomLimit))
	a := n.startReady()
	eventually(t, "its death is reported", func() bool { return len(n.deaths()[said.Victim]) > 0 })
	a.stop(t)
	d := n.deaths()[said.Victim][0]
	if d.Cause != "cgroup_oom" || d.Confidence != "likely" || !strings.Contains(d.Summary, "while no agent was running") {
		t.Errorf("%s %s: %s", d.Cause, d.Confidence, d.Summary)
	}
}

func (p *pods) exited(id string) bool {
	p.t.Helper()
	r, err := p.client.ContainerStatus(context.Background(), &cri.ContainerStatusRequest{ContainerId: id})
	return err == nil && r.GetStatus().GetState() == cri.ContainerState_CONTAINER_EXITED
}
