// SPDX-License-Identifier: Apache-2.0

package postmortem

import (
	"fmt"
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/safetext"
)

// Reasons of gaps.
const (
	// GapNotRunning: no agent was there. GapKept: none was, and the kernel side
	// kept the deaths for the next one. GapUnknown: the files do not say.
	GapNotRunning = "agent_not_running"
	GapKept       = "agent_not_running_deaths_kept"
	GapUnknown    = "end_of_the_files"
	GapLost       = "events_lost"
)

// Gap is a time for which the record is not whole.
type Gap struct {
	Node   string    `json:"node,omitempty"`
	Since  time.Time `json:"since"`
	Until  time.Time `json:"until"`
	Reason string    `json:"reason"`
	// Count and Lane are of lost events, and Cgroup is whose they were, if only one's.
	Count  uint64 `json:"count,omitempty"`
	Lane   string `json:"lane,omitempty"`
	Cgroup string `json:"cgroup,omitempty"`
	// Stopped: the agent before ended as asked. Rebooted: the machine did so. Both
	// are of a time without an agent.
	Stopped  *bool `json:"stopped,omitempty"`
	Rebooted *bool `json:"rebooted,omitempty"`
	// Open: it lasts.
	Open bool `json:"open,omitempty"`
}

func isTrue(b *bool) bool { return b != nil && *b }

func (g Gap) overlaps(from, until time.Time) bool {
	return (from.IsZero() || !g.Until.Before(from)) && (until.IsZero() || !g.Since.After(until))
}

// gaps notes what an event says of the record itself.
func (n *nodeReading) gaps(e event.Event) {
	switch e := e.(type) {
	case *event.Lost:
		n.gapList = append(n.gapList, Gap{
			Node: e.Node, Since: e.Since, Until: e.Time, Reason: GapLost, Count: e.Count, Lane: e.Lane, Cgroup: e.Cgroup,
		})
	case *event.Status:
		n.started(e)
	}
}

// started notes the time before an agent's start.
func (n *nodeReading) started(s *event.Status) {
	if s.State != event.StateStarted {
		return
	}
	g := Gap{Node: s.Node, Reason: GapNotRunning, Until: s.Time}
	switch {
	case s.Away != nil:
		g.Since, g.Until, g.Stopped, g.Rebooted = s.Away.Since, s.Away.Until, &s.Away.Stopped, &s.Away.Rebooted
	case n.seen:
		g.Since = n.last // the presence file was gone
	default:
		return // the first of all
	}
	if s.Pins != nil && (s.Pins.State == "reused" || s.Pins.State == "upgraded") {
		g.Reason = GapKept
	}
	n.gapList = append(n.gapList, g)
}

// Text says it in one sentence; at shows a time.
func (g Gap) Text(at func(time.Time) string) string {
	node := ""
	if g.Node != "" {
		node = " on " + safetext.Quote(g.Node)
	}
	span := fmt.Sprintf("from %s to %s (%s)", at(g.Since), at(g.Until), length(g.Until.Sub(g.Since)))
	if g.Open {
		span = fmt.Sprintf("since %s (%s)", at(g.Since), length(g.Until.Sub(g.Since)))
	}
	switch g.Reason {
	case GapLost:
		of := ""
		if g.Cgroup != "" {
			of = " of " + safetext.Quote(g.Cgroup)
		}
		return fmt.Sprintf("%d %s events%s were lost%s %s", g.Count, safetext.Quote(g.Lane), of, node, span)
	case GapUnknown:
		return fmt.Sprintf("the files%s say nothing %s", node, span)
	}
	how := ": it had been killed or had crashed"
	switch {
	case isTrue(g.Rebooted):
		how = ": the machine was started anew"
	case isTrue(g.Stopped):
		how = ": it had been stopped"
	}
	text := fmt.Sprintf("no agent was running%s %s%s", node, span, how)
	if g.Open {
		text = fmt.Sprintf("no agent has been running%s %s%s", node, span, how)
	}
	if g.Reason == GapKept {
		text += "; deaths in that time were kept by the kernel side and are reported; signals are not"
	}
	return text
}

// length is a duration as people say it.
func length(d time.Duration) string {
	switch {
	case d < time.Second:
		return "less than a second"
	case d < time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%.0f min", d.Minutes())
	case d < 48*time.Hour:
		return fmt.Sprintf("%.1f h", d.Hours())
	}
	return fmt.Sprintf("%.0f days", d.Hours()/24)
}
