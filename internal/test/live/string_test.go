// SPDX-License-Identifier: Apache-2.0

package live

import (
	"cmp"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

func (e event) String() string {
	fatal, code := "absent", "absent"
	if e.Fatal != nil {
		fatal = fmt.Sprint(*e.Fatal)
	}
	if e.Code != nil {
		code = fmt.Sprint(*e.Code)
	}
	return fmt.Sprintf("%s via %s code %s %s fatal %s sender %d trigger %d target %d",
		e.Signal, e.Via, code, e.Result, fatal, pidOf(e.Sender), pidOf(e.Trigger), pidOf(e.Target))
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func goarch() string { return runtime.GOARCH }

// catches reports whether a process has a handler for a signal.
func catches(pid int, sig unix.Signal) bool { return inSet(pid, "SigCgt:", sig) }

func ignores(pid int, sig unix.Signal) bool { return inSet(pid, "SigIgn:", sig) }

// inSet looks a signal up in one of the sets of /proc/PID/status.
func inSet(pid int, name string, sig unix.Signal) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(b)) {
		if set, ok := strings.CutPrefix(line, name); ok {
			n, err := strconv.ParseUint(strings.TrimSpace(set), 16, 64)
			return err == nil && n&(1<<(sig-1)) != 0
		}
	}
	return false
}

func sortByTime(events []event) {
	slices.SortStableFunc(events, func(a, b event) int { return cmp.Compare(a.BoottimeNS, b.BoottimeNS) })
}
