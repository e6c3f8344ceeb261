// SPDX-License-Identifier: Apache-2.0

package live

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// said is what a process writes to stderr, readable while it runs.
type said struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *said) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(b)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// agent is a running sigtrace agent.
type agent struct {
	*watcher
	dir  string
	said said
	done bool
}

// startAgent starts one on a log directory and waits until it is ready.
func startAgent(t *testing.T, dir string, env []string, flags ...string) *agent {
	t.Helper()
	ready := filepath.Join(t.TempDir(), "ready")
	args := append([]string{"agent", "--log-dir", dir, "--ready-file", ready, "--cri-endpoint", "off", "--docker-host", "off"}, flags...)
	a := &agent{dir: dir}
	a.watcher = &watcher{t: t, cmd: exec.Command(programs(t).sigtrace, args...), ended: make(chan struct{})}
	a.cmd.Env = append(os.Environ(), env...)
	a.cmd.Stderr = &a.said
	out, err := a.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := a.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go a.read(out)
	t.Cleanup(func() {
		if !a.done {
			a.kill()
		}
	})
	eventually(t, "the agent is ready", func() bool {
		_, err := os.Stat(ready)
		return err == nil
	})
	return a
}

// kill ends it as a crash would.
func (a *agent) kill() {
	a.done = true
	a.killed.Store(true)
	_ = a.cmd.Process.Kill()
	<-a.ended
	_ = a.cmd.Wait()
}

// stop ends it as systemd and kubelet would: it must end as asked.
func (a *agent) stop() {
	a.t.Helper()
	a.done = true
	if err := a.cmd.Process.Signal(unix.SIGTERM); err != nil {
		a.t.Fatal(err)
	}
	<-a.ended
	if err := a.cmd.Wait(); err != nil {
		a.t.Errorf("the agent ended with %v:\n%s", err, &a.said)
	}
}

func (a *agent) says(text string) {
	a.t.Helper()
	eventually(a.t, "the agent says "+text, func() bool { return strings.Contains(a.said.String(), text) })
}

// killOne lets one process die by a signal and returns its pid.
func killOne(t *testing.T) int {
	t.Helper()
	c := exec.Command("sleep", "1000")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	_ = c.Process.Kill()
	_ = c.Wait()
	return c.Process.Pid
}

func isDeathOf(pid int) func(event) bool {
	return func(e event) bool { return e.Type == "death" && e.Process != nil && e.Process.PID == pid }
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAgentReloadsOnHangup(t *testing.T) {
	conf := filepath.Join(t.TempDir(), "agent.yaml")
	writeFile(t, conf, "log-max-files: 3\n")
	dir := filepath.Join(t.TempDir(), "log")
	a := startAgent(t, dir, []string{"SIGTRACE_LOG_MAX_SIZE=1MiB"}, "--config", conf)
	hangup := func() {
		if err := a.cmd.Process.Signal(unix.SIGHUP); err != nil {
			t.Fatal(err)
		}
	}
	writeFile(t, conf, "log-max-files: 2\nlog-max-size: 20KiB\nnamespace: shop\nverbose: true\n")
	hangup()
	a.says("--log-max-files=2")
	a.says("--verbose=true")
	a.says("takes effect after a restart only")
	a.says("--namespace=shop")
	if strings.Contains(a.said.String(), "20KiB") {
		t.Errorf("the file won over the environment:\n%s", &a.said)
	}
	writeFile(t, conf, "log-max-fils: 2\n")
	hangup()
	a.says("did you mean")
	a.says("the configuration was not reloaded")
	pid := killOne(t)
	eventually(t, "it goes on", func() bool { return len(a.find(isDeathOf(pid))) == 1 })
	a.stop()
}

func TestAgentRefusesAConfigurationWithMistakes(t *testing.T) {
	conf := filepath.Join(t.TempDir(), "agent.yaml")
	writeFile(t, conf, "log-dir: /tmp/x\nlog-max-size: huge\n")
	out, err := exec.Command(programs(t).sigtrace, "agent", "--config", conf).CombinedOutput()
	if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != 2 || !strings.Contains(string(out), conf+":2: log-max-size") || strings.Count(string(out), "\n") != 1 {
		t.Errorf("%v: %s", err, out)
	}
}

func TestAgentTellsSystemd(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "notify")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var heard said
	go func() {
		b := make([]byte, 4096)
		for {
			n, err := l.Read(b)
			if err != nil {
				return
			}
			_, _ = heard.Write(append(b[:n:n], '\n'))
		}
	}()
	a := startAgent(t, filepath.Join(t.TempDir(), "log"), []string{"NOTIFY_SOCKET=" + socket, "WATCHDOG_USEC=200000"})
	hears := func(text string) {
		t.Helper()
		eventually(t, "systemd hears "+text, func() bool { return strings.Contains(heard.String(), text) })
	}
	hears("READY=1")
	eventually(t, "the watchdog is answered again and again", func() bool { return strings.Count(heard.String(), "WATCHDOG=1") >= 3 })
	if err := a.cmd.Process.Signal(unix.SIGHUP); err != nil {
		t.Fatal(err)
	}
	hears("RELOADING=1\nMONOTONIC_USEC=")
	eventually(t, "it is ready again", func() bool { return strings.Count(heard.String(), "READY=1") == 2 })
	a.stop()
	hears("STOPPING=1")
}

