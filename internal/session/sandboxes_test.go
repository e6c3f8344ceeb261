// SPDX-License-Identifier: Apache-2.0

package session

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestSandboxesThatRun(t *testing.T) {
	t.Setenv("PATH", "/nonexistent")
	proc := t.TempDir()
	for pid, exe := range map[string]string{
		"12": "/usr/bin/containerd-shim-runc-v2", "13": "/usr/bin/containerd-shim-runsc-v1",
		"14": "/usr/bin/containerd-shim-runsc-v1", "self": "/opt/kata/bin/containerd-shim-kata-v2",
	} {
		dir := filepath.Join(proc, pid)
		if err := errors.Join(os.Mkdir(dir, 0o755), os.Symlink(exe, filepath.Join(dir, "exe"))); err != nil {
			t.Fatal(err)
		}
	}
	if got := Sandboxes(proc); !slices.Equal(got, []string{"gVisor"}) {
		t.Errorf("%v", got)
	}
}
