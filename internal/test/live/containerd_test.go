// SPDX-License-Identifier: Apache-2.0

package live

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const (
	containerdSocket = "/run/containerd/containerd.sock"
	// ctrNamespace keeps what the tests make apart from a user's containers.
	ctrNamespace = "sigtrace-test"
	imageName    = "docker.io/library/sigtrace-test:latest"
	// winchImage is the same with a stop signal of its own, as httpd's has.
	winchImage = "docker.io/library/sigtrace-test-winch:latest"
)

// containerdConfig: oom_score_adj below the parent's takes CAP_SYS_RESOURCE,
// which not every test machine has.
const containerdConfig = `version = 2
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "` + imageName + `"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "native"
`

var daemons struct {
	sync.Mutex
	containerd, docker bool
	stop               []func()
}

// containerd makes sure that one runs and has the test's image; one that the
// machine has is used and left as it is.
func containerd(t *testing.T) {
	t.Helper()
	programs(t)
	need(t, "containerd", "ctr", "runc")
	daemons.Lock()
	defer daemons.Unlock()
	if daemons.containerd {
		return
	}
	if exec.Command("ctr", "version").Run() != nil {
		config := filepath.Join(os.TempDir(), fmt.Sprintf("sigtrace-containerd-%d.toml", os.Getpid()))
		if err := os.WriteFile(config, []byte(containerdConfig), 0o600); err != nil {
			t.Fatal(err)
		}
		start(t, "containerd", "--config", config)
		daemons.stop = append(daemons.stop, func() { os.Remove(config) })
		eventually(t, "containerd answers", func() bool { return exec.Command("ctr", "version").Run() == nil })
	}
	layer := testLayer(t)
	for name, config := range map[string]map[string]any{imageName: {}, winchImage: {"StopSignal": "SIGWINCH"}} {
		image := filepath.Join(t.TempDir(), "image.tar")
		if err := os.WriteFile(image, testImage(t, name, layer, config), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, ns := range []string{ctrNamespace, "k8s.io"} {
			run(t, "ctr", "-n", ns, "images", "import", "--snapshotter", "native", image)
		}
	}
	daemons.containerd = true
}

// start runs a daemon until the tests are over.
func start(t *testing.T, name string, args ...string) {
	t.Helper()
	log, err := os.CreateTemp("", "sigtrace-"+name+"-*.log")
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(name, args...)
	c.Stdout, c.Stderr = log, log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	daemons.stop = append(daemons.stop, func() {
		_ = c.Process.Signal(os.Interrupt)
		_ = c.Wait()
		_ = os.Remove(log.Name())
	})
}

func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			if os.Getenv("TEST_GUEST") != "" {
				t.Skipf("no %s in this guest", p)
			}
			t.Fatalf("%v: make test-deps installs it", err)
		}
	}
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// testImage is an image as docker save writes it: static busybox, and nothing
// from any registry.
func testImage(t *testing.T, name string, layer []byte, settings map[string]any) []byte {
	t.Helper()
	sum := sha256.Sum256(layer)
	settings["Cmd"], settings["Env"] = []string{"/bin/sleep", "3600"}, []string{"PATH=/bin"}
	config, err := json.Marshal(map[string]any{
		"architecture": goarch(), "os": "linux", "config": settings,
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + hex.EncodeToString(sum[:])}},
	})
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := json.Marshal([]map[string]any{{
		"Config": "config.json", "RepoTags": []string{name}, "Layers": []string{"layer.tar"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return archive(t, map[string][]byte{"manifest.json": manifest, "config.json": config, "layer.tar": layer})
}

func testLayer(t *testing.T) []byte {
	t.Helper()
	busybox, err := os.ReadFile("/bin/busybox")
	if err != nil {
		t.Fatalf("static busybox is needed for the image: %v", err)
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, dir := range []string{"bin/", "proc/", "sys/", "dev/", "tmp/", "etc/"} {
		put(t, w, &tar.Header{Name: dir, Mode: 0o755, Typeflag: tar.TypeDir}, nil)
	}
	put(t, w, &tar.Header{Name: "bin/busybox", Mode: 0o755, Size: int64(len(busybox))}, busybox)
	zoo, err := os.ReadFile(programs(t).zoo)
	if err != nil {
		t.Fatal(err)
	}
	put(t, w, &tar.Header{Name: "bin/zoo", Mode: 0o755, Size: int64(len(zoo))}, zoo)
	for _, name := range []string{"sh", "sleep", "kill", "cat", "echo", "dd", "tail", "timeout", "true"} {
		put(t, w, &tar.Header{Name: "bin/" + name, Linkname: "busybox", Typeflag: tar.TypeSymlink, Mode: 0o777}, nil)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func archive(t *testing.T, files map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for name, data := range files {
		put(t, w, &tar.Header{Name: name, Mode: 0o644, Size: int64(len(data))}, data)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func put(t *testing.T, w *tar.Writer, h *tar.Header, data []byte) {
	t.Helper()
	if err := w.WriteHeader(h); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
}

// ctr is a container that ctr runs in the background.
type ctr struct {
	t    *testing.T
	name string
	pid  int
}

// runCtr starts a container; flags are those of ctr run.
func runCtr(t *testing.T, flags []string, command ...string) *ctr {
	t.Helper()
	containerd(t)
	name := strings.ToLower(fmt.Sprintf("t%d-%d", os.Getpid(), nextNumber()))
	args := append([]string{"-n", ctrNamespace, "run", "-d", "--snapshotter", "native"}, flags...)
	args = append(append(args, imageName, name), command...)
	run(t, "ctr", args...)
	c := &ctr{t: t, name: name}
	t.Cleanup(c.remove)
	c.pid = c.task()
	return c
}

var number struct {
	sync.Mutex
	n int
}

func nextNumber() int {
	number.Lock()
	defer number.Unlock()
	number.n++
	return number.n
}

func (c *ctr) task() int {
	for line := range strings.Lines(run(c.t, "ctr", "-n", ctrNamespace, "tasks", "ls")) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == c.name {
			pid, err := strconv.Atoi(f[1])
			if err != nil {
				c.t.Fatal(err)
			}
			return pid
		}
	}
	c.t.Fatalf("no task %s", c.name)
	return 0
}

func (c *ctr) remove() {
	_ = exec.Command("ctr", "-n", ctrNamespace, "tasks", "kill", "-s", "KILL", c.name).Run()
	_ = exec.Command("ctr", "-n", ctrNamespace, "tasks", "rm", "-f", c.name).Run()
	_ = exec.Command("ctr", "-n", ctrNamespace, "containers", "rm", c.name).Run()
}

// exec runs a command inside, as kubectl exec does.
func (c *ctr) exec(command ...string) string {
	c.t.Helper()
	args := append([]string{"-n", ctrNamespace, "tasks", "exec", "--exec-id", fmt.Sprintf("e%d", nextNumber()), c.name}, command...)
	return run(c.t, "ctr", args...)
}

// child is a process below the container's init, by comm.
func (c *ctr) child(comm string) int {
	c.t.Helper()
	var found int
	eventually(c.t, "a child "+comm+" of "+strconv.Itoa(c.pid), func() bool {
		for _, pid := range childrenOf(c.pid) {
			if b, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid)); err == nil && strings.TrimSpace(string(b)) == comm {
				found = pid
				return true
			}
		}
		return false
	})
	return found
}

func childrenOf(pid int) []int {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	var pids []int
	for _, f := range strings.Fields(string(b)) {
		if n, err := strconv.Atoi(f); err == nil {
			pids = append(pids, n)
		}
	}
	return pids
}

func parentOf(t *testing.T, pid int) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	n, err := strconv.Atoi(f[1])
	if err != nil {
		t.Fatal(err)
	}
	return n
}
