// SPDX-License-Identifier: Apache-2.0

package live

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// kept is a line of events.jsonl, as a reader from outside sees it.
type kept struct {
	Type string `json:"type"`
	ID   string `json:"id"`
	// Revision is higher where later evidence changed a death's record.
	Revision int      `json:"revision"`
	State    string   `json:"state"`
	Process  *process `json:"process"`
	Away     *struct {
		Stopped bool `json:"stopped"`
	} `json:"away"`
	Count  int    `json:"count"`
	Reason string `json:"reason"`
}

// keptLines reads the files of a log directory; torn is how many lines are none.
func keptLines(t *testing.T, dir string) (lines []kept, torn int) {
	t.Helper()
	for _, b := range keptFiles(t, dir) {
		s := bufio.NewScanner(bytes.NewReader(b))
		s.Buffer(nil, 16<<20)
		for s.Scan() {
			var k kept
			if err := json.Unmarshal(s.Bytes(), &k); err != nil {
				var other *json.UnmarshalTypeError
				if !errors.As(err, &other) {
					torn++
					continue
				}
			}
			lines = append(lines, k)
		}
	}
	return lines, torn
}

// keptFiles reads all events' files, oldest first, as they were between two
// rotations.
func keptFiles(t *testing.T, dir string) (files [][]byte) {
	t.Helper()
	for {
		names, err := filepath.Glob(filepath.Join(dir, "events*.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		files = nil
		for _, name := range names { // events-TIME.jsonl comes before events.jsonl
			b, err := os.ReadFile(name)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
			files = append(files, b)
		}
		if after, _ := filepath.Glob(filepath.Join(dir, "events*.jsonl")); slices.Equal(names, after) {
			return files
		}
	}
}

// keptDeaths counts the deaths of each pid.
func keptDeaths(t *testing.T, dir string) map[int]int {
	t.Helper()
	lines, _ := keptLines(t, dir)
	deaths := map[int]int{}
	for _, k := range lines {
		if k.Type == "death" && k.Process != nil && k.Revision == 1 {
			deaths[k.Process.PID]++
		}
	}
	return deaths
}

// keeps waits until the files have the deaths of all of these.
func (a *agent) keeps(what string, pids ...int) {
	a.t.Helper()
	missing := pids
	for end := time.Now().Add(deadline); len(missing) > 0 && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		deaths := keptDeaths(a.t, a.dir)
		missing = slices.DeleteFunc(slices.Clone(missing), func(pid int) bool { return deaths[pid] > 0 })
	}
	if len(missing) > 0 {
		a.t.Fatalf("not kept within %v: %s: %d of %d\n%s", deadline, what, len(missing), len(pids), &a.said)
	}
	for pid, n := range keptDeaths(a.t, a.dir) {
		if n > 1 {
			a.t.Errorf("the death of %d is there %d times", pid, n)
		}
	}
}

// The agent dies by SIGKILL in the middle of writing, again and again: what was
// in the files stays there, what comes after begins on a line of its own, and the
// time without an agent is reported.
func TestAgentKilledWhileItWrites(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	const rounds = 5
	before := 0
	for round := range rounds {
		a := startAgent(t, dir, nil, "--log-max-size", "256KiB", "--log-max-files", "1000")
		var g sync.WaitGroup
		stopped, stop := context.WithCancel(t.Context())
		for range 3 {
			g.Go(func() {
				for range 100 {
					if stopped.Err() != nil {
						return
					}
					killOne(t)
					time.Sleep(10 * time.Millisecond)
				}
			})
		}
		eventually(t, "deaths are written", func() bool { return len(keptDeaths(t, dir)) > before+5 })
		time.Sleep(time.Duration(round*37) * time.Millisecond)
		had := keptDeaths(t, dir)
		a.kill()
		stop()
		g.Wait()
		now := keptDeaths(t, dir)
		for pid := range had {
			if now[pid] == 0 {
				t.Errorf("the death of %d was there and is gone", pid)
			}
		}
		before = len(now)
	}
	a := startAgent(t, dir, nil)
	pid := killOne(t)
	a.keeps("the death after it", pid)
	a.stop()
	lines, torn := keptLines(t, dir)
	starts, gaps := 0, 0
	for _, k := range lines {
		if k.State == "started" {
			starts++
			if k.Away != nil && !k.Away.Stopped {
				gaps++
			}
		}
	}
	if torn != 0 || starts != rounds+1 || gaps != rounds {
		t.Errorf("%d torn lines, %d starts, %d gaps after a kill", torn, starts, gaps)
	}
	files, err := filepath.Glob(filepath.Join(dir, "deaths", "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no deaths: %v", err)
	}
	for _, name := range files {
		if b, err := os.ReadFile(name); err != nil || !strings.HasSuffix(name, ".log") || !bytes.Contains(b, []byte(", revision 1; about the cause: ")) {
			t.Errorf("%s is not whole: %v", name, err)
		}
	}
	out, err := exec.Command(programs(t).sigtrace, "why", fmt.Sprint(pid), "--log-dir", dir).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "foreign_process (proven)") {
		t.Errorf("why: %v\n%s", err, out)
	}
	out, err = exec.Command(programs(t).sigtrace, "why", "--last", "0", "--log-dir", dir).CombinedOutput()
	if n := strings.Count(string(out), "no agent was running"); err != nil || n != rounds {
		t.Errorf("why reports %d gaps, %v", n, err)
	}
}

