// SPDX-License-Identifier: Apache-2.0

//go:build cluster

package cluster

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sigtrace/sigtrace/internal/test/cluster/bed"
)

// programs are what the tests run, built once.
type programs struct{ sigtrace, app, up, kubernetes string }

var build = sync.OnceValues(func() (programs, error) {
	dir, err := os.MkdirTemp("", "sigtrace-cluster-")
	if err != nil {
		return programs{}, err
	}
	p := programs{filepath.Join(dir, "sigtrace"), filepath.Join(dir, "app"), filepath.Join(dir, "up"), ""}
	for name, pkg := range map[string]string{p.sigtrace: "../../../cmd/sigtrace", p.app: "./app", p.up: "./up"} {
		c := exec.Command("go", "build", "-o", name, pkg)
		if name == p.app { // alone in its image
			c.Env = append(os.Environ(), "CGO_ENABLED=0")
		}
		if out, err := c.CombinedOutput(); err != nil {
			return p, fmt.Errorf("build %s: %w\n%s", pkg, err, out)
		}
	}
	c := exec.Command("./build-kubernetes")
	c.Stderr = os.Stderr
	out, err := c.Output()
	if err != nil {
		return p, fmt.Errorf("build-kubernetes: %w", err)
	}
	p.kubernetes = strings.TrimSpace(string(out))
	return p, nil
})

func built(t *testing.T) programs {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("the cluster tests need root")
	}
	p, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestMain(m *testing.M) {
	code := m.Run()
	if p, err := build(); err == nil {
		_ = os.RemoveAll(filepath.Dir(p.sigtrace))
	}
	os.Exit(code)
}

// testBed is a bed that another process holds: it goes when this one goes,
// also by a panic or a time-out, with which no clean-up runs.
type testBed struct {
	bed.Description
	t       *testing.T
	stdin   io.WriteCloser
	answers *bufio.Reader
}

// startBed brings one up; a test's parallel parts are over when it goes.
func startBed(t *testing.T, flags ...string) *testBed {
	t.Helper()
	p := built(t)
	args := []string{"-programs", p.kubernetes, "-app", p.app}
	if dir := os.Getenv("KEEP_LOGS"); dir != "" {
		args = append(args, "-keep-logs", filepath.Join(dir, t.Name()))
	}
	c := exec.Command(p.up, append(args, flags...)...)
	c.Stderr = os.Stderr
	stdin, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	b := &testBed{t: t, stdin: stdin, answers: bufio.NewReader(stdout)}
	t.Cleanup(func() {
		stdin.Close()
		if err := c.Wait(); err != nil {
			t.Errorf("the bed did not go in order: %v", err)
		}
	})
	b.answer()
	t.Logf("the bed was up after %v", time.Since(begun).Round(100*time.Millisecond))
	return b
}

// answer reads where things are now.
func (b *testBed) answer() {
	b.t.Helper()
	line, err := b.answers.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &b.Description)
	}
	if err != nil {
		b.t.Fatalf("no bed: %v", err)
	}
}

// command is one that the bed's process knows.
func (b *testBed) command(what string) {
	b.t.Helper()
	if _, err := fmt.Fprintln(b.stdin, what); err != nil {
		b.t.Fatal(err)
	}
	b.answer()
}

// patience is how long something may take on a busy machine before a test
// gives up; it asserts nothing about speed.
const patience = 2 * time.Minute

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("not within %v: %s", patience, what)
}
