// SPDX-License-Identifier: Apache-2.0

package tracer

import (
	"reflect"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"github.com/sigtrace/sigtrace/internal/tracer/wire"
)

// The decoder of internal/tracer/wire is written by hand. Here it reads structs as the
// compiler laid them out in C (bpf2go declares them), each field with a value of its
// own: one at another offset, or of another size, gives other values.

func TestDecodeReadsWhatCLaysOut(t *testing.T) {
	for _, c := range []struct {
		kind typedEventKind
		of   func() (raw []byte, want any)
	}{
		{typedEventKindEVENT_SIGNAL, wireSignal},
		{typedEventKindEVENT_SIGNAL, wireNoted},
		{typedEventKindEVENT_DELIVER, wireDeliver},
		{typedEventKindEVENT_PROC, wireProc},
		{typedEventKindEVENT_CHAIN, wireChain},
		{typedEventKindEVENT_OOM, wireOOM},
		{typedEventKindEVENT_EXIT, wireExit},
		{typedEventKindEVENT_CGROUP, wireCgroup},
	} {
		raw, want := c.of()
		h := (*typedEventHeader)(unsafe.Pointer(&raw[0]))
		h.Kind, h.Size = uint8(c.kind), uint32(len(raw))
		got, err := wire.Decode(raw)
		if err != nil {
			t.Errorf("kind %d: %v", c.kind, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("kind %d: %s", c.kind, diff)
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

func briefOf(b typedBrief) wire.Brief {
	return wire.Brief{
		Key: wire.Key{TGID: b.Tgid, Start: b.Start}, Cgroup: b.Cgroup, TID: b.Tid, NSPID: b.NsPid, PIDNS: b.Pidns,
		UID: b.Uid, EUID: b.Euid, LoginUID: b.LoginUid, Session: b.SessionId,
		Hierarchy: b.Hierarchy, Traced: b.Traced != 0, Flags: b.Flags, Comm: cString(b.Comm[:]),
	}
}

func wireSignal() ([]byte, any) {
	s := filled[typedEventSignalStack]()
	s.S.FramesUsed = uint8(len(s.Frames))
	return bytesIn(s), signalOf(s)
}

func signalOf(s *typedEventSignalStack) *wire.Signal {
	return &wire.Signal{
		Boottime: s.S.H.Boottime, Generation: s.S.H.Generation, Signal: int(s.S.Sig), Code: int(s.S.Code),
		Info: s.S.Info, Result: s.S.Result, Init: s.S.TargetInit != 0, Flags: s.S.Flags, Syscall: s.S.Syscall,
		Current: briefOf(s.S.Current), Target: briefOf(s.S.Target), Frames: s.Frames[:],
	}
}

func wireNoted() ([]byte, any) {
	n := filled[typedEventSignalNoted]()
	n.S.Flags |= uint32(typedSignalFlagSIGNAL_NOTED)
	n.S.FramesUsed, n.Sender.Known, n.Sender.ArgsLen = 0, 1, 0
	want := signalOf(&typedEventSignalStack{S: n.S})
	want.Frames = nil
	want.Address = n.Address
	want.Sender = wire.KeptProcess{
		Known: true, Forker: wire.Key{TGID: n.Sender.ForkerTgid, Start: n.Sender.ForkerStart},
		Exe: cString(n.Sender.Exe[:]), ArgsTruncated: n.Sender.ArgsTruncated != 0,
	}
	return bytesIn(n), want
}

func wireDeliver() ([]byte, any) {
	d := filled[typedEventDeliver]()
	return bytesIn(d), &wire.Deliver{
		Boottime: d.H.Boottime, Signal: int(d.Sig), Code: int(d.Code), Fatal: d.Fatal != 0,
		Generated: d.Generated, Target: briefOf(d.Target),
	}
}

func wireProc() ([]byte, any) {
	p := filled[typedEventProc]()
	p.ExeSlots, p.ArgsLen, p.Flags = 0, 4, uint32(typedProcFlagPROC_SNAPSHOT)
	p.Tracer.Flags = 0
	return append(bytesIn(p), "a\x00b\x00"...), &wire.Proc{
		Boottime: p.H.Boottime, Brief: briefOf(p.B), ProcFlags: wire.ProcSnapshot, Args: []string{"a", "b"},
		Place:  placeOf(p.Place),
		Tracer: nodeOf(p.Tracer),
	}
}

func wireChain() ([]byte, any) {
	c, n := filled[typedEventChain](), filled[typedChainNode]()
	c.Which, c.Nodes, n.Flags = uint16(typedChainKindCHAIN_LINEAGE), 1, uint8(typedNodeFlagNODE_EXITED)
	return append(bytesIn(c), bytesIn(n)...), &wire.Chain{
		Key: wire.Key{TGID: c.Tgid, Start: c.Start}, Boottime: c.H.Boottime, Lineage: true,
		Nodes: []wire.Node{nodeOf(*n)},
	}
}

func nodeOf(n typedChainNode) wire.Node {
	return wire.Node{
		Key: wire.Key{TGID: n.Tgid, Start: n.Start}, Cgroup: n.Cgroup, Hierarchy: n.Hierarchy,
		Dead: n.Flags&uint8(typedNodeFlagNODE_EXITED) != 0, Comm: cString(n.Comm[:]),
	}
}

func wireOOM() ([]byte, any) {
	o := filled[typedEventOom]()
	return bytesIn(o), oomOf(o)
}

func oomOf(o *typedEventOom) *wire.OOM {
	return &wire.OOM{
		Boottime: o.H.Boottime, Flags: o.Flags, Constraint: o.Constraint, Order: o.Order, GFPMask: o.GfpMask,
		LimitCgroup: o.LimitCgroup, LimitPages: o.LimitPages, UsePages: o.UsagePages,
		File: o.RssFile, Anon: o.RssAnon, Swap: o.RssSwap, Shmem: o.RssShmem,
		ScoreAdj: o.OomScoreAdj, PageSize: o.PageSize, TotalPages: o.TotalPages,
		Victim: briefOf(o.Victim), Trigger: briefOf(o.Trigger), Frames: o.Frames[:],
	}
}

func wireExit() ([]byte, any) {
	e := filled[typedEventExitCaller]()
	want := exitOf(&e.X)
	want.CallerTID = e.CallerTid
	return bytesIn(e), want
}

func exitOf(e *typedEventExit) *wire.Exit {
	return &wire.Exit{
		Boottime: e.H.Boottime, Status: e.Status, Flags: e.Flags, MaxRSSPages: e.MaxRssPages,
		Pending: e.Pending, Process: briefOf(e.B),
	}
}

func wireCgroup() ([]byte, any) {
	c := filled[typedEventCgroup]()
	c.What, c.PathLen = uint8(typedCgroupChangeCGROUP_REMOVED), 5
	raw := bytesIn(c)[:unsafe.Offsetof(c.Path)+5]
	return raw, &wire.Cgroup{ID: c.Id, Hierarchy: c.Hierarchy, Removed: true, Path: cString(c.Path[:5])}
}

func TestDecodeKeptReadsWhatCLaysOut(t *testing.T) {
	d := filled[typedKeptDeath]()
	d.Exit.H.Kind, d.Levels = uint8(typedEventKindEVENT_EXIT), 2
	d.Cgroup[0][4], d.Cgroup[1][6] = 0, 0
	d.Process.Exe[5], d.Process.ArgsLen, d.Process.ArgsTruncated, d.Process.Known = 0, 7, 0, 1
	d.Story.Oom.H.Kind = uint8(typedEventKindEVENT_OOM)
	want := &wire.Kept{
		Exit:   exitOf(&d.Exit),
		Cgroup: "/" + cString(d.Cgroup[1][:]) + "/" + cString(d.Cgroup[0][:]),
		Process: wire.KeptProcess{
			Known: true, Forker: wire.Key{TGID: d.Process.ForkerTgid, Start: d.Process.ForkerStart},
			Exe: cString(d.Process.Exe[:]), Args: []string{cString(d.Process.Args[:7])},
		},
		Attempts: wire.Attempts{Begun: uint8(d.Pad), Made: uint8(d.Pad >> 8)},
		Story:    wire.Story{OOM: oomOf(&d.Story.Oom)},
	}
	for i := range d.Story.Signals {
		s := &d.Story.Signals[i]
		s.Event.S.H.Kind, s.Event.S.FramesUsed, s.Event.S.H.Boottime = uint8(typedEventKindEVENT_SIGNAL), uint8(len(s.Event.Frames)), uint64(i)
		s.Sender.Known, s.Sender.ArgsLen = 1, 0
		want.Signals = append(want.Signals, wire.KeptSignal{
			Signal: signalOf(&s.Event),
			Sender: wire.KeptProcess{
				Known: true, Forker: wire.Key{TGID: s.Sender.ForkerTgid, Start: s.Sender.ForkerStart},
				Exe: cString(s.Sender.Exe[:]), ArgsTruncated: s.Sender.ArgsTruncated != 0,
			},
		})
	}
	got, err := wire.DecodeKept(bytesIn(d))
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
		"signal fatal":      {wire.SignalFatal, uint32(typedSignalFlagSIGNAL_FATAL)},
		"signal undecided":  {wire.SignalUndecided, uint32(typedSignalFlagSIGNAL_UNDECIDED)},
		"signal matters":    {wire.SignalMatters, uint32(typedSignalFlagSIGNAL_MATTERS)},
		"signal group":      {wire.SignalGroup, uint32(typedSignalFlagSIGNAL_GROUP)},
		"signal context":    {wire.SignalContext, uint32(typedSignalFlagSIGNAL_CONTEXT)},
		"signal traced":     {wire.SignalTraced, uint32(typedSignalFlagSIGNAL_TRACED)},
		"signal pdeath":     {wire.SignalPdeath, uint32(typedSignalFlagSIGNAL_PDEATH)},
		"signal handled":    {wire.SignalHandled, uint32(typedSignalFlagSIGNAL_HANDLED)},
		"signal blocked":    {wire.SignalBlocked, uint32(typedSignalFlagSIGNAL_BLOCKED)},
		"signal compat":     {wire.SignalCompat, uint32(typedSignalFlagSIGNAL_COMPAT)},
		"signal unseen":     {wire.SignalUnseen, uint32(typedSignalFlagSIGNAL_UNSEEN)},
		"signal survived":   {wire.SignalSurvived, uint32(typedSignalFlagSIGNAL_SURVIVED)},
		"signal outside":    {wire.SignalOutside, uint32(typedSignalFlagSIGNAL_OUTSIDE)},
		"sender group dead": {wire.SignalSenderGroupDead, uint32(typedSignalFlagSIGNAL_SENDER_GROUP_DEAD)},
		"signal noted":      {wire.SignalNoted, uint32(typedSignalFlagSIGNAL_NOTED)},
		"signal too late":   {wire.SignalTooLate, uint32(typedSignalFlagSIGNAL_TOO_LATE)},
		"info none":         {wire.InfoNone, uint32(typedInfoKindINFO_NONE)},
		"info priv":         {wire.InfoPriv, uint32(typedInfoKindINFO_PRIV)},
		"info real":         {wire.InfoReal, uint32(typedInfoKindINFO_REAL)},
		"args truncated":    {wire.ProcArgsTruncated, uint32(typedProcFlagPROC_ARGS_TRUNCATED)},
		"args of last exec": {wire.ProcSnapshot, uint32(typedProcFlagPROC_SNAPSHOT)},
		"exe deleted":       {wire.ProcExeDeleted, uint32(typedProcFlagPROC_EXE_DELETED)},
		"no args":           {wire.ProcNoArgs, uint32(typedProcFlagPROC_NO_ARGS)},
		"oom has control":   {wire.OOMHasControl, uint32(typedOomFlagOOM_HAS_CONTROL)},
		"oom group":         {wire.OOMGroup, uint32(typedOomFlagOOM_GROUP)},
		"oom limit found":   {wire.OOMLimitFound, uint32(typedOomFlagOOM_LIMIT_FOUND)},
		"oom context":       {wire.OOMContext, uint32(typedOomFlagOOM_CONTEXT)},
		"exit oom mark":     {wire.ExitOOMMark, uint32(typedExitFlagEXIT_OOM_MARK)},
		"exit init":         {wire.ExitInit, uint32(typedExitFlagEXIT_INIT)},
		"exit context":      {wire.ExitContext, uint32(typedExitFlagEXIT_CONTEXT)},
		"exit asked":        {wire.ExitAsked, uint32(typedExitFlagEXIT_ASKED)},
		"exit noted":        {wire.ExitNoted, uint32(typedExitFlagEXIT_NOTED)},
		"seccomp strict":    {wire.ExitSeccompStrict, uint32(typedExitFlagEXIT_SECCOMP_STRICT)},
		"seccomp filter":    {wire.ExitSeccompFilter, uint32(typedExitFlagEXIT_SECCOMP_FILTER)},
		"folded":            {wire.ExitFolded, uint32(typedExitFlagEXIT_FOLDED)},
		"seccomp dead":      {wire.ExitSeccompDead, uint32(typedExitFlagEXIT_SECCOMP_DEAD)},
	} {
		if c[0] != c[1] {
			t.Errorf("%s: %#x in internal/tracer/wire, %#x in bpf/event.h", name, c[0], c[1])
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
