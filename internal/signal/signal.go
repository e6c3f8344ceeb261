// SPDX-License-Identifier: Apache-2.0

// Package signal knows the signals of Linux by number and by name.
package signal

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Max is the highest signal number.
const Max = 64

// rtMin is the first real-time signal as the kernel counts; glibc keeps two
// for itself, so its SIGRTMIN is 34.
const rtMin = 32

// Name returns the name of a signal, SIGKILL or SIGRTMIN+3, or its number
// where it has none.
func Name(n int) string {
	if name := unix.SignalName(unix.Signal(n)); name != "" {
		return name
	}
	switch {
	case n == rtMin+2:
		return "SIGRTMIN"
	case n > rtMin+2 && n < Max:
		return fmt.Sprintf("SIGRTMIN+%d", n-rtMin-2)
	case n == Max:
		return "SIGRTMAX"
	}
	return strconv.Itoa(n)
}

// Parse reads a signal as people write it: 9, KILL, SIGKILL, kill, RTMIN+3.
func Parse(s string) (int, error) {
	if n, err := strconv.Atoi(s); err == nil {
		if n < 1 || n > Max {
			return 0, fmt.Errorf("no signal %d: signals are 1 to %d", n, Max)
		}
		return n, nil
	}
	name := strings.ToUpper(strings.TrimSpace(s))
	if !strings.HasPrefix(name, "SIG") {
		name = "SIG" + name
	}
	switch name {
	case "SIGPOLL":
		name = "SIGIO"
	case "SIGIOT":
		name = "SIGABRT"
	case "SIGCLD":
		name = "SIGCHLD"
	}
	for n := 1; n <= Max; n++ {
		if Name(n) == name {
			return n, nil
		}
	}
	return 0, fmt.Errorf("no signal is called %q: use a number (9) or a name (KILL, SIGKILL)", s)
}

// ParseSet reads a comma-separated list into a set: bit n-1 stands for signal
// n. An empty list is every signal.
func ParseSet(list string) (uint64, error) {
	if list == "" {
		return ^uint64(0), nil
	}
	var set uint64
	for _, s := range strings.Split(list, ",") {
		n, err := Parse(s)
		if err != nil {
			return 0, err
		}
		set |= 1 << (n - 1)
	}
	return set, nil
}
