// SPDX-License-Identifier: Apache-2.0

package session

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/sigtrace/sigtrace/internal/capability"
)

// initPIDNamespace is the inode of the first PID namespace
// (PROC_PID_INIT_INO of include/linux/proc_ns.h).
const initPIDNamespace = "pid:[4026531836]"

// MayRun refuses with one sentence where sigtrace could not see, or would see pids
// that mean nothing.
func MayRun() error {
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
	own, err := capability.Own()
	if err != nil || own.Effective.Has(unix.CAP_SYS_ADMIN) {
		return nil // loading says what it lacks
	}
	needed := capability.Of(unix.CAP_BPF, unix.CAP_PERFMON)
	return (needed &^ own.Effective).Names()
}

// lastingCapabilities are those that are used as long as sigtrace runs:
//   - CAP_BPF: maps and the task iterator, where kernel.unprivileged_bpf_disabled is set
//   - CAP_SYS_PTRACE: executables, environment, root and wait channel of other
//     users' processes in /proc
//   - CAP_DAC_READ_SEARCH: cgroups by handle, and files of other users
//
// CAP_PERFMON is for loading programs, of which the task iterator is the last and
// follows the start; CAP_SYSLOG is for opening the kernel's log and symbols,
// CAP_SYS_RESOURCE for the limit of locked memory: all of that is done before.
// Kernel stacks of stuck processes would take CAP_SYS_ADMIN; where they wait is
// shown without it.
var lastingCapabilities = capability.Of(unix.CAP_BPF, unix.CAP_SYS_PTRACE, unix.CAP_DAC_READ_SEARCH)

// dropPrivileges keeps the capabilities that are still used, and gains no others.
// What is written to later, a log directory or a socket, may belong to somebody
// else: root then needs CAP_DAC_OVERRIDE. A failure costs no death its record, so
// that it is reported and not the end.
func (s *Session) dropPrivileges(writes ...string) {
	s.lasting = lastingCapabilities
	for _, path := range writes {
		if takesOverride(strings.TrimPrefix(path, "unix://")) {
			s.lasting |= capability.Of(unix.CAP_DAC_OVERRIDE)
		}
	}
	s.keep(s.lasting | capability.Of(unix.CAP_PERFMON))
}

func (s *Session) keep(keep capability.Set) {
	if !s.c.DropPrivileges {
		return
	}
	if err := capability.Keep(keep, s.lasting); err != nil {
		s.log.Warn("not all capabilities could be dropped", "error", err)
	}
}

// takesOverride reports whether writing to a file takes more than its permissions
// give to who runs this.
func takesOverride(path string) bool {
	var st unix.Stat_t
	if path == "" || unix.Stat(path, &st) != nil {
		return false
	}
	switch {
	case st.Uid == uint32(os.Geteuid()):
		return st.Mode&unix.S_IWUSR == 0
	case st.Gid == uint32(os.Getegid()):
		return st.Mode&unix.S_IWGRP == 0
	}
	return st.Mode&unix.S_IWOTH == 0
}
