// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/sigtrace/sigtrace/internal/advice"
	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/proctree"
)

// record writes the record of one death.
func (e *Engine) record(st *story) *event.Death {
	x := st.exit
	plantedFault(x, false)
	if x.Context || !e.wanted(st) {
		e.untold(x)
		return nil
	}
	j := e.join(st)
	f := &j.finding
	var group []*event.OOM
	if f.oom != nil && st.oom != nil {
		group = e.group(st.oom)
		if group != nil && !proctree.Same(speaker(group), st.process) {
			e.untold(x)
			return nil // folded into the speaker's record
		}
	}
	d := &event.Death{
		Header:  x.Header,
		ID:      DeathID(e.o.BootID, st.id.pid, st.id.start),
		Process: x.Process, Exit: x.Exit, Revision: 1,
		Cause: f.cause, Confidence: f.confidence, Actor: f.actor,
		Chain: f.chain(), OOM: f.oom, Memory: st.memory,
		RequestedBy: j.requestedBy, Requester: j.requester.Record(), KubernetesSays: e.kubernetesSays(st, f),
	}
	d.Type = event.TypeDeath
	d.Relation = proctree.Relate(f.actor, x.Process)
	d.Signals = sentTo(st)
	d.HandledSignals = st.handledSignals()
	d.Collateral = e.collateral(st, f, group)
	d.EventsLost = e.lostIn(st.since(), x.BoottimeNS+settle, x)
	d.ContainerSurvives = e.containerSurvives(st)
	if d.EventsLost > 0 && d.Cause == event.CauseExited {
		d.Confidence = event.Likely // a signal may be among what was lost
	}
	e.weaken(d, f, st.exit)
	notSeen(d, x)
	d.Evidence = append(evidence(st, f), j.words...)
	e.summarize(d, &j)
	d.Advice = advice.For(d)
	return d
}

// wanted is the contract's rule for which ends are deaths.
func (e *Engine) wanted(st *story) bool {
	return e.wantedByExit(st.exit) || e.handledEnd(st) != nil
}

// wantedByExit is the part of the rule that looks at nothing but the exit.
func (e *Engine) wantedByExit(x *event.Exit) bool {
	switch {
	case e.o.All, x.SignalNumber != 0, x.Seccomp != "":
		return true
	case e.o.TargetPID != 0 && x.Process.PID == e.o.TargetPID:
		return true
	}
	return proctree.IsInit(x.Process) || x.Init
}

// untold: an end that was judged and makes no record.
func (e *Engine) untold(x *event.Exit) {
	if e.o.Untold != nil {
		e.o.Untold(x.Process)
	}
}

// DeathID is the same whenever and by whomever it is computed; start is the
// process's, CLOCK_BOOTTIME in nanoseconds.
func DeathID(boot string, pid int, start uint64) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %d", boot, pid, start))
	return hex.EncodeToString(sum[:8])
}

func sentTo(st *story) []event.Sent {
	var list []event.Sent
	for _, s := range st.signals {
		if s.BoottimeNS > st.exit.BoottimeNS {
			break
		}
		if mayStop(s.Signal) && !st.asksToEnd(s.Signal) {
			continue // some other talk with its init
		}
		sent := event.Sent{
			Time: s.Time, BoottimeNS: s.BoottimeNS, Signal: s.Signal.Signal, Via: s.Via,
			Result: s.Result, Fatal: s.Fatal, Sender: bare(s.Sender), Trigger: bare(s.Trigger),
		}
		if n := len(list); n > 0 {
			gap := float64(s.BoottimeNS-list[n-1].BoottimeNS) / 1e9
			sent.GapSeconds = &gap
		}
		list = append(list, sent)
	}
	return list
}

func (e *Engine) collateral(st *story, f *finding, group []*event.OOM) *event.Collateral {
	if group != nil {
		c := &event.Collateral{}
		for _, o := range group {
			if !proctree.Same(o.Victim.Process, st.process) {
				c.Count++
				c.PIDs = append(c.PIDs, o.Victim.PID)
			}
		}
		return c
	}
	if a := e.acts.of(st.id, 9, event.ViaPidnsExit); a != nil {
		return a.all(st.id)
	}
	if f.deciding == nil {
		return nil
	}
	if c := f.deciding.act.others(st.id); c != nil || f.first == nil {
		return c
	}
	return f.first.act.others(st.id)
}
