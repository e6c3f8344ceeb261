// SPDX-License-Identifier: Apache-2.0

package phrase

import (
	"cmp"
	"fmt"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/proctree"
	"github.com/sigtrace/sigtrace/internal/safetext"
)

// Process is comm(pid), fit for a terminal.
func Process(p *event.Process) string {
	if p == nil {
		return "a process"
	}
	if !p.PIDKnown() {
		return cmp.Or(Container(p), "a process")
	}
	return fmt.Sprintf("%s(%d)", safetext.Quote(p.Comm), p.PID)
}

// Subject is what died, as its operator would call it.
func Subject(p *event.Process) string {
	where := Container(p)
	switch {
	case where != "" && proctree.IsInit(p):
		return where
	case where != "":
		return Process(p) + " in " + where
	case p.Unit != "":
		return Process(p) + " of " + safetext.Quote(p.Unit)
	}
	return Process(p)
}

// Container is "container app of shop/web-0", or "" on the host.
func Container(p *event.Process) string {
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
	return "container " + safetext.Quote(ShortID(p.Container.ID))
}

func ShortID(id string) string { return id[:min(len(id), 12)] }
