// SPDX-License-Identifier: Apache-2.0

package live

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// bins are the programs under test: taken from the environment in guests,
// built once otherwise.
type bins struct{ sigtrace, zoo string }

var build = sync.OnceValues(func() (bins, error) {
	b := bins{os.Getenv("TEST_BIN"), os.Getenv("ZOO_BIN")}
	dir, err := os.MkdirTemp("", "sigtrace-live-")
	if err != nil {
		return b, err
	}
	if b.sigtrace == "" {
		b.sigtrace = filepath.Join(dir, "sigtrace")
		c := exec.Command("go", "build", "-o", b.sigtrace, "../../../cmd/sigtrace")
		c.Env = append(os.Environ(), "CGO_ENABLED=0") // as it is delivered
		if out, err := c.CombinedOutput(); err != nil {
			return b, fmt.Errorf("build sigtrace: %w\n%s", err, out)
		}
	}
	if b.zoo == "" {
		b.zoo = filepath.Join(dir, "zoo")
		sources, err := filepath.Glob("../zoo/*.c")
		if err != nil {
			return b, err
		}
		args := append([]string{"-static", "-O2", "-pthread", "-o", b.zoo}, sources...)
		if out, err := exec.Command("gcc", args...).CombinedOutput(); err != nil {
			return b, fmt.Errorf("build zoo: %w\n%s", err, out)
		}
	}
	return b, nil
})

