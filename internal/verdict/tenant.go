// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/phrase"
)

// What a tenant may read names processes of the host by their executables and pids
// only: a title (argv[0]) is a part of a command line.

// forTenant copies a death, as far as sentences are made of it, with the host's
// processes reduced to that.
func forTenant(d *event.Death, j *joined) (*event.Death, *joined) {
	dc, jc := *d, *j
	dc.Process, dc.Actor = asTenantSees(d.Process), asTenantSees(d.Actor)
	jc.actor, jc.tracedSender = asTenantSees(j.actor), asTenantSees(j.tracedSender)
	jc.deciding = signalForTenant(j.deciding)
	jc.first = jc.deciding
	if j.deciding == nil || j.first == nil || j.first.Signal != j.deciding.Signal {
		jc.first = signalForTenant(j.first)
	}
	if j.setOffBy != nil {
		other := *j.setOffBy
		other.process = asTenantSees(other.process)
		jc.setOffBy = &other
	}
	if j.oom != nil {
		o := *j.oom
		o.Trigger = asTenantSees(o.Trigger)
		if o.Victim != nil {
			v := *o.Victim
			v.Process = asTenantSees(v.Process)
			o.Victim = &v
		}
		jc.oom = &o
	}
	return &dc, &jc
}

func signalForTenant(n *noted) *noted {
	if n == nil {
		return nil
	}
	s := *n.Signal
	s.Sender, s.Trigger, s.Target = asTenantSees(s.Sender), asTenantSees(s.Trigger), asTenantSees(s.Target)
	return &noted{&s, n.act}
}

func asTenantSees(p *event.Process) *event.Process {
	if p == nil || p.Container != nil || p.Pod != nil {
		return p
	}
	return phrase.Untitled(p)
}
