// SPDX-License-Identifier: Apache-2.0

package proc

import (
	"os"
	"path/filepath"
	"strings"
)

// Task is how a process that does not die was found.
type Task struct {
	// State is the letter of /proc/PID/stat.
	State string
	// Wchan is the kernel function that it sleeps in, where readable.
	Wchan string
	// Stack is its kernel stack, innermost first, where readable
	// (CAP_SYS_ADMIN).
	Stack []string
}

// Task looks at a process that was killed; false once it is gone. A leader
// that is a zombie while a thread lives on is not gone: the state is that
// thread's.
func (f FS) Task(pid int, startNS uint64) (Task, bool) {
	if !f.Same(pid, startNS) {
		return Task{}, false
	}
	tasks, err := os.ReadDir(f.Path(pid, "task"))
	if err != nil {
		return Task{}, false
	}
	for _, t := range tasks {
		dir := filepath.Join(f.Path(pid, "task"), t.Name())
		b, err := os.ReadFile(filepath.Join(dir, "stat"))
		if err != nil {
			continue
		}
		if s, err := parseStat(b); err == nil && s.State != 'Z' && s.State != 'X' {
			return readTask(dir, s), true
		}
	}
	return Task{}, false
}

func readTask(dir string, s Stat) Task {
	t := Task{State: string(s.State)}
	if b, err := os.ReadFile(filepath.Join(dir, "wchan")); err == nil && string(b) != "0" {
		t.Wchan = string(b)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "stack")); err == nil {
		t.Stack = stackLines(string(b))
	}
	return t
}

// stackLines takes the functions out of lines such as
// "[<0>] do_exit+0x1a/0x30".
func stackLines(text string) []string {
	var list []string
	for line := range strings.Lines(text) {
		_, name, _ := strings.Cut(strings.TrimSpace(line), "] ")
		name, _, _ = strings.Cut(name, "+")
		if name != "" && name != "0xffffffffffffffff" {
			list = append(list, name)
		}
	}
	return list
}
