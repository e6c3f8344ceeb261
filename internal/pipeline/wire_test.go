// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"encoding/binary"

	"github.com/sigtrace/sigtrace/internal/tracer/wire"
)

// Raw events as bpf/event.h lays them out.

const (
	kindSignal  = 1
	kindDeliver = 2
	kindOOM     = 5
	kindExit    = 6
	kindCgroup  = 7
)

// task is a thread in a struct brief.
type task struct {
	pid    uint32
	cgroup uint64
}

type rawEvent struct{ b []byte }

func (r *rawEvent) u8(vs ...uint8) *rawEvent { r.b = append(r.b, vs...); return r }

func (r *rawEvent) u32(vs ...uint32) *rawEvent {
	for _, v := range vs {
		r.b = binary.LittleEndian.AppendUint32(r.b, v)
	}
	return r
}

func (r *rawEvent) u64(vs ...uint64) *rawEvent {
	for _, v := range vs {
		r.b = binary.LittleEndian.AppendUint64(r.b, v)
	}
	return r
}

func (r *rawEvent) text(s string, n int) *rawEvent {
	b := make([]byte, n)
	copy(b, s)
	r.b = append(r.b, b...)
	return r
}

// brief is a process that started at boot time 5; its threads are alike.
func (r *rawEvent) brief(t task) *rawEvent {
	r.u64(5, t.cgroup).u32(t.pid, t.pid, t.pid, 1, 0, 0, wire.UnsetID, 1)
	return r.u8(0, 0, 0, 0).u32(0).text("server", 16)
}

// rawOf adds the header; at is CLOCK_BOOTTIME in nanoseconds.
func rawOf(kind uint8, at uint64, body *rawEvent) []byte {
	h := (&rawEvent{}).u8(kind, 0, 0, 0).u32(uint32(16 + len(body.b))).u64(at)
	return append(h.b, body.b...)
}

func rawSignal(at uint64, number uint32, flags uint32, to task) []byte {
	body := (&rawEvent{}).u32(number, 0).u8(wire.InfoReal, 0, 0, 0).u32(flags).u64(62)
	return rawOf(kindSignal, at, body.brief(task{pid: 7}).brief(to))
}

// rawDeliver is the kernel's decision that a signal is fatal.
func rawDeliver(at, generated uint64, number uint32, to task) []byte {
	return rawOf(kindDeliver, at, (&rawEvent{}).u32(number, 0, 1, 0).u64(generated).brief(to))
}

func rawExit(at uint64, status uint32, of task) []byte {
	return rawOf(kindExit, at, (&rawEvent{}).u32(status, 0).u64(0, 0).brief(of).u32(0, 0))
}

func rawOOM(at uint64, victim task) []byte {
	body := (&rawEvent{}).u32(0, 0, 0, 0).u64(0, 0, 0, 0, 0, 0, 0).u32(0, 4096).u64(0)
	return rawOf(kindOOM, at, body.brief(victim).brief(task{}).u64(make([]uint64, 64)...))
}

func rawCgroup(id uint64, path string) []byte {
	body := (&rawEvent{}).u64(id).u8(0, 0, uint8(len(path)), uint8(len(path)>>8)).u32(0).text(path, len(path))
	return rawOf(kindCgroup, 1, body)
}
