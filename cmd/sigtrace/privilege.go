// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// initPIDNamespace is the inode of the first PID namespace
// (PROC_PID_INIT_INO of include/linux/proc_ns.h).
const initPIDNamespace = "pid:[4026531836]"

// mayRun refuses with one sentence where sigtrace could not see, or would see
// pids that mean nothing.
func mayRun() error {
	if ns, err := os.Readlink("/proc/self/ns/pid"); err == nil && ns != initPIDNamespace {
		return errors.New("not in the initial PID namespace: pids would be wrong; run on the host, or with hostPID: true (docker run --pid=host)")
	}
	if missing := missingCapabilities(); len(missing) > 0 {
		return fmt.Errorf("missing %s: run as root (sudo sigtrace), or grant the capabilities", strings.Join(missing, ", "))
	}
	return nil
}

// missingCapabilities names what loading BPF programs takes; CAP_SYS_ADMIN
// includes CAP_BPF and CAP_PERFMON.
func missingCapabilities() []string {
	have := effectiveCapabilities()
	if have&(1<<unix.CAP_SYS_ADMIN) != 0 {
		return nil
	}
	var missing []string
	for _, c := range []struct {
		bit  uint
		name string
	}{{unix.CAP_BPF, "CAP_BPF"}, {unix.CAP_PERFMON, "CAP_PERFMON"}} {
		if have&(1<<c.bit) == 0 {
			missing = append(missing, c.name)
		}
	}
	return missing
}

func effectiveCapabilities() uint64 {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if unix.Capget(&header, &data[0]) != nil {
		return 0
	}
	return uint64(data[0].Effective) | uint64(data[1].Effective)<<32
}
