// SPDX-License-Identifier: Apache-2.0

package phrase

import (
	"fmt"
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
)

// Ended is the predicate of an exit: "was killed by SIGKILL (exit 137)".
func Ended(x event.ExitStatus) string {
	if x.Signal != "" {
		return fmt.Sprintf("was killed by %s (exit %d)", x.Signal, x.Code)
	}
	return fmt.Sprintf("exited with code %d", x.Code)
}

// Fault is what a process did that the CPU reports by a signal.
func Fault(sig string) string {
	switch sig {
	case "SIGSEGV":
		return "it accessed invalid memory"
	case "SIGBUS":
		return "it accessed memory that is not there (a truncated file, a full tmpfs, a bad alignment)"
	case "SIGILL":
		return "it executed an instruction that this CPU does not have"
	case "SIGFPE":
		return "it divided by zero, or the like"
	case "SIGTRAP":
		return "it ran into a breakpoint or an assertion of its own"
	}
	return "it caused a CPU exception"
}

// Duration is a time between two events for a sentence: "120 ms", "4.0 s".
func Duration(d time.Duration) string {
	if d < time.Millisecond {
		return "less than 1 ms"
	}
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Round(time.Millisecond).Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// Count is a number of things: "1 death", "12 deaths".
func Count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// Others counts what went with a process: " together with 7 others".
func Others(c *event.Collateral) string {
	switch {
	case c == nil || c.Count == 0:
		return ""
	case c.Count == 1:
		return " together with 1 other"
	}
	return fmt.Sprintf(" together with %d others", c.Count)
}

// Stuck says in one sentence what does not end, and why.
func Stuck(s *event.Stuck) string {
	text := fmt.Sprintf("SIGKILL was delivered %.0f s ago and has not ended it", s.ForSeconds)
	switch {
	case s.Frozen != nil && *s.Frozen:
		text += ": its cgroup is frozen; thaw it"
	case s.State == "D":
		text += ": it sleeps in the kernel and cannot be interrupted (state D)"
	case s.State == "T" || s.State == "t":
		text += ": it is stopped or held by a tracer (state " + s.State + ")"
	case s.State != "":
		text += " (state " + s.State + ")"
	}
	if s.Wchan != "" {
		text += ", in " + s.Wchan
	}
	return text
}
