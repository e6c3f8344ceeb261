// SPDX-License-Identifier: Apache-2.0

package probe

import (
	"reflect"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"github.com/sigtrace/sigtrace/internal/event"
)

// The decoder of internal/event is written by hand. Here it reads structs as the
// compiler laid them out in C (bpf2go declares them), each field with a value of its
// own: one at another offset, or of another size, gives other values.

func TestDecodeReadsWhatCLaysOut(t *testing.T) {
	for kind, c := range map[typedEventKind]func() (raw []byte, want any){
		typedEventKindEVENT_SIGNAL:  wireSignal,
		typedEventKindEVENT_DELIVER: wireDeliver,
		typedEventKindEVENT_PROC:    wireProc,
		typedEventKindEVENT_CHAIN:   wireChain,
		typedEventKindEVENT_OOM:     wireOOM,
		typedEventKindEVENT_EXIT:    wireExit,
		typedEventKindEVENT_CGROUP:  wireCgroup,
	} {
		raw, want := c()
		h := (*typedEventHeader)(unsafe.Pointer(&raw[0]))
		h.Kind, h.Size = uint8(kind), uint32(len(raw))
		got, err := event.Decode(raw)
		if err != nil {
			t.Errorf("kind %d: %v", kind, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("kind %d: %s", kind, diff)
		}
	}
}

// filled is a T of which every number differs from its neighbours.
func filled[T any]() *T {
	v, n := new(T), uint64(1)
	fill(reflect.ValueOf(v).Elem(), &n)
	return v
}

func fill(v reflect.Value, n *uint64) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Name != "_" {
				fill(v.Field(i), n)
			}
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	case reflect.Int8: // a character
		v.SetInt(int64('a' + *n%26))
		*n++
	case reflect.Int32, reflect.Int64:
		v.SetInt(-int64(*n<<(v.Type().Bits()-16) + *n))
		*n++
	default:
		v.SetUint(*n<<(v.Type().Bits()-8) | *n)
		*n++
	}
}

func bytesIn[T any](v *T) []byte {
	return append([]byte(nil), unsafe.Slice((*byte)(unsafe.Pointer(v)), unsafe.Sizeof(*v))...)
}

func briefOf(b typedBrief) event.Brief {
	return event.Brief{
		Key: event.Key{TGID: b.Tgid, Start: b.Start}, Cgroup: b.Cgroup, TID: b.Tid, NSPID: b.NsPid, PIDNS: b.Pidns,
		UID: b.Uid, EUID: b.Euid, LoginUID: b.LoginUid, Session: b.SessionId,
		Hierarchy: b.Hierarchy, Flags: b.Flags, Comm: cString(b.Comm[:]),
	}
}

func wireSignal() ([]byte, any) {
	s := filled[typedEventSignalStack]()
	s.S.FramesUsed = uint8(len(s.Frames))
	return bytesIn(s), signalOf(s)
}

func signalOf(s *typedEventSignalStack) *event.RawSignal {
	return &event.RawSignal{
		Boottime: s.S.H.Boottime, Generation: s.S.H.Generation, Signal: int(s.S.Sig), Code: int(s.S.Code),
		Info: s.S.Info, Result: s.S.Result, Init: s.S.TargetInit != 0, Flags: s.S.Flags, Syscall: s.S.Syscall,
		Current: briefOf(s.S.Current), Target: briefOf(s.S.Target), Frames: s.Frames[:],
	}
}

func wireDeliver() ([]byte, any) {
	d := filled[typedEventDeliver]()
	return bytesIn(d), &event.RawDeliver{
		Boottime: d.H.Boottime, Signal: int(d.Sig), Code: int(d.Code), Fatal: d.Fatal != 0,
		Generated: d.Generated, Target: briefOf(d.Target),
	}
}

func wireProc() ([]byte, any) {
	p := filled[typedEventProc]()
	p.ExeSlots, p.ArgsLen, p.Flags = 0, 4, uint32(typedProcFlagPROC_SNAPSHOT)
	return append(bytesIn(p), "a\x00b\x00"...), &event.RawProc{
		Boottime: p.H.Boottime, Brief: briefOf(p.B), ProcFlags: event.ProcSnapshot, Args: []string{"a", "b"},
	}
}

