// SPDX-License-Identifier: Apache-2.0

package target

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/sigtrace/sigtrace/internal/proc"
)

// Process is the process that --pid names.
type Process struct {
	PID  int
	Comm string
	// StartTicks is the start time since boot in units of 10 ms (1/USER_HZ, which is
	// 100 on every architecture that sigtrace runs on), as in /proc/PID/stat: pid and
	// start time together name a process for good.
	StartTicks uint64
}

// FindProcess looks for the process that --pid names. The error is a sentence for
// the user.
func FindProcess(pid int) (Process, error) { return findProcess("/", pid) }

// findProcess reads root/proc/PID. The error is a sentence for the user.
func findProcess(root string, pid int) (Process, error) {
	dir := filepath.Join(root, "proc", strconv.Itoa(pid))
	stat, err := proc.New(filepath.Join(root, "proc")).Stat(pid)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return Process{}, fmt.Errorf("--pid %d: there is no process with this pid: %w", pid, fs.ErrNotExist)
	}
	if err != nil {
		return Process{}, fmt.Errorf("--pid %d: %w", pid, err)
	}
	// /proc answers for a thread's id as well, without listing it.
	if tgid, ok := threadGroup(dir); ok && tgid != pid {
		return Process{}, fmt.Errorf("--pid %d is a thread of process %d: give --pid %d", pid, tgid, tgid)
	}
	return Process{PID: pid, Comm: stat.Comm, StartTicks: stat.StartTicks}, nil
}

// threadGroup reads the Tgid line of /proc/PID/status.
func threadGroup(dir string) (int, bool) {
	b, err := os.ReadFile(filepath.Join(dir, "status"))
	if err != nil {
		return 0, false
	}
	for line := range bytes.Lines(b) {
		if rest, ok := bytes.CutPrefix(line, []byte("Tgid:")); ok {
			tgid, err := strconv.Atoi(string(bytes.TrimSpace(rest)))
			return tgid, err == nil
		}
	}
	return 0, false
}
