// SPDX-License-Identifier: Apache-2.0

//go:build hostile

package live

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sigtrace/sigtrace/internal/usage"
)

const (
	// attackSeconds is how long an attack lasts; the deaths elsewhere come meanwhile.
	attackSeconds = 8
	// rssMax bounds the agent's anonymous memory (KiB) under GOMEMLIMIT=160MiB.
	rssMax = 180 << 10
	// attackerUID is of the attacker without root.
	attackerUID = 65534
)

// attack is one way to keep the agent from what happens elsewhere.
type attack struct {
	name  string
	kind  string // of flood.c
	count int
	// size is of the group or the depth of the chain, drawn between two bounds.
	from, to int
	uid      int
	cgroups  int // over which one flooder spreads
	flooders int
}

func attacks() []attack {
	return []attack{
		{name: "signals to its own handling child", kind: "handled", count: 4_000_000, from: 1, to: 1, cgroups: 1, flooders: 1},
		{name: "fork and kill", kind: "kills", count: 100_000, from: 1, to: 64, cgroups: 1, flooders: 1},
		{name: "dead ancestors", kind: "ancestors", count: 40_000, from: 300, to: 3000, cgroups: 1, flooders: 1},
		{name: "16384 other deaths", kind: "kills", count: 17_000, from: 256, to: 1024, cgroups: 1, flooders: 1},
		{name: "spread over 1000 cgroups", kind: "kills", count: 100_000, from: 1, to: 16, cgroups: 1000, flooders: 1},
		{name: "without root", kind: "handled", count: 4_000_000, from: 1, to: 1, uid: attackerUID, cgroups: 1, flooders: 1},
		{name: "from two containers", kind: "kills", count: 100_000, from: 1, to: 64, cgroups: 1, flooders: 2},
	}
}

// While one container attacks, twenty processes elsewhere die: each death is
// reported within a second, with its cause and its sender, and what was dropped is
// put down to the attacker.
func TestHostile(t *testing.T) {
	containerd(t)
	flood := buildFlood(t)
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("SEED=%d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for _, a := range attacks() {
		size := a.from + r.IntN(a.to-a.from+1)
		t.Run(a.name, func(t *testing.T) { a.run(t, flood, size) })
	}
}

// Asked to end under a flood, the agent is gone within five seconds and has reported
// what decides.
func TestHostileEnding(t *testing.T) {
	flood := buildFlood(t)
	root, _ := memoryRoot(t)
	parent := newCgroup(t, root, fmt.Sprintf("hostile-%d-%d", os.Getpid(), nextNumber()))
	quiet := newCgroup(t, parent, "quiet")
	for _, a := range attacks()[:2] {
		t.Run(a.name, func(t *testing.T) {
			g := startGuarded(t)
			move(t, quiet)
			dir := newCgroup(t, parent, "flood-"+a.kind)
			c := a.start(t, flood, a.to, dir)
			time.Sleep(3 * time.Second)
			v := &victim{kind: "plain"}
			v.begin(t)
			killer := killFrom(t, "sh", unix.SIGKILL, v.pid)
			_ = v.process.Wait()
			begin := time.Now()
			g.stop()
			if took := time.Since(begin); took > 5*time.Second {
				t.Errorf("the agent took %v to end", took)
			}
			found := g.find(isDeathOf(v.pid))
			if len(found) == 0 {
				t.Fatal("the last death is not reported")
			}
			found[0].expect(t, "foreign_process", "*", killer)
			if err := c.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
}

func buildFlood(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("FLOOD_BIN"); path != "" {
		return path
	}
	path := filepath.Join(t.TempDir(), "flood")
	run(t, "gcc", "-static", "-O2", "-o", path, "../hostile/flood.c")
	return path
}

func (a attack) run(t *testing.T, flood string, size int) {
	root, _ := memoryRoot(t)
	parent := newCgroup(t, root, fmt.Sprintf("hostile-%d-%d", os.Getpid(), nextNumber()))
	quiet := newCgroup(t, parent, "quiet")
	var hostile []string
	for i := range a.flooders {
		hostile = append(hostile, newCgroup(t, parent, fmt.Sprintf("flood-%d", i)))
	}
	v := prepareVictims(t)
	g := startGuarded(t)
	move(t, quiet)
	v.sentEarly(t)
	var floods []*exec.Cmd
	for _, dir := range hostile {
		floods = append(floods, a.start(t, flood, size, dir))
	}
	time.Sleep(500 * time.Millisecond)
	v.dieOneByOne(t)
	for _, f := range floods {
		if err := f.Wait(); err != nil {
			t.Errorf("the attack failed: %v: %s", err, f.Stderr)
		}
		t.Logf("size %d: %s", size, strings.TrimSpace(fmt.Sprint(f.Stdout)))
	}
	g.expectDeaths(t, v)
	g.expectLosses(t, strings.TrimPrefix(parent, root)+"/flood-")
	if g.most > rssMax {
		t.Errorf("RssAnon came to %d KiB", g.most)
	}
	t.Logf("RssAnon at most %d KiB", g.most)
}

func (a attack) start(t *testing.T, flood string, size int, dir string) *exec.Cmd {
	t.Helper()
	dirs := []string{dir}
	for i := 1; i < a.cgroups; i++ {
		dirs = append(dirs, newCgroup(t, dir, strconv.Itoa(i)))
	}
	args := []string{a.kind, strconv.Itoa(attackSeconds), strconv.Itoa(a.count), strconv.Itoa(size), strconv.Itoa(a.uid)}
	c := exec.Command(flood, append(args, dirs...)...)
	c.Stdout, c.Stderr = &bytes.Buffer{}, &bytes.Buffer{}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill() })
	return c
}

// move puts the test's process, and whom it starts from now on, into a cgroup.
func move(t *testing.T, dir string) {
	t.Helper()
	root, v2 := memoryRoot(t)
	mine, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		t.Fatal(err)
	}
	before := ""
	for line := range strings.Lines(string(mine)) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if v2 && f[0] == "0" || !v2 && f[1] == "memory" {
			before = f[2]
		}
	}
	pid := strconv.Itoa(os.Getpid())
	write(t, filepath.Join(dir, "cgroup.procs"), pid)
	t.Cleanup(func() { write(t, filepath.Join(root, before, "cgroup.procs"), pid) })
}