func programs(t *testing.T) bins {
	t.Helper()
	b, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// process mirrors the contract, from outside: a renamed field fails here.
type process struct {
	PID             int        `json:"pid"`
	TID             int        `json:"tid"`
	NSPID           int        `json:"ns_pid"`
	Comm            string     `json:"comm"`
	Exe             string     `json:"exe"`
	Args            []string   `json:"args"`
	UID             *int       `json:"uid"`
	LoginUID        *int       `json:"login_uid"`
	StartBoottimeNS uint64     `json:"start_boottime_ns"`
	Cgroup          string     `json:"cgroup"`
	Dead            bool       `json:"dead"`
	Reparented      *bool      `json:"reparented"`
	PresentParent   *process   `json:"present_parent"`
	Ancestors       []*process `json:"ancestors"`
	Container       *struct {
		ID, Name, Image, Runtime string
		Init                     *bool
	} `json:"container"`
}

type event struct {
	Schema       string   `json:"schema"`
	BoottimeNS   uint64   `json:"boottime_ns"`
	Type         string   `json:"type"`
	Signal       string   `json:"signal"`
	SignalNumber int      `json:"signal_number"`
	Code         *int     `json:"code"`
	Via          string   `json:"via"`
	Result       string   `json:"result"`
	Fatal        *bool    `json:"fatal"`
	Sender       *process `json:"sender"`
	Trigger      *process `json:"trigger"`
	Target       *process `json:"target"`
	Process      *process `json:"process"`
	Exit         *struct {
		Code   int    `json:"code"`
		Signal string `json:"signal"`
	} `json:"exit"`
	Scope       string `json:"scope"`
	LimitCgroup string `json:"limit_cgroup"`
	LimitBytes  *int64 `json:"limit_bytes"`
	// FreePagesByOrder is the kernel log's.
	FreePagesByOrder []uint64 `json:"free_pages_by_order"`
	Victim           *struct {
		process
		RSSBytes *struct{ Anon, File, Shmem int64 } `json:"rss_bytes"`
	} `json:"victim"`
	Cause      string          `json:"cause"`
	Confidence string          `json:"confidence"`
	Summary    string          `json:"summary"`
	Actor      *process        `json:"actor"`
	Relation   string          `json:"relation"`
	ID         string          `json:"id"`
	Revision   int             `json:"revision"`
	Away       json.RawMessage `json:"away"`
	Chain      []struct {
		Process *process `json:"process"`
		What    string   `json:"what"`
	} `json:"chain"`
	Signals []struct {
		Signal     string   `json:"signal"`
		Result     string   `json:"result"`
		GapSeconds *float64 `json:"gap_seconds"`
	} `json:"signals"`
	Evidence   []struct{ Source, Text string } `json:"evidence"`
	Collateral *struct {
		Count int
		PIDs  []int
	} `json:"collateral"`
	OOM *struct {
		Scope       string `json:"scope"`
		LimitCgroup string `json:"limit_cgroup"`
		LimitLevel  string `json:"limit_level"`
		LimitBytes  *int64 `json:"limit_bytes"`
		Order       *int   `json:"order"`
	} `json:"oom"`
	ContainerSurvives *bool             `json:"container_survives"`
	EventsLost        int               `json:"events_lost"`
	State             string            `json:"state"`
	Wchan             string            `json:"wchan"`
	Stack             []string          `json:"stack"`
	Frozen            *bool             `json:"frozen"`
	Hooks             map[string]string `json:"hooks"`
	Count             int               `json:"count"`
	Lane              string            `json:"lane"`
	Capabilities      []string          `json:"capabilities"`
	NoNewPrivs        *bool             `json:"no_new_privs"`
	Seccomp           string            `json:"seccomp"`
	Reason            string            `json:"reason"`
	Cgroup            string            `json:"cgroup"` // of a loss
}

// watcher is a running sigtrace.
type watcher struct {
	t      *testing.T
	cmd    *exec.Cmd
	stderr bytes.Buffer
	mu     sync.Mutex
	events []event
	raw    []string
	ended  chan struct{}
	killed atomic.Bool
	// self and tracer begin the target of a signal to the test or to sigtrace.
	self, tracer []byte
}

// watch starts sigtrace with JSON output and waits until it is ready.
func watch(t *testing.T, flags ...string) *watcher {
	t.Helper()
	return watchWith(t, append([]string{"--cri-endpoint", "off", "--docker-host", "off"}, flags...))
}

func watchWith(t *testing.T, flags []string) *watcher {
	t.Helper()
	return watchAs(t, nil, flags)
}

// watchAs lets as change how sigtrace is started: by whom, or in what.
func watchAs(t *testing.T, as func(*testing.T, *exec.Cmd), flags []string) *watcher {
	t.Helper()
	b := programs(t)
	dir := t.TempDir()
	ready := filepath.Join(dir, "ready")
	args := append([]string{"watch", "-o", "json", "--ready-file", ready}, flags...)
	args = append(args, recording(t, flags)...)
	w := &watcher{t: t, cmd: exec.Command(b.sigtrace, args...), ended: make(chan struct{})}
	w.cmd.Stderr = &w.stderr
	if as != nil {
		as(t, w.cmd)
		for _, d := range []string{filepath.Dir(dir), dir} {
			if err := os.Chmod(d, 0o777); err != nil {
				t.Fatal(err)
			}
		}
	}
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.self = fmt.Appendf(nil, `"target":{"pid":%d,`, os.Getpid())
	w.tracer = fmt.Appendf(nil, `"target":{"pid":%d,`, w.cmd.Process.Pid)
	go w.read(out)
	t.Cleanup(func() {
		w.killed.Store(true)
		w.end()
		<-w.ended
	})
	if !inTime(func() bool { return exists(ready) }) {
		w.end()
		<-w.ended
		t.Fatalf("sigtrace is not ready within %v: %s", deadline, &w.stderr)
	}
	return w
}

// recording keeps the streams of the tests for the golden replays, where
// TEST_RECORD names a directory (make record).
func recording(t *testing.T, flags []string) []string {
	dir := os.Getenv("TEST_RECORD")
	if dir == "" || slices.Contains(flags, "--record") {
		return nil
	}
	name := filepath.Join(dir, strings.NewReplacer("/", "-", " ", "_").Replace(t.Name()))
	for exists(name + ".jsonl") {
		name += "-again"
	}
	return []string{"--record", name + ".jsonl"}
}

// end lets sigtrace write down what of it was run, where that is counted.
func (w *watcher) end() {
	if os.Getenv("GOCOVERDIR") != "" {
		_ = w.cmd.Process.Signal(unix.SIGTERM)
		select {
		case <-w.ended:
		case <-time.After(10 * time.Second):
		}
	}
	_ = w.cmd.Process.Kill()
}

func (w *watcher) read(out io.Reader) {
	defer close(w.ended)
	s := bufio.NewScanner(out)
	s.Buffer(nil, 16<<20)
	for s.Scan() {
		if w.ownPreemption(s.Bytes()) {
			continue
		}
		var e event
		if err := unmarshal(s.Bytes(), &e); err != nil {
			// The last line of one that the test's end killed may be torn.
			if !w.killed.Load() {
				w.t.Errorf("not JSON: %v: %s", err, s.Text())
			}
			continue
		}
		w.mu.Lock()
		w.events = append(w.events, e)
		w.raw = append(w.raw, s.Text())
		w.mu.Unlock()
	}
}

// ownPreemption reports whether a line is of the signal that Go's scheduler sends
// to its own threads: with --all, each line that the test reads would bring about
// more of them than it reads in the same time.
func (w *watcher) ownPreemption(line []byte) bool {
	return bytes.Contains(line, []byte(`"signal":"SIGURG"`)) &&
		(bytes.Contains(line, w.self) || bytes.Contains(line, w.tracer))
}

// unmarshal reads one event. A stuck event's signal is an object, and not the
// name that a signal event has under this key.
func unmarshal(b []byte, e *event) error {
	err := json.Unmarshal(b, e)
	if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) && wrong.Field == "signal" && e.Type == "stuck" {
		return nil
	}
	return err
}

