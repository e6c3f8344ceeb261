// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/safetext"
)

// named is comm(pid), fit for a terminal.
func named(p *event.Process) string {
	if p == nil {
		return "a process"
	}
	if !p.PIDKnown() {
		return cmp.Or(containerName(p), "a process")
	}
	return fmt.Sprintf("%s(%d)", safetext.Quote(p.Comm), p.PID)
}

// subject is what died, as its operator would call it.
func subject(p *event.Process) string {
	where := containerName(p)
	switch {
	case where != "" && isInit(p):
		return where
	case where != "":
		return named(p) + " in " + where
	case p.Unit != "":
		return named(p) + " of " + safetext.Quote(p.Unit)
	}
	return named(p)
}

// containerName is "container app of shop/web-0", or "" on the host.
func containerName(p *event.Process) string {
	pod := ""
	if p.Pod != nil && p.Pod.Name != "" {
		pod = safetext.Quote(p.Pod.Namespace + "/" + p.Pod.Name)
	}
	switch {
	case p.Container == nil && pod != "":
		return "pod " + pod
	case p.Container == nil:
		return ""
	case p.Container.Name != "" && pod != "":
		return "container " + safetext.Quote(p.Container.Name) + " of " + pod
	case p.Container.Name != "":
		return "container " + safetext.Quote(p.Container.Name)
	case pod != "":
		return "the sandbox of " + pod
	}
	return "container " + safetext.Quote(short(p.Container.ID))
}

func short(id string) string { return id[:min(len(id), 12)] }

// commandMax is how much of a command line a sentence can bear.
const commandMax = 120

// command is what a process was run as: "pkill -9 server".
func (e *Engine) command(p *event.Process) string {
	args := p.Args
	if len(args) == 0 {
		return named(p)
	}
	if e.o.MaskArgs {
		args = safetext.Mask(args)
	}
	args = append([]string{path.Base(args[0])}, args[1:]...)
	text := []rune(safetext.QuoteArgs(args))
	if len(text) > commandMax {
		text = append(text[:commandMax-1], '…')
	}
	return fmt.Sprintf("%s (pid %d)", string(text), p.PID)
}

// person is the actor with who ran it, where, and from whence.
func (e *Engine) person(actor, dead *event.Process) string {
	text := e.command(actor)
	if actor.UID != nil {
		text += fmt.Sprintf(", run by uid %d%s", *actor.UID, audit(actor))
	}
	switch {
	case sameContainer(actor, dead):
		text += " in the same container"
	case containerName(actor) != "":
		text += " in " + containerName(actor)
	case dead.Container != nil || dead.Pod != nil:
		text += " on the host"
	}
	if line := through(actor); line != "" {
		text += " through " + line
	}
	return text
}

func audit(p *event.Process) string {
	switch {
	case p.LoginUID != nil && p.SessionID != nil:
		return fmt.Sprintf(" (login uid %d, audit session %d)", *p.LoginUID, *p.SessionID)
	case p.LoginUID != nil:
		return fmt.Sprintf(" (login uid %d)", *p.LoginUID)
	}
	return ""
}

// throughMax is how many ancestors a sentence names: the nearest tell most.
const throughMax = 4

func through(p *event.Process) string {
	var comms []string
	for _, a := range lineage(p) {
		if a.PID <= 1 || len(comms) == throughMax {
			break
		}
		name := safetext.Quote(a.Comm)
		if len(comms) == 0 || comms[len(comms)-1] != name {
			comms = append(comms, name)
		}
	}
	slices.Reverse(comms)
	return strings.Join(comms, " → ")
}

func also(c *event.Collateral) string {
	switch {
	case c == nil || c.Count == 0:
		return ""
	case c.Count == 1:
		return " and 1 other"
	}
	return fmt.Sprintf(" and %d others", c.Count)
}

// OOMText tells one OOM kill: the limit, its level, the victim's memory.
func OOMText(o *event.OOM) string {
	var parts []string
	switch o.Scope {
	case "cgroup":
		parts = append(parts, limitText(o))
	case "sysrq":
		parts = append(parts, "asked for by sysrq-f")
	case "cpuset", "mempolicy":
		parts = append(parts, "no memory left on the nodes that its "+o.Scope+" allows")
	default:
		parts = append(parts, shortage(o))
	}
	if v := o.Victim; v != nil && v.RSSBytes != nil {
		parts = append(parts, fmt.Sprintf("its memory: %s anonymous, %s files, %s shared",
			Bytes(v.RSSBytes.Anon), Bytes(v.RSSBytes.File), Bytes(v.RSSBytes.Shmem)))
	}
	if o.Trigger != nil && o.Victim != nil && !same(o.Trigger, o.Victim.Process) && o.Scope != "sysrq" {
		parts = append(parts, "the allocation was "+named(o.Trigger)+"'s")
	}
	return strings.Join(parts, "; ")
}

func limitText(o *event.OOM) string {
	text := "the memory limit"
	if o.LimitBytes != nil {
		text += " of " + Bytes(*o.LimitBytes)
	}
	switch {
	case o.LimitLevel != "" && o.LimitCgroup != "":
		text += fmt.Sprintf(" of %s %s", levelText(o.LimitLevel), safetext.Quote(o.LimitCgroup))
	case o.LimitCgroup != "":
		text += " of cgroup " + safetext.Quote(o.LimitCgroup)
	}
	text += " was hit"
	if o.UsageBytes != nil {
		text += " (" + Bytes(*o.UsageBytes) + " in use)"
	}
	return text
}

func levelText(level string) string {
	switch level {
	case "container", "pod", "service", "slice", "node":
		return "the " + level + "'s cgroup"
	case "qos":
		return "the QoS class's cgroup"
	}
	return "cgroup"
}

func shortage(o *event.OOM) string {
	if o.Order == nil || *o.Order <= 0 {
		return "the node was out of memory"
	}
	if frag := fragmented(o); frag != "" {
		return frag
	}
	return fmt.Sprintf("the node found no %d contiguous pages (order %d)", 1<<*o.Order, *o.Order)
}

// fragmented says that memory was there and only too scattered: blocks free
// below the order that was asked for, none at it or above.
func fragmented(o *event.OOM) string {
	n := *o.Order
	if n >= len(o.FreePagesByOrder) {
		return ""
	}
	var pages uint64
	for order, blocks := range o.FreePagesByOrder {
		if order >= n && blocks > 0 {
			return ""
		}
		pages += blocks << order
	}
	if pages == 0 {
		return ""
	}
	return fmt.Sprintf("memory was fragmented: %d contiguous pages (order %d) were asked for, and %d free pages lay in smaller blocks only", 1<<n, n, pages)
}

// Bytes shows a size for people, in powers of 1024.
func Bytes(n uint64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}
	f, i := float64(n), 0
	for f >= 1024 && i < len(units)-1 {
		f /= 1024
		i++
	}
	if i == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", f, units[i])
}