func wireChain() ([]byte, any) {
	c, n := filled[typedEventChain](), filled[typedChainNode]()
	c.Which, c.Nodes, n.Flags = uint16(typedChainKindCHAIN_LINEAGE), 1, uint8(typedNodeFlagNODE_EXITED)
	return append(bytesIn(c), bytesIn(n)...), &event.RawChain{
		Key: event.Key{TGID: c.Tgid, Start: c.Start}, Boottime: c.H.Boottime, Lineage: true,
		Nodes: []event.Node{{
			Key: event.Key{TGID: n.Tgid, Start: n.Start}, Cgroup: n.Cgroup, Hierarchy: n.Hierarchy,
			Dead: true, Comm: cString(n.Comm[:]),
		}},
	}
}

func wireOOM() ([]byte, any) {
	o := filled[typedEventOom]()
	return bytesIn(o), oomOf(o)
}

func oomOf(o *typedEventOom) *event.RawOOM {
	return &event.RawOOM{
		Boottime: o.H.Boottime, Flags: o.Flags, Constraint: o.Constraint, Order: o.Order, GFPMask: o.GfpMask,
		LimitCgroup: o.LimitCgroup, LimitPages: o.LimitPages, UsePages: o.UsagePages,
		File: o.RssFile, Anon: o.RssAnon, Swap: o.RssSwap, Shmem: o.RssShmem,
		ScoreAdj: o.OomScoreAdj, PageSize: o.PageSize, TotalPages: o.TotalPages,
		Victim: briefOf(o.Victim), Trigger: briefOf(o.Trigger), Frames: o.Frames[:],
	}
}

func wireExit() ([]byte, any) {
	e := filled[typedEventExit]()
	return bytesIn(e), exitOf(e)
}

func exitOf(e *typedEventExit) *event.RawExit {
	return &event.RawExit{
		Boottime: e.H.Boottime, Status: e.Status, Flags: e.Flags, MaxRSSPages: e.MaxRssPages,
		Pending: e.Pending, Process: briefOf(e.B),
	}
}

func wireCgroup() ([]byte, any) {
	c := filled[typedEventCgroup]()
	c.What, c.PathLen = uint8(typedCgroupChangeCGROUP_REMOVED), 5
	raw := bytesIn(c)[:unsafe.Offsetof(c.Path)+5]
	return raw, &event.RawCgroup{ID: c.Id, Hierarchy: c.Hierarchy, Removed: true, Path: cString(c.Path[:5])}
}

