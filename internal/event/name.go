// SPDX-License-Identifier: Apache-2.0

package event

import "fmt"

// Name is what a log calls an event: its type, and the process that it is about by
// pid and start; of a death also its id.
func Name(e Event) string {
	switch e := e.(type) {
	case *Death:
		return fmt.Sprintf("death %s (%s)", e.ID, processName(e.Process))
	case *Signal:
		return e.Signal + " to " + processName(e.Target)
	case *OOM:
		if e.Victim != nil {
			return "oom of " + processName(e.Victim.Process)
		}
	case *Exit:
		return "exit of " + processName(e.Process)
	case *Stuck:
		return "stuck " + processName(e.Target)
	}
	return string(e.Common().Type)
}

func processName(p *Process) string {
	if p == nil {
		return "an unknown process"
	}
	return fmt.Sprintf("pid %d, start %d", p.PID, p.StartBoottimeNS)
}
