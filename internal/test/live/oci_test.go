// SPDX-License-Identifier: Apache-2.0

package live

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// oci is a container that runc or crun runs alone, with no monitor.
type oci struct {
	runtime, id string
	pid         int
}

// runOCI starts a container with a limit of memory in bytes.
func runOCI(t *testing.T, runtime string, limit int64, command ...string) oci {
	t.Helper()
	bundle := t.TempDir()
	rootfs := filepath.Join(bundle, "rootfs")
	if err := os.Mkdir(rootfs, 0o755); err != nil {
		t.Fatal(err)
	}
	unpack := exec.Command("tar", "-C", rootfs, "-xf", "-")
	unpack.Stdin = bytes.NewReader(testLayer(t))
	if out, err := unpack.CombinedOutput(); err != nil {
		t.Fatalf("tar: %v: %s", err, out)
	}
	c := oci{runtime: runtime, id: fmt.Sprintf("%s-%d-%d", runtime, os.Getpid(), nextNumber())}
	run(t, "sh", "-c", fmt.Sprintf("cd %s && %s spec", bundle, runtime))
	editSpec(t, filepath.Join(bundle, "config.json"), limit, command)
	start := exec.Command(runtime, "run", "--detach", "--bundle", bundle, c.id)
	// Its output is the container's, and a pipe would be waited for.
	log, err := os.Create(filepath.Join(bundle, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	start.Stdout, start.Stderr = log, log
	if err := start.Run(); err != nil {
		said, _ := os.ReadFile(log.Name())
		t.Fatalf("%s run: %v: %s", runtime, err, said)
	}
	t.Cleanup(func() { _ = exec.Command(runtime, "delete", "--force", c.id).Run() })
	var state struct{ PID int }
	if err := json.Unmarshal([]byte(run(t, runtime, "state", c.id)), &state); err != nil {
		t.Fatal(err)
	}
	c.pid = state.PID
	return c
}

func editSpec(t *testing.T, file string, limit int64, command []string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var spec map[string]any
	if err := json.Unmarshal(b, &spec); err != nil {
		t.Fatal(err)
	}
	process := spec["process"].(map[string]any)
	process["terminal"], process["args"] = false, command
	spec["root"] = map[string]any{"path": "rootfs", "readonly": false}
	resources := map[string]any{"memory": map[string]any{"limit": limit, "swap": limit}}
	spec["linux"].(map[string]any)["resources"] = resources
	if b, err = json.Marshal(spec); err == nil {
		err = os.WriteFile(file, b, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// An operator's runc and crun, with no daemon anywhere.
func TestDaemonOCI(t *testing.T) {
	inGuest(t)
	const limit = 24 << 20
	for _, runtime := range []string{"runc", "crun"} {
		t.Run(runtime, func(t *testing.T) {
			need(t, runtime)
			t.Run("kill", func(t *testing.T) {
				c := runOCI(t, runtime, limit, "/bin/sleep", "1000")
				w := watchNamed(t)
				run(t, runtime, "kill", c.id, "KILL")
				// Neither a monitor nor its cgroup's name makes it a container to
				// others. Of crun, the copy in memory that it executes has no path.
				d := w.deathOf(t, c.pid)
				if d.expect(t, "foreign_process", "*", 0); d.Actor == nil || len(d.Actor.Args) < 2 || d.Actor.Args[0] != runtime || d.Actor.Args[1] != "kill" {
					t.Errorf("actor: %+v", d.Actor)
				}
			})
			t.Run("foreign", func(t *testing.T) {
				c := runOCI(t, runtime, limit, "/bin/sleep", "1000")
				w := watchNamed(t)
				w.killed9(t, c.pid)
			})
			t.Run("memory", func(t *testing.T) {
				c := runOCI(t, runtime, limit, "/bin/sh", "-c", "while [ ! -e /tmp/go ]; do sleep 0.1; done; exec dd if=/dev/zero of=/dev/null bs=200M count=1")
				w := watchNamed(t)
				run(t, runtime, "exec", c.id, "/bin/sh", "-c", "echo > /tmp/go")
				d := w.deathOf(t, c.pid)
				d.expect(t, "cgroup_oom", "*", 0)
				if d.OOM == nil || d.OOM.LimitBytes == nil || *d.OOM.LimitBytes != limit {
					t.Errorf("limit: %+v", d.OOM)
				}
			})
		})
	}
}

func (w *watcher) killed9(t *testing.T, pid int) {
	t.Helper()
	killer := killFrom(t, "sh", unix.SIGKILL, pid)
	w.deathOf(t, pid).expect(t, "foreign_process", "*", killer)
}
