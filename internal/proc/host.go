// SPDX-License-Identifier: Apache-2.0

package proc

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// BootID identifies the time since the last boot, which makes pids of two boots
// differ; empty where the kernel does not report it.
func BootID() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// KernelRelease is what uname -r prints; empty where that fails.
func KernelRelease() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Release[:])
}
