// SPDX-License-Identifier: Apache-2.0

package output

import (
	"fmt"
	"strings"
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/phrase"
	"github.com/sigtrace/sigtrace/internal/safetext"
)

// Moment is one event as one line of a timeline.
type Moment struct {
	Time       time.Time
	BoottimeNS uint64
	Text       string
}

// MomentOf puts an event into one line, fit for a terminal; false for what has
// no place in a timeline.
func MomentOf(e event.Event) (Moment, bool) {
	text := ""
	switch e := e.(type) {
	case *event.Signal:
		text = signalText(e)
	case *event.OOM:
		text = "OOM kill: " + phrase.OOM(e)
		if e.Victim != nil {
			text = "OOM kill of " + named(e.Victim.Process) + ": " + phrase.OOM(e)
		}
	case *event.Death:
		text = fmt.Sprintf("%s died: %s (%s)", named(e.Process), e.Cause, e.Confidence)
		if e.Actor != nil {
			text += ", by " + named(e.Actor)
		}
	case *event.Stuck:
		text = named(e.Target) + ": " + safetext.Quote(phrase.Stuck(e))
	default:
		return Moment{}, false
	}
	h := e.Common()
	return Moment{h.Time, h.BoottimeNS, text}, true
}

func signalText(s *event.Signal) string {
	text := safetext.Quote(s.Signal) + " to " + named(s.Target)
	if s.Sender != nil {
		text += " from " + sender(s)
		if place := elsewhere(s.Sender, s.Target); place != "" {
			text += place
		}
	}
	text += ", " + safetext.Quote(string(s.Via))
	if s.Trigger != nil {
		text += " triggered by " + named(s.Trigger)
	}
	switch {
	case isTrue(s.Fatal):
		text += ", fatal"
	case s.Result != event.ResultDelivered && s.Result != "":
		text += ", " + strings.ReplaceAll(safetext.Quote(string(s.Result)), "_", " ")
	}
	return text
}

// before is how long before the end a moment was: "-1:02.345".
func (m Moment) before(end uint64) string {
	d, sign := time.Duration(0), "-"
	if m.BoottimeNS > end {
		d, sign = time.Duration(m.BoottimeNS-end), "+"
	} else {
		d = time.Duration(end - m.BoottimeNS)
	}
	return fmt.Sprintf("%s%d:%06.3f", sign, d/time.Minute, (d % time.Minute).Seconds())
}