func TestAgentServesMetrics(t *testing.T) {
	a := startAgent(t, filepath.Join(t.TempDir(), "log"), nil, "--metrics-addr", "127.0.0.1:0")
	at := regexp.MustCompile(`address=(\S+)`).FindStringSubmatch(a.said.String())
	if at == nil {
		t.Fatalf("no address in\n%s", &a.said)
	}
	get := func(path string) string {
		r, err := http.Get("http://" + at[1] + path)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(r.StatusCode, " ", string(b))
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		// The ready file comes a moment before the stream begins.
		eventually(t, path+" is ok", func() bool { return get(path) == "200 ok\n" })
	}
	pid := killOne(t)
	eventually(t, "the death is reported", func() bool { return len(a.find(isDeathOf(pid))) == 1 })
	eventually(t, "the death is counted", func() bool {
		return regexp.MustCompile(`(?m)^sigtrace_deaths_total{cause="foreign_process",namespace=""} [1-9]`).MatchString(get("/metrics"))
	})
	body := get("/metrics")
	for _, name := range []string{
		`sigtrace_signals_total{signal="SIGKILL",via="kill"}`, `sigtrace_hook_attached{hook="signal_generate"} 1`,
		`sigtrace_bpf_recursion_misses_total{program=`, `sigtrace_log_write_errors_total 0`, `sigtrace_verdict_seconds_count`, `sigtrace_build_info{`,
	} {
		if !strings.Contains(body, name) {
			t.Errorf("no %s in\n%s", name, body)
		}
	}
	a.stop()
	if _, err := net.DialTimeout("tcp", at[1], time.Second); err == nil {
		t.Error("it still listens")
	}
}

// A reader of stdout that goes away, or hangs, keeps nothing from the files.
func TestAgentOutlivesItsReader(t *testing.T) {
	for name, lose := range map[string]func(t *testing.T) *os.File{
		"gone": func(t *testing.T) *os.File {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			_ = r.Close()
			return w
		},
		"hangs": func(t *testing.T) *os.File {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = r.Close() })
			return w
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir, ready := filepath.Join(t.TempDir(), "log"), filepath.Join(t.TempDir(), "ready")
			cmd := exec.Command(programs(t).sigtrace, "agent", "--log-dir", dir, "--ready-file", ready, "--cri-endpoint", "off", "--docker-host", "off")
			w := lose(t)
			var said said
			cmd.Stdout, cmd.Stderr = w, &said
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			_ = w.Close()
			defer func() { _ = cmd.Process.Kill() }()
			eventually(t, "it is ready", func() bool { _, err := os.Stat(ready); return err == nil })
			var pids []int
			for range 40 { // more than a pipe holds
				pids = append(pids, killOne(t))
			}
			eventually(t, "all deaths are in the files", func() bool {
				b, _ := os.ReadFile(filepath.Join(dir, "events.jsonl"))
				return !slices.ContainsFunc(pids, func(pid int) bool {
					return !bytes.Contains(b, fmt.Appendf(nil, `"process":{"pid":%d,`, pid))
				})
			})
			if err := cmd.Process.Signal(unix.SIGTERM); err != nil {
				t.Fatal(err)
			}
			// What stdout did not take is reported on stderr and in the exit code.
			if err := cmd.Wait(); err == nil || !strings.Contains(said.String(), "stdout") {
				t.Errorf("%v:\n%s", err, &said)
			}
		})
	}
}
