// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"fmt"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/phrase"
	"github.com/sigtrace/sigtrace/internal/safetext"
)

// keptText is said of what came out of the kernel side's own memory.
const keptText = "; kept in the pins while no agent could write it, with the last signals only"

// evidence lists what was seen, in order of time.
func evidence(st *story, f *finding) []event.Evidence {
	var list []event.Evidence
	if f.setOffBy != nil && f.setOffBy.exit != nil {
		x := f.setOffBy.exit
		list = append(list, event.Evidence{Time: x.Time, Source: "sched_process_exit", Text: phrase.Process(x.Process) + " " + phrase.Ended(x.Exit)})
	}
	if f.first != nil && f.deciding != nil && f.first.Signal != f.deciding.Signal {
		list = append(list, seen(f.first))
	}
	if f.deciding != nil {
		list = append(list, seen(f.deciding))
	}
	if f.oom != nil {
		list = append(list, event.Evidence{Time: f.oom.Time, Source: oomSource(f.oom), Text: phrase.OOM(f.oom)})
	}
	if f.log != nil {
		list = append(list, event.Evidence{Time: f.log.Time, Source: "kernel log", Text: logText(f.log)})
	}
	if st.exit.Absent != nil {
		return append(list, absentSeen(st.exit)...)
	}
	return append(append(list, exitSeen(st.exit)), unseenInside(st.exit)...)
}

func logText(k *event.KernelOOM) string {
	what := "Out of memory"
	if k.Cgroup {
		what = "Memory cgroup out of memory"
	}
	text := fmt.Sprintf("%s: Killed process %d (%s)", what, k.PID, safetext.Quote(k.Comm))
	if k.Order != nil && *k.Order > 0 {
		text += fmt.Sprintf("; order %d", *k.Order)
	}
	if len(k.FreeBlocks) > 0 {
		text += fmt.Sprintf("; free blocks by order %v", k.FreeBlocks)
	}
	return text
}

func seen(s *noted) event.Evidence {
	text := fmt.Sprintf("%s to %s via %s", s.Signal.Signal, phrase.Process(s.Target), s.Via)
	switch {
	case s.Sender != nil:
		text += " from " + phrase.Process(s.Sender)
	case s.Trigger != nil:
		text += ", triggered by " + phrase.Process(s.Trigger)
	}
	if forkedIntoKill(s.Signal) {
		text += ", forked while its cgroup was being killed"
	}
	switch {
	case isTrue(s.Fatal):
		text += "; the kernel made it the end of the process"
	case s.Handled:
		text += "; it has a handler"
	case s.Blocked:
		text += "; it was blocked (sigwait, signalfd)"
	}
	if s.Kept {
		text += keptText
	}
	source := "signal_generate"
	if s.Via == event.ViaPtrace && s.Result == event.ResultDelivered {
		source = "signal_deliver"
	}
	return event.Evidence{Time: s.Time, Source: source, Text: text}
}

func oomSource(o *event.OOM) string {
	if o.Order != nil {
		return "oom_kill_process"
	}
	return "mark_victim"
}

func exitSeen(x *event.Exit) event.Evidence {
	if x.Unseen {
		return event.Evidence{Time: x.Time, Source: "proc", Text: phrase.Process(x.Process) + " is gone; its exit was not seen"}
	}
	text := phrase.Process(x.Process) + " " + phrase.Ended(x.Exit)
	switch {
	case x.Seccomp != "":
		text += "; seccomp ended a thread of its (mode " + x.Seccomp + ")"
	case x.OOMMark:
		text += "; marked as a victim of the OOM killer"
	}
	if x.Kept {
		text += keptText
	}
	return event.Evidence{Time: x.Time, Source: "sched_process_exit", Text: text}
}
