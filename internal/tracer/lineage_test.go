// SPDX-License-Identifier: Apache-2.0

package tracer

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Whoever has died is named by the SIGCHLD that it sends, and a zombie can be
// signalled: neither brings its entry back, which nobody would remove any more.
func TestTheDeadLeaveNoEntries(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("loading BPF programs needs root")
	}
	p, err := Load(Config{All: true})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := p.Seed(); err != nil {
		t.Fatal(err)
	}
	var dead []uint32
	for range 50 {
		c := exec.Command("true")
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		pid := c.Process.Pid
		for state := byte(0); state != 'Z'; time.Sleep(time.Millisecond) {
			state = stateOf(t, pid)
		}
		if err := unix.Kill(pid, unix.SIGTERM); err != nil {
			t.Fatal(err)
		}
		_ = c.Wait()
		dead = append(dead, uint32(pid))
	}
	var key typedProcKey
	var entry typedProcEntry
	for all := p.maps["procs"].Iterate(); all.Next(&key, &entry); {
		if slices.Contains(dead, key.Tgid) {
			t.Errorf("an entry of %d, which is dead: refs %d, dead %d", key.Tgid, entry.Refs, entry.Dead)
		}
	}
}

// stateOf is the letter in /proc/PID/stat: Z is a zombie.
func stateOf(t *testing.T, pid int) byte {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	return stat[bytes.LastIndexByte(stat, ')')+2]
}