// find returns the events that match, so far.
func (w *watcher) find(match func(event) bool) []event {
	w.mu.Lock()
	defer w.mu.Unlock()
	var hits []event
	for _, e := range w.events {
		if match(e) {
			hits = append(hits, e)
		}
	}
	return hits
}

// stop ends sigtrace as Ctrl-C would; it must end as asked, silently.
func (w *watcher) stop() {
	w.t.Helper()
	if err := w.cmd.Process.Signal(unix.SIGTERM); err != nil {
		w.t.Fatal(err)
	}
	<-w.ended
	if err := w.cmd.Wait(); err != nil {
		w.t.Errorf("sigtrace ended with %v", err)
	}
	if w.stderr.Len() > 0 {
		w.t.Errorf("sigtrace said: %s", &w.stderr)
	}
}

// deadline is how long an event may take before a test gives up; it asserts
// nothing about speed, which emulated guests have little of.
const deadline = 90 * time.Second

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	if !inTime(ok) {
		t.Fatalf("not within %v: %s", deadline, what)
	}
}

func inTime(ok func() bool) bool {
	for end := time.Now().Add(deadline); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if ok() {
			return true
		}
	}
	return false
}

// truth is what the zoo says happened.
type truth struct {
	Scenario      string
	Victim        int
	Victims       []int
	Killer        int
	KillerTID     int `json:"killer_tid"`
	Init          int
	Zoo           int
	Signal        int
	TID           int
	Lineage       []int
	Dead          []int
	PresentParent int `json:"present_parent"`
	Status        struct {
		Signal int
		Exit   *int
	}
	LoginUID int `json:"login_uid"`
	Trigger  int
	Parent   int
	Skipped  string // what this machine lacks for the scenario
}

func zoo(t *testing.T, args ...string) truth {
	t.Helper()
	cmd := exec.Command(programs(t).zoo, args...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("zoo %q: %v\n%s", args, err, &errs)
	}
	var said truth
	if err := json.Unmarshal(bytes.TrimSpace(out), &said); err != nil {
		t.Fatalf("zoo %q: %v: %s", args, err, out)
	}
	return said
}
