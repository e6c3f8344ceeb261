// SPDX-License-Identifier: Apache-2.0

// Package capability takes from this process the capabilities that it does not
// need any more, and says which it has.
package capability

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Set is a set of capabilities, each the bit of its number.
type Set uint64

// Of makes a set of CAP_ numbers.
func Of(numbers ...int) Set {
	var s Set
	for _, n := range numbers {
		s |= 1 << n
	}
	return s
}

// Has reports whether a capability is in the set.
func (s Set) Has(number int) bool { return s&(1<<number) != 0 }

// names are those of include/uapi/linux/capability.h, by number.
var names = strings.Fields(`CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE
	NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE
	SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM
	BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE`)

// numberMax is one more than the largest number that a set can hold.
const numberMax = 64

// Names are the capabilities of a set, sorted: CAP_BPF. One that has no name here
// is called by its number: CAP_41.
func (s Set) Names() []string {
	list := []string{}
	for n := range numberMax {
		switch {
		case !s.Has(n):
		case n < len(names):
			list = append(list, "CAP_"+names[n])
		default:
			list = append(list, fmt.Sprintf("CAP_%d", n))
		}
	}
	slices.Sort(list)
	return list
}

// State is what a process may, as /proc/PID/status has it.
type State struct {
	Effective, Permitted, Inheritable, Bounding, Ambient Set
	NoNewPrivs                                           bool
	// Seccomp is disabled, strict or filter; empty where the kernel does not say.
	Seccomp string
}

// Own is this process's state.
func Own() (State, error) {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return State{}, fmt.Errorf("read own capabilities: %w", err)
	}
	defer f.Close()
	return parse(f)
}

func parse(r io.Reader) (State, error) {
	var s State
	sets := map[string]*Set{"CapInh": &s.Inheritable, "CapPrm": &s.Permitted, "CapEff": &s.Effective, "CapBnd": &s.Bounding, "CapAmb": &s.Ambient}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ":")
		value = strings.TrimSpace(value)
		if set := sets[name]; set != nil {
			bits, err := strconv.ParseUint(value, 16, 64)
			if err != nil {
				return s, fmt.Errorf("read own capabilities: %s: %w", name, err)
			}
			*set = Set(bits)
		}
		switch name {
		case "NoNewPrivs":
			s.NoNewPrivs = value == "1"
		case "Seccomp":
			s.Seccomp = map[string]string{"0": "disabled", "1": "strict", "2": "filter"}[value]
		}
	}
	return s, lines.Err()
}

// errCgo: the Go runtime does not know the threads that C code has started.
var errCgo = errors.New("capabilities are kept: this build uses cgo, in which they cannot be dropped from every thread (build with CGO_ENABLED=0)")

// Keep takes from every thread of this process all capabilities but those in keep,
// from what it executes all but those in bounding, and from both the right to gain
// any (no_new_privs). None are gained that the process does not have. Whoever drops
// in steps has the last step's set in bounding from the first on: it takes
// CAP_SETPCAP to drop from.
func Keep(keep, bounding Set) error {
	s, err := Own()
	if err != nil {
		return err
	}
	if err := everyThread("set no_new_privs", unix.PR_SET_NO_NEW_PRIVS, 1); err != nil {
		return err
	}
	// The bounding set first, while CAP_SETPCAP is there. Where it never was (in a
	// container), no_new_privs alone keeps children from having more.
	if s.Effective.Has(unix.CAP_SETPCAP) {
		for n := range numberMax {
			if !s.Bounding.Has(n) || bounding.Has(n) {
				continue
			}
			if err := everyThread("drop from the bounding set", unix.PR_CAPBSET_DROP, uintptr(n)); err != nil {
				return err
			}
		}
	}
	return set(s, keep)
}

// set sets the effective, permitted and inheritable sets; the ambient one loses
// with them.
func set(s State, keep Set) error {
	header := &unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	for i := range data {
		shift := 32 * i
		data[i] = unix.CapUserData{
			Effective: uint32(s.Effective & keep >> shift), Permitted: uint32(s.Permitted & keep >> shift), Inheritable: uint32(s.Inheritable & keep >> shift),
		}
	}
	// Converted in the call itself, which keeps what they point to where it is.
	_, _, e := syscall.AllThreadsSyscall(unix.SYS_CAPSET, uintptr(unsafe.Pointer(header)), uintptr(unsafe.Pointer(&data[0])), 0)
	return outcome("drop capabilities", e)
}

// everyThread calls prctl in each thread: capabilities are a thread's own.
func everyThread(what string, option, value uintptr) error {
	_, _, e := syscall.AllThreadsSyscall6(unix.SYS_PRCTL, option, value, 0, 0, 0, 0)
	return outcome(what, e)
}

func outcome(what string, e syscall.Errno) error {
	switch {
	case e == syscall.ENOTSUP:
		return errCgo
	case e != 0:
		return fmt.Errorf("%s: %w", what, e)
	}
	return nil
}
