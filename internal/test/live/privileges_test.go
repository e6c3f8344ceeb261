// SPDX-License-Identifier: Apache-2.0

package live

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// least are the capabilities that sigtrace runs with.
const least = uint64(1<<unix.CAP_BPF | 1<<unix.CAP_DAC_READ_SEARCH | 1<<unix.CAP_SYS_PTRACE)

// reduced waits until sigtrace has dropped all other capabilities.
func (w *watcher) reduced(t *testing.T) {
	t.Helper()
	want := fmt.Sprintf("%016x", least)
	eventually(t, "the capabilities are dropped in every thread", func() bool {
		threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", w.cmd.Process.Pid))
		for _, name := range threads {
			b, err := os.ReadFile(name)
			if err != nil {
				continue // the thread has ended
			}
			for _, set := range []string{"CapPrm", "CapEff", "CapBnd"} {
				if m := regexp.MustCompile(set + `:\s+(\S+)`).FindSubmatch(b); m == nil || string(m[1]) != want {
					return false
				}
			}
			if !strings.Contains(string(b), "NoNewPrivs:\t1") {
				return false
			}
		}
		return len(threads) > 0
	})
}

// TestPrivilegesAreDropped: with what is left, a kill by one user of another's
// process that is older than sigtrace is fully attributed.
func TestPrivilegesAreDropped(t *testing.T) {
	older := exec.Command("sleep", "1000")
	older.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody, NoSetGroups: true}}
	if err := older.Start(); err != nil {
		t.Fatal(err)
	}
	w := watch(t, "--type", "status,signal,death")
	w.reduced(t)
	// Statuses come before and after the task iterator, the last program, is loaded.
	ofStatus := func(e event) bool {
		return e.Type == "status" && slices.Equal(e.Capabilities, []string{"CAP_BPF", "CAP_DAC_READ_SEARCH", "CAP_SYS_PTRACE"})
	}
	eventually(t, "the status says what is left", func() bool { return len(w.find(ofStatus)) > 0 })
	if e := w.find(ofStatus)[0]; e.NoNewPrivs == nil || !*e.NoNewPrivs || e.Seccomp == "" {
		t.Errorf("no_new_privs %v, seccomp %q", e.NoNewPrivs, e.Seccomp)
	}
	script := fmt.Sprintf("kill -9 %d; exit 0", older.Process.Pid)
	killer := exec.Command("sh", "-c", script)
	killer.SysProcAttr = older.SysProcAttr
	if err := killer.Run(); err != nil {
		t.Fatal(err)
	}
	_ = older.Wait()
	d := w.deathOf(t, older.Process.Pid)
	d.expect(t, "foreign_process", "sibling", killer.Process.Pid)
	if d.Confidence != "proven" || d.Actor.Exe == "" || !slices.Equal(d.Actor.Args, []string{"sh", "-c", script}) || len(d.Actor.Ancestors) == 0 {
		t.Errorf("%s by %+v", d.Confidence, d.Actor)
	}
	if d.Process.Exe == "" || d.Process.UID == nil || *d.Process.UID != nobody {
		t.Errorf("of the victim, older than sigtrace: %+v", d.Process)
	}
}

// TestContainerNamedWithLeastPrivileges: a container that begins after the
// capabilities are gone is named, and its death attributed.
func TestContainerNamedWithLeastPrivileges(t *testing.T) {
	containerd(t)
	w := watch(t)
	w.reduced(t)
	c := runCtr(t, nil, "/bin/sleep", "1000")
	killer := killFrom(t, "sh", unix.SIGKILL, c.pid)
	d := w.deathOf(t, c.pid)
	d.expect(t, "foreign_process", "host", killer)
	if d.Process.Container == nil || d.Process.Container.ID != c.name || d.Process.Exe == "" || d.Actor.Exe == "" || len(d.Actor.Args) == 0 {
		t.Errorf("%+v by %+v", d.Process, d.Actor)
	}
}
