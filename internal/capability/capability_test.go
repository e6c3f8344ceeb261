// SPDX-License-Identifier: Apache-2.0

package capability

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

func TestNames(t *testing.T) {
	got := Of(unix.CAP_SYSLOG, unix.CAP_BPF, unix.CAP_CHOWN, unix.CAP_CHECKPOINT_RESTORE, 50).Names()
	if diff := cmp.Diff([]string{"CAP_50", "CAP_BPF", "CAP_CHECKPOINT_RESTORE", "CAP_CHOWN", "CAP_SYSLOG"}, got); diff != "" {
		t.Error(diff)
	}
	if got := Set(0).Names(); got == nil || len(got) != 0 {
		t.Errorf("none is %v", got)
	}
	if len(names) != unix.CAP_LAST_CAP+1 {
		t.Errorf("%d names, the last capability is %d", len(names), unix.CAP_LAST_CAP)
	}
}

func TestParse(t *testing.T) {
	const text = "Name:\tx\nCapInh:\t0000000000000000\nCapPrm:\t000001ffffffffff\nCapEff:\t000000c000080004\nCapBnd:\t0000000000000001\nCapAmb:\t0000000000000002\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t1\n"
	got, err := parse(strings.NewReader(text))
	want := State{Permitted: 0x1ffffffffff, Effective: Of(unix.CAP_BPF, unix.CAP_PERFMON, unix.CAP_SYS_PTRACE, unix.CAP_DAC_READ_SEARCH), Bounding: 1, Ambient: 2, NoNewPrivs: true, Seccomp: "filter"}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if _, err := parse(strings.NewReader("CapEff:\tx\n")); err == nil {
		t.Error("no error")
	}
}

// child is set in the process that TestKeep starts.
const child = "SIGTRACE_TEST_KEEP"

// TestKeep has a process of its own drop what it has, with many threads, and look
// at each of them and at a child.
func TestKeep(t *testing.T) {
	keep := Of(unix.CAP_SYS_PTRACE, unix.CAP_SYSLOG)
	if os.Getenv(child) != "" {
		inChild(t, keep)
		return
	}
	if os.Geteuid() != 0 {
		t.Skip("dropping takes having: root")
	}
	// Not the test's own binary where that uses cgo (-race).
	binary := filepath.Join(t.TempDir(), "test")
	build := exec.Command("go", "test", "-c", "-o", binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	c := exec.Command(binary, "-test.run", "^TestKeep$", "-test.v")
	c.Env = append(os.Environ(), child+"=1")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func inChild(t *testing.T, keep Set) {
	release := make(chan struct{})
	defer close(release)
	for range 8 {
		begun := make(chan struct{})
		go func() {
			runtime.LockOSThread()
			close(begun)
			<-release
		}()
		<-begun
	}
	// In two steps, as whoever still needs one for a while.
	if err := Keep(keep|Of(unix.CAP_PERFMON), keep); err != nil {
		t.Fatal(err)
	}
	if err := Keep(keep, keep); err != nil {
		t.Fatal(err)
	}
	threads, err := filepath.Glob("/proc/self/task/*/status")
	if err != nil || len(threads) < 8 {
		t.Fatalf("%d threads: %v", len(threads), err)
	}
	for _, name := range threads {
		checkKept(t, name, keep)
	}
	out, err := exec.Command("cat", "/proc/self/status").Output()
	if err != nil {
		t.Fatal(err)
	}
	s, err := parse(strings.NewReader(string(out)))
	if err != nil || s.Permitted&^keep != 0 || s.Bounding&^keep != 0 || !s.NoNewPrivs {
		t.Errorf("a child has %+v, %v", s, err)
	}
	// What has been dropped does not come back.
	if err := Keep(^Set(0), ^Set(0)); err != nil {
		t.Error(err)
	}
	checkKept(t, "/proc/self/status", keep)
}

func checkKept(t *testing.T, name string, keep Set) {
	t.Helper()
	f, err := os.Open(name)
	if errors.Is(err, os.ErrNotExist) {
		return // the thread has ended
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s, err := parse(f)
	if err != nil || s.Effective != keep || s.Permitted != keep || s.Bounding != keep || s.Ambient != 0 || !s.NoNewPrivs {
		t.Errorf("%s: %+v, %v", name, s, err)
	}
}
