// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"errors"
)

// The structs of bpf/event.h, decoded. Times are nanoseconds of
// CLOCK_BOOTTIME; UnsetID is an audit id that is not set.
const UnsetID = ^uint32(0)

// Key identifies a process: a pid alone is used again.
type Key struct {
	TGID  uint32
	Start uint64
}

// Brief is a process (or thread) as every kernel event carries it.
type Brief struct {
	Key
	Cgroup            uint64
	TID, NSPID        uint32
	PIDNS             uint32
	UID, EUID         uint32
	LoginUID, Session uint32
	Hierarchy         uint8
	// Traced: the thread had a tracer (ptrace) at that time.
	Traced bool
	Flags  uint32
	Comm   string
}

// Kinds of kernel events, enum event_kind.
const (
	kindSignal = iota + 1
	kindDeliver
	kindProc
	kindChain
	kindOOM
	kindExit
	kindCgroup
)

// Flags of a Signal, enum signal_flag.
const (
	SignalFatal = 1 << iota
	SignalUndecided
	SignalMatters
	SignalGroup
	SignalContext
	SignalTraced
	SignalPdeath
	SignalHandled
	SignalBlocked
	SignalCompat
	// SignalSenderGroupDead: of a parent's death, its whole process is ending.
	SignalSenderGroupDead
	SignalUnseen
	// SignalSurvived is set once delivery did not end it: here, and by the
	// kernel side in what it keeps.
	SignalSurvived
	SignalOutside
	// SignalNoted: it was kept in the kernel, and is older than what follows it.
	SignalNoted
	SignalTooLate
)

// How siginfo was passed, enum info_kind.
const (
	InfoNone = iota
	InfoPriv
	InfoReal
)

// Signal is a generated signal before its mechanism has been named.
type Signal struct {
	Boottime uint64
	// Generation is of the programs that reported it: while pinned ones are exchanged,
	// two show the same.
	Generation uint16
	Signal     int
	Code       int
	Info       uint8
	Result     uint8
	Init       bool
	Flags      uint32
	Syscall    int64
	Current    Brief
	Target     Brief
	// Frames are kernel addresses, innermost first.
	Frames []uint64
	// Address is a noted fault's si_addr, Sender what was kept of who sent a noted
	// signal.
	Address uint64
	Sender  KeptProcess
}

// Deliver is the fate of an undecided signal.
type Deliver struct {
	Boottime  uint64
	Signal    int
	Code      int
	Fatal     bool
	Generated uint64
	Target    Brief
}

// Flags of a Proc, enum proc_flag.
const (
	ProcArgsTruncated = 1 << iota
	ProcSnapshot
	ProcExeDeleted
	ProcNoArgs
)

// Proc describes a process.
type Proc struct {
	Boottime uint64
	Brief
	ProcFlags uint32
	Exe       string
	// Given: no file of its memory's shows Exe (it is gone, or has no path), which is
	// what its last exec was given, links and all.
	Given bool
	Args  []string
	Place Place
	// Tracer is who traced it then; TGID 0 is nobody.
	Tracer Node
}

// userNSKept is USER_NS_KEPT.
const userNSKept = 4

// Place is where a process stands, struct place. Where UserNS[0] is 0 nothing of
// it is known.
type Place struct {
	// ExeInode and ExeDevice are its executable's file; ExeDevice is as the kernel
	// encodes it (12 bits of major, 20 of minor), 0 where there is no file.
	ExeInode            uint64
	ExeDevice, ExeOwner uint32
	MountNS             uint32
	UserNSLevel         uint32
	// UserNS are inodes: its own user namespace, then those around that.
	UserNS      [userNSKept]uint32
	UserNSOwner uint32
}

// Node is one parent in a chain.
type Node struct {
	Key
	Cgroup    uint64
	Hierarchy uint8
	Dead      bool
	Comm      string
}

// Chain holds the parents of a process, nearest first.
type Chain struct {
	Key
	Boottime uint64
	Lineage  bool
	Nodes    []Node
}

// Flags of a OOM, enum oom_flag.
const (
	OOMHasControl = 1 << iota
	OOMGroup
	OOMLimitFound
	OOMContext
)

// OOM is one OOM kill. Sizes are in pages of PageSize bytes; -1 is unknown.
type OOM struct {
	Boottime             uint64
	Flags                uint32
	Constraint           uint32
	Order                int32
	GFPMask              uint32
	LimitCgroup          uint64
	LimitPages, UsePages uint64
	File, Anon           int64
	Swap, Shmem          int64
	ScoreAdj             int32
	PageSize             uint32
	TotalPages           uint64
	Victim, Trigger      Brief
	Frames               []uint64
}

// Flags of a Exit, enum exit_flag.
const (
	ExitOOMMark = 1 << iota
	ExitInit
	ExitContext
	ExitAsked
	ExitSeccompStrict
	ExitSeccompFilter
	ExitSeccompDead
	ExitNoted
	ExitFolded
)

// Exit is the end of a process; Status is as wait(2) gives it.
type Exit struct {
	Boottime    uint64
	Status      uint32
	Flags       uint32
	MaxRSSPages uint64
	// Pending has bit n-1 set for each signal n that was still waiting.
	Pending uint64
	Process Brief
	// CallerTID is the thread that called exit_group(2); 0 where that is not known,
	// and in what is kept.
	CallerTID uint32
}

// Cgroup reports that a cgroup was made or removed.
type Cgroup struct {
	ID        uint64
	Hierarchy uint8
	Removed   bool
	Path      string
}

// ErrShort is what Decode returns for an event that ends too early.
var ErrShort = errors.New("event is shorter than its kind")

type header struct {
	kind       uint8
	generation uint16
	size       uint32
	boottime   uint64
}

const (
	headerSize  = 16
	commLen     = 16
	maxFrames   = 24
	maxChain    = 40
	pathSlotLen = 128
	pathSlots   = 24
)
