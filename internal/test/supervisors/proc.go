// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// ticksPerSecond is USER_HZ, in which /proc counts; it is 100 on every architecture
// that sigtrace runs on.
const ticksPerSecond = 100

// ident identifies a process: a pid alone is used again.
type ident struct {
	pid int
	// start is when it was started, in ticks since boot.
	start uint64
}

// is reports whether an event's process is this one.
func (i ident) is(p *process) bool {
	return p != nil && p.PID == i.pid && p.Start/(1e9/ticksPerSecond) == i.start
}

func (i ident) alive() bool {
	s, ok := stat(i.pid)
	return ok && s.start == i.start && s.state != 'Z' && s.state != 'X'
}

// status is what /proc/PID/stat says.
type status struct {
	ident
	comm   string
	parent int
	state  byte
}

func stat(pid int) (status, bool) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return status{}, false
	}
	open, shut := bytes.IndexByte(b, '('), bytes.LastIndexByte(b, ')')
	f := strings.Fields(string(b[shut+1:]))
	parent, _ := strconv.Atoi(f[1])
	start, _ := strconv.ParseUint(f[19], 10, 64)
	return status{ident{pid, start}, string(b[open+1 : shut]), parent, f[0][0]}, true
}

// handles reports whether a process has a handler for a signal, or blocks it.
func handles(pid int, n unix.Signal) bool {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(b)) {
		name, mask, _ := strings.Cut(line, ":")
		if name == "SigCgt" || name == "SigBlk" {
			set, _ := strconv.ParseUint(strings.TrimSpace(mask), 16, 64)
			if set&(1<<(n-1)) != 0 {
				return true
			}
		}
	}
	return false
}

func cmdline(pid int) string {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return strings.TrimSpace(string(bytes.ReplaceAll(b, []byte{0}, []byte{' '})))
}

// inCgroup lists the living processes of a cgroup and those below it, oldest first.
func inCgroup(dir string) []status {
	var all []status
	_ = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.Name() != "cgroup.procs" {
			return nil
		}
		b, _ := os.ReadFile(path)
		for pid := range strings.FieldsSeq(string(b)) {
			n, _ := strconv.Atoi(pid)
			if s, ok := stat(n); ok && s.state != 'Z' && s.state != 'X' {
				all = append(all, s)
			}
		}
		return nil
	})
	slices.SortFunc(all, func(a, b status) int { return a.pid - b.pid })
	return all
}

// boottime is CLOCK_BOOTTIME in ns.
func boottime() uint64 {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &t)
	return uint64(t.Nano())
}

// within waits until ok, for at most d.
func within(d time.Duration, ok func() bool) bool {
	for end := time.Now().Add(d); ; time.Sleep(5 * time.Millisecond) {
		if ok() {
			return true
		}
		if time.Now().After(end) {
			return false
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
