// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// bench is what the measures share: a directory, and a process to signal that
// ignores SIGUSR1 and has no handlers else.
type bench struct {
	sigtrace string
	dir      string
	victim   *exec.Cmd
}

func (b *bench) prepare() error {
	if err := tracefs(); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "sigtrace-bench-")
	if err != nil {
		return err
	}
	b.dir = dir
	// A trap of nothing is SIG_IGN, which sleep inherits.
	b.victim = exec.Command("sh", "-c", "trap '' USR1 TERM; exec sleep 10000")
	if err := b.victim.Start(); err != nil {
		return err
	}
	time.Sleep(200 * time.Millisecond)
	return nil
}

// tracefs is needed by the others, which take classic tracepoints.
func tracefs() error {
	const dir = "/sys/kernel/tracing"
	if _, err := os.Stat(dir + "/events"); err == nil {
		return nil
	}
	if err := unix.Mount("tracefs", dir, "tracefs", 0, ""); err != nil {
		return fmt.Errorf("mount tracefs for sigsnoop and bpftrace: %w", err)
	}
	return nil
}

func (b *bench) close() {
	_ = b.victim.Process.Kill()
	_ = b.victim.Wait()
	_ = os.RemoveAll(b.dir)
}

// tool is a running tracer.
type tool struct {
	cmd    *exec.Cmd
	stderr bytes.Buffer
}

// watch starts sigtrace, its output to where out leads (nil: /dev/null), and
// returns once it is ready, with the time that took.
func (b *bench) watch(out io.Writer, flags ...string) (*tool, time.Duration, error) {
	return b.run(out, append([]string{"watch", "-o", "json"}, flags...)...)
}

// agent does the same for the agent.
func (b *bench) agent(out io.Writer, flags ...string) (*tool, time.Duration, error) {
	return b.run(out, append([]string{"agent", "--log-dir", filepath.Join(b.dir, "log")}, flags...)...)
}

func (b *bench) run(out io.Writer, args ...string) (*tool, time.Duration, error) {
	ready := filepath.Join(b.dir, fmt.Sprintf("ready-%d", time.Now().UnixNano()))
	args = append(args, "--cri-endpoint", "off", "--docker-host", "off", "--ready-file", ready)
	t := &tool{cmd: exec.Command(b.sigtrace, args...)}
	t.cmd.Stdout, t.cmd.Stderr = out, &t.stderr
	begin := time.Now()
	if err := t.cmd.Start(); err != nil {
		return nil, 0, err
	}
	for time.Since(begin) < 30*time.Second {
		if _, err := os.Stat(ready); err == nil {
			return t, time.Since(begin), nil
		}
		time.Sleep(200 * time.Microsecond)
	}
	t.stop()
	return nil, 0, fmt.Errorf("%s is not ready: %s", b.sigtrace, &t.stderr)
}

func (t *tool) stop() {
	_ = t.cmd.Process.Signal(unix.SIGTERM)
	_ = t.cmd.Wait()
}

// snoop starts another tracer and returns once it has printed a line about a
// signal that is sent to the victim all the while; sigsnoop and bpftrace have
// no other sign of being ready.
func (b *bench) snoop(name string, args ...string) (*tool, time.Duration, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return nil, 0, fmt.Errorf("%w: make test-deps installs it", err)
	}
	// Line by line: a full buffer would be counted as their time to start.
	t := &tool{cmd: exec.Command("stdbuf", append([]string{"-oL", path}, args...)...)}
	out, err := t.cmd.StdoutPipe()
	if err != nil {
		return nil, 0, err
	}
	begin := time.Now()
	if err := t.cmd.Start(); err != nil {
		return nil, 0, err
	}
	seen := make(chan struct{})
	go drain(out, fmt.Sprint(b.victim.Process.Pid), seen)
	for {
		select {
		case <-seen:
			return t, time.Since(begin), nil
		case <-time.After(200 * time.Microsecond):
			_ = unix.Kill(b.victim.Process.Pid, unix.SIGUSR1)
		}
		if time.Since(begin) > 30*time.Second {
			t.stop()
			return nil, 0, errors.New(name + " has printed nothing")
		}
	}
}

// drain reads everything and says when a word has come by.
func drain(r io.Reader, word string, seen chan struct{}) {
	var once sync.Once
	s := bufio.NewScanner(r)
	for s.Scan() {
		if strings.Contains(s.Text(), word) {
			once.Do(func() { close(seen) })
			break
		}
	}
	_, _ = io.Copy(io.Discard, r)
}

// killLoop sends n signals to the victim and returns what one takes.
func (b *bench) killLoop(n int, sig unix.Signal) time.Duration {
	pid := b.victim.Process.Pid
	begin := time.Now()
	for range n {
		_ = unix.Kill(pid, sig)
	}
	return time.Since(begin) / time.Duration(n)
}

func median[T int64 | float64 | time.Duration](values []T) T {
	slices.Sort(values)
	return values[len(values)/2]
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }
func millis(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }
