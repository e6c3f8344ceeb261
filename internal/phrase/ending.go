// SPDX-License-Identifier: Apache-2.0

package phrase

import (
	"fmt"

	"github.com/sigtrace/sigtrace/internal/event"
)

func Ended(x event.ExitStatus) string {
	if x.Signal != "" {
		return fmt.Sprintf("was ended by %s (exit %d)", x.Signal, x.Code)
	}
	return fmt.Sprintf("exited with code %d", x.Code)
}

func Fault(sig string) string {
	switch sig {
	case "SIGSEGV":
		return "it touched memory that is not its own"
	case "SIGBUS":
		return "it touched memory that is not there (a truncated file, a bad alignment)"
	case "SIGILL":
		return "it ran an instruction that this CPU does not have"
	case "SIGFPE":
		return "a division by zero or the like"
	case "SIGTRAP":
		return "a breakpoint or an assertion of its own"
	}
	return "a CPU exception"
}

func Others(c *event.Collateral) string {
	switch {
	case c == nil || c.Count == 0:
		return ""
	case c.Count == 1:
		return " and 1 other"
	}
	return fmt.Sprintf(" and %d others", c.Count)
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
