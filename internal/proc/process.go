// SPDX-License-Identifier: Apache-2.0

package proc

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// FS reads a proc file system.
type FS struct{ root string }

// New returns a reader of the proc file system at root, /proc where empty.
func New(root string) FS {
	if root == "" {
		root = "/proc"
	}
	return FS{root}
}

// ErrGone says that the process that was asked for is not there any more; its
// pid may have been taken by another.
var ErrGone = errors.New("no such process")

// Path returns the path of an entry of a process.
func (f FS) Path(pid int, name string) string {
	return filepath.Join(f.root, strconv.Itoa(pid), name)
}

// Stat is what sigtrace needs of /proc/PID/stat.
type Stat struct {
	Comm  string
	State byte
	PPID  int
	// StartTicks is the start time in ticks (1/100 s) since boot, from 5.5 on
	// of CLOCK_BOOTTIME.
	StartTicks uint64
}

// Stat reads /proc/PID/stat.
func (f FS) Stat(pid int) (Stat, error) {
	b, err := os.ReadFile(f.Path(pid, "stat"))
	if err != nil {
		return Stat{}, fmt.Errorf("%w: %w", ErrGone, err)
	}
	return parseStat(b)
}

// parseStat finds the last closing parenthesis: a comm may hold any byte.
func parseStat(b []byte) (Stat, error) {
	open, end := bytes.IndexByte(b, '('), bytes.LastIndexByte(b, ')')
	if open < 0 || end < open {
		return Stat{}, errors.New("stat without a comm")
	}
	fields := strings.Fields(string(b[end+1:]))
	if len(fields) < 20 {
		return Stat{}, errors.New("stat with too few fields")
	}
	ppid, err := strconv.Atoi(fields[1])
	if err != nil {
		return Stat{}, fmt.Errorf("parent in stat: %w", err)
	}
	start, err := strconv.ParseUint(fields[19], 10, 64)
	if err != nil {
		return Stat{}, fmt.Errorf("start time in stat: %w", err)
	}
	return Stat{Comm: string(b[open+1 : end]), State: fields[0][0], PPID: ppid, StartTicks: start}, nil
}

// nsPerTick: USER_HZ is 100 on every architecture that sigtrace runs on.
const nsPerTick = 10_000_000

// Same reports whether pid is still the process that started at startNS.
func (f FS) Same(pid int, startNS uint64) bool {
	s, err := f.Stat(pid)
	return err == nil && s.StartTicks == startNS/nsPerTick
}

// Image is the executable and the arguments of a process.
type Image struct {
	Exe   string
	Args  []string
	Place Place
}

// Image reads what a process executes; ErrGone if it is not the one that
// started at startNS.
func (f FS) Image(pid int, startNS uint64) (Image, error) {
	var i Image
	if exe, err := os.Readlink(f.Path(pid, "exe")); err == nil {
		i.Exe = exe
	}
	if b, err := os.ReadFile(f.Path(pid, "cmdline")); err == nil {
		i.Args = splitArgs(b)
	}
	i.Place = f.place(pid)
	if !f.Same(pid, startNS) {
		return Image{}, ErrGone
	}
	return i, nil
}

func splitArgs(b []byte) []string {
	b = bytes.TrimRight(b, "\x00")
	if len(b) == 0 {
		return nil
	}
	return strings.Split(string(b), "\x00")
}
