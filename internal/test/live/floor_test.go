// SPDX-License-Identifier: Apache-2.0

package live

import (
	"bytes"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// refused starts sigtrace where it cannot work: it says so in one line, at
// once, and its exit code is 1.
func refused(t *testing.T, as func(*testing.T, *exec.Cmd), words ...string) {
	t.Helper()
	for _, command := range []string{"watch", "check"} {
		c := exec.Command(programs(t).sigtrace, command)
		var said bytes.Buffer
		c.Stderr = &said
		if as != nil {
			as(t, c)
		}
		begun := time.Now()
		err := c.Run()
		if took := time.Since(begun); took > 10*time.Second {
			t.Errorf("%s: refused after %v", command, took)
		}
		if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != 1 {
			t.Errorf("%s ended with %v, want exit code 1", command, err)
		}
		if line := strings.TrimSpace(said.String()); !strings.HasPrefix(line, "sigtrace: ") || strings.Contains(line, "\n") {
			t.Errorf("%s: not one line: %s", command, line)
		}
		for _, w := range words {
			if !strings.Contains(said.String(), w) {
				t.Errorf("%s: no %q in: %s", command, w, &said)
			}
		}
	}
}

// A kernel without BTF, as User Mode Linux is one; elsewhere it is hidden.
func TestFloorNoTypes(t *testing.T) {
	hide := withoutTypes
	if !exists(kernelTypes) {
		hide = nil
	}
	refused(t, hide, "no BTF in /sys/kernel/btf/vmlinux", "Debian 11", "--btf FILE")
}

// A kernel without BPF ring buffers answers so: EINVAL.
func TestFloorNoRingBuffer(t *testing.T) {
	if !exists(kernelTypes) {
		t.Skip("no BTF either on this kernel")
	}
	refused(t, withoutRingBuffers, "no BPF ring buffers", "Linux 5.8")
}

// Both lacks are reported, each by its name.
func TestFloorNeither(t *testing.T) {
	if !exists(kernelTypes) {
		t.Skip("no BTF either on this kernel")
	}
	refused(t, func(t *testing.T, c *exec.Cmd) {
		withoutRingBuffers(t, c)
		withoutTypes(t, c)
	}, "no BPF ring buffers", "no BTF in /sys/kernel/btf/vmlinux")
}
