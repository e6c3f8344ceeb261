// SPDX-License-Identifier: Apache-2.0

package live

import (
	"testing"

	"golang.org/x/sys/unix"
)

// tracefs makes sure that the other tracers find it: perf and bpftrace take
// classic tracepoints, which need it. sigtrace does not.
func tracefs(t *testing.T) {
	t.Helper()
	const dir = "/sys/kernel/tracing"
	if exists(dir + "/events") {
		return
	}
	if err := unix.Mount("tracefs", dir, "tracefs", 0, ""); err != nil {
		t.Fatalf("mount tracefs on %s: %v", dir, err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
}
