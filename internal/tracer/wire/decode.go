// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"bytes"
	"slices"
	"strings"
)

func (d *decoder) brief() Brief {
	var b Brief
	b.Start = d.u64()
	b.Cgroup = d.u64()
	b.TGID = d.u32()
	b.TID = d.u32()
	b.NSPID = d.u32()
	b.PIDNS = d.u32()
	b.UID = d.u32()
	b.EUID = d.u32()
	b.LoginUID = d.u32()
	b.Session = d.u32()
	b.Hierarchy = d.u8()
	b.Traced = d.u8() != 0
	d.skip(2)
	b.Flags = d.u32()
	b.Comm = d.comm()
	return b
}

func (d *decoder) signal(h header) *Signal {
	e := &Signal{Boottime: h.boottime, Generation: h.generation}
	e.Signal = int(int32(d.u32()))
	e.Code = int(int32(d.u32()))
	e.Info = d.u8()
	e.Result = d.u8()
	e.Init = d.u8() != 0
	frames := int(d.u8())
	e.Flags = d.u32()
	e.Syscall = int64(d.u64())
	e.Current = d.brief()
	e.Target = d.brief()
	if frames > 0 {
		e.Frames = d.frames(frames)
	}
	if e.Flags&SignalNoted != 0 {
		e.Address = d.u64()
		e.Sender = d.keptProcess()
	}
	return e
}

func (d *decoder) frames(n int) []uint64 {
	frames := make([]uint64, 0, min(n, maxFrames))
	for range min(n, maxFrames) {
		f := d.u64()
		if f == 0 {
			break
		}
		frames = append(frames, f)
	}
	return frames
}

func (d *decoder) deliver(boottime uint64) *Deliver {
	e := &Deliver{Boottime: boottime}
	e.Signal = int(int32(d.u32()))
	e.Code = int(int32(d.u32()))
	e.Fatal = d.u32() != 0
	d.skip(4)
	e.Generated = d.u64()
	e.Target = d.brief()
	return e
}

func (d *decoder) proc(boottime uint64) *Proc {
	e := &Proc{Boottime: boottime, Brief: d.brief()}
	e.ProcFlags = d.u32()
	slots := int(d.u32())
	args := int(d.u32())
	d.skip(4)
	e.Place = d.place()
	e.Tracer = d.node()
	if slots > pathSlots {
		d.short = true
		return e
	}
	names := d.take(slots * pathSlotLen)
	e.Exe = exePath(names)
	// A component holds no slash; a path that was given comes as one.
	e.Given = slots == 1 && strings.Contains(cString(names), "/")
	if e.Exe != "" && e.ProcFlags&ProcExeDeleted != 0 {
		e.Exe += " (deleted)" // as /proc/PID/exe has it
	}
	e.Args = SplitArgs(d.take(args))
	return e
}

// exePath joins the components, which come leaf first; a step over a mount
// point leaves its slot empty.
func exePath(slots []byte) string {
	var names []string
	for len(slots) >= pathSlotLen {
		if name := cString(slots[:pathSlotLen]); name != "" && name != "/" {
			names = append(names, name)
		}
		slots = slots[pathSlotLen:]
	}
	if len(names) == 0 {
		return ""
	}
	slices.Reverse(names)
	return "/" + strings.Join(names, "/")
}

// SplitArgs splits a NUL-separated argument area, as in /proc/PID/cmdline.
func SplitArgs(b []byte) []string {
	b = bytes.TrimRight(b, "\x00")
	if len(b) == 0 {
		return nil
	}
	return strings.Split(string(b), "\x00")
}

func (d *decoder) place() Place {
	var p Place
	p.ExeInode = d.u64()
	p.ExeDevice = d.u32()
	p.ExeOwner = d.u32()
	p.MountNS = d.u32()
	p.UserNSLevel = d.u32()
	for i := range p.UserNS {
		p.UserNS[i] = d.u32()
	}
	p.UserNSOwner = d.u32()
	d.skip(4)
	return p
}

func (d *decoder) node() Node {
	var n Node
	n.Start = d.u64()
	n.Cgroup = d.u64()
	n.TGID = d.u32()
	n.Hierarchy = d.u8()
	n.Dead = d.u8()&1 != 0
	d.skip(2)
	n.Comm = d.comm()
	return n
}

func (d *decoder) chain(boottime uint64) *Chain {
	e := Chain{Boottime: boottime}
	e.Start = d.u64()
	e.TGID = d.u32()
	e.Lineage = d.u16() == 1
	n := min(int(d.u16()), maxChain)
	for range n {
		node := d.node()
		if d.short {
			break
		}
		e.Nodes = append(e.Nodes, node)
	}
	return &e
}

func (d *decoder) oom(boottime uint64) *OOM {
	e := &OOM{Boottime: boottime}
	e.Flags = d.u32()
	e.Constraint = d.u32()
	e.Order = int32(d.u32())
	e.GFPMask = d.u32()
	e.LimitCgroup = d.u64()
	e.LimitPages = d.u64()
	e.UsePages = d.u64()
	e.File = int64(d.u64())
	e.Anon = int64(d.u64())
	e.Swap = int64(d.u64())
	e.Shmem = int64(d.u64())
	e.ScoreAdj = int32(d.u32())
	e.PageSize = d.u32()
	e.TotalPages = d.u64()
	e.Victim = d.brief()
	e.Trigger = d.brief()
	e.Frames = d.frames(maxFrames)
	return e
}

func (d *decoder) exit(boottime uint64) *Exit {
	e := &Exit{Boottime: boottime}
	e.Status = d.u32()
	e.Flags = d.u32()
	e.MaxRSSPages = d.u64()
	e.Pending = d.u64()
	e.Process = d.brief()
	return e
}

// exitAndCaller is an exit off the wire; what is kept of one has no caller.
func (d *decoder) exitAndCaller(boottime uint64) *Exit {
	e := d.exit(boottime)
	e.CallerTID = d.u32()
	d.skip(4)
	return e
}

func (d *decoder) cgroup() *Cgroup {
	var e Cgroup
	e.ID = d.u64()
	e.Hierarchy = d.u8()
	e.Removed = d.u8() == 1
	n := int(d.u16())
	d.skip(4)
	e.Path = string(d.take(n))
	return &e
}