// guarded is an agent whose memory and delays are looked at.
type guarded struct {
	*agent
	mu   sync.Mutex
	came map[int]uint64 // when the first record of each pid's death came, CLOCK_BOOTTIME
	most int            // RssAnon, KiB
}

func startGuarded(t *testing.T) *guarded {
	t.Helper()
	g := &guarded{came: map[int]uint64{}}
	ready := filepath.Join(t.TempDir(), "ready")
	a := &agent{}
	a.watcher = &watcher{t: t, ended: make(chan struct{})}
	a.cmd = exec.Command(programs(t).sigtrace, "agent", "--log-dir", t.TempDir(), "--ready-file", ready, "--docker-host", "off")
	a.cmd.Env = append(os.Environ(), "GOMEMLIMIT=160MiB")
	a.cmd.Stderr = &a.said
	out, err := a.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := a.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	g.agent = a
	seen, w := io.Pipe()
	go a.read(seen)
	go g.clock(out, w)
	go g.weigh()
	t.Cleanup(func() {
		if !a.done {
			g.kill()
		}
		_ = os.WriteFile(filepath.Join(os.TempDir(), "hostile-agent.log"), []byte(a.said.String()), 0o600)
	})
	eventually(t, "the agent is ready", func() bool { return exists(ready) })
	return g
}

// clock notes when each record came, and leaves out those of the attackers: their
// reader shares the two cores.
func (g *guarded) clock(from io.Reader, to *io.PipeWriter) {
	s := bufio.NewScanner(from)
	s.Buffer(nil, 16<<20)
	for s.Scan() {
		at := boottime()
		var e event
		if bytes.Contains(s.Bytes(), []byte("/flood-")) && !bytes.Contains(s.Bytes(), []byte(`"type":"lost"`)) {
			continue
		}
		if bytes.Contains(s.Bytes(), []byte(`"type":"death"`)) && unmarshal(s.Bytes(), &e) == nil && e.Type == "death" {
			g.mu.Lock()
			if g.came[pidOf(e.Process)] == 0 {
				g.came[pidOf(e.Process)] = at
			}
			g.mu.Unlock()
		}
		_, _ = to.Write(append(s.Bytes(), '\n'))
	}
	_ = to.Close()
}

func (g *guarded) weigh() {
	for {
		select {
		case <-g.ended:
			return
		case <-time.After(100 * time.Millisecond):
			if kib, err := usage.RSSAnon(g.cmd.Process.Pid); err == nil {
				g.most = max(g.most, kib)
			}
		}
	}
}

func boottime() uint64 {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &t)
	return uint64(t.Nano())
}