// A small tmpfs is filled: the agent says so once, goes on, and writes what
// waited as soon as there is room.
func TestAgentOnAFullDisk(t *testing.T) {
	programs(t)
	disk := t.TempDir()
	if err := unix.Mount("tmpfs", disk, "tmpfs", 0, "size=8m,mode=700"); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Unmount(disk, unix.MNT_DETACH) }()
	a := startAgent(t, filepath.Join(disk, "log"), nil, "--deaths-max", "100", "--log-max-size", "1MiB", "--log-max-files", "3")
	pids := []int{killOne(t)}
	a.keeps("the first death", pids...)
	filler := filepath.Join(disk, "filler")
	if err := os.WriteFile(filler, make([]byte, 16<<20), 0o600); !errors.Is(err, unix.ENOSPC) {
		t.Fatalf("the disk is not full: %v", err)
	}
	for range 12 {
		pids = append(pids, killOne(t))
	}
	a.says("no space left on device")
	time.Sleep(2500 * time.Millisecond) // it tries again meanwhile
	if n := strings.Count(a.said.String(), "no space left on device"); n != 1 {
		t.Errorf("reported %d times:\n%s", n, &a.said)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	a.says("events reach log again")
	a.keeps("what happened while the disk was full", pids...)
	a.stop()
	if _, torn := keptLines(t, a.dir); torn != 0 {
		t.Errorf("%d torn lines", torn)
	}
}

func TestAgentsDirectoryIsDeleted(t *testing.T) {
	a := startAgent(t, filepath.Join(t.TempDir(), "log"), nil)
	a.keeps("the first death", killOne(t))
	if err := os.RemoveAll(a.dir); err != nil {
		t.Fatal(err)
	}
	a.keeps("the death after it", killOne(t))
	a.says("made anew")
	out, err := exec.Command(programs(t).sigtrace, "agent", "--log-dir", a.dir).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "another sigtrace agent writes") {
		t.Errorf("the new directory is not locked: %v %s", err, out)
	}
	a.stop()
}

func TestAgentRefusesAReadOnlyDirectory(t *testing.T) {
	programs(t)
	disk := t.TempDir()
	if err := unix.Mount("tmpfs", disk, "tmpfs", unix.MS_RDONLY, "size=64k,mode=700"); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Unmount(disk, unix.MNT_DETACH) }()
	out, err := exec.Command(programs(t).sigtrace, "agent", "--log-dir", filepath.Join(disk, "log")).CombinedOutput()
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != 1 ||
		strings.Count(string(out), "\n") != 1 || !strings.Contains(string(out), "--log-dir") || !strings.Contains(string(out), "read-only") {
		t.Errorf("%v: %s", err, out)
	}
}
