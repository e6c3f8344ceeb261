// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The whole way of the agent: a real kill is on stdout and in the files, and
// what was in flight at the end is in them too.
func TestAgentWritesKill(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("the agent needs root")
	}
	victim := exec.Command("sleep", "60")
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	logs, ready := filepath.Join(dir, "log"), filepath.Join(dir, "ready")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var second error
	go func() {
		defer cancel() // at once: the death is in flight
		for ctx.Err() == nil {
			if _, err := os.Stat(ready); err == nil {
				second = run(ctx, []string{"agent", "--log-dir", logs}, new(bytes.Buffer), new(bytes.Buffer))
				_ = victim.Process.Kill()
				_ = victim.Wait()
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	var out, errs bytes.Buffer
	err := run(ctx, []string{"agent", "--log-dir", logs, "--ready-file", ready, "--cri-endpoint", "off", "--docker-host", "off"}, &out, &errs)
	if err != nil {
		t.Fatalf("%v\n%s", err, &errs)
	}
	if second == nil || !strings.Contains(second.Error(), "another sigtrace agent writes "+logs) {
		t.Errorf("the second instance got %v", second)
	}
	written, err := os.ReadFile(filepath.Join(logs, "events.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"stdout": out.String(), "events.jsonl": string(written)} {
		if !strings.Contains(text, `"type":"death"`) || !strings.Contains(text, `"pid":`+itoa(victim.Process.Pid)) {
			t.Errorf("%s has no death of %d:\n%s", name, victim.Process.Pid, text)
		}
	}
}

func TestAgentRefusesBadValues(t *testing.T) {
	for _, args := range [][]string{
		{"--log-max-size", "ten"}, {"--log-max-size", "0"}, {"--log-max-files", "0"}, {"--deaths-max", "-1"}, {"--pid", "-1"}, {"word"},
	} {
		err := run(t.Context(), append([]string{"agent"}, args...), new(bytes.Buffer), new(bytes.Buffer))
		if usage := (usageError{}); !errors.As(err, &usage) {
			t.Errorf("%v: got %v", args, err)
		}
	}
}

func TestByteSize(t *testing.T) {
	for text, want := range map[string]int64{"10MiB": 10 << 20, "10Mi": 10 << 20, "10m": 10 << 20, "1 GB": 1e9, "512": 512, "4k": 4096} {
		var s byteSize
		if err := s.Set(text); err != nil || int64(s) != want {
			t.Errorf("%s: %d, %v", text, s, err)
		}
	}
	s := byteSize(10 << 20)
	if s.String() != "10MiB" {
		t.Errorf("shown as %s", &s)
	}
	for _, bad := range []string{"", "-1", "1.5M", "M", "99999999G"} {
		if err := s.Set(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
