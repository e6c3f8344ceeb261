// SPDX-License-Identifier: Apache-2.0

package live

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

const kernelTypes = "/sys/kernel/btf/vmlinux"

// fallback is one way to do without something that most kernels have.
type fallback struct {
	flags []string
	// as changes how sigtrace is started.
	as func(*testing.T, *exec.Cmd)
	// weaker lists the verdicts that are documented to be weaker then: all
	// others are the same.
	weaker map[string]death
	// hooks are states that must begin so, to show that it was forced.
	hooks map[string]string
}

func fallbacks(t *testing.T) map[string]fallback {
	refused, kprobe := "left out as asked", "attached"
	if os.Getenv("TEST_GUEST") == "" {
		kprobe = "" // not every kernel out here has them
	}
	return map[string]fallback{
		"no fentry": {
			flags: []string{"--force-without", "fentry"},
			hooks: map[string]string{"oom_kill_process(fentry)": refused, "oom_kill_process(kprobe)": kprobe},
		},
		"no kprobe": {
			flags: []string{"--force-without", "fentry,kprobe"},
			hooks: map[string]string{"oom_kill_process(fentry)": refused, "oom_kill_process(kprobe)": refused},
		},
		"no symbols": {
			flags: []string{"--force-without", "symbols"}, weaker: withoutSymbols(),
		},
		"no bpf_loop": {
			flags: []string{"--force-without", "loop"},
		},
		"raw tracepoints": {
			flags: []string{"--force-raw-tracepoints"},
		},
		"types from a file": {
			flags: []string{"--btf", copyOfTypes(t)}, as: withoutTypes,
		},
		"two capabilities": {
			as: unprivileged, weaker: withoutSymbols(),
		},
	}
}

// withoutSymbols: no stack can be read, and flags show less. A hangup and the
// hard limit of CPU time have no mark of their own.
func withoutSymbols() map[string]death {
	return map[string]death{
		"tty-hangup":      {"unknown", "zoo"},
		"rlimit-cpu-hard": {"unknown", ""},
	}
}

// Every scenario happens once, while one sigtrace for each way watches: all
// give the same verdict, or the weaker one that is listed.
func TestFallbacks(t *testing.T) {
	ways := fallbacks(t)
	names := slices.Sorted(maps.Keys(ways))
	watchers, boards := map[string]*watcher{}, map[string]*board{}
	for _, name := range names {
		watchers[name], boards[name] = ways[name].watch(t), &board{weaker: ways[name].weaker}
	}
	check := func(t *testing.T, line string, said truth, want death) {
		for _, name := range names {
			t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
				for _, pid := range said.victims() {
					boards[name].check(t, watchers[name], line, said, pid, want)
				}
			})
		}
	}
	for _, line := range slices.Sorted(maps.Keys(scenarios())) {
		t.Run(strings.ReplaceAll(line, " ", "_"), func(t *testing.T) {
			said := zoo(t, strings.Fields(line)...)
			if said.Skipped != "" {
				skipScenario(t, said.Skipped)
			}
			check(t, line, said, expected(line))
		})
	}
	t.Run("cgroups", func(t *testing.T) { zooInCgroups(t, check) })
	for _, name := range names {
		t.Logf("%s: %d of %d right", name, boards[name].right, boards[name].all)
		watchers[name].stop()
	}
}

func (f fallback) watch(t *testing.T) *watcher {
	t.Helper()
	w := watchAs(t, f.as, append([]string{"--cri-endpoint", "off", "--docker-host", "off", "--type", "signal,death"}, f.flags...))
	hooks := w.hooks(t)
	for name, state := range f.hooks {
		if !strings.HasPrefix(hooks[name], state) {
			t.Errorf("hook %s is %q, want %q", name, hooks[name], state)
		}
	}
	return w
}

// hooks are what the stream's first event says of them.
func (w *watcher) hooks(t *testing.T) map[string]string {
	t.Helper()
	of := func(e event) bool { return e.Type == "status" }
	eventually(t, "the status", func() bool { return len(w.find(of)) > 0 })
	return w.find(of)[0].Hooks
}

func copyOfTypes(t *testing.T) string {
	t.Helper()
	types, err := os.ReadFile(kernelTypes)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "vmlinux.btf")
	if err := os.WriteFile(file, types, 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// withoutTypes hides the kernel's BTF, in a mount namespace of its own.
func withoutTypes(t *testing.T, c *exec.Cmd) {
	t.Helper()
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	hide := fmt.Sprintf(`mount -t tmpfs none %s && exec "$@"`, filepath.Dir(kernelTypes))
	c.Args = append([]string{"sh", "-c", hide, "sh", c.Path}, c.Args[1:]...)
	c.Path = shell
	c.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
}

// nobody is the user that has no rights of its own.
const nobody = 65534

// unprivileged runs as a user who has been given the two capabilities that
// loading and tracing take, and no more. Maps count as locked memory before
// 5.11: the limit is raised, as a service manager would.
func unprivileged(t *testing.T, c *exec.Cmd) {
	t.Helper()
	unlimited := unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY}
	if err := unix.Setrlimit(unix.RLIMIT_MEMLOCK, &unlimited); err != nil {
		t.Logf("RLIMIT_MEMLOCK: %v", err)
	}
	if err := os.Chmod(filepath.Dir(c.Path), 0o755); err != nil {
		t.Fatal(err)
	}
	c.SysProcAttr = &syscall.SysProcAttr{
		Credential:  &syscall.Credential{Uid: nobody, Gid: nobody, NoSetGroups: true},
		AmbientCaps: []uintptr{unix.CAP_BPF, unix.CAP_PERFMON},
	}
}
