// SPDX-License-Identifier: Apache-2.0

package main

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
	"sync"
	"syscall"
	"time"
)

// process and event mirror the contract, from outside.
type process struct {
	PID   int    `json:"pid"`
	Comm  string `json:"comm"`
	Start uint64 `json:"start_boottime_ns"`
}

type event struct {
	Type         string          `json:"type"`
	At           uint64          `json:"boottime_ns"`
	Signal       json.RawMessage `json:"signal"`
	SignalNumber int             `json:"signal_number"`
	Via          string          `json:"via"`
	Result       string          `json:"result"`
	Fatal        *bool           `json:"fatal"`
	Sender       *process        `json:"sender"`
	Trigger      *process        `json:"trigger"`
	Target       *process        `json:"target"`
	Process      *process        `json:"process"`
	Exit         *exit           `json:"exit"`
	Cause        string          `json:"cause"`
	Confidence   string          `json:"confidence"`
	Summary      string          `json:"summary"`
	Actor        *process        `json:"actor"`
	Relation     string          `json:"relation"`
	Revision     int             `json:"revision"`
	EventsLost   int             `json:"events_lost"`
	Lane         string          `json:"lane"`
	Chain        []struct {
		Process *process `json:"process"`
		What    string   `json:"what"`
	} `json:"chain"`
}

type exit struct {
	Code   int    `json:"code"`
	Signal string `json:"signal"`
}

func (e *event) signal() string {
	var name string
	_ = json.Unmarshal(e.Signal, &name)
	return name
}

// watch is the running sigtrace with what it has printed.
type watch struct {
	cmd    *exec.Cmd
	stderr bytes.Buffer
	mu     sync.Mutex
	events []event
	ended  chan struct{}
}

// startWatch starts sigtrace with these flags besides and waits until it is ready.
func startWatch(o options, name, dir, cgroup string, flags ...string) (*watch, error) {
	program, err := filepath.Abs(o.sigtrace)
	if err != nil {
		return nil, err
	}
	ready := filepath.Join(dir, name+".ready")
	args := []string{
		"watch", "-o", "json", "--ready-file", ready, "--cgroup", cgroup,
		"--cri-endpoint", "off", "--docker-host", "off", "--kubeconfig", "off", "--kubelet-log", "off",
	}
	args = append(args, flags...)
	if o.keep != "" {
		args = append(args, "--record", filepath.Join(o.keep, name+".rec"))
	}
	w := &watch{cmd: exec.Command(program, args...), ended: make(chan struct{})}
	w.cmd.Stderr = &w.stderr
	// A process group of its own: what is sent to the runner's is not for it.
	w.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := w.cmd.Start(); err != nil {
		return nil, err
	}
	go w.read(out, o.keep, name)
	if !within(60*time.Second, func() bool { return exists(ready) || w.hasEnded() }) || w.hasEnded() {
		w.stop()
		return nil, fmt.Errorf("sigtrace is not ready: %s", &w.stderr)
	}
	return w, nil
}

func (w *watch) hasEnded() bool {
	select {
	case <-w.ended:
		return true
	default:
		return false
	}
}

func (w *watch) read(out io.Reader, keep, name string) {
	defer close(w.ended)
	raw := io.Discard
	if keep != "" {
		if f, err := os.Create(filepath.Join(keep, name+".jsonl")); err == nil {
			defer f.Close()
			raw = f
		}
	}
	s := bufio.NewScanner(out)
	s.Buffer(nil, 16<<20)
	for s.Scan() {
		_, _ = fmt.Fprintf(raw, "%s\n", s.Bytes())
		var e event
		if err := json.Unmarshal(s.Bytes(), &e); err != nil {
			fmt.Fprintf(os.Stderr, "supervisors: not JSON: %v\n", err)
			continue
		}
		w.mu.Lock()
		w.events = append(w.events, e)
		w.mu.Unlock()
	}
}

// since returns the events of a time on.
func (w *watch) since(at uint64) []event {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []event
	for _, e := range w.events {
		if e.At >= at {
			all = append(all, e)
		}
	}
	slices.SortStableFunc(all, func(a, b event) int { return int(a.At/1000) - int(b.At/1000) })
	return all
}

// deaths returns all revisions of a process's death record, oldest first.
func (w *watch) deaths(p ident) []event {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []event
	for _, e := range w.events {
		if e.Type == "death" && p.is(e.Process) {
			all = append(all, e)
		}
	}
	return all
}

func (w *watch) stop() {
	if w == nil || w.cmd == nil {
		return
	}
	if err := w.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		fmt.Fprintln(os.Stderr, "supervisors: stop sigtrace:", err)
	}
	<-w.ended
	if err := w.cmd.Wait(); err != nil {
		fmt.Fprintf(os.Stderr, "supervisors: sigtrace ended with %v: %s\n", err, &w.stderr)
	}
}
