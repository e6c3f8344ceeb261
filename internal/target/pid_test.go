// SPDX-License-Identifier: Apache-2.0

package target

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const statTail = " S 1 2 2 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4711 1000 10 18446744073709551615"

func TestFindProcess(t *testing.T) {
	root := t.TempDir()
	write := func(pid, name, text string) {
		dir := filepath.Join(root, "proc", pid)
		if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	write("42", "stat", "42 (sleep)"+statTail)
	write("42", "status", "Name:\tsleep\nTgid:\t42\n")
	write("43", "stat", "43 (worker)"+statTail)
	write("43", "status", "Name:\tworker\nTgid:\t42\n")
	p, err := findProcess(root, 42)
	if err != nil || p != (Process{PID: 42, Comm: "sleep", StartTicks: 4711}) {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := findProcess(root, 43); err == nil || !strings.Contains(err.Error(), "thread of process 42") {
		t.Errorf("a thread: %v", err)
	}
	if _, err := findProcess(root, 44); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nobody: %v", err)
	}
}
