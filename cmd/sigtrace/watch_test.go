// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// The whole way: a real kill, through the kernel, to a line of JSON.
func TestWatchSeesKill(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("watching needs root")
	}
	victim := exec.Command("sleep", "60")
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	ready := filepath.Join(t.TempDir(), "ready")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	go func() {
		for ctx.Err() == nil {
			if _, err := os.Stat(ready); err == nil {
				_ = victim.Process.Kill()
				_ = victim.Wait()
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	var out, errs bytes.Buffer
	err := run(ctx, []string{"-o", "json", "--ready-file", ready, "--max-events", "1", "--cri-endpoint", "off", "--docker-host", "off", "--sender-pid", itoa(os.Getpid()), "-s", "KILL"}, &out, &errs)
	if err != nil {
		t.Fatalf("%v\n%s", err, &errs)
	}
	lines := bytes.Split(bytes.TrimSpace(out.Bytes()), []byte("\n"))
	var s struct {
		Signal, Via    string
		Fatal          bool
		Sender, Target struct{ PID int }
	}
	if err := json.Unmarshal(lines[len(lines)-1], &s); err != nil {
		t.Fatal(err)
	}
	if s.Signal != "SIGKILL" || s.Via != "kill" || !s.Fatal || s.Sender.PID != os.Getpid() || s.Target.PID != victim.Process.Pid {
		t.Errorf("got %s", lines[len(lines)-1])
	}
}

func itoa(n int) string {
	b, _ := json.Marshal(n)
	return string(b)
}
