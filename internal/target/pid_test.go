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

func TestParseStat(t *testing.T) {
	for _, c := range []struct{ stat, comm string }{
		{"42 (sleep)" + statTail, "sleep"},
		{"42 (a b) c)" + statTail, "a b) c"},
		{"42 ())" + statTail, ")"},
	} {
		p, err := parseStat(c.stat)
		if err != nil || p.Comm != c.comm || p.StartTicks != 4711 {
			t.Errorf("%q: %+v, %v", c.stat, p, err)
		}
	}
	for _, bad := range []string{"", "42", "42 )(", "42 (sleep)", "42 (sleep) S 1", "42 (sleep)" + strings.Replace(statTail, "4711", "x", 1)} {
		if p, err := parseStat(bad); err == nil {
			t.Errorf("%q was read as %+v", bad, p)
		}
	}
}

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