// victim is one of those who die elsewhere.
type victim struct {
	kind, cause string
	pid, killer int
	signal      unix.Signal
	container   *ctr
	cgroup      string
	process     *exec.Cmd
}

type victims struct{ all []*victim }

const eachKind = 5

func prepareVictims(t *testing.T) *victims {
	t.Helper()
	v := &victims{}
	for i := range eachKind {
		c := runCtr(t, nil, "/bin/sleep", "1000")
		dir := memoryCgroup2(t, fmt.Sprintf("hostile-oom-%d-%d", os.Getpid(), nextNumber()))
		v.all = append(v.all,
			&victim{kind: "plain", cause: "foreign_process", signal: unix.SIGKILL},
			&victim{kind: "handled", cause: "foreign_process", signal: unix.SIGTERM},
			&victim{kind: "runtime", cause: "runtime_stop", container: c, pid: c.pid},
			&victim{kind: "oom", cause: "cgroup_oom", cgroup: dir})
		if i == 0 {
			v.all[1].kind = "sent SIGTERM before the attack"
		}
	}
	return v
}

func memoryCgroup2(t *testing.T, name string) string {
	t.Helper()
	root, _ := memoryRoot(t)
	dir := newCgroup(t, root, name)
	limitMemory(t, dir, oomLimit)
	return dir
}

// begin starts those that are processes of the test's own.
func (v *victim) begin(t *testing.T) {
	t.Helper()
	script := "echo ready; read x"
	switch v.kind {
	case "handled":
		script = `trap "exit 3" TERM; echo ready; read x`
	case "sent SIGTERM before the attack":
		script = `trap "sleep 6; exit 3" TERM; echo ready; read x`
	}
	v.process = exec.Command("/bin/sh", "-c", script)
	if _, err := v.process.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := v.process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := v.process.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 6)); err != nil {
		t.Fatal(err)
	}
	v.pid = v.process.Process.Pid
}

// sentEarly lets one be asked to end before the attack; it ends in its midst.
func (v *victims) sentEarly(t *testing.T) {
	t.Helper()
	early := v.all[1]
	early.begin(t)
	early.killer = killFrom(t, "sh", early.signal, early.pid)
}

func (v *victims) dieOneByOne(t *testing.T) {
	t.Helper()
	for _, d := range v.all {
		switch {
		case d.container != nil:
			run(t, "ctr", "-n", ctrNamespace, "tasks", "kill", "-s", "KILL", d.container.name)
		case d.cgroup != "":
			d.pid = zoo(t, "oom", d.cgroup, fmt.Sprint(oomLimit)).Victim
		case d.killer == 0:
			d.begin(t)
			d.killer = killFrom(t, "sh", d.signal, d.pid)
			_ = d.process.Wait()
		default:
			continue
		}
		time.Sleep(200 * time.Millisecond)
	}
	_ = v.all[1].process.Wait()
}

func (g *guarded) expectDeaths(t *testing.T, v *victims) {
	t.Helper()
	time.Sleep(2 * time.Second)
	slowest := time.Duration(0)
	for _, d := range v.all {
		found := g.find(isDeathOf(d.pid))
		if len(found) == 0 {
			t.Errorf("%s: the death of %d is not reported", d.kind, d.pid)
			continue
		}
		e := found[0]
		e.expect(t, d.cause, "*", d.killer)
		if d.container != nil && (e.Actor == nil || filepath.Base(e.Actor.Exe) != "runc") {
			t.Errorf("%s: the sender is %+v", d.kind, e.Actor)
		}
		g.mu.Lock()
		late := time.Duration(g.came[d.pid] - e.BoottimeNS)
		g.mu.Unlock()
		slowest = max(slowest, late)
		if late > time.Second {
			t.Errorf("%s: the death of %d is reported %v late", d.kind, d.pid, late)
		}
	}
	t.Logf("the slowest of %d was reported after %v", len(v.all), slowest)
}

// expectLosses: whatever was dropped is put down to the attackers.
func (g *guarded) expectLosses(t *testing.T, attacker string) {
	t.Helper()
	time.Sleep(time.Second)
	others, theirs := 0, 0
	for _, e := range g.find(func(e event) bool { return e.Type == "lost" }) {
		if strings.Contains(e.Cgroup, attacker) {
			theirs += e.Count
			continue
		}
		others += e.Count
		t.Errorf("%d events of the %s lane were dropped (%s) in nobody's name", e.Count, e.Lane, e.Reason)
	}
	t.Logf("%d events dropped in the attackers' name, %d in others'", theirs, others)
}
