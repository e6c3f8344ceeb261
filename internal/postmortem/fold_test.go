// SPDX-License-Identifier: Apache-2.0

package postmortem

import (
	"testing"
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
)

// A pod's container comes first, with its processes and its sandbox under it; what
// died for a reason of its own stays.
func TestFoldOfAPod(t *testing.T) {
	start := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	pod := &event.Pod{Namespace: "shop", Name: "web-0", UID: "u"}
	death := func(pid int, after time.Duration, container string, init bool, cause event.Cause) Past {
		d := &event.Death{
			Header: event.Header{Type: event.TypeDeath, Time: start.Add(after)}, ID: string(rune('a' + pid)), Revision: 1, Cause: cause,
			Process: &event.Process{PID: pid, Pod: pod, Container: &event.Container{ID: "c" + container, Name: container, Init: &init}},
		}
		return Past{Death: d}
	}
	r := &reading{q: Query{Fold: true, Target: Target{text: "shop/web-0", namespace: "shop", pod: "web-0"}, Last: 2}, h: &History{}}
	r.h.Deaths = []Past{
		death(1, 20*time.Second, "", true, event.CausePodDeleted), // the sandbox
		death(2, 0, "app", true, event.CausePodDeleted),
		death(3, -5*time.Second, "app", false, event.CauseCgroupOOM),
	}
	for i := range 15 {
		r.h.Deaths = append(r.h.Deaths, death(10+i, time.Millisecond, "app", false, event.CausePIDNamespaceEnded))
	}
	r.finish()
	h := r.h
	if len(h.Deaths) != 2 || h.Deaths[0].Death.Process.PID != 2 || len(h.Deaths[0].With) != 16 || h.Deaths[1].Death.Process.PID != 3 || h.More != 0 {
		t.Errorf("%d deaths, %d more: %+v", len(h.Deaths), h.More, h.Deaths)
	}
}
