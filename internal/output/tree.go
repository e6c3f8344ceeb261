// SPDX-License-Identifier: Apache-2.0

package output

import (
	"fmt"
	"strings"
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/safetext"
)

var zero time.Time

// redraw is how long an ancestry that was drawn is taken as remembered.
const redraw = 10 * time.Second

const (
	treeIndent = "    "
	drawnMax   = 1024
)

// ancestry draws where the sender (or trigger) comes from, root first.
func (t *tablePrinter) ancestry(s *event.Signal) []string {
	p := s.Sender
	if p == nil {
		p = s.Trigger
	}
	if p == nil || !s.Matters && !isTrue(s.Fatal) {
		return nil
	}
	return t.origin(p, s.Target)
}

// wasDrawn reports whether the ancestry of a process was shown just before, and
// notes that it is now.
func (t *tablePrinter) wasDrawn(p *event.Process) bool {
	now := t.o.Now()
	at, ok := t.drawn[idOf(p)]
	if len(t.drawn) >= drawnMax {
		clear(t.drawn)
	}
	t.drawn[idOf(p)] = now
	return ok && now.Sub(at) < redraw
}

// origin draws the ancestry of a process, unless that has just been done.
func (t *tablePrinter) origin(p, target *event.Process) []string {
	now := t.o.Now()
	if at, ok := t.drawn[idOf(p)]; ok && now.Sub(at) < redraw {
		return []string{t.colour.dim(treeIndent + "ancestry of " + named(p) + " as above")}
	}
	if len(t.drawn) >= drawnMax {
		clear(t.drawn)
	}
	t.drawn[idOf(p)] = now
	return t.tree(p, target)
}

func (t *tablePrinter) tree(p, target *event.Process) []string {
	var lines []string
	deep := 0
	for i := len(p.Ancestors) - 1; i >= 0; i-- {
		a := p.Ancestors[i]
		if a.PID == 0 {
			continue
		}
		lines = append(lines, t.branch(deep, nodeText(a, target)))
		deep++
	}
	return append(lines, t.branch(deep, t.leafText(p, target)))
}

func (t *tablePrinter) branch(deep int, text string) string {
	line := treeIndent
	if deep > 0 {
		line += strings.Repeat("   ", deep-1) + "└─ "
	}
	return t.colour.dim(t.cutEnd(line + text))
}

func nodeText(a, target *event.Process) string {
	text := fmt.Sprintf("%s(%d)", safetext.Quote(a.Comm), a.PID)
	if a.Dead {
		text += " [dead]"
	}
	return text + reparented(a) + elsewhere(a, target)
}

func reparented(p *event.Process) string {
	if !isTrue(p.Reparented) {
		return ""
	}
	if p.PresentParent == nil {
		return " [reparented]"
	}
	return fmt.Sprintf(" [reparented, now under %s]", nameAndPID(p.PresentParent))
}

// elsewhere names a container that is not the target's.
func elsewhere(p, target *event.Process) string {
	if p.Container == nil || target != nil && target.Container != nil && target.Container.ID == p.Container.ID {
		return ""
	}
	return " in " + placeOf(p)
}

func (t *tablePrinter) leafText(p, target *event.Process) string {
	text := named(p) + reparented(p) + elsewhere(p, target)
	if p.LoginUID != nil {
		text += fmt.Sprintf(", login uid %d", *p.LoginUID)
	}
	if p.SessionID != nil {
		text += fmt.Sprintf(", session %d", *p.SessionID)
	}
	args := p.Args
	if t.o.MaskArgs {
		args = safetext.Mask(args)
	}
	if len(args) > 0 {
		text += ": " + safetext.QuoteArgs(args)
	}
	return text
}

func (t *tablePrinter) wideLines(s *event.Signal) []string {
	var lines []string
	for _, part := range []struct {
		what string
		p    *event.Process
	}{{"target", s.Target}, {"sender", s.Sender}, {"trigger", s.Trigger}} {
		if part.p == nil {
			continue
		}
		lines = append(lines, treeIndent+part.what+" "+wideText(part.p))
	}
	return lines
}

func wideText(p *event.Process) string {
	text := named(p)
	if p.Exe != "" {
		text += " exe=" + safetext.Quote(p.Exe)
	}
	if p.UID != nil && p.EUID != nil {
		text += fmt.Sprintf(" uid=%d euid=%d", *p.UID, *p.EUID)
	}
	if p.StartTime != nil {
		text += " started=" + p.StartTime.UTC().Format(time.RFC3339Nano)
	}
	if p.Container != nil {
		text += " container=" + safetext.Quote(p.Container.ID)
	}
	if p.Cgroup != "" {
		text += " cgroup=" + safetext.Quote(p.Cgroup)
	}
	return text
}
