// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"fmt"
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/kubefact"
	"github.com/sigtrace/sigtrace/internal/phrase"
	"github.com/sigtrace/sigtrace/internal/safetext"
)

// absent: the end was reported by others afterwards. Only the kernel's log gives a
// cause, or the runtime's reason that it could not start a container; an exit code
// alone gives none.
func absent(st *story) finding {
	a := st.exit.Absent
	f := finding{cause: event.CauseUnknown, confidence: event.Unknown}
	if kubefact.IsStartFailure(a.Reason) {
		f.cause, f.confidence = event.CauseStartFailed, event.Likely
	}
	if a.Log != nil {
		f = byOOM(fromLog(st.exit, a.Log))
		f.confidence, f.log = event.Likely, a.Log
	}
	f.absent = a
	return f
}

// notSeen: what nobody saw is never proven.
func notSeen(d *event.Death, x *event.Exit) {
	if x.Absent == nil {
		return
	}
	d.ID = x.Absent.ID
	if d.Confidence == event.Proven {
		d.Confidence = event.Likely
	}
}

func absentSeen(x *event.Exit) []event.Evidence {
	a := x.Absent
	text := phrase.Subject(x.Process) + " " + endedAbsent(x.Exit)
	if a.Reason != "" {
		text += ", reason " + safetext.Quote(a.Reason)
	}
	return []event.Evidence{
		{Time: x.Time, Source: a.Source, Text: text},
		{Time: a.Until, Source: "agent", Text: fmt.Sprintf(
			"no agent was there from %s to %s: no signal to it was seen, nor its exit",
			a.Since.UTC().Format(time.RFC3339), a.Until.UTC().Format(time.RFC3339))},
	}
}

func endedAbsent(x event.ExitStatus) string {
	if x.Signal != "" {
		return fmt.Sprintf("was killed (%s)", x.Signal)
	}
	return fmt.Sprintf("exited with code %d", x.Code)
}
