// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"encoding/binary"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sigtrace/sigtrace/internal/fuzzing"
)

// wire builds an event by hand, as bpf/event.h lays it out.
type wire struct{ b []byte }

func (w *wire) u8(v uint8) *wire   { w.b = append(w.b, v); return w }
func (w *wire) u16(v uint16) *wire { w.b = binary.LittleEndian.AppendUint16(w.b, v); return w }
func (w *wire) u32(v uint32) *wire { w.b = binary.LittleEndian.AppendUint32(w.b, v); return w }
func (w *wire) u64(v uint64) *wire { w.b = binary.LittleEndian.AppendUint64(w.b, v); return w }
func (w *wire) text(s string, n int) *wire {
	b := make([]byte, n)
	copy(b, s)
	w.b = append(w.b, b...)
	return w
}

func (w *wire) brief(comm string) *wire {
	w.u64(77).u64(5).u32(10).u32(11).u32(1).u32(99).u32(1000).u32(0).u32(UnsetID).u32(3)
	return w.u8(1).u8(1).u8(0).u8(0).u32(0x400).text(comm, commLen)
}

func (w *wire) place() *wire {
	return w.u64(4711).u32(8<<20 | 1).u32(1000).u32(40).u32(2).u32(51).u32(52).u32(0).u32(0).u32(1001).u32(0)
}

func (w *wire) node(comm string, flags uint8) *wire {
	return w.u64(3).u64(4).u32(1).u8(0).u8(flags).u16(0).text(comm, commLen)
}

func wantBrief(comm string) Brief {
	return Brief{Key: Key{10, 77}, Cgroup: 5, TID: 11, NSPID: 1, PIDNS: 99, UID: 1000, LoginUID: UnsetID, Session: 3, Hierarchy: 1, Traced: true, Flags: 0x400, Comm: comm}
}

func packet(kind uint8, body *wire) []byte {
	w := &wire{}
	w.u8(kind).u8(0).u16(0).u32(uint32(headerSize + len(body.b))).u64(123)
	return append(w.b, body.b...)
}

func TestDecode(t *testing.T) {
	sig := (&wire{}).u32(9).u32(0).u8(InfoReal).u8(1).u8(1).u8(2).u32(SignalFatal).u64(62).brief("pkill").brief("server")
	sig.u64(0xffffffff81000000).u64(0xffffffff81000010)
	proc := (&wire{}).brief("sh").u32(ProcExeDeleted).u32(3).u32(8).u32(0).place().node("gdb", 0).text("bash", pathSlotLen).text("", pathSlotLen).text("usr", pathSlotLen).text("bash\x00-c\x00", 8)
	chain := (&wire{}).u64(77).u32(10).u16(1).u16(1).node("systemd", 1)
	group := (&wire{}).u64(8).u8(1).u8(0).u16(4).u32(0).text("/a/b", 5)
	for name, c := range map[string]struct {
		in   []byte
		want any
	}{
		"signal": {packet(kindSignal, sig), &Signal{Boottime: 123, Signal: 9, Info: InfoReal, Result: 1, Init: true, Flags: SignalFatal, Syscall: 62, Current: wantBrief("pkill"), Target: wantBrief("server"), Frames: []uint64{0xffffffff81000000, 0xffffffff81000010}}},
		"proc": {packet(kindProc, proc), &Proc{Boottime: 123, Brief: wantBrief("sh"), ProcFlags: ProcExeDeleted, Exe: "/usr/bash (deleted)", Args: []string{"bash", "-c"},
			Place:  Place{ExeInode: 4711, ExeDevice: 8<<20 | 1, ExeOwner: 1000, MountNS: 40, UserNSLevel: 2, UserNS: [userNSKept]uint32{51, 52}, UserNSOwner: 1001},
			Tracer: Node{Key{1, 3}, 4, 0, false, "gdb"}}},
		"chain":  {packet(kindChain, chain), &Chain{Boottime: 123, Key: Key{10, 77}, Lineage: true, Nodes: []Node{{Key{1, 3}, 4, 0, true, "systemd"}}}},
		"cgroup": {packet(kindCgroup, group), &Cgroup{ID: 8, Hierarchy: 1, Path: "/a/b"}},
	} {
		got, err := Decode(c.in)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		for n := range len(c.in) - 1 {
			if _, err := Decode(c.in[:n]); !errors.Is(err, ErrShort) {
				t.Errorf("%s cut to %d bytes: %v, want ErrShort", name, n, err)
			}
		}
	}
}

func FuzzDecode(f *testing.F) {
	for kind := range uint8(kindCgroup + 2) {
		f.Add(packet(kind, (&wire{}).text("", 600)))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := Decode(b)
		if (e == nil) == (err == nil) {
			t.Fatalf("Decode = %v, %v", e, err)
		}
		if err == nil {
			fuzzing.Outcome(f.Name(), e)
		}
	})
}
