// SPDX-License-Identifier: Apache-2.0

package live

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// fatalSignal is the one that ended a victim.
func (w *watcher) fatalSignal(t *testing.T, victim int) event {
	t.Helper()
	of := func(e event) bool {
		return e.Type == "signal" && pidOf(e.Target) == victim && e.Fatal != nil && *e.Fatal
	}
	eventually(t, fmt.Sprintf("the signal that ended %d", victim), func() bool { return len(w.find(of)) > 0 })
	return w.find(of)[0]
}

// The ancestry is the one that the scenario prints, through exited processes too.
func TestLineage(t *testing.T) {
	w := watch(t)
	time.Sleep(2 * time.Second) // being ready does not wait for the lineage of what is older
	for _, scenario := range []string{"daemon", "levels", "subreaper"} {
		t.Run(scenario, func(t *testing.T) {
			said := zoo(t, scenario)
			sender := w.fatalSignal(t, said.Victim).Sender
			if sender == nil || len(sender.Ancestors) < len(said.Lineage) {
				t.Fatalf("sender: %+v, lineage %v", sender, said.Lineage)
			}
			for i, pid := range said.Lineage {
				a := sender.Ancestors[i]
				if a.PID != pid || a.Dead != slices.Contains(said.Dead, pid) || a.StartBoottimeNS == 0 {
					t.Errorf("ancestor %d: %d dead %v, want %d dead %v", i, a.PID, a.Dead, pid, slices.Contains(said.Dead, pid))
				}
			}
			last := sender.Ancestors[len(sender.Ancestors)-1]
			if last.PID != 0 {
				t.Errorf("the lineage ends at %d", last.PID)
			}
			moved := len(said.Dead) > 0
			if sender.Reparented == nil || *sender.Reparented != moved || moved && pidOf(sender.PresentParent) != said.PresentParent {
				t.Errorf("reparented %v under %d, want %v under %d", sender.Reparented, pidOf(sender.PresentParent), moved, said.PresentParent)
			}
		})
	}
}

// A killer that is gone at once is described as fully as a daemon.
func TestKillerIsDescribed(t *testing.T) {
	w := watch(t)
	t.Run("long args", func(t *testing.T) {
		said := zoo(t, "long-args", "3000")
		sender := w.fatalSignal(t, said.Victim).Sender
		if n := len(strings.Join(sender.Args, " ")); n < 3000 {
			t.Errorf("%d bytes of args", n)
		}
		if sender.Exe == "" || !strings.HasSuffix(sender.Exe, filepath.Base(programs(t).zoo)) {
			t.Errorf("exe %q", sender.Exe)
		}
	})
	t.Run("odd args", func(t *testing.T) {
		said := zoo(t, "odd-args")
		args := w.fatalSignal(t, said.Victim).Sender.Args
		for _, want := range []string{"two\nlines", "\x1b[31mred\x1b[0m", ""} {
			if !slices.Contains(args, want) {
				t.Errorf("no %q in %q", want, args)
			}
		}
	})
	t.Run("thread", func(t *testing.T) {
		said := zoo(t, "killer-thread")
		if sender := w.fatalSignal(t, said.Victim).Sender; said.KillerTID == 0 || sender.TID != said.KillerTID {
			t.Errorf("thread %d, want %d", sender.TID, said.KillerTID)
		}
	})
	t.Run("login uid", func(t *testing.T) {
		said := zoo(t, "killer-login")
		if said.LoginUID == 0 {
			t.Skip("this kernel has no login uids")
		}
		if sender := w.fatalSignal(t, said.Victim).Sender; sender.LoginUID == nil || *sender.LoginUID != said.LoginUID {
			t.Errorf("login uid %v, want %d", sender.LoginUID, said.LoginUID)
		}
	})
	t.Run("another uid", func(t *testing.T) {
		said := zoo(t, "killer-uid")
		if sender := w.fatalSignal(t, said.Victim).Sender; sender.UID == nil || *sender.UID == 0 {
			t.Errorf("uid %v", sender.UID)
		}
	})
}

// --cgroup covers what comes and goes below it, before and after a restart.
func TestCgroupCoversRestarts(t *testing.T) {
	root, _ := memoryRoot(t)
	parent := newCgroup(t, root, uniqueName(t))
	w := watch(t, "--cgroup", strings.TrimPrefix(parent, root))
	for _, name := range []string{"first", "second"} {
		dir := newCgroup(t, parent, name)
		pid, _ := shell(t, "sh", "echo $$ > "+dir+"/cgroup.procs; exec sleep 1000")
		eventually(t, "it has joined", func() bool {
			b, err := os.ReadFile(dir + "/cgroup.procs")
			return err == nil && strings.Contains("\n"+string(b), fmt.Sprintf("\n%d\n", pid))
		})
		killer := killFrom(t, "sh", unix.SIGKILL, pid)
		w.deathOf(t, pid).expect(t, "foreign_process", "*", killer)
	}
	outside := zoo(t, "kill", "9")
	if n := len(w.find(func(e event) bool { return pidOf(e.Target) == outside.Victim || pidOf(e.Process) == outside.Victim })); n > 0 {
		t.Error("a process outside of the target shows")
	}
}
