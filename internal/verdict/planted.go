// SPDX-License-Identifier: Apache-2.0

//go:build planted

package verdict

import (
	"runtime/debug"

	"golang.org/x/sys/unix"

	"github.com/sigtrace/sigtrace/internal/event"
)

// plantedFault breaks the making of a record, by the name of the process, so that
// tests see what an agent does about it; plain says that the plainest form is made.
func plantedFault(x *event.Exit, plain bool) {
	switch comm := x.Process.Comm; {
	case comm == "fault-panic" && !plain:
		panic("planted")
	case comm == "fault-overflow" && !plain:
		debug.SetMaxStack(16 << 20)
		x.Exit.Code = deeper(0)
	case comm == "fault-kill" && !plain, comm == "fault-again":
		_ = unix.Kill(unix.Getpid(), unix.SIGKILL)
		select {}
	}
}

// deeper overflows the stack: the runtime ends the program, and nothing can recover that.
func deeper(n int) int {
	if n < 0 {
		return n
	}
	return deeper(n+1) + 1
}
