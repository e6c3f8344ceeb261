// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"slices"
	"strings"
)

// What the kernel side keeps of a death until its record has been written, and
// of those that may be about to die: structs kept_* of bpf/event.h.

// Kept is a death that was kept.
type Kept struct {
	Exit    *Exit
	Process KeptProcess
	// Cgroup is the path of its cgroup when it died; empty if that is not known.
	Cgroup   string
	Attempts Attempts
	Story
}

// Story is what was kept of what led to a death.
type Story struct {
	Signals []KeptSignal
	OOM     *OOM
}

// KeptSignal is a signal, with whoever sent or triggered it.
type KeptSignal struct {
	*Signal
	Sender KeptProcess
}

// KeptProcess is how a process was last executed, and who forked it.
type KeptProcess struct {
	// Known is false where the kernel side had forgotten it.
	Known         bool
	Forker        Key
	Exe           string
	Args          []string
	ArgsTruncated bool
}

const (
	keptSignals = 3
	keptLevels  = 8
	keptName    = 96
	keptExe     = 96
	keptArgs    = 192

	exitSize        = 112
	keptProcessSize = 16 + keptExe + keptArgs
	signalSize      = 184
	signalStackSize = signalSize + 8*maxFrames
	oomSize         = 440
)

// attemptsAt is the offset of the attempts in a kept death: its second pad, which
// the kernel side sets to 0 and never reads (bpf/keep.h).
const attemptsAt = exitSize + keptProcessSize + 4

// ChangeAttempts edits the attempts in a value of the map of kept deaths; the
// error is ErrShort where the value is none.
func ChangeAttempts(value []byte, edit func(*Attempts)) error {
	if len(value) < attemptsAt+4 {
		return ErrShort
	}
	a := Attempts{value[attemptsAt], value[attemptsAt+1]}
	edit(&a)
	value[attemptsAt], value[attemptsAt+1] = a.Begun, a.Made
	return nil
}

// DecodeKept decodes a value of the map of kept deaths.
func DecodeKept(b []byte) (*Kept, error) {
	d := decoder{b: b}
	header := d.header()
	k := &Kept{Exit: d.exit(header.boottime)}
	k.Process = d.keptProcess()
	levels := int(d.u32())
	k.Attempts = Attempts{d.u8(), d.u8()}
	d.skip(2)
	names := d.take(keptLevels * keptName)
	if d.short || levels > keptLevels || header.kind != kindExit {
		return nil, ErrShort
	}
	k.Cgroup = joinNames(names[:levels*keptName])
	k.Story = d.story()
	if d.short {
		return nil, ErrShort
	}
	return k, nil
}

// DecodeStory decodes a value of the map of the living's stories.
func DecodeStory(b []byte) (*Story, error) {
	d := decoder{b: b}
	s := d.story()
	if d.short {
		return nil, ErrShort
	}
	return &s, nil
}

func (d *decoder) keptProcess() KeptProcess {
	var p KeptProcess
	p.Forker.Start = d.u64()
	p.Forker.TGID = d.u32()
	args := int(d.u16())
	p.ArgsTruncated = d.u8() != 0
	p.Known = d.u8() != 0
	exe, area := d.take(keptExe), d.take(keptArgs)
	if !p.Known {
		return KeptProcess{}
	}
	p.Exe = cString(exe)
	p.Args = SplitArgs(area[:min(args, len(area))])
	return p
}

// joinNames makes a path of names that come leaf first.
func joinNames(slots []byte) string {
	var names []string
	for len(slots) >= keptName {
		names = append(names, cString(slots[:keptName]))
		slots = slots[keptName:]
	}
	if len(names) == 0 {
		return ""
	}
	slices.Reverse(names)
	return "/" + strings.Join(names, "/")
}

// story takes the signals in order of their time.
func (d *decoder) story() Story {
	var s Story
	for range keptSignals {
		if k, ok := d.keptSignal(); ok {
			s.Signals = append(s.Signals, k)
		}
	}
	d.skip(8)
	s.OOM = d.keptOOM()
	slices.SortStableFunc(s.Signals, func(a, b KeptSignal) int {
		if a.Boottime < b.Boottime {
			return -1
		}
		return 1
	})
	return s
}

// keptSignal: size 0 is none, and what follows a smaller one is nothing.
func (d *decoder) keptSignal() (KeptSignal, bool) {
	var k KeptSignal
	e := decoder{b: d.take(signalStackSize)}
	k.Sender = d.keptProcess()
	h := e.header()
	if d.short || h.size == 0 || h.kind != kindSignal {
		return k, false
	}
	k.Signal = e.signal(h)
	return k, !e.short
}

func (d *decoder) keptOOM() *OOM {
	e := decoder{b: d.take(oomSize)}
	h := e.header()
	if d.short || h.size == 0 || h.kind != kindOOM {
		return nil
	}
	return e.oom(h.boottime)
}
