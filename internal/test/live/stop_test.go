// SPDX-License-Identifier: Apache-2.0

package live

import (
	"os/exec"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Signals that come faster than they can be printed do not keep sigtrace from
// ending as asked.
func TestStopUnderLoad(t *testing.T) {
	w := watch(t, "--all", "--type", "signal")
	ignorant := exec.Command("sh", "-c", `trap "" USR1; exec sleep 1000`)
	if err := ignorant.Start(); err != nil {
		t.Fatal(err)
	}
	var stop atomic.Bool
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for begun := time.Now(); !stop.Load() && time.Since(begun) < 2*deadline; {
			_ = unix.Kill(ignorant.Process.Pid, unix.SIGWINCH) // ignored by default
		}
	}()
	t.Cleanup(func() {
		stop.Store(true)
		<-ended
		_ = ignorant.Process.Kill()
		_ = ignorant.Wait()
	})
	time.Sleep(time.Second)
	if err := w.cmd.Process.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	eventually(t, "sigtrace ends although signals keep coming", func() bool {
		select {
		case <-w.ended:
			return true
		default:
			return false
		}
	})
}
