// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"testing"
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
)

// A system OOM kill is printed with what the log has on it, once, and without where
// the log has nothing; a cgroup's is printed at once.
func TestOOMAwaitsTheLog(t *testing.T) {
	oom := func(pid int, scope string) *event.OOM {
		return &event.OOM{Header: event.Header{Type: event.TypeOOM}, Scope: scope, Victim: &event.Victim{Process: &event.Process{PID: pid}}}
	}
	out := &sink{}
	p := New(nil, nil, nil, nil, out, Options{
		Filter: Filter{Types: map[event.Type]bool{event.TypeOOM: true}},
		Feeds:  Feeds{KernelLog: make(chan *event.KernelOOM)},
		JoinLog: func(o *event.OOM, k *event.KernelOOM) *event.OOM {
			c := *o
			c.FreePagesByOrder = k.FreeBlocks
			return &c
		},
	})
	take := func(o *event.OOM) {
		if err := p.emit(o, false); err != nil {
			t.Fatal(err)
		}
	}
	for _, o := range []*event.OOM{oom(1, "cgroup"), oom(2, "system"), oom(3, "system")} {
		take(o)
	}
	if len(out.events) != 1 {
		t.Fatalf("%d printed at once, want the cgroup's alone", len(out.events))
	}
	for _, k := range []*event.KernelOOM{{PID: 3, FreeBlocks: []uint64{7}}, {PID: 9, FreeBlocks: []uint64{8}}} {
		if err := p.kernelLog(k); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.printAll(p.ooms.expired(time.Now())); err != nil || len(out.events) != 2 {
		t.Fatalf("%v, %d printed", err, len(out.events))
	}
	if err := p.printAll(p.ooms.expired(time.Now().Add(logWait))); err != nil || len(out.events) != 3 {
		t.Fatalf("%v, %d printed", err, len(out.events))
	}
	with, without := out.events[1].(*event.OOM), out.events[2].(*event.OOM)
	if with.Victim.PID != 3 || len(with.FreePagesByOrder) != 1 || without.Victim.PID != 2 || without.FreePagesByOrder != nil {
		t.Errorf("with the log %+v, without %+v", with, without)
	}
	take(oom(9, "system")) // the log was there before
	if len(out.events) != 4 || len(out.events[3].(*event.OOM).FreePagesByOrder) != 1 {
		t.Errorf("%+v", out.events)
	}
}
