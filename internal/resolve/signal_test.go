// SPDX-License-Identifier: Apache-2.0

package resolve

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/proc"
	"github.com/sigtrace/sigtrace/internal/tracer/wire"
)

// noKernel has forgotten every process.
type noKernel struct{}

func (noKernel) LastExec(int, uint64) (wire.LastExec, bool) { return wire.LastExec{}, false }
func (noKernel) Lineage(int, uint64) []wire.Forker          { return nil }
func (noKernel) Forget(uint32) error                        { return nil }

func resolved(e *wire.Signal) *event.Signal {
	r := New(noKernel{}, proc.FS{}, &Names{}, "node")
	return r.Signal(e)
}

// To a process that is dying already a signal comes too late, whatever the kernel
// says that it did: it is not one that the process ignored, it ends nothing, and is
// not shown.
func TestTooLate(t *testing.T) {
	for kernel, want := range map[uint8]event.Result{0: event.ResultDelivered, 1: event.ResultIgnored} {
		e := &wire.Signal{Signal: int(unix.SIGTERM), Info: wire.InfoReal, Syscall: unix.SYS_KILL, Result: kernel, Flags: wire.SignalMatters}
		if s := resolved(e); s.Result != want || !s.Matters {
			t.Errorf("result %d of a living target: %s, matters %v", kernel, s.Result, s.Matters)
		}
		e.Flags |= wire.SignalTooLate
		if s := resolved(e); s.Result != event.ResultTooLate || s.Matters || s.Fatal == nil || *s.Fatal {
			t.Errorf("result %d of a dying target: %s, matters %v, fatal %v", kernel, s.Result, s.Matters, s.Fatal)
		}
	}
}

// The sender of a noted signal may be gone, and nothing else describes it.
func TestNoted(t *testing.T) {
	e := &wire.Signal{
		Signal: int(unix.SIGABRT), Info: wire.InfoReal, Syscall: unix.SYS_KILL, Flags: wire.SignalHandled | wire.SignalNoted,
		Current: wire.Brief{Key: wire.Key{TGID: 20, Start: 200}, Comm: "kill"}, Target: wire.Brief{Key: wire.Key{TGID: 10, Start: 100}},
		Sender: wire.KeptProcess{Known: true, Exe: "/bin/kill", Args: []string{"kill", "-6", "10"}},
	}
	s := resolved(e)
	if !s.Noted || !s.Handled || s.Matters {
		t.Errorf("%+v", s.SignalDetail)
	}
	if s.Sender == nil || s.Sender.Exe != "/bin/kill" || len(s.Sender.Args) != 3 {
		t.Errorf("sender %+v", s.Sender)
	}
	e = &wire.Signal{Signal: int(unix.SIGSEGV), Code: 1, Info: wire.InfoReal, Syscall: -1, Flags: wire.SignalHandled | wire.SignalNoted, Address: 0xdead}
	if s := resolved(e); s.Via != event.ViaFault || s.Address != "0xdead" || s.Sender != nil {
		t.Errorf("via %s, address %s, sender %v", s.Via, s.Address, s.Sender)
	}
}

// PR_SET_PDEATHSIG follows a thread: only where the kernel side says so has the
// whole parent ended.
func TestSenderGroupDead(t *testing.T) {
	e := &wire.Signal{Signal: int(unix.SIGKILL), Flags: wire.SignalPdeath, Current: wire.Brief{Flags: pfExiting}}
	if s := resolved(e); s.Via != event.ViaPdeathsig || s.SenderGroupDead {
		t.Errorf("a thread's end: via %s, %v", s.Via, s.SenderGroupDead)
	}
	e.Flags |= wire.SignalSenderGroupDead
	if s := resolved(e); !s.SenderGroupDead {
		t.Error("a process's end: not said")
	}
}
