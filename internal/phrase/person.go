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

// commandMax is how many characters of a command line a sentence can bear.
const commandMax = 120

// throughMax is how many ancestors a sentence names, the nearest ones.
const throughMax = 4

// Command is what a process was run as: "pkill -9 server".
func Command(p *event.Process, mask bool) string {
	args := p.Args
	if len(args) == 0 {
		return Process(p)
	}
	if mask {
		args = safetext.Mask(args)
	}
	args = append([]string{path.Base(args[0])}, args[1:]...)
	text := []rune(safetext.QuoteArgs(args))
	if len(text) > commandMax {
		text = append(text[:commandMax-1], '…')
	}
	return fmt.Sprintf("%s (pid %d)", string(text), p.PID)
}

// Person is the actor with who ran it, where, and from whence.
func Person(actor, dead *event.Process, mask bool) string {
	text := Command(actor, mask)
	if actor.UID != nil {
		text += fmt.Sprintf(", run by uid %d%s", *actor.UID, audit(actor))
	}
	switch {
	case proctree.SameContainer(actor, dead):
		text += " in the same container"
	case Container(actor) != "":
		text += " in " + Container(actor)
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

func through(p *event.Process) string {
	var comms []string
	for _, a := range proctree.Lineage(p) {
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
