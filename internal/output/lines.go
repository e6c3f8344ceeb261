// SPDX-License-Identifier: Apache-2.0

package output

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/phrase"
	"github.com/sigtrace/sigtrace/internal/safetext"
)

func (t *tablePrinter) oomLines(o *event.OOM) []string {
	var lines []string
	if !t.isParagraph() {
		lines = t.header()
	}
	var victim *event.Process
	if o.Victim != nil {
		victim = o.Victim.Process
	}
	how := o.Scope + " OOM"
	if o.LimitCgroup != "" {
		how += " at " + safetext.Quote(o.LimitCgroup)
	}
	if t.isParagraph() {
		return append(wrapped(fmt.Sprintf("%s OOM kill of %s: %s", t.time(o.Time), named(victim), how), t.o.Width), t.wrap(oomDetail(o))...)
	}
	lines = append(lines, t.colour.bad(t.cutEnd(t.row(t.time(o.Time), victim, "", "OOM", "kernel", how))))
	if detail := oomDetail(o); detail != "" {
		for _, l := range t.wrap(detail) {
			lines = append(lines, t.colour.dim(l))
		}
	}
	return lines
}

func oomDetail(o *event.OOM) string {
	var parts []string
	if o.LimitBytes != nil && o.UsageBytes != nil {
		level := ""
		if o.LimitLevel != "" {
			level = " (" + o.LimitLevel + ")"
		}
		parts = append(parts, fmt.Sprintf("limit %s%s, used %s", phrase.Bytes(*o.LimitBytes), level, phrase.Bytes(*o.UsageBytes)))
	}
	if o.Victim != nil && o.Victim.RSSBytes != nil {
		r := o.Victim.RSSBytes
		parts = append(parts, fmt.Sprintf("victim's memory %s (anon %s)", phrase.Bytes(r.Anon+r.File+r.Shmem), phrase.Bytes(r.Anon)))
	}
	if o.Trigger != nil && o.Victim != nil && idOf(o.Trigger) != idOf(o.Victim.Process) {
		parts = append(parts, "triggered by "+named(o.Trigger))
	}
	if o.Order != nil && *o.Order > 0 {
		parts = append(parts, fmt.Sprintf("%d contiguous pages asked for", 1<<*o.Order))
	}
	if isTrue(o.GroupKill) {
		parts = append(parts, "as a member of memory.oom.group")
	}
	return strings.Join(parts, "; ")
}

func (t *tablePrinter) exitLines(e *event.Exit) []string {
	lines := t.header()
	how := fmt.Sprintf("code %d", e.Exit.Code)
	if e.Exit.Signal != "" {
		how += " (" + e.Exit.Signal + ")"
	}
	if isTrue(e.Exit.CoreDumped) {
		how += ", core dumped"
	}
	return append(lines, t.cutEnd(t.row(t.time(e.Time), e.Process, "", "exit", how, "")))
}

// statusLines are one dim line on a terminal: what is missing. (What serves
// instead of another is not.)
func (t *tablePrinter) statusLines(s *event.Status) []string {
	if t.o.Width == 0 || t.watching {
		return nil
	}
	t.watching = true
	var missing []string
	for _, name := range slices.Sorted(maps.Keys(s.Hooks)) {
		if s.Hooks[name] != "attached" && !strings.HasPrefix(name, "oom_kill_process") && name != "tp_btf" {
			missing = append(missing, name)
		}
	}
	text := "watching " + s.Kernel + ", cgroups " + s.CgroupMode + "; Ctrl-C ends"
	if len(missing) > 0 {
		text += "; not attached: " + strings.Join(missing, ", ") + " (see sigtrace check)"
	}
	return []string{t.colour.dim(t.cutEnd(safetext.Quote(text)))}
}
