// SPDX-License-Identifier: Apache-2.0

package phrase

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/proctree"
	"github.com/sigtrace/sigtrace/internal/safetext"
)

const (
	// commandMax is how many characters of a command line a sentence can bear.
	commandMax = 120
	// startersMax is how many ancestors a sentence names, the nearest ones.
	startersMax = 4
)

// Actor names the process to blame by what it is to the process that ended:
// "its parent, gunicorn (pid 12)". It never shows a command line.
func Actor(actor, target *event.Process) string {
	name := Name(actor)
	if proctree.SameContainer(actor, target) && proctree.IsInit(actor) && !proctree.Same(actor, target) {
		return "its container's init, " + name
	}
	switch proctree.Relate(actor, target) {
	case event.RelationSelf:
		return "itself"
	case event.RelationParent:
		return "its parent, " + name
	case event.RelationAncestor:
		return "its ancestor, " + name
	case event.RelationChild:
		return "its child, " + name
	case event.RelationSibling:
		return "its sibling, " + name
	case event.RelationSameContainer:
		return "another process of its container, " + name
	case event.RelationSamePod:
		return "a process of its pod's " + strings.TrimSuffix(Container(actor), podSuffix(actor)) + ", " + name
	case event.RelationOtherContainer:
		return "a process of " + Container(actor) + ", " + name
	}
	if target.Container != nil || target.Pod != nil {
		return "a process on the host, " + name
	}
	return name
}

func podSuffix(p *event.Process) string {
	if p.Pod == nil {
		return ""
	}
	return " of " + safetext.Quote(p.Pod.Namespace+"/"+p.Pod.Name)
}

// Origin says in a sentence of its own what the actor was run as, by whom, and
// from where: "bash (pid 7) ran bash -c … as root, started from login → bash." It is
// empty where none of this is known.
func Origin(actor *event.Process, mask bool) string {
	var parts []string
	if len(actor.Args) > 0 {
		parts = append(parts, "ran "+Command(actor, mask))
	}
	if actor.UID != nil {
		parts = append(parts, "as "+User(*actor.UID)+audit(actor))
	}
	if line := starters(actor); line != "" {
		parts = append(parts, "started from "+line)
	}
	if len(parts) == 0 {
		return ""
	}
	text := strings.Join(parts, " ")
	if i := strings.Index(text, " started from "); i > 0 {
		text = text[:i] + "," + text[i:]
	}
	return fmt.Sprintf("%s (pid %d) %s.", safetext.Quote(Program(actor)), actor.PID, verb(text))
}

// verb gives a sentence its predicate where no command line is known.
func verb(text string) string {
	if strings.HasPrefix(text, "ran ") {
		return text
	}
	return "ran " + text
}

// Command is what a process was run as, "pkill -9 server", with secrets masked
// if mask is set.
func Command(p *event.Process, mask bool) string {
	args := p.Args
	if mask {
		args = safetext.Mask(args)
	}
	args = append([]string{path.Base(args[0])}, args[1:]...)
	text := []rune(safetext.QuoteArgs(args))
	if len(text) > commandMax {
		text = append(text[:commandMax-1], '…')
	}
	return string(text)
}

// User names a uid.
func User(uid uint32) string {
	if uid == 0 {
		return "root"
	}
	return fmt.Sprintf("uid %d", uid)
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

// starters are the nearest ancestors, without what launches containers: that
// stands in the ancestry.
func starters(p *event.Process) string {
	var names []string
	for _, a := range proctree.Lineage(p) {
		if a.PID <= 1 || len(names) == startersMax {
			break
		}
		name := safetext.Quote(a.Comm)
		if launcher(a) || len(names) > 0 && names[len(names)-1] == name {
			continue
		}
		names = append(names, name)
	}
	slices.Reverse(names)
	return strings.Join(names, " → ")
}

func launcher(p *event.Process) bool {
	return proctree.IsMonitor(p) || strings.HasPrefix(p.Comm, "runc:[") || strings.HasPrefix(p.Comm, "containerd-shim")
}