func TestDecodeKeptReadsWhatCLaysOut(t *testing.T) {
	d := filled[typedKeptDeath]()
	d.Exit.H.Kind, d.Levels = uint8(typedEventKindEVENT_EXIT), 2
	d.Cgroup[0][4], d.Cgroup[1][6] = 0, 0
	d.Process.Exe[5], d.Process.ArgsLen, d.Process.ArgsTruncated, d.Process.Known = 0, 7, 0, 1
	d.Story.Oom.H.Kind = uint8(typedEventKindEVENT_OOM)
	want := &event.RawKept{
		Exit:   exitOf(&d.Exit),
		Cgroup: "/" + cString(d.Cgroup[1][:]) + "/" + cString(d.Cgroup[0][:]),
		Process: event.KeptProcess{
			Known: true, Forker: event.Key{TGID: d.Process.ForkerTgid, Start: d.Process.ForkerStart},
			Exe: cString(d.Process.Exe[:]), Args: []string{cString(d.Process.Args[:7])},
		},
		RawStory: event.RawStory{OOM: oomOf(&d.Story.Oom)},
	}
	for i := range d.Story.Signals {
		s := &d.Story.Signals[i]
		s.Event.S.H.Kind, s.Event.S.FramesUsed, s.Event.S.H.Boottime = uint8(typedEventKindEVENT_SIGNAL), uint8(len(s.Event.Frames)), uint64(i)
		s.Sender.Known, s.Sender.ArgsLen = 1, 0
		want.Signals = append(want.Signals, event.KeptSignal{
			RawSignal: signalOf(&s.Event),
			Sender: event.KeptProcess{
				Known: true, Forker: event.Key{TGID: s.Sender.ForkerTgid, Start: s.Sender.ForkerStart},
				Exe: cString(s.Sender.Exe[:]), ArgsTruncated: s.Sender.ArgsTruncated != 0,
			},
		})
	}
	got, err := event.DecodeKept(bytesIn(d))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// The flags and lists that userspace has constants of, and the C names of them.
func TestWireConstants(t *testing.T) {
	for name, c := range map[string][2]uint32{
		"signal fatal":      {event.SignalFatal, uint32(typedSignalFlagSIGNAL_FATAL)},
		"signal undecided":  {event.SignalUndecided, uint32(typedSignalFlagSIGNAL_UNDECIDED)},
		"signal matters":    {event.SignalMatters, uint32(typedSignalFlagSIGNAL_MATTERS)},
		"signal group":      {event.SignalGroup, uint32(typedSignalFlagSIGNAL_GROUP)},
		"signal context":    {event.SignalContext, uint32(typedSignalFlagSIGNAL_CONTEXT)},
		"signal traced":     {event.SignalTraced, uint32(typedSignalFlagSIGNAL_TRACED)},
		"signal pdeath":     {event.SignalPdeath, uint32(typedSignalFlagSIGNAL_PDEATH)},
		"signal handled":    {event.SignalHandled, uint32(typedSignalFlagSIGNAL_HANDLED)},
		"signal blocked":    {event.SignalBlocked, uint32(typedSignalFlagSIGNAL_BLOCKED)},
		"signal compat":     {event.SignalCompat, uint32(typedSignalFlagSIGNAL_COMPAT)},
		"signal unseen":     {event.SignalUnseen, uint32(typedSignalFlagSIGNAL_UNSEEN)},
		"signal survived":   {event.SignalSurvived, uint32(typedSignalFlagSIGNAL_SURVIVED)},
		"signal outside":    {event.SignalOutside, uint32(typedSignalFlagSIGNAL_OUTSIDE)},
		"info none":         {event.InfoNone, uint32(typedInfoKindINFO_NONE)},
		"info priv":         {event.InfoPriv, uint32(typedInfoKindINFO_PRIV)},
		"info real":         {event.InfoReal, uint32(typedInfoKindINFO_REAL)},
		"args truncated":    {event.ProcArgsTruncated, uint32(typedProcFlagPROC_ARGS_TRUNCATED)},
		"args of last exec": {event.ProcSnapshot, uint32(typedProcFlagPROC_SNAPSHOT)},
		"exe deleted":       {event.ProcExeDeleted, uint32(typedProcFlagPROC_EXE_DELETED)},
		"no args":           {event.ProcNoArgs, uint32(typedProcFlagPROC_NO_ARGS)},
		"oom has control":   {event.OOMHasControl, uint32(typedOomFlagOOM_HAS_CONTROL)},
		"oom group":         {event.OOMGroup, uint32(typedOomFlagOOM_GROUP)},
		"oom limit found":   {event.OOMLimitFound, uint32(typedOomFlagOOM_LIMIT_FOUND)},
		"oom context":       {event.OOMContext, uint32(typedOomFlagOOM_CONTEXT)},
		"exit oom mark":     {event.ExitOOMMark, uint32(typedExitFlagEXIT_OOM_MARK)},
		"exit init":         {event.ExitInit, uint32(typedExitFlagEXIT_INIT)},
		"exit context":      {event.ExitContext, uint32(typedExitFlagEXIT_CONTEXT)},
		"exit asked":        {event.ExitAsked, uint32(typedExitFlagEXIT_ASKED)},
		"seccomp strict":    {event.ExitSeccompStrict, uint32(typedExitFlagEXIT_SECCOMP_STRICT)},
		"seccomp filter":    {event.ExitSeccompFilter, uint32(typedExitFlagEXIT_SECCOMP_FILTER)},
		"seccomp dead":      {event.ExitSeccompDead, uint32(typedExitFlagEXIT_SECCOMP_DEAD)},
	} {
		if c[0] != c[1] {
			t.Errorf("%s: %#x in internal/event, %#x in bpf/event.h", name, c[0], c[1])
		}
	}
}

// Every slot of the kernel's loss counters is read, as a loss of its own.
func TestRingLosses(t *testing.T) {
	spec, err := loadTyped()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[Loss]bool{}
	for _, l := range ringLosses() {
		if l.Lane == "" || l.Reason == "" || seen[l] {
			t.Errorf("a slot without a loss of its own: %+v", l)
		}
		seen[l] = true
	}
	if n := int(spec.Maps["losses"].MaxEntries); n != len(seen) {
		t.Errorf("the map has %d slots, %d are read", n, len(seen))
	}
}
